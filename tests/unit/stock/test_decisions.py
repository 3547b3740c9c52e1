"""What may happen to stock, and what there is to sell."""

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from daybook.errors import InvalidValue
from daybook.events import (
    Event,
    ProductListed,
    SafetyStockSet,
    StockAdjusted,
    StockCounted,
    StockReceived,
    StockReleased,
    StockReserved,
    StockReturned,
    StockShipped,
)
from daybook.stock import decisions
from daybook.stock.decisions import PIECES_MAX
from daybook.stock.state import Stock, evolve
from tests.fixtures.deciding import Given, given


def stock(*events: Event) -> Given[Stock | None]:
    """The stock after these events."""
    return given(evolve, None, *events)


def test_a_count_stands_whatever_was_there_and_the_same_count_changes_nothing() -> None:
    def counting(now: Stock | None) -> list[Event]:
        return [*decisions.count(now, "main", 12)]

    stock().when(counting).then(StockCounted("main", 12)).and_twice_changes_nothing()
    stock(StockCounted("main", 40), StockReceived("main", 2)).when(counting).then(StockCounted("main", 12))
    stock(StockCounted("store", 12)).when(counting).then(StockCounted("main", 12))


def test_counting_nothing_at_a_new_place_is_a_fact() -> None:
    stock().when(lambda now: decisions.count(now, "main", 0)).then(StockCounted("main", 0)).and_twice_changes_nothing()


def test_what_arrives_and_what_changes_adds_up_each_time() -> None:
    stock().when(lambda now: decisions.receive(now, "main", 5)).then(StockReceived("main", 5))
    stock().when(lambda now: decisions.adjust(now, "main", -3)).then(StockAdjusted("main", -3))

    state = stock(StockReceived("main", 5), StockReceived("main", 5), StockAdjusted("main", -3)).state

    assert state == Stock({"main": 7})


def test_an_adjustment_by_nothing_is_none() -> None:
    stock().when(lambda now: decisions.adjust(now, "main", 0)).then()


@pytest.mark.parametrize("quantity", [-1, PIECES_MAX + 1, 1.5, "3", True, None, 10**100])
def test_a_count_that_makes_no_sense_is_refused(quantity: object) -> None:
    stock().when(lambda now: decisions.count(now, "main", quantity)).refuses(InvalidValue, "^quantity: ")  # type: ignore[arg-type]


@pytest.mark.parametrize("quantity", [-1, 0, PIECES_MAX + 1, True, 2.0])
def test_at_least_one_piece_arrives(quantity: object) -> None:
    stock().when(lambda now: decisions.receive(now, "main", quantity)).refuses(InvalidValue, "^quantity: ")  # type: ignore[arg-type]


@pytest.mark.parametrize("delta", [-PIECES_MAX - 1, PIECES_MAX + 1, False, 0.5, None])
def test_an_adjustment_that_makes_no_sense_is_refused(delta: object) -> None:
    stock().when(lambda now: decisions.adjust(now, "main", delta)).refuses(InvalidValue, "^delta: ")  # type: ignore[arg-type]


def test_less_than_nothing_is_kept_and_a_later_count_puts_it_right() -> None:
    below = stock(StockCounted("main", 1), StockAdjusted("main", -3))
    assert below.state == Stock({"main": -2})

    below.when(lambda now: decisions.count(now, "main", 0)).then(StockCounted("main", 0))


def test_available_is_the_sum_of_the_named_places_and_never_below_zero() -> None:
    state = Stock({"main": 5, "store": 2, "returns": -9})

    assert state.available(("main", "store")) == 7
    assert state.available(("store",)) == 2
    assert state.available(("elsewhere",)) == 0
    assert state.available(("returns",)) == 0
    assert state.available() == 0
    assert Stock().available() == 0


def of_order(kind: type[StockReserved | StockReleased | StockShipped | StockReturned], quantity: int) -> Event:
    return kind(order="shop:1", location="main", quantity=quantity)


def test_what_is_reserved_lies_there_and_is_not_available_until_it_is_released_or_leaves() -> None:
    there = StockCounted("main", 5)
    reserved = of_order(StockReserved, 3)

    assert stock(there, reserved).state == Stock({"main": 5}, {"main": 3})
    assert stock(there, reserved, of_order(StockReleased, 3)).state == Stock({"main": 5})
    assert stock(there, reserved, of_order(StockShipped, 2)).state == Stock({"main": 3}, {"main": 1})
    shipped = stock(there, reserved, of_order(StockShipped, 3), of_order(StockReturned, 1)).state
    assert shipped == Stock({"main": 3})


def test_a_count_speaks_of_what_lies_there_reserved_pieces_included() -> None:
    state = stock(StockCounted("main", 5), of_order(StockReserved, 3), StockCounted("main", 4)).state

    assert state is not None
    assert (state.quantities, state.available()) == ({"main": 4}, 1)


def test_what_is_held_back_is_not_available_and_makes_no_debt_where_it_is_not_there() -> None:
    held: list[Event] = [
        StockCounted("main", 5),
        StockCounted("store", 1),
        SafetyStockSet("main", 2),
        SafetyStockSet("store", 3),
    ]
    state = stock(*held).state

    assert state is not None
    assert [state.unheld(one) for one in ("main", "store")] == [3, 0]
    assert state.available() == 3
    assert stock(*held, SafetyStockSet("main", 0)).state == Stock({"main": 5, "store": 1}, {}, {"store": 3})


def test_holding_back_what_is_held_back_already_changes_nothing() -> None:
    def holding(now: Stock | None) -> list[Event]:
        return [*decisions.set_safety(now, "main", 2)]

    stock().when(holding).then(SafetyStockSet("main", 2)).and_twice_changes_nothing()
    stock().when(lambda now: decisions.set_safety(now, "main", 0)).then()
    stock().when(lambda now: decisions.set_safety(now, "main", -1)).refuses(InvalidValue, "^quantity: ")


def test_pieces_that_were_oversold_at_one_location_are_missing_from_the_others() -> None:
    state = stock(StockCounted("main", 1), StockCounted("store", 3), of_order(StockReserved, 3)).state

    assert state is not None
    assert (state.free("main"), state.available()) == (-2, 1)


def test_events_of_other_nouns_change_nothing() -> None:
    state = stock(StockCounted("main", 1)).state

    assert evolve(state, ProductListed("shop")) is state
    assert evolve(None, ProductListed("shop")) is None


@for_all(
    st.lists(st.one_of(st.integers(-50, 50).map(lambda n: StockAdjusted("main", n)), st.just(StockCounted("main", 7))))
)
def test_stock_is_the_last_count_and_everything_since(events: list[Event]) -> None:
    expected: int | None = None
    for event in events:
        expected = event.quantity if isinstance(event, StockCounted) else (expected or 0) + event.delta  # type: ignore[union-attr]

    state = stock(*events).state

    assert (state.quantities["main"] if state else None) == expected
