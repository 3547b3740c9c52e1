"""Orders through the book on a real log: one append for an order and its stock, refusals, rivals, and the balance."""

from collections.abc import Iterator

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from daybook import commands as c
from daybook import events as e
from daybook.commands.book import Command
from daybook.errors import DaybookError, InvalidValue, NotFound, OutOfStock, Refused
from daybook.events.envelope import of_group
from daybook.stock.state import Stock, evolve
from tests.fixtures.examples import examples
from tests.fixtures.harness import Harness, harness_on
from tests.fixtures.logs import at_once, context
from tests.fixtures.ordering import balanced, lines, placing, stocked

SHOP = e.ChannelConfigured(name="shop", currency="EUR", locations=("main", "store"))


@pytest.fixture
def desk(database: str) -> Iterator[Harness]:
    """A book on a fresh database, with five of two mugs."""
    with harness_on(database) as made:
        made.do(*stocked(5, "MUG", "CUP"))
        yield made


def stock(desk: Harness, sku: str = "MUG") -> Stock:
    found, _ = desk.log.load(f"stock/{sku}", evolve)
    return found or Stock()


def test_an_order_and_its_reservations_are_one_command_in_positions_that_follow(desk: Harness) -> None:
    before = desk.reader.head()
    done = desk.do(placing("1", ("MUG", 2), ("CUP", 1)))[0]

    recorded = desk.reader.after(before)
    assert [one.stream for one in recorded] == ["order/shop:1", "stock/MUG", "stock/CUP"]
    assert {one.command_id for one in recorded} == {done.command_id}
    assert (done.first, done.last, done.created, done.version) == (before + 1, before + 3, True, 1)
    assert stock(desk) == Stock({"main": 5}, {"main": 2})


def test_the_events_of_an_order_are_of_no_product_group_and_its_stocks_are_of_theirs(desk: Harness) -> None:
    before = desk.reader.head()
    desk.do(placing("1", ("MUG", 2)))

    order, reserved = desk.reader.after(before)
    assert (order.key, order.sku, of_group(order.key)) == ("@order/shop:1", None, False)
    assert (reserved.key, reserved.sku) == ("MUG", "MUG")


def test_two_lines_of_one_item_are_summed_before_stock_is_looked_at(desk: Harness) -> None:
    before = desk.reader.head()
    with pytest.raises(OutOfStock, match="6 of MUG were ordered, and 5 can be sold"):
        desk.do(placing("1", ("MUG", 3), ("MUG", 3)))

    assert desk.reader.head() == before
    desk.do(placing("2", ("MUG", 2), ("MUG", 3)))
    assert stock(desk).available() == 0


def test_an_order_that_lacks_one_item_reserves_none_of_the_others(desk: Harness) -> None:
    with pytest.raises(OutOfStock):
        desk.do(placing("1", ("MUG", 1), ("CUP", 6)))

    assert stock(desk) == Stock({"main": 5})


def test_a_sale_that_a_marketplace_made_is_recorded_and_what_nobody_has_is_oversold(desk: Harness) -> None:
    desk.do(placing("1", ("MUG", 4)))
    before = desk.reader.head()
    desk.do(placing("2", ("MUG", 3), already_sold=True))

    placed, reserved = desk.since(before)
    assert isinstance(placed, e.OrderPlaced) and isinstance(reserved, e.StockReserved)
    assert [one.oversold for one in placed.allocations] == [2]
    assert (reserved.quantity, reserved.oversold) == (3, 2)
    assert (stock(desk).free("main"), stock(desk).available()) == (-2, 0)


def test_the_channels_locations_and_what_it_leaves_to_others_bound_its_orders(desk: Harness) -> None:
    desk.do(
        c.ConfigureChannel(channel=e.ChannelConfigured(name="shop", locations=("store",), safety_stock=1)),
        c.CountStock(sku="MUG", quantity=3, location="store"),
    )
    with pytest.raises(OutOfStock, match="3 of MUG were ordered, and 2 can be sold"):
        desk.do(placing("1", ("MUG", 3)))

    desk.do(placing("2", ("MUG", 2)))
    assert stock(desk).reserved == {"store": 2}


def test_what_is_held_back_at_a_location_is_not_sold_there(desk: Harness) -> None:
    desk.do(c.SetSafetyStock(sku="MUG", quantity=4))

    with pytest.raises(OutOfStock, match="1 can be sold"):
        desk.do(placing("1", ("MUG", 2)))
    desk.do(placing("2", ("MUG", 2), already_sold=True))
    assert stock(desk) == Stock({"main": 5}, {"main": 2}, {"main": 4})


def test_an_order_that_came_before_changes_nothing_and_another_under_its_number_is_refused(desk: Harness) -> None:
    first, again = desk.do(placing("1", ("MUG", 2)), placing("1", ("MUG", 2)))

    assert first.changed and not again.changed
    with pytest.raises(Refused, match="order shop:1 was placed before, with other lines"):
        desk.do(placing("1", ("MUG", 3)))
    assert stock(desk).reserved == {"main": 2}


def test_a_command_that_is_sent_twice_is_carried_out_once(desk: Harness) -> None:
    command, sender = placing("1", ("MUG", 2)), context("once")
    first = desk.book.carry_out(command, sender, repeatable=True)
    again = desk.book.carry_out(command, sender, repeatable=True)

    assert (first.repeated, again.repeated, again.last) == (False, True, first.last)


REFUSED: list[tuple[Command, type[DaybookError], str]] = [
    (placing("1", ("TEAPOT", 1)), NotFound, r"lines\[0\]\.sku: there is no product TEAPOT"),
    (placing("1", ("MUG", 1), ("MUG", 0)), InvalidValue, r"lines\[1\]\.quantity: must be between 1"),
    (placing("1", ("MUG", -1)), InvalidValue, r"lines\[0\]\.quantity: must be between 1"),
    (placing("1"), InvalidValue, "lines: an order has at least one line"),
    (placing("a/b", ("MUG", 1)), InvalidValue, "number: .*give the channel's own id"),
    (placing("", ("MUG", 1)), InvalidValue, "number: must not be empty"),
    (placing("1" * 65, ("MUG", 1)), InvalidValue, "number: .*at most 64"),
    (placing("1", ("MUG", 1), person="ada"), InvalidValue, "person: must be a person's id"),
    (
        placing("1", ("MUG", 1), person="01936f1e-7a60-7000-8000-000000000001"),
        NotFound,
        "person: there is no person",
    ),
    (
        c.PlaceOrder(channel="east", number="1", currency="EUR", lines=lines(("MUG", 1))),
        NotFound,
        "channel: there is no channel 'east'",
    ),
    (
        c.PlaceOrder(channel="shop", number="1", currency="USD", lines=lines(("MUG", 1))),
        InvalidValue,
        "currency: the channel shop sells in EUR, by its price list 'default'",
    ),
    (
        c.PlaceOrder(channel="shop", number="1", currency="EUR", lines=lines(("MUG", 1), price="1.234")),
        InvalidValue,
        r"lines\[0\]\.price: 1.234 has more decimals",
    ),
    (
        c.PlaceOrder(
            channel="shop",
            number="1",
            currency="EUR",
            lines=(c.OrderedLine(sku="MUG", quantity=1, price="5", discount="6"),),
        ),
        InvalidValue,
        r"lines\[0\]\.discount: is more than the line costs",
    ),
    (
        c.PlaceOrder(
            channel="shop",
            number="1",
            currency="EUR",
            lines=(
                c.OrderedLine(sku="MUG", quantity=1, price="5", line="a"),
                c.OrderedLine(sku="CUP", quantity=1, price="5", line="a"),
            ),
        ),
        InvalidValue,
        "lines: two lines have the same name",
    ),
    (c.CancelOrder(order="shop:9"), NotFound, "there is no order shop:9"),
    (c.ShipOrder(order="shop:9", parcel="P"), NotFound, "there is no order shop:9"),
    (c.PayOrder(order="shop:9", amount="1", currency="EUR"), NotFound, "there is no order shop:9"),
]


def test_what_makes_no_sense_is_refused_and_leaves_nothing_behind(desk: Harness) -> None:
    before = desk.reader.head()
    for command, error, match in REFUSED:
        with pytest.raises(error, match=match):
            desk.do(command)
    assert desk.reader.head() == before


def test_nobody_can_order_a_model(desk: Harness) -> None:
    desk.do(c.CreateProduct(sku="TEE", kind="model", axes=("size",)))

    with pytest.raises(Refused, match="TEE is a model, which nobody can buy"):
        desk.do(placing("1", ("TEE", 1)))


def test_an_order_goes_its_way_and_the_stock_follows(desk: Harness) -> None:
    desk.do(
        placing("1", ("MUG", 3), ("CUP", 1)), c.PayOrder(order="shop:1", amount="20", currency="EUR", reference="t")
    )
    desk.do(c.ShipOrder(order="shop:1", parcel="P", lines={"1": 2}, carrier="postnl", tracking="3S1"))
    assert stock(desk) == Stock({"main": 3}, {"main": 1})
    desk.do(c.CancelOrder(order="shop:1", lines={"1": 1}, cause="customer"))
    assert stock(desk) == Stock({"main": 3})
    desk.do(c.ShipOrder(order="shop:1", parcel="Q"))
    desk.do(c.ReturnOrder(order="shop:1", lines={"1": 1}))
    desk.do(c.RefundOrder(order="shop:1", amount="10", currency="EUR"))
    assert (stock(desk), stock(desk, "CUP")) == (Stock({"main": 4}), Stock({"main": 4}))

    with pytest.raises(Refused, match="what was shipped is returned, not cancelled"):
        desk.do(c.CancelOrder(order="shop:1", lines={"1": 1}))
    books = balanced(desk.reader.after(0))
    order = books.orders["shop:1"]
    assert order is not None
    assert (order.status, order.payment) == ("shipped", "partly_refunded")


def test_fifty_buyers_of_the_last_piece_are_one_order_and_forty_nine_refusals(desk: Harness) -> None:
    desk.do(c.CountStock(sku="MUG", quantity=1))

    def buy(number: int) -> bool:
        try:
            desk.do(placing(str(number), ("MUG", 1)))
        except OutOfStock:
            return False
        return True

    assert sum(at_once(50, buy)) == 1
    assert stock(desk) == Stock({"main": 1}, {"main": 1})


def _history() -> st.SearchStrategy[list[Command]]:
    sku = st.sampled_from(["MUG", "CUP"])
    location = st.sampled_from(["main", "store"])
    order = st.integers(1, 4).map(lambda number: f"shop:{number}")
    some = st.none() | st.dictionaries(st.sampled_from("12"), st.integers(1, 3), min_size=1)
    place = st.builds(
        lambda number, items, sold: placing(str(number), *items, already_sold=sold),
        st.integers(1, 4),
        st.lists(st.tuples(sku, st.integers(1, 3)), min_size=1, max_size=2),
        st.booleans(),
    )
    command: st.SearchStrategy[Command] = st.one_of(
        place,
        place,
        st.builds(c.CancelOrder, order=order, lines=some),
        st.builds(c.ShipOrder, order=order, parcel=st.sampled_from("PQR"), lines=some, location=st.none() | location),
        st.builds(c.ReturnOrder, order=order, lines=some, location=st.none() | location, restock=st.booleans()),
        st.builds(c.PayOrder, order=order, amount=st.sampled_from(["5", "10"]), currency=st.just("EUR")),
        st.builds(c.RefundOrder, order=order, amount=st.sampled_from(["5", "10"]), currency=st.just("EUR")),
        st.builds(c.CountStock, sku=sku, quantity=st.integers(0, 6), location=location),
        st.builds(c.ReceiveStock, sku=sku, quantity=st.integers(1, 3), location=location),
        st.builds(c.AdjustStock, sku=sku, delta=st.integers(-2, 2), location=location),
        st.builds(c.SetSafetyStock, sku=sku, quantity=st.integers(0, 2), location=location),
    )
    return st.lists(command, min_size=5, max_size=40)


@examples(few=8, many=150)
@for_all(history=_history())
def test_for_random_histories_the_books_balance_at_every_position(desk: Harness, history: list[Command]) -> None:
    before = desk.reader.head()
    desk.do(c.ConfigureChannel(channel=SHOP))
    for command in history:
        try:
            desk.do(command)
        except (Refused, NotFound) as refusal:
            assert str(refusal)
    assert desk.reader.head() >= before
    balanced(desk.reader.after(0, 100_000))
