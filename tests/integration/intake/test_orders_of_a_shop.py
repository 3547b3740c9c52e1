"""Orders of a WooCommerce shop, by its webhooks and by asking: each is in the book once, whatever comes how often."""

import asyncio
import io
import json
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
import pytest_asyncio

from daybook.commands import CreateProduct, ShipOrder
from daybook.errors import InvalidValue, NotFound
from daybook.events import PersonAdded
from daybook.log.pending import Context
from daybook.postgres.pool import fetch
from daybook.queries import waiting
from daybook_projections.webshop.sandbox.webhooks import DueDelivery
from tests.fixtures.arriving import ArrivingOrders, arriving
from tests.fixtures.ordering import balanced
from tests.fixtures.owner import SHOWN
from tests.fixtures.people import found_in_tables


@pytest_asyncio.fixture
async def desk(database: str) -> AsyncIterator[ArrivingOrders]:
    async with arriving(database) as made:
        yield await made.with_webhooks()


def by() -> Context:
    return Context.new("ann", "test")


async def test_an_order_of_the_shop_is_in_the_book_with_its_stock_its_payment_and_its_customer(
    desk: ArrivingOrders,
) -> None:
    number = desk.buy(("BAG", 2), ("MUG", 1), shipping_lines=[{"method_id": "flat", "total": "4.95"}])
    assert await desk.shop.webhooks.deliver_all() == [200]

    await desk.take()

    order = desk.known(number)
    assert [(one.sku, one.quantity, one.price) for one in order.placed.lines] == [("BAG", 2, 999), ("MUG", 1, 999)]
    assert (order.placed.shipping, order.total, order.payment, order.status) == (495, 3492, "paid", "open")
    assert (desk.available("BAG"), desk.available("MUG")) == (3, 2)
    assert order.placed.person is not None
    person = desk.app.people.get(order.placed.person)
    assert person is not None and person.name == "Grace Hopper" and person.mail == "grace@example.com"
    recorded = list(desk.app.reader.after(0))
    assert {one.actor for one in recorded if one.stream.startswith("order/")} == {"channel:webshop"}


async def test_what_comes_twice_late_or_in_another_order_is_taken_once(desk: ArrivingOrders) -> None:
    number = desk.buy(("BAG", 1), status="on-hold")
    (created,) = desk.shop.webhooks.due
    early = desk.shop.webhooks.body(created)
    desk.shop.orders.clock = lambda: datetime.now(UTC).timestamp() + 60
    desk.shop.orders.change(number, {"status": "cancelled"})
    late = DueDelivery(desk.hooks["order.updated"], "order.updated", number)

    answers = [
        (await desk.shop.webhooks.deliver(late))[1]["heard"],
        (await desk.shop.webhooks.deliver(late))[1]["heard"],
        (await desk.shop.webhooks.deliver(created, early))[1]["heard"],
    ]
    await desk.take()
    assert answers == ["kept", "known", "known"]
    assert desk.order(number) is None, "it was cancelled before the book heard of it, so nothing was sold"
    assert desk.available("BAG") == 5


@pytest.mark.parametrize("seed", range(4))
async def test_messages_in_any_order_and_number_lead_to_the_same_book(desk: ArrivingOrders, seed: int) -> None:
    dice, second = random.Random(seed), [0]
    desk.shop.orders.clock = lambda: datetime(2026, 11, 30, tzinfo=UTC).timestamp() + second[0]
    hook, sent = DueDelivery(desk.hooks["order.updated"], "order.updated", 0), []
    numbers = [desk.buy(("BAG", 1), ("MUG", 1), status="on-hold") for _ in range(3)]
    for number in numbers:
        for change in ({}, {"set_paid": True, "status": "processing"}, {"status": "cancelled"}):
            second[0] += 1
            if change:
                desk.shop.orders.change(number, change)
            sent.append((number, json.dumps(desk.shop.orders.view(number)).encode()))
    dice.shuffle(sent)
    for number, body in [*sent, *dice.sample(sent, 4)]:
        status, _ = await desk.shop.webhooks.deliver(DueDelivery(hook.webhook, hook.topic, number), body)
        assert status == 200
        if dice.random() < 0.5:
            await desk.take()
    await desk.take()

    for number in numbers:
        assert (found := desk.order(number)) is None or found.status == "cancelled"
    assert (desk.available("BAG"), desk.available("MUG")) == (5, 3)
    assert desk.refused() == []
    balanced(desk.app.reader.after(0))


async def test_what_nobody_signed_is_refused_and_nothing_of_it_is_kept(desk: ArrivingOrders) -> None:
    desk.buy(("BAG", 1))
    (due,) = desk.shop.webhooks.due
    body = desk.shop.webhooks.body(due)
    forged = body.replace(b'"quantity":1', b'"quantity":9')
    url = desk.heard_at

    assert (await desk.shop.webhooks.deliver(due, secret="another1"))[0] == 401
    async with aiohttp.ClientSession() as session:
        signed = desk.shop.webhooks._headers(desk.shop.webhooks.records[due.webhook], due.topic, body, None)
        for headers, sent in ((signed, forged), ({}, body), ({"X-WC-Webhook-Signature": "%%%"}, body)):
            async with session.post(url, data=sent, headers=headers) as answer:
                assert answer.status == 401
                assert "did not sign" in (await answer.json())["detail"]
        async with session.post(url.replace("webshop", "nosuch"), data=body, headers=signed) as answer:
            assert answer.status == 404
        async with session.post(url, data=io.BytesIO(b" " * (1024 * 1024 + 1)), headers=signed) as answer:
            assert answer.status == 413
    assert fetch(desk.app.pool, "SELECT count(*) FROM heard_orders") == [(0,)]
    told = [one for one in desk.app.reader.after(0) if type(one.event).__name__ == "AccessRefused"]
    assert [getattr(one.event, "reason", "") for one in told] == ["bad_signature"]


async def test_the_old_secret_is_good_for_as_long_as_it_is_named(database: str) -> None:
    async with arriving(database, webhook_secrets="newsecret1 whsandbox1") as desk:
        await desk.with_webhooks()
        first, second = desk.buy(("BAG", 1)), desk.buy(("MUG", 1))
        one, two = desk.shop.webhooks.due
        assert (await desk.shop.webhooks.deliver(one))[0] == 200
        assert (await desk.shop.webhooks.deliver(two, secret="newsecret1"))[0] == 200
        await desk.take()
        assert desk.order(first) is not None and desk.order(second) is not None


async def test_asking_finds_what_a_webhook_lost_and_takes_nothing_twice(desk: ArrivingOrders) -> None:
    told, lost = desk.buy(("BAG", 1)), desk.buy(("MUG", 1))
    first, second = desk.shop.webhooks.due
    await desk.shop.webhooks.deliver(first)
    desk.shop.webhooks.due.remove(second)
    await desk.take()
    assert desk.order(told) is not None and desk.order(lost) is None

    for _ in range(3):
        await desk.poll()
        await desk.take()
    assert desk.order(lost) is not None
    assert desk.reserved() == 2
    assert sum(isinstance(one.event, PersonAdded) for one in desk.app.reader.after(0)) == 2


async def test_an_outage_of_days_is_caught_up_with_over_many_pages(desk: ArrivingOrders) -> None:
    start = datetime.now(UTC) - timedelta(days=3)
    second = [0]

    def clock() -> float:
        second[0] += 600
        return start.timestamp() + second[0]

    desk.shop.orders.clock = clock
    numbers = [desk.buy(("BAG", 1)) for _ in range(130)]
    desk.shop.webhooks.due.clear()

    await desk.poll(start)
    await desk.take()

    assert all(desk.order(number) is not None for number in numbers)
    assert sum(order.oversold for number in numbers if (order := desk.order(number))) == 125
    asked = len(desk.shop.received)
    await desk.poll()
    assert len(desk.shop.received) == asked + 1, "the cursor moved: one page has what is new"
    assert desk.reserved() == 130


async def test_what_cannot_be_taken_is_listed_with_its_reason_and_taken_once_it_is_put_right(
    desk: ArrivingOrders,
) -> None:
    desk.shop.shop.create({"sku": "LAMP", "type": "simple", "name": "Lamp", "regular_price": "20"})
    unknown, foreign = desk.buy(("LAMP", 1)), desk.buy(("BAG", 1), currency="USD")
    await desk.shop.webhooks.deliver_all()
    await desk.take()

    found = {one.order: one for one in desk.refused()}
    lamp, dollars = found[f"webshop:{unknown}"], found[f"webshop:{foreign}"]
    assert (lamp.field, lamp.code) == ("lines[0].sku", "not_found") and "no product LAMP" in lamp.reason
    assert (dollars.field, dollars.code) == ("currency", "invalid_value")
    assert lamp.next_step == f"daybook order retake webshop:{unknown}"
    (item,) = [one for one in waiting.report(desk.app.pool, desk.app.registry).waiting if one.kind == "orders_refused"]
    assert (item.channel, item.count, item.next_step) == ("webshop", 2, "daybook order refused")

    desk.app.book.carry_out(CreateProduct(sku="LAMP"), by())
    async with aiohttp.ClientSession(headers=SHOWN) as session:
        async with session.get(f"{desk.url}/orders/refused") as answer:
            assert [one["order"] for one in (await answer.json())["refused"]] == sorted(found)
        async with session.post(f"{desk.url}/orders/refused/retake", json={}) as answer:
            assert len((await answer.json())["orders"]) == 2
        await desk.take()
        assert desk.known(unknown).oversold == 1
        assert [one.order for one in desk.refused()] == [f"webshop:{foreign}"]
        chosen = {"orders": [f"webshop:{foreign}"]}
        async with session.post(f"{desk.url}/orders/refused/dismiss", json=chosen) as answer:
            assert answer.status == 200
        async with session.post(f"{desk.url}/orders/refused/dismiss", json=chosen) as answer:
            assert answer.status == 409 and "is dismissed, not refused" in (await answer.json())["detail"]
    assert desk.refused() == []


async def test_pieces_that_the_shop_takes_off_are_cancelled_and_pieces_that_it_adds_are_told(
    desk: ArrivingOrders,
) -> None:
    number = desk.buy(("BAG", 3), ("MUG", 1))
    await desk.shop.webhooks.deliver_all()
    await desk.take()
    bag, mug = desk.shop.orders.view(number)["line_items"]

    changed = [{"id": bag["id"], "quantity": 1}, {"id": mug["id"], "quantity": 0}]
    desk.shop.orders.change(number, {"line_items": changed})
    await desk.shop.webhooks.deliver_all()
    await desk.take()
    order = desk.known(number)
    assert order.cancelled == {str(bag["id"]): 2, str(mug["id"]): 1}
    assert (desk.available("BAG"), desk.available("MUG")) == (4, 3)

    desk.shop.orders.change(number, {"line_items": [{"sku": "MUG", "quantity": 2}]})
    await desk.shop.webhooks.deliver_all()
    await desk.take()
    (refused,) = desk.refused()
    assert refused.field == "lines" and "2 of MUG is new" in refused.reason
    assert desk.available("MUG") == 3


async def test_money_that_goes_back_is_recorded_once_and_all_of_it_ends_the_order(desk: ArrivingOrders) -> None:
    number = desk.buy(("BAG", 2))
    await desk.shop.webhooks.deliver_all()
    await desk.take()
    for amount in ("5.00", "14.98"):
        desk.shop.orders.refund(number, amount)
        (due,) = desk.shop.webhooks.due
        await desk.shop.webhooks.deliver(due)
        await desk.shop.webhooks.deliver(due)
        await desk.take()
    order = desk.known(number)
    assert ([one.amount.amount for one in order.refunds], order.payment) == ([500, 1498], "refunded")
    assert (order.status, desk.available("BAG")) == ("cancelled", 5)


async def test_an_order_that_is_cancelled_after_it_was_sent_waits_for_a_person(desk: ArrivingOrders) -> None:
    number = desk.buy(("BAG", 1))
    await desk.shop.webhooks.deliver_all()
    await desk.take()
    desk.app.book.carry_out(ShipOrder(order=f"webshop:{number}", parcel="P-1"), by())

    desk.shop.orders.change(number, {"status": "cancelled"})
    await desk.shop.webhooks.deliver_all()
    await desk.take()
    (refused,) = desk.refused()
    assert "cancelled at its channel after it was sent" in refused.reason
    assert desk.known(number).status == "shipped"


async def test_what_the_shop_completes_or_throws_away_is_sent_or_told(desk: ArrivingOrders) -> None:
    sent, gone = desk.buy(("BAG", 1)), desk.buy(("MUG", 1))
    desk.shop.orders.change(sent, {"status": "completed"})
    await desk.shop.webhooks.deliver_all()
    await desk.take()
    assert (desk.known(sent).status, desk.known(gone).status) == ("shipped", "open")

    desk.shop.orders.trash(gone)
    await desk.shop.webhooks.deliver_all()
    await desk.take()
    (refused,) = desk.refused()
    assert "gone from its channel" in refused.reason


async def test_a_status_of_a_plugin_is_taken_when_it_was_paid_and_else_waits_and_none_disappears(
    desk: ArrivingOrders,
) -> None:
    desk.shop.orders.plugin_statuses = ("packing",)
    paid, unpaid = desk.buy(("BAG", 1)), desk.buy(("MUG", 1), status="packing")
    desk.shop.orders.change(paid, {"status": "packing"})
    await desk.shop.webhooks.deliver_all()
    await desk.take()
    assert (desk.known(paid).status, desk.known(paid).payment) == ("open", "paid")
    (refused,) = desk.refused()
    assert (refused.order, refused.field, refused.code) == (f"webshop:{unpaid}", "status", "invalid_value")
    assert "none of WooCommerce's own" in refused.reason and desk.order(unpaid) is None

    desk.shop.orders.change(unpaid, {"status": "processing"})
    await desk.shop.webhooks.deliver_all()
    await desk.take()
    assert desk.refused() == [] and desk.known(unpaid).payment == "paid"


async def test_an_order_whose_payment_fails_after_it_was_placed_waits_for_a_person_until_it_is_paid(
    desk: ArrivingOrders,
) -> None:
    number = desk.buy(("BAG", 2), status="on-hold")
    await desk.shop.webhooks.deliver_all()
    await desk.take()
    assert desk.available("BAG") == 3

    desk.shop.orders.change(number, {"status": "failed"})
    await desk.shop.webhooks.deliver_all()
    await desk.take()
    (refused,) = desk.refused()
    assert (
        "its payment failed, or waits" in refused.reason and f"daybook order cancel webshop:{number}" in refused.reason
    )

    desk.shop.orders.change(number, {"status": "processing"})
    await desk.shop.webhooks.deliver_all()
    await desk.take()
    assert desk.refused() == [] and desk.known(number).payment == "paid"


async def test_a_page_of_refused_orders_has_bounds(desk: ArrivingOrders) -> None:
    for limit in (0, -1, 1001):
        with pytest.raises(InvalidValue, match=r"^limit: must be between"):
            desk.app.heard.refused(limit=limit)
    for after in (-1, 2**63):
        with pytest.raises(InvalidValue, match=r"^after: must be the"):
            desk.app.heard.refused(after=after)


async def test_no_bytes_of_a_person_are_kept_once_taken_and_an_erasure_reaches_those_that_were_not(
    desk: ArrivingOrders, database: str
) -> None:
    canary = "Zaunkoenigin"
    number = desk.buy(("BAG", 1), billing={"last_name": canary, "email": f"{canary}@example.com"})
    await desk.shop.webhooks.deliver_all()
    assert found_in_tables(database, canary) == {}, "it is sealed from the first moment"
    await desk.take()
    assert fetch(desk.app.pool, "SELECT state, body, key FROM heard_orders") == [("taken", None, None)]
    person = desk.known(number).placed.person
    assert person is not None

    desk.shop.orders.change(number, {"line_items": [{"sku": "MUG", "quantity": 2}]})
    await desk.shop.webhooks.deliver_all()
    await desk.take()
    assert desk.refused()[0].kept and desk.refused()[0].person == person
    report = desk.app.erasure.erase(person, by())
    assert report.cleared["heard orders"] == 1
    (refused,) = desk.refused()
    assert not refused.kept and refused.next_step == f"daybook order dismiss webshop:{number}"
    assert found_in_tables(database, canary) == {}


async def test_a_sale_is_taken_whatever_the_customer_typed(desk: ArrivingOrders) -> None:
    odd = {"phone": "call me maybe", "email": "no mail", "country": "Holland", "first_name": "A\nB", "state": ""}
    number = desk.buy(("BAG", 1), billing=odd)
    await desk.shop.webhooks.deliver_all()
    await desk.take()
    person = desk.app.people.get(desk.known(number).placed.person or "")
    assert person is not None
    assert (person.name, person.phone, person.mail) == ("A B Hopper", None, None)
    assert person.address is not None and (person.address.city, person.address.country) == ("Amsterdam", None)


async def test_two_takers_of_one_order_take_it_once(desk: ArrivingOrders) -> None:
    for _ in range(6):
        desk.buy(("BAG", 1), ("MUG", 1), status="completed")
    await desk.shop.webhooks.deliver_all()

    await asyncio.gather(*(desk.take() for _ in range(4)))

    assert desk.reserved() == 12
    assert desk.refused() == []
    balanced(desk.app.reader.after(0))


async def test_an_order_that_no_channel_told_is_named(desk: ArrivingOrders) -> None:
    with pytest.raises(NotFound, match="no channel told of an order webshop:1"):
        desk.app.heard.retake(["webshop:1"])
