"""What may happen to an order, and what that does to its stock."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from daybook.errors import InvalidValue, NotFound, Refused
from daybook.events import (
    Allocation,
    Event,
    LineQuantity,
    OrderCancelled,
    OrderLine,
    OrderPaid,
    OrderPlaced,
    OrderRefunded,
    OrderReturned,
    OrderShipped,
    StockMove,
    StockReleased,
    StockReserved,
    StockReturned,
    StockShipped,
)
from daybook.orders import decisions
from daybook.orders.decisions import Decided
from daybook.orders.state import Order, evolve
from daybook.values import Money
from tests.fixtures.deciding import Given, given

PLACED = OrderPlaced(
    order="shop:1",
    channel="shop",
    number="1",
    currency="EUR",
    lines=(
        OrderLine(line="a", sku="MUG", quantity=2, price=500),
        OrderLine(line="b", sku="MUG", quantity=1, price=500, discount=100),
        OrderLine(line="c", sku="PAN", quantity=1, price=3000),
    ),
    allocations=(
        Allocation(sku="MUG", location="main", quantity=2),
        Allocation(sku="MUG", location="store", quantity=1),
        Allocation(sku="PAN", location="main", quantity=1),
    ),
    shipping=495,
)
TOTAL = 2 * 500 + 400 + 3000 + 495


def euros(minor: int) -> Money:
    return Money(minor, "EUR")


def placed(*events: Event) -> Given[Order | None]:
    return given(evolve, None, PLACED, *events)


def decided(decision: Callable[[Order], Decided]) -> Callable[[Order | None], Sequence[Event]]:
    """The order's own events."""

    def decide(order: Order | None) -> Sequence[Event]:
        assert order is not None
        return decision(order).events

    return decide


def stock_of(order: Order | None, decision: Callable[[Order], Decided]) -> dict[str, list[Any]]:
    assert order is not None
    return {sku: list(events) for sku, events in decision(order).stock.items()}


def of(*lines: tuple[str, int]) -> tuple[LineQuantity, ...]:
    return tuple(LineQuantity(line, quantity) for line, quantity in lines)


def reserved(location: str, quantity: int, oversold: int = 0) -> StockReserved:
    return StockReserved(order="shop:1", location=location, quantity=quantity, oversold=oversold)


def released(location: str, quantity: int) -> StockReleased:
    return StockReleased(order="shop:1", location=location, quantity=quantity)


def shipped(location: str, quantity: int) -> StockShipped:
    return StockShipped(order="shop:1", location=location, quantity=quantity)


SHIPPED_ALL = OrderShipped(
    parcel="P",
    lines=of(("a", 2), ("b", 1), ("c", 1)),
    released=(StockMove("MUG", "main", 2), StockMove("MUG", "store", 1), StockMove("PAN", "main", 1)),
    taken=(StockMove("MUG", "main", 2), StockMove("MUG", "store", 1), StockMove("PAN", "main", 1)),
)


def test_an_order_and_its_reservations_are_one_decision() -> None:
    found = decisions.place(PLACED)

    assert found.events == [PLACED]
    assert found.stock == {"MUG": [reserved("main", 2), reserved("store", 1)], "PAN": [reserved("main", 1)]}


def test_a_new_order_is_open_and_unpaid_and_knows_what_it_costs() -> None:
    order = placed().state

    assert order is not None
    assert (order.status, order.payment, order.total) == ("open", "unpaid", TOTAL)
    assert order.reserved == {"MUG": {"main": 2, "store": 1}, "PAN": {"main": 1}}


def test_cancelling_an_order_gives_all_of_its_stock_back_and_twice_changes_nothing() -> None:
    def cancelling(order: Order) -> Decided:
        return decisions.cancel(order, None, "customer")

    event = OrderCancelled(
        lines=of(("a", 2), ("b", 1), ("c", 1)),
        released=(StockMove("MUG", "store", 1), StockMove("MUG", "main", 2), StockMove("PAN", "main", 1)),
        cause="customer",
    )
    placed().when(decided(cancelling)).then(event).and_twice_changes_nothing()
    assert stock_of(placed().state, cancelling) == {
        "MUG": [released("store", 1), released("main", 2)],
        "PAN": [released("main", 1)],
    }
    after = placed(event).state
    assert after is not None
    assert (after.status, after.reserved) == ("cancelled", {})


def test_cancelling_some_pieces_frees_first_what_the_last_location_gave() -> None:
    def cancelling(order: Order) -> Decided:
        return decisions.cancel(order, {"a": 2}, "other")

    assert stock_of(placed().state, cancelling) == {"MUG": [released("store", 1), released("main", 1)]}


@pytest.mark.parametrize(
    ("lines", "error", "match"),
    [
        ({"a": 3}, Refused, "3 pieces of line a of order shop:1, but 2 are open"),
        ({"x": 1}, NotFound, "order shop:1 has no line 'x': a, b, c"),
        ({"a": 0}, InvalidValue, "lines.a: must be between 1"),
        ({"a": -1}, InvalidValue, "lines.a: must be between 1"),
        ({"a": 1.5}, InvalidValue, "lines.a: must be a whole number"),
        ({}, InvalidValue, "name at least one line"),
    ],
)
def test_what_an_order_does_not_have_is_neither_cancelled_nor_shipped(
    lines: dict[str, int], error: type[Any], match: str
) -> None:
    placed().when(decided(lambda order: decisions.cancel(order, lines, "other"))).refuses(error, match)
    placed().when(decided(lambda order: decisions.ship(order, "P", lines))).refuses(error, match)


def test_what_was_shipped_is_not_cancelled_and_says_what_to_do() -> None:
    refusal = placed(SHIPPED_ALL).when(decided(lambda order: decisions.cancel(order, None, "customer")))

    refusal.refuses(Refused, "no piece of order shop:1 is open: what was shipped is returned, not cancelled")


def test_a_parcel_takes_the_pieces_from_where_they_are_reserved() -> None:
    def shipping(order: Order) -> Decided:
        return decisions.ship(order, "P", {"a": 1, "b": 1, "c": 1}, carrier="postnl", tracking="3S1")

    event = OrderShipped(
        parcel="P",
        lines=of(("a", 1), ("b", 1), ("c", 1)),
        released=(StockMove("MUG", "main", 2), StockMove("PAN", "main", 1)),
        taken=(StockMove("MUG", "main", 2), StockMove("PAN", "main", 1)),
        carrier="postnl",
        tracking="3S1",
    )
    placed().when(decided(shipping)).then(event).and_twice_changes_nothing()
    assert stock_of(placed().state, shipping) == {"MUG": [shipped("main", 2)], "PAN": [shipped("main", 1)]}
    after = placed(event).state
    assert after is not None
    assert (after.status, after.reserved) == ("partly_shipped", {"MUG": {"store": 1}})


def test_a_parcel_from_elsewhere_moves_the_reservation_before_it_leaves() -> None:
    def shipping(order: Order) -> Decided:
        return decisions.ship(order, "P", {"a": 2}, location="store")

    assert stock_of(placed().state, shipping) == {
        "MUG": [reserved("store", 1), released("main", 1), shipped("store", 2)]
    }


def test_a_parcel_that_is_told_again_as_another_one_is_refused() -> None:
    shipping = decided(lambda order: decisions.ship(order, "P", {"a": 1}, tracking="other"))

    placed(SHIPPED_ALL).when(shipping).refuses(Refused, "parcel P of order shop:1 left before, and was another")


def test_more_than_is_open_is_not_shipped() -> None:
    shipping = decided(lambda order: decisions.ship(order, "Q", None))

    placed(SHIPPED_ALL).when(shipping).refuses(Refused, "no piece of order shop:1 is open")


def test_what_comes_back_goes_to_where_it_left_from_and_may_be_sold_again() -> None:
    def returning(order: Order) -> Decided:
        return decisions.take_back(order, {"a": 2, "b": 1}, location=None, restock=True, reference="R")

    moves = (StockMove("MUG", "main", 2), StockMove("MUG", "store", 1))
    event = OrderReturned(lines=of(("a", 2), ("b", 1)), restocked=moves, reference="R")
    placed(SHIPPED_ALL).when(decided(returning)).then(event).and_twice_changes_nothing()
    assert stock_of(placed(SHIPPED_ALL).state, returning) == {
        "MUG": [
            StockReturned(order="shop:1", location="main", quantity=2),
            StockReturned(order="shop:1", location="store", quantity=1),
        ]
    }


def test_what_comes_back_broken_does_not_become_stock() -> None:
    def returning(order: Order) -> Decided:
        return decisions.take_back(order, None, location="bin", restock=False, reference=None)

    assert stock_of(placed(SHIPPED_ALL).state, returning) == {}
    (event,) = decided(returning)(placed(SHIPPED_ALL).state)
    after = placed(SHIPPED_ALL, event).state
    assert after is not None
    assert after.status == "returned"


def test_more_than_was_shipped_does_not_come_back() -> None:
    def returning(order: Order) -> Decided:
        return decisions.take_back(order, {"a": 1}, location=None, restock=True, reference=None)

    placed().when(decided(returning)).refuses(Refused, "none are with the customer: what was not shipped is cancelled")


def test_an_order_is_paid_up_to_what_it_costs_and_a_payment_told_twice_counts_once() -> None:
    def paying(order: Order) -> Decided:
        return decisions.pay(order, euros(TOTAL), "tr_1")

    event = OrderPaid(amount=euros(TOTAL), reference="tr_1")
    placed().when(decided(paying)).then(event).and_twice_changes_nothing()
    more = decided(lambda order: decisions.pay(order, euros(1), "tr_2"))
    placed(event).when(more).refuses(Refused, "0.01 EUR is more than order shop:1 still costs: 0.00 EUR")
    other = decided(lambda order: decisions.pay(order, euros(5), "tr_1"))
    placed(event).when(other).refuses(Refused, "has this reference for 48.95 EUR already, not for 0.05 EUR")


def test_what_was_cancelled_is_not_owed_and_the_sending_only_while_anything_is_left() -> None:
    some = OrderCancelled(lines=of(("a", 1), ("c", 1)))
    owed = 500 + 400 + 495
    more = decided(lambda order: decisions.pay(order, euros(owed + 1), None))
    placed(some).when(more).refuses(Refused, "13.96 EUR is more than order shop:1 still costs: 13.95 EUR")
    all_of_it = decided(lambda order: decisions.pay(order, euros(owed), None))
    placed(some).when(all_of_it).then(OrderPaid(amount=euros(owed)))
    rest = OrderCancelled(lines=of(("a", 1), ("b", 1)))
    any_money = decided(lambda order: decisions.pay(order, euros(1), None))
    placed(some, rest).when(any_money).refuses(Refused, "still costs: 0.00 EUR")


def test_no_more_is_refunded_than_was_paid() -> None:
    paid = OrderPaid(amount=euros(1000), reference="tr_1")

    def refunding(minor: int, reference: str | None = None) -> Callable[[Order | None], Sequence[Event]]:
        return decided(lambda order: decisions.refund(order, euros(minor), reference))

    placed().when(refunding(1)).refuses(Refused, "was paid for order shop:1 and not refunded yet: 0.00 EUR")
    back = OrderRefunded(amount=euros(600), reference="re_1")
    placed(paid).when(refunding(600, "re_1")).then(back).and_twice_changes_nothing()
    placed(paid, back).when(refunding(401)).refuses(Refused, "not refunded yet: 4.00 EUR")
    placed(paid, back).when(refunding(400)).then(OrderRefunded(amount=euros(400)))


@pytest.mark.parametrize("amount", [Money(100, "USD"), Money(0, "EUR")])
def test_money_of_another_currency_and_none_at_all_are_refused(amount: Money) -> None:
    placed().when(decided(lambda order: decisions.pay(order, amount, None))).refuses(
        InvalidValue, "^(currency|amount): "
    )
    placed().when(decided(lambda order: decisions.refund(order, amount, None))).refuses(
        InvalidValue, "^(currency|amount): "
    )


def test_the_same_order_again_is_known_and_another_under_its_number_names_what_differs() -> None:
    order = placed().state
    assert order is not None
    assert decisions.same_as_before(order, PLACED)

    with pytest.raises(Refused, match="was placed before, with other shipping"):
        decisions.same_as_before(order, OrderPlaced(**{**_fields(PLACED), "shipping": 1}))


def _fields(event: OrderPlaced) -> dict[str, Any]:
    return {name: getattr(event, name) for name in event.__struct_fields__}


def test_taxes_come_on_top_where_prices_do_not_hold_them() -> None:
    line = OrderLine(line="1", sku="MUG", quantity=2, price=1000, tax=420)
    order = Order(placed=OrderPlaced(**{**_fields(PLACED), "lines": (line,), "shipping": 0, "tax_included": False}))

    assert order.total == 2420


def test_events_of_other_nouns_and_before_the_order_change_nothing() -> None:
    order = placed().state

    assert evolve(order, reserved("main", 1)) is order
    assert evolve(None, OrderPaid(amount=euros(1))) is None
