"""Orders of bol, by asking: each is in the book once, a wish to cancel is granted, what bol sends is left alone."""

import random
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from daybook.channel.orders import NotNow, OrdersPage
from daybook.channel.sandbox import Faults
from daybook.commands import ShipOrder
from daybook.events import PersonAdded
from daybook.log.pending import Context
from daybook_projections.bol.connector import BolConnector
from tests.fixtures.arriving import BolOrders, bol_orders
from tests.fixtures.ordering import balanced


@pytest_asyncio.fixture
async def desk(database: str) -> AsyncIterator[BolOrders]:
    async with bol_orders(database) as made:
        yield made


async def told(desk: BolOrders) -> None:
    await desk.poll()
    await desk.take()


def asked(desk: BolOrders, path: str) -> int:
    return sum(one.path == path for one in desk.shop.received)


def at(desk: BolOrders, ago: timedelta) -> None:
    late = ago.total_seconds()
    desk.shop.clock = lambda: time.time() - late


async def test_an_order_is_in_the_book_with_its_stock_its_payment_and_its_customer(desk: BolOrders) -> None:
    number = desk.shop.buy(("BAG", 2), ("MUG", 1), discount=1.5)
    assert desk.shop.shown()["BAG"]["stock"] == 3, "bol lowers its own"
    await told(desk)

    order = desk.known(number)
    assert [(one.sku, one.quantity, one.price, one.discount) for one in order.placed.lines] == [
        ("BAG", 2, 999, 150),
        ("MUG", 1, 999, 150),
    ]
    assert (order.placed.shipping, order.total, order.payment, order.status) == (0, 2697, "paid", "open")
    assert (desk.available("BAG"), desk.available("MUG")) == (3, 2)
    person = desk.app.people.get(order.placed.person or "")
    assert person is not None and person.name == "Grace Hopper" and person.mail == "2ge4x6yrnx@verkopen.bol.com"
    assert person.address is not None and person.address.lines == ("Keizersgracht 1 A",)
    assert {one.actor for one in desk.app.reader.after(0) if one.stream.startswith("order/")} == {"channel:bol"}


async def test_asking_again_and_again_takes_an_order_once_and_its_changes_once(desk: BolOrders) -> None:
    number = desk.shop.buy(("BAG", 3))
    (item,) = desk.shop.items(number)
    for sent, cancelled in ((0, 0), (1, 0), (1, 0), (0, 1)):
        desk.shop.send(number, item, sent)
        desk.shop.cancel(number, item, cancelled)
        for _ in range(2):
            await told(desk)
    order = desk.known(number)
    assert (order.status, order.shipped, order.cancelled) == ("shipped", {item: 2}, {item: 1})
    assert [one.parcel for one in order.parcels] == ["bol-1", "bol-2"]
    assert desk.reserved() == 1 and desk.refused() == []
    assert sum(isinstance(one.event, PersonAdded) for one in desk.app.reader.after(0)) == 1
    assert desk.available("BAG") == 3
    balanced(desk.app.reader.after(0))


async def test_a_wish_to_cancel_is_granted_for_what_did_not_leave_and_only_for_that(desk: BolOrders) -> None:
    early, late = desk.shop.buy(("BAG", 2)), desk.shop.buy(("MUG", 2))
    await told(desk)
    desk.app.book.carry_out(ShipOrder(order=f"bol:{late}", parcel="P1"), Context.new("ann", "test"))
    for number in (early, late):
        desk.shop.ask_to_cancel(number, desk.shop.items(number)[0])
    for _ in range(2):
        await told(desk)

    assert desk.known(early).status == "cancelled" and desk.available("BAG") == 5
    assert desk.known(late).status == "shipped" and desk.known(late).cancelled == {}
    assert desk.refused() == [], "that it left is no quarrel: bol is told of the parcel"
    cancelled = [one.event for one in desk.app.reader.after(0) if type(one.event).__name__ == "OrderCancelled"]
    assert [getattr(one, "cause", None) for one in cancelled] == ["customer"]


async def test_an_order_that_is_taken_with_a_wish_to_cancel_reserves_nothing_for_long(desk: BolOrders) -> None:
    wished, gone = desk.shop.buy(("BAG", 1)), desk.shop.buy(("BAG", 1))
    desk.shop.ask_to_cancel(wished, desk.shop.items(wished)[0])
    desk.shop.cancel(gone, desk.shop.items(gone)[0])
    await told(desk)
    assert desk.known(wished).status == "cancelled"
    assert desk.order(gone) is None, "it was over before anybody heard of it"
    assert desk.available("BAG") == 5


async def test_what_bol_sends_from_its_own_warehouse_is_left_alone(desk: BolOrders) -> None:
    theirs = desk.shop.buy(("BAG", 1), method="FBB")
    mixed = desk.shop.buy(("MUG", 1))
    desk.shop.buy_from_bol(mixed, "BAG", 2)
    await told(desk)
    assert desk.order(theirs) is None and asked(desk, f"/retailer/orders/{theirs}") == 0
    assert [(one.sku, one.quantity) for one in desk.known(mixed).placed.lines] == [("MUG", 1)]
    assert desk.known(mixed).total == 999 and desk.available("BAG") == 5


async def test_an_offer_without_our_reference_waits_for_a_person_who_is_told_which(desk: BolOrders) -> None:
    number = desk.shop.buy(("BAG", 1))
    desk.shop.change_offer(number, reference=None)
    await told(desk)
    (refused,) = desk.refused()
    assert refused.field == "orderItems[0].offer.reference" and "4006381333930" in refused.reason
    desk.shop.change_offer(number, reference="BAG")
    await told(desk)
    assert desk.known(number).status == "open" and desk.refused() == []


async def test_more_orders_than_a_page_holds_and_a_list_that_lags_are_all_taken(desk: BolOrders) -> None:
    at(desk, timedelta(minutes=1))
    numbers = [desk.shop.buy(("BAG", 1)) for _ in range(120)]
    at(desk, timedelta())
    desk.shop.lag_seconds = 30.0
    newest = desk.shop.buy(("MUG", 1))
    await told(desk)
    assert desk.order(newest) is None
    assert all(desk.order(number) is not None for number in numbers)
    desk.shop.lag_seconds = 0.0
    await told(desk)
    assert desk.order(newest) is not None and desk.reserved() == 121


async def test_after_a_long_outage_each_day_is_asked_for_and_nothing_is_lost(desk: BolOrders) -> None:
    days = {}
    for back in (9, 4, 1):
        at(desk, timedelta(days=back))
        days[back] = desk.shop.buy(("BAG", 1))
    at(desk, timedelta())
    today = desk.shop.buy(("MUG", 1))
    await desk.poll(datetime.now(UTC) - timedelta(days=5))
    await desk.take()
    assert [back for back, number in days.items() if desk.order(number) is not None] == [4, 1]
    assert desk.order(today) is not None
    before = len(desk.shop.received)
    await told(desk)
    intervals = [one.query for one in list(desk.shop.received)[before:] if one.path == "/retailer/orders"]
    assert [one.get("change-interval-minute") for one in intervals] == ["36"], "a quiet channel is asked for minutes"


async def test_an_order_is_asked_for_again_once_it_changed_or_was_not_kept(
    desk: BolOrders,
) -> None:
    now = datetime.now(UTC)
    at(desk, timedelta(minutes=5))
    number = desk.shop.buy(("BAG", 1))
    at(desk, timedelta())
    connector = desk.manifest.connect(desk.shop.settings())
    assert isinstance(connector, BolConnector)
    since, later = now - timedelta(minutes=30), now - timedelta(minutes=29)

    async def told_of(moment: datetime) -> int:
        page = await connector.changed_orders(moment, None)
        assert isinstance(page, OrdersPage) and page.until is not None
        return len(page.orders)

    assert [await told_of(since), await told_of(since)] == [1, 1], "whoever asks the same has not kept it"
    assert await told_of(later) == 0
    assert asked(desk, f"/retailer/orders/{number}") == 2
    desk.shop.ask_to_cancel(number, desk.shop.items(number)[0])
    assert await told_of(later + timedelta(minutes=1)) == 1
    await connector.close()


@pytest.mark.parametrize(
    ("faults", "reason"),
    [
        (Faults(outage=True), "was not answered"),
        (Faults(html_503=True), "HTTP 503"),
        (Faults(throttle_next=1), "too fast"),
    ],
)
async def test_an_account_that_can_not_be_asked_says_why_and_is_asked_again(
    desk: BolOrders, faults: Faults, reason: str
) -> None:
    connector = desk.manifest.connect(desk.shop.settings())
    assert isinstance(connector, BolConnector)
    number = desk.shop.buy(("BAG", 1))
    await connector.changed_orders(datetime.now(UTC), None)
    desk.shop.faults = faults
    found = await connector.changed_orders(datetime.now(UTC), None)
    assert isinstance(found, NotNow) and reason in found.reason
    desk.shop.faults = Faults()
    await connector.close()
    await told(desk)
    assert desk.known(number).status == "open"


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_happens_between_two_questions_the_book_ends_as_bol_has_it(desk: BolOrders, seed: int) -> None:
    dice = random.Random(seed)
    numbers = [desk.shop.buy(("BAG", dice.randint(1, 3)), ("MUG", dice.randint(1, 3))) for _ in range(4)]
    for _ in range(12):
        number = dice.choice(numbers)
        item = dice.choice(desk.shop.items(number))
        if desk.shop.pieces(number, item)[0]:
            dice.choice((desk.shop.send, desk.shop.cancel))(number, item, 1)
        if dice.random() < 0.4:
            await told(desk)
    await told(desk)

    assert desk.refused() == []
    for number in numbers:
        order = desk.order(number)
        for item in desk.shop.items(number):
            open_, sent, cancelled = desk.shop.pieces(number, item)
            if order is None:
                assert open_ == sent == 0
                continue
            assert (order.shipped.get(item, 0), order.cancelled.get(item, 0)) == (sent, cancelled)
    balanced(desk.app.reader.after(0))
