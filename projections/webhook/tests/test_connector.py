"""The connector against the sandbox, over HTTP: what is told, and that it is told once."""

import asyncio
import time
from typing import Any

import msgspec
import pytest

from daybook.channel.calls import Exchange, exchanges, previewing
from daybook.channel.contract import ChannelUnavailable, Confirmed, Payload, Throttled, Waiting
from daybook.channel.sandbox import Faults
from daybook_projections.webhook import manifest
from daybook_projections.webhook.connector import WebhookConnector
from daybook_projections.webhook.sandbox.server import SECRET, Step
from daybook_projections.webhook.signing import message_id
from daybook_projections.webhook.tests.desk import ALL, NOON, Desk, at_the_desk, listing


def test_a_new_listing_is_told_with_everything_in_one_message() -> None:
    async def scenario(desk: Desk) -> None:
        assert await desk.push("product", listing(), position=42) == Confirmed(covers=ALL, remote_id="S1")
        ((headers, body),) = desk.sandbox.messages
        assert body["type"] == "product.updated"
        assert (
            body["data"]
            == {"sku": "S1", "position": 42} | listing()["product"] | listing()["price"] | listing()["stock"]
        )
        assert headers["content-type"] == "application/json"
        assert desk.shown() == {
            "title": "Bag",
            "gtin": "4006381333931",
            "price": "19.99",
            "currency": "EUR",
            "stock": 5,
            "live": True,
        }

    at_the_desk(scenario)


def test_times_are_those_of_the_attempt_in_header_and_body() -> None:
    async def scenario(desk: Desk) -> None:
        desk.sandbox.secrets = []  # the time is years away, so the signature is no longer good
        await desk.settle(clock=lambda: NOON + 0.25)
        await desk.push("product", listing())
        assert desk.sandbox.received[-1].body["timestamp"] == "2026-01-01T12:00:00.250000Z"

    at_the_desk(scenario)


@pytest.mark.parametrize(
    ("facet", "changed", "shown"),
    [
        ("price", {"price": "24.50"}, {"price": "24.50"}),
        ("stock", {"stock": 0}, {"stock": 0}),
        ("product", {"title": "Trolley"}, {"title": "Trolley"}),
    ],
)
def test_a_changed_facet_changes_only_that(facet: str, changed: dict[str, Any], shown: Payload) -> None:
    async def scenario(desk: Desk) -> None:
        await desk.push("product", listing())
        before = desk.shown()
        for attempt in (1, 2):
            outcome = await desk.push(facet, listing(**changed), position=2, attempt=attempt)
            assert outcome == Confirmed(covers=(facet,), remote_id="S1")
            assert desk.shown() == before | shown
        assert desk.types()[1:] == [f"{facet}.updated"] * 2
        assert set(desk.sandbox.effects.values()) == {1}

    at_the_desk(scenario)


def test_a_price_or_stock_is_told_without_the_rest() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.push("product", listing())
        await desk.push("price", listing(), position=2)
        await desk.push("stock", listing(), position=3)
        told = [set(body["data"]) - {"sku", "position"} for _, body in desk.sandbox.messages]
        assert told == [{"product", "price", "prices", "stock"}, {"price", "prices"}, {"stock"}]

    at_the_desk(scenario)


def test_a_facet_waits_for_its_product() -> None:
    async def scenario(desk: Desk) -> None:
        assert isinstance(await desk.push("price", listing()), Waiting)
        desk.remote_id = "S1"
        assert isinstance(await desk.push("stock", {"stock": listing()["stock"]}), Waiting)
        assert not desk.sandbox.received

    at_the_desk(scenario)


def test_a_message_whose_answer_was_lost_comes_again_under_its_id_and_takes_effect_once() -> None:
    async def scenario(desk: Desk) -> None:
        desk.sandbox.faults = Faults(drop_answer_next=1)
        assert isinstance(await desk.push("product", listing()), ChannelUnavailable)
        assert await desk.push("product", listing(), attempt=2) == Confirmed(covers=("product",), remote_id="S1")
        first, second = desk.ids()
        assert first == second
        assert desk.sandbox.effects == {first: 1}
        assert desk.shown()["price"] == "19.99"

    at_the_desk(scenario)


def test_a_retry_has_the_same_id_and_a_time_and_signature_of_its_own() -> None:
    async def scenario(desk: Desk) -> None:
        now = [time.time() - 60]
        await desk.settle(clock=lambda: now[0])
        desk.sandbox.script.append(Step(status=500))
        await desk.push("product", listing())
        now[0] += 60
        await desk.push("product", listing(), attempt=2)
        (first, told), (second, told_again) = desk.sandbox.messages
        assert first["webhook-id"] == second["webhook-id"]
        assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 60
        assert first["webhook-signature"] != second["webhook-signature"]
        assert told["data"] == told_again["data"]

    at_the_desk(scenario)


def test_what_is_told_anew_after_an_older_message_came_late_is_another_message() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.push("product", listing(price="10.00"), position=1)
        await desk.push("price", listing(price="12.00"), position=2, receipt=3)
        late = WebhookConnector(desk.sandbox.settings())  # of a worker that was stopped with this in its hands
        await desk.push_by(late, "price", listing(price="11.00"), position=1, receipt=3)
        await late.close()
        assert desk.shown()["price"] == "11.00"
        await desk.push("price", listing(price="12.00"), position=2, receipt=4)
        assert desk.shown()["price"] == "12.00"
        assert len(set(desk.ids())) == 4

    at_the_desk(scenario)


def test_no_id_is_ever_given_to_two_contents() -> None:
    async def scenario(desk: Desk) -> None:
        for position in (1, 2, 1):
            for receipt in (0, 5):
                for title in ("Bag", "Sack"):
                    for facet in ("product", "price", "stock"):
                        wanted = listing(title, price=f"{position}.00", stock=position)
                        await desk.push(facet, wanted, position=position, receipt=receipt)
        await desk.push("product", None, position=3)
        contents: dict[str, set[bytes]] = {}
        for headers, body in desk.sandbox.messages:
            told = msgspec.json.encode([body["type"], body["data"]], order="sorted")
            contents.setdefault(headers["webhook-id"], set()).add(told)
        assert {len(each) for each in contents.values()} == {1}

    at_the_desk(scenario)


def test_another_price_that_came_and_went_between_tries_is_not_lost() -> None:
    """First 5 pieces, then 6, then 5 again, each answer lost: the receiver drops the third message as a double."""

    async def scenario(desk: Desk) -> None:
        for attempt, pieces in enumerate((5, 6, 5), start=1):
            desk.sandbox.faults = Faults(drop_answer_next=1 if attempt < 3 else 0)
            outcome = await desk.push("product", listing(stock=pieces), position=1, attempt=attempt)
        assert outcome == Confirmed(covers=("product",), remote_id="S1")
        first, second, third = desk.ids()
        assert first == third != second
        await desk.push("stock", listing(stock=5), position=3)
        assert desk.shown()["stock"] == 5

    at_the_desk(scenario)


def test_telling_a_known_product_again_does_not_count_for_its_price_and_stock() -> None:
    """A person asks for everything again: the receiver has this very message, but other stock since."""

    async def scenario(desk: Desk) -> None:
        await desk.push("product", listing(stock=5), position=1)
        await desk.push("stock", listing(stock=6), position=2)
        assert await desk.push("product", listing(stock=5), position=1) == Confirmed(
            covers=("product",), remote_id="S1"
        )
        assert desk.shown()["stock"] == 6
        await desk.push("stock", listing(stock=5), position=3)
        assert desk.shown()["stock"] == 5

    at_the_desk(scenario)


def test_removal_is_told_and_may_be_told_again() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.push("product", listing())
        for attempt in (1, 2):
            assert await desk.push("product", None, position=2, attempt=attempt) == Confirmed(covers=ALL)
            assert desk.sandbox.shown() == {}
        assert desk.types() == ["product.updated", "product.removed", "product.removed"]
        assert desk.sandbox.messages[-1][1]["data"] == {"sku": "S1", "position": 2}
        assert set(desk.sandbox.effects.values()) == {1}

    at_the_desk(scenario)


def test_what_was_told_but_never_receipted_is_removed_all_the_same() -> None:
    async def scenario(desk: Desk) -> None:
        desk.sandbox.faults = Faults(drop_answer_next=1)
        await desk.push("product", listing())
        assert desk.remote_id is None
        assert await desk.push("product", None, position=2) == Confirmed(covers=ALL)
        assert desk.sandbox.shown() == {}

    at_the_desk(scenario)


def test_a_facet_that_is_taken_off_alone_is_told_as_empty() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.push("product", listing())
        only_product = {"product": listing()["product"]}
        assert isinstance(await desk.push("price", only_product, position=2), Confirmed)
        assert isinstance(await desk.push("stock", only_product, position=3), Confirmed)
        assert (desk.shown()["price"], desk.shown()["stock"]) == (None, 0)

    at_the_desk(scenario)


def test_a_slow_request_that_arrives_late_does_not_bring_the_old_state_back() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.push("product", listing(), position=1)
        await desk.settle(answer_seconds_max=0.05)
        desk.sandbox.faults = Faults(slow_seconds=0.3)
        assert isinstance(await desk.push("stock", listing(stock=1), position=2), ChannelUnavailable)
        desk.sandbox.faults = Faults()
        await desk.settle()
        assert isinstance(await desk.push("stock", listing(stock=9), position=3, attempt=2), Confirmed)
        await desk.sandbox.wait_received(3)
        assert desk.types()[-1] == "stock.updated"
        assert desk.sandbox.messages[-1][1]["data"]["position"] == 2
        assert desk.shown()["stock"] == 9

    at_the_desk(scenario, in_order=True)


def test_secrets_can_be_changed_over_without_losing_a_message() -> None:
    async def scenario(desk: Desk) -> None:
        after = "whsec_" + "B" * 32
        for sender, receiver in ((SECRET, [SECRET]), (f"{SECRET} {after}", [SECRET]), (f"{SECRET} {after}", [after])):
            await desk.settle(secret=sender)
            desk.sandbox.secrets = receiver
            assert isinstance(await desk.push("product", listing()), Confirmed)
        await desk.settle(secret=SECRET)
        assert isinstance(await desk.push("product", listing()), ChannelUnavailable)

    at_the_desk(scenario)


def test_another_endpoints_messages_have_other_ids() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.push("product", listing())
        await desk.settle(name="erp")
        await desk.push("product", listing())
        assert len(set(desk.ids())) == 2

    at_the_desk(scenario)


def test_many_messages_may_be_under_way_at_once() -> None:
    async def scenario(desk: Desk) -> None:
        outcomes = await asyncio.gather(*(desk.push("product", listing(), position=at) for at in range(1, 21)))
        assert all(isinstance(outcome, Confirmed) for outcome in outcomes)
        assert len(desk.sandbox.effects) == 20

    at_the_desk(scenario)


def test_no_secret_and_no_signature_reaches_the_journal() -> None:
    async def scenario(desk: Desk) -> None:
        kept: list[Exchange] = []
        exchanges.set(kept)
        await desk.push("product", listing())
        written = msgspec.json.encode(kept).decode()
        assert len(kept) == 1
        assert "product.updated" in str(kept[0].request)
        assert desk.sandbox.messages[0][0]["webhook-signature"] not in written
        assert SECRET not in written

    at_the_desk(scenario)


def test_the_id_is_made_of_what_the_message_says() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.push("product", listing(), position=7)
        fields = {name: value for facet in ALL for name, value in listing()[facet].items()}
        assert desk.ids() == [message_id("webhook", "S1", "product", 7, 0, fields)]

    at_the_desk(scenario)


def test_throttling_by_the_sandbox_is_no_failure() -> None:
    async def scenario(desk: Desk) -> None:
        desk.sandbox.faults = Faults(throttle_next=1)
        assert await desk.push("product", listing()) == Throttled(1.0)

    at_the_desk(scenario)


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("facet", ALL)
def test_a_preview_tells_the_message_and_sends_nothing(facet: str, known: bool) -> None:
    async def scenario(desk: Desk) -> None:
        desk.remote_id = "S1" if known else None
        kept: list[Exchange] = []
        tokens = previewing.set(True), exchanges.set(kept)
        outcome = await desk.push(facet, listing(), position=7)
        previewing.reset(tokens[0])
        exchanges.reset(tokens[1])
        assert not isinstance(outcome, Confirmed)
        assert not desk.sandbox.received
        if facet != "product" and not known:
            assert not kept, "it waits for its product"
            return
        (asked,) = kept
        assert (asked.method, asked.url, asked.status) == ("POST", desk.sandbox.settings()["url"], None)
        body = msgspec.json.decode(asked.request or b"")
        told = listing() if facet == "product" else {facet: listing()[facet]}
        fields = {name: value for payload in told.values() for name, value in payload.items()}
        assert (body["type"], body["data"]) == (f"{facet}.updated", {"sku": "S1", "position": 7} | fields)

    at_the_desk(scenario)


def test_a_preview_of_a_removal_tells_it_too() -> None:
    async def scenario(desk: Desk) -> None:
        kept: list[Exchange] = []
        tokens = previewing.set(True), exchanges.set(kept)
        await desk.push("product", None)
        previewing.reset(tokens[0])
        exchanges.reset(tokens[1])
        assert [msgspec.json.decode(one.request or b"")["type"] for one in kept] == ["product.removed"]
        assert not desk.sandbox.received

    at_the_desk(scenario)


def test_fewer_pieces_may_go_first_and_more_after_their_price() -> None:
    assert manifest.stock is not None
    assert (manifest.stock.facet, manifest.stock.price) == ("stock", "price")
    assert manifest.stock.amount(listing(stock=5)["stock"]) == 5
