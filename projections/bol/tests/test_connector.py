"""The connector against the sandbox, over HTTP."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from daybook.channel.calls import Answer, Exchange, exchanges
from daybook.channel.contract import (
    Confirmed,
    Outcome,
    Payload,
    Push,
    Rejected,
    Throttled,
    Unavailable,
    Waiting,
)
from daybook.channel.sandbox import Faults
from daybook.channel.testing import History, render
from daybook.errors import BadConfiguration
from daybook.events import StockCounted
from projections.bol import manifest
from projections.bol.connector import BolConnector, connector, failure
from projections.bol.sandbox import BolSandbox

EAN, OTHER_EAN = "4015211100803", "4006381333931"
ALL = ("offer", "price", "stock")


def listing(sku: str = "S1", gtin: str = EAN, title: str = "Koffer", price: str = "19.99", stock: int = 5) -> Payload:
    history = History().product(
        sku, gtin=gtin, attributes={"name": title}, price=("default", price, "EUR"), listed=("bol",)
    )
    history.happened(StockCounted("main", stock))
    return {facet: payload for (_, facet), payload in render(manifest, history).items()}


class Bol:
    """One sandbox, one connector, and the ids that it told for one SKU."""

    def __init__(self, sandbox: BolSandbox) -> None:
        self.sandbox = sandbox
        self.connector: BolConnector = connector(sandbox.settings())
        self.remote_id: str | None = None

    async def push(self, facet: str, wanted: Payload | None, attempt: int = 1, sku: str = "S1") -> Outcome:
        outcome = await self.connector.push(
            Push(
                sku=sku,
                key=sku,
                facet=facet,
                payload=None if wanted is None else wanted[facet],
                listing=wanted or {},
                remote_id=self.remote_id,
                remote_ids={},
                position=1,
                attempt=attempt,
            )
        )
        if isinstance(outcome, Confirmed) and outcome.remote_id is not None:
            self.remote_id = outcome.remote_id
        return outcome

    def sent(self) -> list[str]:
        """The requests so far, without those for tokens."""
        return [each.method for each in self.sandbox.received if each.path != "/token"]

    def tokens(self) -> int:
        return sum(each.path == "/token" for each in self.sandbox.received)


def on_bol(scenario: Callable[[Bol], Awaitable[None]], **options: Any) -> None:
    async def run() -> None:
        sandbox = BolSandbox(**options)
        await sandbox.start()
        bol = Bol(sandbox)
        try:
            await scenario(bol)
        finally:
            await bol.connector.close()
            await sandbox.stop()

    asyncio.run(run())


def test_a_create_brings_every_facet_in_one_request() -> None:
    async def scenario(bol: Bol) -> None:
        outcome = await bol.push("offer", listing())
        assert outcome == Confirmed(covers=ALL, remote_id=next(iter(bol.sandbox.offers)))
        assert bol.sent() == ["POST"]
        assert bol.sandbox.shown()["S1"] == {
            "title": "Koffer",
            "ean": EAN,
            "price": "19.99",
            "currency": "EUR",
            "stock": 5,
            "countries": ["NL", "BE"],
            "live": True,
        }

    on_bol(scenario)


@pytest.mark.parametrize(
    ("facet", "changed", "shown", "requests"),
    [
        ("price", {"price": "24.50"}, {"price": "24.50"}, ["PATCH"]),
        ("stock", {"stock": 0}, {"stock": 0, "live": False}, ["PATCH"]),
        ("offer", {"title": "Trolley"}, {"title": "Trolley"}, ["GET", "PATCH"]),
    ],
)
def test_a_changed_facet_changes_only_that(
    facet: str, changed: dict[str, Any], shown: Payload, requests: list[str]
) -> None:
    async def scenario(bol: Bol) -> None:
        await bol.push("offer", listing())
        before = bol.sandbox.shown()["S1"]
        for _ in range(2):
            assert await bol.push(facet, listing(**changed)) == Confirmed(remote_id=bol.remote_id)
            assert bol.sandbox.shown()["S1"] == before | shown
        assert bol.sent() == ["POST", *requests, *requests]
        assert bol.sandbox.received[-1].body == {
            name: value for name, value in listing(**changed)[facet].items() if name not in ("ean", "condition")
        }

    on_bol(scenario)


def test_a_facet_waits_for_its_offer() -> None:
    async def scenario(bol: Bol) -> None:
        assert isinstance(await bol.push("price", listing()), Waiting)
        assert isinstance(await bol.push("stock", listing()), Waiting)
        only_price = {"price": listing()["price"]}
        assert isinstance(await bol.push("price", only_price), Waiting)
        assert bol.sent() == []

    on_bol(scenario)


def test_a_create_whose_answer_was_lost_is_adopted_and_brought_up_to_date() -> None:
    async def scenario(bol: Bol) -> None:
        await bol.push("offer", listing("S0", OTHER_EAN), sku="S0")
        bol.remote_id = None
        bol.sandbox.faults = Faults(drop_answer_next=1)
        assert isinstance(await bol.push("offer", listing()), Unavailable)
        outcome = await bol.push("offer", listing(price="24.50"), attempt=2)
        assert isinstance(outcome, Confirmed)
        assert outcome.covers == ALL
        assert outcome.remote_id in bol.sandbox.offers
        assert bol.sent() == ["POST", "POST", "GET", "PATCH"]
        assert list(bol.sandbox.shown()) == ["S0", "S1"]
        assert bol.sandbox.shown()["S1"]["price"] == "24.50"

    on_bol(scenario)


def test_a_second_attempt_creates_when_the_first_never_arrived() -> None:
    async def scenario(bol: Bol) -> None:
        bol.sandbox.faults = Faults(outage=True)
        assert isinstance(await bol.push("offer", listing()), Unavailable)
        bol.sandbox.faults = Faults()
        assert isinstance(await bol.push("offer", listing(), attempt=2), Confirmed)
        assert list(bol.sandbox.shown()) == ["S1"]

    on_bol(scenario)


def test_an_offer_that_bol_lost_is_created_anew_by_any_facet() -> None:
    async def scenario(bol: Bol) -> None:
        for facet in ALL:
            await bol.push("offer", listing())
            bol.sandbox.offers.clear()
            gone = bol.remote_id
            outcome = await bol.push(facet, listing())
            assert isinstance(outcome, Confirmed)
            assert outcome.covers == ALL
            assert outcome.remote_id != gone
            assert list(bol.sandbox.shown()) == ["S1"]

    on_bol(scenario)


def test_another_ean_is_a_new_offer_in_place_of_the_old_one() -> None:
    async def scenario(bol: Bol) -> None:
        await bol.push("offer", listing())
        first = bol.remote_id
        outcome = await bol.push("offer", listing(gtin=OTHER_EAN))
        assert isinstance(outcome, Confirmed)
        assert outcome.covers == ALL
        assert bol.remote_id != first
        assert bol.sandbox.shown()["S1"]["ean"] == OTHER_EAN
        assert bol.sent() == ["POST", "GET", "DELETE", "POST"]

    on_bol(scenario)


def test_a_replacement_whose_answer_was_lost_is_found_by_every_facet_and_by_the_removal() -> None:
    async def scenario(bol: Bol) -> None:
        for facet in (*ALL, None):
            await bol.push("offer", listing())
            stale = bol.remote_id
            await bol.push("offer", listing(gtin=OTHER_EAN))
            bol.remote_id = stale
            if facet is None:
                assert await bol.push("offer", None) == Confirmed(covers=ALL)
                assert bol.sandbox.shown() == {}
            else:
                assert isinstance(await bol.push(facet, listing(gtin=OTHER_EAN, stock=6)), Confirmed)
                assert bol.remote_id in bol.sandbox.offers
                assert bol.sandbox.shown()["S1"]["stock"] == 6

    on_bol(scenario)


def test_removal_deletes_the_offer_and_is_done_when_there_is_none() -> None:
    async def scenario(bol: Bol) -> None:
        await bol.push("offer", listing())
        assert await bol.push("price", None) == Confirmed(remote_id=bol.remote_id)
        assert list(bol.sandbox.shown()) == ["S1"]
        for _ in range(2):
            assert await bol.push("offer", None) == Confirmed(covers=ALL)
            assert bol.sandbox.shown() == {}
        bol.remote_id = None
        assert await bol.push("offer", None) == Confirmed(covers=ALL)

    on_bol(scenario)


def test_removal_finds_an_offer_whose_id_was_lost() -> None:
    async def scenario(bol: Bol) -> None:
        await bol.push("offer", listing())
        bol.remote_id = None
        assert await bol.push("offer", None, attempt=2) == Confirmed(covers=ALL)
        assert bol.sandbox.shown() == {}

    on_bol(scenario)


@pytest.mark.parametrize(
    ("wanted", "field", "reason"),
    [
        (listing(gtin="1234567890183"), "ean", "has the wrong check digit: 123456789018 needs 0, not 3"),
        (listing(price="0.99"), "pricing.bundlePrices.unitPrice", "0.99 must be between 1 and 9999"),
        (listing(price="10000"), "pricing.bundlePrices.unitPrice", "10000.0 must be between 1 and 9999"),
    ],
)
def test_a_refusal_is_told_in_bols_own_words(wanted: Payload, field: str, reason: str) -> None:
    async def scenario(bol: Bol) -> None:
        outcome = await bol.push("offer", wanted)
        assert isinstance(outcome, Rejected)
        assert [(each.code, each.field) for each in outcome.reasons] == [("400", field)]
        assert reason in outcome.reasons[0].message
        assert bol.sandbox.shown() == {}

    on_bol(scenario)


def test_a_refused_update_leaves_the_offer_as_it_was() -> None:
    async def scenario(bol: Bol) -> None:
        await bol.push("offer", listing())
        assert isinstance(await bol.push("price", listing(price="0.50")), Rejected)
        assert bol.sandbox.shown()["S1"]["price"] == "19.99"

    on_bol(scenario)


def test_another_product_with_the_same_ean_is_refused() -> None:
    async def scenario(bol: Bol) -> None:
        await bol.push("offer", listing())
        bol.remote_id = None
        for attempt in (1, 2):
            outcome = await bol.push("offer", listing("S2"), attempt, sku="S2")
            assert isinstance(outcome, Rejected)
            assert "already exists" in outcome.reasons[0].message

    on_bol(scenario)


def test_throttles_outages_and_proxy_pages_are_no_rejections() -> None:
    async def scenario(bol: Bol) -> None:
        for remote_id in (None, "known"):
            if remote_id:
                await bol.push("offer", listing())
            for faults, expected in (
                (Faults(throttle_next=1), Throttled(1.0)),
                (Faults(outage=True), Unavailable),
                (Faults(html_503=True), Unavailable),
            ):
                bol.sandbox.faults = faults
                outcome = await bol.push("offer", listing())
                assert outcome == expected if isinstance(expected, Throttled) else isinstance(outcome, Unavailable)
            bol.sandbox.faults = Faults()

    on_bol(scenario)


def test_nobody_listening_is_unavailable() -> None:
    async def scenario(bol: Bol) -> None:
        await bol.sandbox.stop()
        outcome = await bol.push("offer", listing())
        assert isinstance(outcome, Unavailable)
        assert bol.sandbox.url in outcome.reason

    on_bol(scenario)


def test_one_token_serves_many_pushes_at_once() -> None:
    async def scenario(bol: Bol) -> None:
        outcomes = await asyncio.gather(*(bol.push("offer", listing()) for _ in range(8)))
        assert sum(isinstance(outcome, Confirmed) for outcome in outcomes) == 1
        assert bol.tokens() == 1

    on_bol(scenario)


def test_an_expired_token_is_renewed_once_inside_the_push() -> None:
    async def scenario(bol: Bol) -> None:
        await bol.push("offer", listing())
        bol.sandbox.expire_tokens()
        assert isinstance(await bol.push("price", listing(price="24.50")), Confirmed)
        assert bol.tokens() == 2
        assert bol.sandbox.shown()["S1"]["price"] == "24.50"

    on_bol(scenario)


def test_a_token_is_renewed_before_its_time_is_over() -> None:
    async def scenario(bol: Bol) -> None:
        told, now = bol.sandbox.settings(), [0.0]
        url = told["url"]
        bol.connector = BolConnector(url, url, told["client_id"], told["client_secret"], clock=lambda: now[0])
        await bol.push("offer", listing())
        for now[0], tokens in ((250.0, 1), (290.0, 2)):
            await bol.push("price", listing())
            assert bol.tokens() == tokens
        assert bol.sent() == ["POST", "PATCH", "PATCH"]

    on_bol(scenario)


def test_tokens_that_bol_never_takes_are_asked_for_twice_at_most() -> None:
    async def scenario(bol: Bol) -> None:
        outcome = await bol.push("offer", listing())
        assert isinstance(outcome, Unavailable)
        assert "JWT expired" in outcome.reason
        assert bol.tokens() == 2
        assert bol.sent() == ["POST", "POST"]

    on_bol(scenario, token_seconds=0)


def test_wrong_credentials_and_an_inactive_account_are_unavailable_with_the_next_step() -> None:
    async def scenario(bol: Bol) -> None:
        bol.sandbox.account_active = False
        outcome = await bol.push("offer", listing())
        assert isinstance(outcome, Unavailable)
        assert "Account is not active" in outcome.reason
        await bol.connector.close()
        bol.connector = connector(bol.sandbox.settings() | {"client_secret": "wrong"})
        outcome = await bol.push("offer", listing())
        assert isinstance(outcome, Unavailable)
        assert "Bad client credentials. Check DAYBOOK_CHANNEL_BOL_CLIENT_ID" in outcome.reason

    on_bol(scenario)


def test_no_token_and_no_secret_reach_the_journal() -> None:
    async def scenario(bol: Bol) -> None:
        kept: list[Exchange] = []
        exchanges.set(kept)
        await bol.push("offer", listing())
        written = msgspec.json.encode(kept).decode()
        assert len(kept) == 2
        assert bol.connector._token not in written
        assert "sandbox-secret" not in written

    on_bol(scenario)


def test_missing_settings_are_named() -> None:
    for name in ("url", "client_id", "client_secret"):
        settings = {"url": "http://localhost", "client_id": "a", "client_secret": "b"} | {name: ""}
        with pytest.raises(BadConfiguration, match=f"DAYBOOK_CHANNEL_BOL_{name.upper()}"):
            connector(settings)


@pytest.mark.parametrize(
    ("status", "headers", "body", "expected"),
    [
        (429, {"X-RateLimit-Reset": "3"}, {}, Throttled(3.0)),
        (429, {"X-RateLimit-Reset": "1577836800"}, {}, Throttled(0.0)),
        (429, {}, {}, Throttled(None)),
        (406, {}, {"detail": "v11 has ended"}, Unavailable("bol gave an unexpected answer (HTTP 406): v11 has ended")),
        (404, {}, {"title": "Not Found"}, Unavailable("bol gave an unexpected answer (HTTP 404): Not Found")),
    ],
)
def test_other_answers_have_their_outcome(
    status: int, headers: dict[str, str], body: Payload, expected: Outcome
) -> None:
    assert failure(Answer(status, headers, body, "{}")) == expected
