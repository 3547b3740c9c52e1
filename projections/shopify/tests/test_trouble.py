"""Throttles, outages, refusals and credentials: each has its own outcome."""

from typing import Any

import msgspec
import pytest

from daybook.channel.calls import Answer, Exchange, exchanges
from daybook.channel.contract import ChannelUnavailable, Confirmed, Outcome, Rejected, Throttled
from daybook.channel.pacing import Rate
from daybook.channel.sandbox import Faults
from daybook.events import Rejection
from daybook_projections.shopify.connection import connector
from daybook_projections.shopify.graphql import failure
from daybook_projections.shopify.sandbox.server import ShopifySandbox
from daybook_projections.shopify.tests.desk import Desk, bag, in_a_shop

ALL = ("product", "price", "stock")


def test_an_empty_bucket_is_waited_for_by_the_missing_points() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        desk.sandbox.limits = {"graphql": Rate(100.0, 40.0)}
        assert isinstance(await desk.push(bag(), "BAG"), Confirmed)  # may take 35, and takes 11
        desk.sandbox._available = 5.0  # another app of the shop's was here
        outcome = await desk.push(bag(title="Sack"), "BAG")
        assert outcome == Throttled((35.0 - 5.0) / 100.0, "graphql")
        now[0] += 0.3
        assert isinstance(await desk.push(bag(title="Sack"), "BAG"), Confirmed)

    now = [0.0]
    in_a_shop(scenario, clock=lambda: now[0])


def test_throttles_outages_and_proxy_pages_are_no_rejections() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        for there in (False, True):
            if there:
                await desk.push(bag(), "BAG")
            for facet in ALL if there else ("product",):
                for faults, expected in (
                    (Faults(throttle_next=1), Throttled),
                    (Faults(outage=True), ChannelUnavailable),
                    (Faults(html_503=True), ChannelUnavailable),
                ):
                    desk.sandbox.faults = faults
                    assert isinstance(await desk.push(bag(), "BAG", facet), expected)
                desk.sandbox.faults = Faults()

    in_a_shop(scenario)


def test_nobody_listening_is_unavailable() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        await desk.sandbox.stop()
        outcome = await desk.push(bag(), "BAG")
        assert isinstance(outcome, ChannelUnavailable)
        assert desk.sandbox.url in outcome.reason

    in_a_shop(scenario)


def test_a_refused_product_is_told_with_code_and_field_and_leaves_the_shop_as_it_was() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        await desk.push(bag(), "BAG")
        wanted = {"X": {facet: dict(payload) for facet, payload in bag("X")["X"].items()}}
        wanted["X"]["product"]["handle"] = "bag"
        assert await desk.push(wanted, "X") == Rejected(
            (
                Rejection(
                    "HANDLE_NOT_UNIQUE", "Handle 'bag' already in use. Please provide a new handle.", "input.handle"
                ),
            )
        )
        assert list(desk.sandbox.shown()) == ["BAG"]

    in_a_shop(scenario)


@pytest.mark.parametrize(
    ("price", "code", "field"),
    [("-1.00", "GREATER_THAN_OR_EQUAL_TO", "variants.0.price"), ("cheap", "INVALID_VARIABLE", None)],
)
def test_a_refused_price_leaves_the_old_one(price: str, code: str, field: str | None) -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        await desk.push(bag(), "BAG")
        wanted = {"BAG": {**bag()["BAG"], "price": {"price": price}}}
        outcome = await desk.push(wanted, "BAG", "price")
        assert isinstance(outcome, Rejected)
        assert [(each.code, each.field) for each in outcome.reasons] == [(code, field)]
        assert desk.sandbox.shown()["BAG"]["price"] == "19.99"

    in_a_shop(scenario)


def test_a_refused_quantity_leaves_the_old_one() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        await desk.push(bag(), "BAG")
        outcome = await desk.push(bag(stock=2 * 10**9), "BAG", "stock")
        assert isinstance(outcome, Rejected)
        assert [(each.code, each.field) for each in outcome.reasons] == [
            ("INVALID_QUANTITY_TOO_HIGH", "input.quantities.0.quantity")
        ]
        assert desk.sandbox.shown()["BAG"]["stock"] == 5

    in_a_shop(scenario)


def test_a_request_that_is_too_large_is_the_listings_fault_and_not_the_channels() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        wanted = {"BAG": {facet: dict(payload) for facet, payload in bag()["BAG"].items()}}
        wanted["BAG"]["product"]["files"] = [{"originalSource": "https://img.example.com/1.jpg"}] * 251
        outcome = await desk.push(wanted, "BAG")
        assert isinstance(outcome, Rejected)
        assert outcome.reasons[0].code == "MAX_INPUT_SIZE_EXCEEDED"
        assert desk.sandbox.shown() == {}

    in_a_shop(scenario)


def test_wrong_tokens_missing_scopes_and_locked_shops_are_unavailable_with_the_next_step() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        desk.sandbox.scopes.discard("write_products")
        outcome = await desk.push(bag(), "BAG")
        assert isinstance(outcome, ChannelUnavailable)
        assert "The app needs the scopes write_products, write_inventory and write_publications" in outcome.reason
        desk.sandbox.locked = True
        outcome = await desk.push(bag(), "BAG")
        assert isinstance(outcome, ChannelUnavailable)
        assert "locked (HTTP 423)" in outcome.reason
        await desk.connector.close()
        desk.connector = connector(desk.sandbox.settings() | {"access_token": "wrong"})
        outcome = await desk.push(bag(), "BAG")
        assert isinstance(outcome, ChannelUnavailable)
        assert "Invalid API key or access token" in outcome.reason
        assert "Check the credentials DAYBOOK_CHANNEL_SHOPIFY_*" in outcome.reason

    in_a_shop(scenario)


def test_the_access_token_does_not_reach_the_journal() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        kept: list[Exchange] = []
        exchanges.set(kept)
        await desk.push(bag(), "BAG")
        assert len(kept) == 1
        assert desk.sandbox.access_token not in msgspec.json.encode(kept).decode()

    in_a_shop(scenario)


def test_a_location_and_a_publication_may_be_numbers() -> None:
    complete = {"url": "http://localhost", "client_id": "a", "client_secret": "b"}
    complete |= {"location_id": "7", "publication_id": "8"}
    for given in (complete, complete | {"client_id": "", "client_secret": "", "access_token": "c"}):
        made = connector(given)
        assert made._location == "gid://shopify/Location/7"
        assert made._publication.variables == {"publicationId": "gid://shopify/Publication/8"}


def errors(code: str, message: str = "said", **cost: Any) -> Any:
    body: dict[str, Any] = {"errors": [{"message": message, "extensions": {"code": code}}]}
    return body | ({"extensions": {"cost": cost}} if cost else {})


@pytest.mark.parametrize(
    ("status", "headers", "body", "expected"),
    [
        (429, {"Retry-After": "2.0"}, {}, Throttled(2.0)),
        (429, {}, {}, Throttled(None)),
        (200, {}, errors("THROTTLED"), Throttled(1.0)),
        (
            200,
            {},
            errors(
                "THROTTLED", requestedQueryCost=752, throttleStatus={"currentlyAvailable": 2.0, "restoreRate": 100.0}
            ),
            Throttled(7.5),
        ),
        (
            200,
            {},
            errors("THROTTLED", requestedQueryCost=10, throttleStatus={"currentlyAvailable": 20, "restoreRate": 100}),
            Throttled(None),
        ),
        (200, {}, errors("BAD_USER_INPUT"), Rejected((Rejection("BAD_USER_INPUT", "said"),))),
        (
            200,
            {},
            errors("INTERNAL_SERVER_ERROR"),
            ChannelUnavailable("Shopify gave an unexpected answer (HTTP 200): said"),
        ),
        (200, {}, errors("undefinedField"), ChannelUnavailable("Shopify gave an unexpected answer (HTTP 200): said")),
        (
            404,
            {},
            {"errors": "Not Found"},
            ChannelUnavailable("no Shopify Admin API answers there (HTTP 404); check DAYBOOK_CHANNEL_SHOPIFY_URL"),
        ),
        (502, {}, {"errors": "later"}, ChannelUnavailable("HTTP 502")),
    ],
)
def test_other_answers_have_their_outcome(status: int, headers: dict[str, str], body: Any, expected: Outcome) -> None:
    assert failure(Answer(status, headers, body, msgspec.json.encode(body).decode())) == expected


def test_an_answer_that_never_comes_is_an_unknown_outcome_and_the_next_try_brings_it_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("daybook.channel.calls.ANSWER_SECONDS_MAX", 0.3)

    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        desk.sandbox.faults = Faults(hang=True)
        outcome = await desk.push(bag(), "BAG")
        assert isinstance(outcome, ChannelUnavailable)
        assert "TimeoutError" in outcome.reason
        desk.sandbox.faults = Faults()
        assert isinstance(await desk.push(bag(), "BAG", attempt=2), Confirmed)
        assert list(desk.sandbox.shown()) == ["BAG"]

    in_a_shop(scenario)
