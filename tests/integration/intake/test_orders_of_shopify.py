"""Orders of a Shopify shop, by its webhooks and by asking: each is in the book once, whatever comes how often."""

import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from daybook.channel.orders import HeardOrder, OrderMessage, OrdersPage, TellsOrders
from daybook.commands import ShipOrder
from daybook.events import PersonAdded
from daybook.log.pending import Context
from daybook.postgres.pool import fetch
from daybook_projections.shopify.sandbox.webhooks import ShopDelivery
from tests.fixtures.arriving import ShopifyOrders, shopify_orders
from tests.fixtures.ordering import balanced


@pytest_asyncio.fixture
async def desk(database: str) -> AsyncIterator[ShopifyOrders]:
    async with shopify_orders(database) as made:
        yield made.with_webhooks()


async def told(desk: ShopifyOrders) -> None:
    assert set(await desk.shop.webhooks.deliver_all()) <= {200}
    await desk.take()


async def test_an_order_is_in_the_book_with_its_stock_its_payment_and_its_customer(desk: ShopifyOrders) -> None:
    number = desk.buy(("BAG", 2), ("MUG", 1), shipping_lines=[{"code": "standard", "title": "PostNL", "price": "4.95"}])
    await told(desk)

    order = desk.known(number)
    assert [(one.sku, one.quantity, one.price) for one in order.placed.lines] == [("BAG", 2, 999), ("MUG", 1, 999)]
    assert (order.placed.shipping, order.total, order.payment, order.status) == (495, 3492, "paid", "open")
    assert (desk.available("BAG"), desk.available("MUG")) == (3, 2)
    person = desk.app.people.get(order.placed.person or "")
    assert person is not None and person.name == "Grace Hopper" and person.mail == "grace@example.com"
    item = desk.shop.shop.variant("BAG")["inventoryItem"]["id"]
    assert (desk.shop.shop.levels[item], desk.shop.orders.committed[item]) == (3, 2), "the shop counts the same"


async def test_an_update_that_overtakes_the_order_and_comes_twice_is_taken_once(desk: ShopifyOrders) -> None:
    number = desk.buy(("BAG", 1), financial_status="pending")
    desk.shop.orders.pay(number)
    create, first, second = desk.shop.webhooks.due
    assert first.event == second.event and first.webhook != second.webhook

    answers = [(await desk.shop.webhooks.deliver(one))[1]["heard"] for one in (second, first, create, second)]
    await desk.take()
    assert answers[:2] == ["kept", "known"] and answers[3] == "known"
    await told(desk)
    assert desk.known(number).status == "open" and desk.reserved() == 1


@pytest.mark.parametrize("seed", range(3))
async def test_messages_in_any_order_and_number_lead_to_the_same_book(desk: ShopifyOrders, seed: int) -> None:
    dice, second = random.Random(seed), [0]
    desk.shop.orders.clock = lambda: datetime(2026, 11, 30, tzinfo=UTC).timestamp() + second[0]
    numbers = [desk.buy(("BAG", 2), ("MUG", 1), financial_status="pending") for _ in range(3)]
    for number in numbers:
        bag, mug = (line["id"] for line in desk.shop.orders.records[number]["line_items"])
        for change in (
            lambda number=number: desk.shop.orders.pay(number),
            lambda number=number, bag=bag: desk.shop.orders.refund(number, "9.99", {bag: 1}),
            lambda number=number, mug=mug: desk.shop.orders.fulfil(number, {mug: 1}, "PostNL", "3SX"),
            lambda number=number: desk.shop.orders.fulfil(number),
        ):
            second[0] += 1
            change()
    sent = [*desk.shop.webhooks.due, *dice.sample(desk.shop.webhooks.due, 4)]
    dice.shuffle(sent)
    for one in sent:
        assert (await desk.shop.webhooks.deliver(one))[0] == 200
        if dice.random() < 0.3:
            await desk.take()
    await desk.take()

    assert desk.refused() == []
    for number in numbers:
        order = desk.known(number)
        assert (order.status, order.payment) == ("shipped", "partly_refunded")
        assert (sum(order.cancelled.values()), sum(order.shipped.values()), len(order.refunds)) == (1, 2, 1)
    balanced(desk.app.reader.after(0))


async def test_what_nobody_signed_is_refused_and_a_shop_with_the_same_app_is_another_shop(database: str) -> None:
    own = {"webhook_secrets": "fromtheadmin"}
    async with shopify_orders(database, **own) as desk:
        desk.with_webhooks()
        first, second = desk.buy(("BAG", 1)), desk.buy(("MUG", 1))
        one, two = desk.shop.webhooks.due
        assert (await desk.shop.webhooks.deliver(one, secret="guessed"))[0] == 401
        assert (await desk.shop.webhooks.deliver(one, secret="fromtheadmin"))[0] == 200
        headers = desk.shop.webhooks.headers(two)
        async with aiohttp.ClientSession() as session:
            for body, sent in (
                (two.body.replace(b'"quantity":1', b'"quantity":9'), headers),
                (two.body, {"X-Shopify-Topic": "orders/create"}),
                (two.body, headers | {"X-Shopify-Hmac-Sha256": "%%"}),
            ):
                async with session.post(desk.heard_at, data=body, headers=sent) as answer:
                    assert answer.status == 401
            refund = headers | {"X-Shopify-Topic": "refunds/create"}
            async with session.post(desk.heard_at, data=two.body, headers=refund) as answer:
                assert (await answer.json())["heard"] == "nothing"
            newer = {name.removeprefix("X-"): value for name, value in headers.items()}
            async with session.post(desk.heard_at, data=two.body, headers=newer) as answer:
                assert (await answer.json())["heard"] == "kept"
        await desk.take()
        assert desk.order(first) is not None and desk.order(second) is not None


async def test_asking_finds_what_a_webhook_lost_and_takes_nothing_twice(desk: ShopifyOrders) -> None:
    heard, lost = desk.buy(("BAG", 1)), desk.buy(("MUG", 2))
    first, _ = desk.shop.webhooks.due
    await desk.shop.webhooks.deliver(first)
    desk.shop.webhooks.due.clear()
    (line,) = desk.shop.orders.records[lost]["line_items"]
    desk.shop.orders.fulfil(lost, {line["id"]: 1}, "DHL", "JJD1")
    desk.shop.orders.refund(lost, "9.99", {line["id"]: 1}, "cancel")
    await desk.take()
    assert desk.order(heard) is not None and desk.order(lost) is None

    for _ in range(3):
        await desk.poll()
        await desk.take()
    order = desk.known(lost)
    assert (order.status, order.shipped, order.cancelled) == ("shipped", {str(line["id"]): 1}, {str(line["id"]): 1})
    assert [(one.carrier, one.tracking) for one in order.parcels] == [("DHL", "JJD1")]
    assert [one.amount.amount for one in order.refunds] == [999]
    assert desk.reserved() == 2 and desk.refused() == []
    assert sum(isinstance(one.event, PersonAdded) for one in desk.app.reader.after(0)) == 2


async def test_a_webhook_and_the_answer_to_a_question_come_to_the_same_order(desk: ShopifyOrders) -> None:
    number = desk.buy(("BAG", 2), ("MUG", 1), shipping_lines=[{"title": "PostNL", "price": "4.95"}])
    bag, mug = (line["id"] for line in desk.shop.orders.records[number]["line_items"])
    desk.shop.orders.fulfil(number, {bag: 1}, "PostNL", "3SX")
    desk.shop.orders.refund(number, "9.99", {bag: 1}, "return")
    desk.shop.orders.refund(number, "9.99", {mug: 1}, "no_restock")
    message = desk.shop.webhooks.due[-1]
    assert desk.rules.hear is not None
    heard = desk.rules.hear(desk.shop.settings(), _message(desk, message))
    connector = desk.manifest.connect(desk.shop.settings())
    assert isinstance(connector, TellsOrders)
    asked = await connector.changed_orders(datetime.now(UTC) - timedelta(hours=1), None)
    await connector.close()
    assert isinstance(heard, HeardOrder) and isinstance(asked, OrdersPage)
    (polled,) = asked.orders
    assert polled.stamp == heard.stamp and polled.number == heard.number
    assert desk.rules.decode(polled) == desk.rules.decode(heard)
    assert desk.rules.decode(heard).cancelled == {str(mug): 1}
    assert dict(desk.rules.decode(heard).returns[0].lines) == {str(bag): 1}


def _message(desk: ShopifyOrders, due: ShopDelivery) -> OrderMessage:
    headers = {name.lower(): value for name, value in desk.shop.webhooks.headers(due).items()}
    return OrderMessage(headers, due.body)


async def test_an_outage_of_days_is_caught_up_with_over_many_pages(desk: ShopifyOrders) -> None:
    start, second = datetime.now(UTC) - timedelta(days=3), [0]

    def clock() -> float:
        second[0] += 600
        return start.timestamp() + second[0]

    desk.shop.orders.clock = clock
    numbers = [desk.buy(("BAG", 1)) for _ in range(45)]
    desk.shop.webhooks.due.clear()
    await desk.poll(start)
    await desk.take()
    assert all(desk.order(number) is not None for number in numbers)
    assert sum(desk.known(number).oversold for number in numbers) == 40
    await desk.poll()
    assert desk.reserved() == 45


async def test_a_parcel_that_left_from_here_is_not_sent_again_when_the_shop_tells_of_it(desk: ShopifyOrders) -> None:
    number = desk.buy(("BAG", 2))
    await told(desk)
    by = Context.new("ann", "test")
    (line,) = desk.shop.orders.records[number]["line_items"]
    desk.app.book.carry_out(ShipOrder(order=f"shopify:{number}", parcel="P-1", lines={str(line["id"]): 1}), by)
    desk.shop.orders.fulfil(number, {line["id"]: 1}, "PostNL", "3SX")  # as the shop names it
    await told(desk)
    assert [one.parcel for one in desk.known(number).parcels] == ["P-1"]

    made = desk.shop.orders.fulfil(number, {line["id"]: 1})  # and one that the shop's own people sent
    await told(desk)
    assert [one.parcel for one in desk.known(number).parcels] == ["P-1", str(made)]
    assert desk.known(number).status == "shipped" and desk.refused() == []


async def test_a_cancelled_order_frees_its_stock_and_pieces_that_are_added_wait_for_a_person(
    desk: ShopifyOrders,
) -> None:
    first, second = desk.buy(("BAG", 2)), desk.buy(("MUG", 1))
    await told(desk)
    desk.shop.orders.cancel(first)
    (mug,) = desk.shop.orders.records[second]["line_items"]
    desk.shop.orders.edit(second, {mug["id"]: 0}, (("BAG", 1),))
    await told(desk)
    assert (desk.known(first).status, desk.known(first).payment) == ("cancelled", "refunded")
    assert (desk.available("BAG"), desk.available("MUG")) == (5, 3)
    (refused,) = desk.refused()
    assert refused.order == f"shopify:{second}" and "1 of BAG is new" in refused.reason


async def test_a_test_order_is_nobodys_a_tip_is_money_and_what_is_deleted_is_told(desk: ShopifyOrders) -> None:
    tried = desk.buy(("BAG", 1), test=True)
    tip: dict[str, Any] = {"id": 5, "sku": None, "quantity": 1, "price": "2.00", "requires_shipping": False}
    tip |= {"_item": "", "discount_allocations": [], "tax_lines": [], "title": "Tip", "gift_card": False}
    tip |= {"current_quantity": 1, "fulfillable_quantity": 1}
    number = desk.buy(("BAG", 1))
    order = desk.shop.orders.records[number]
    order["line_items"].append(tip)
    order["financial_status"] = "pending"
    desk.shop.webhooks.due.clear()
    desk.shop.orders.pay(number)
    await told(desk)
    assert desk.order(tried) is None
    assert (desk.known(number).placed.shipping, desk.known(number).total) == (200, 1199)

    desk.shop.orders.delete(number)
    await told(desk)
    (refused,) = desk.refused()
    assert "gone from its channel" in refused.reason


async def test_a_shop_that_may_not_be_asked_says_which_scope_is_missing(desk: ShopifyOrders) -> None:
    desk.shop.scopes.discard("read_orders")
    await desk.poll()
    ((error,),) = fetch(desk.app.pool, "SELECT error FROM order_cursors")
    assert "read_orders" in error
