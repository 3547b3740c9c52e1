"""What bol and the network do on bad days, and what the connector makes of it."""

import asyncio

import msgspec
import pytest

from daybook.channel import calls
from daybook.channel.calls import Answer, Exchange, exchanges
from daybook.channel.contract import Accepted, ChannelUnavailable, Confirmed, Outcome, Payload, Throttled
from daybook.channel.sandbox import Faults
from daybook_projections.bol.access import failure
from daybook_projections.bol.connector import BolConnector, connector
from daybook_projections.bol.mapping import FACETS
from daybook_projections.bol.tests.desk import Bol, listing, on_bol


@pytest.mark.parametrize("operation", ["create-offer", "get-offer"])
def test_throttles_outages_and_proxy_pages_are_no_rejections(operation: str) -> None:
    async def scenario(bol: Bol) -> None:
        if operation == "get-offer":
            await bol.push("offer", listing())
        for faults in (Faults(outage=True), Faults(html_503=True)):
            bol.sandbox.faults = faults
            assert isinstance(await bol.push("offer", listing()), ChannelUnavailable)
        bol.sandbox.faults = Faults()
        await bol.push("offer", None)  # has its token now, so that the throttle is the operation's
        bol.sandbox.faults.throttle_next = 1
        assert await bol.push("offer", listing()) == Throttled(1.0, operation)

    on_bol(scenario)


def test_a_request_that_hangs_is_unavailable_and_was_not_carried_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "ANSWER_SECONDS_MAX", 0.3)

    async def scenario(bol: Bol) -> None:
        bol.sandbox.faults.hang = True
        outcome = await bol.push("offer", listing())
        assert isinstance(outcome, ChannelUnavailable)
        assert "was not answered: TimeoutError" in outcome.reason
        bol.sandbox.faults.hang = False
        assert isinstance(await bol.push("offer", listing(), attempt=2), Confirmed)
        assert list(bol.sandbox.shown()) == ["S1"]

    on_bol(scenario)


def test_a_request_that_is_answered_late_is_answered() -> None:
    async def scenario(bol: Bol) -> None:
        bol.sandbox.faults.hang = True
        push = asyncio.create_task(bol.push("offer", listing()))
        assert await asyncio.wait({push}, timeout=0.1) == (set(), {push})
        bol.sandbox.faults.hang = False
        assert isinstance(await push, Confirmed)

    on_bol(scenario)


@pytest.mark.parametrize("facet", FACETS)
def test_tokens_that_ended_all_at_once_are_renewed_inside_the_push(facet: str) -> None:
    async def scenario(bol: Bol) -> None:
        await bol.bring(listing())
        bol.sandbox.faults.expire_tokens = True
        assert isinstance(await bol.push(facet, listing(price="24.50")), Confirmed | Accepted)
        assert bol.tokens() == 2

    on_bol(scenario)


def test_nobody_listening_is_unavailable() -> None:
    async def scenario(bol: Bol) -> None:
        await bol.sandbox.stop()
        outcome = await bol.push("offer", listing())
        assert isinstance(outcome, ChannelUnavailable)
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
        assert isinstance(outcome, ChannelUnavailable)
        assert "JWT expired" in outcome.reason
        assert bol.tokens() == 2
        assert bol.sent() == ["POST", "POST"]

    on_bol(scenario, token_seconds=0)


def test_wrong_credentials_and_an_inactive_account_are_unavailable_with_the_next_step() -> None:
    async def scenario(bol: Bol) -> None:
        bol.sandbox.account_active = False
        outcome = await bol.push("offer", listing())
        assert isinstance(outcome, ChannelUnavailable)
        assert "Account is not active" in outcome.reason
        await bol.connector.close()
        bol.connector = connector(bol.sandbox.settings() | {"client_secret": "wrong"})
        outcome = await bol.push("offer", listing())
        assert isinstance(outcome, ChannelUnavailable)
        assert "Bad client credentials. Check DAYBOOK_CHANNEL_BOL_CLIENT_ID" in outcome.reason

    on_bol(scenario)


def test_no_token_and_no_secret_reach_the_journal() -> None:
    async def scenario(bol: Bol) -> None:
        kept: list[Exchange] = []
        exchanges.set(kept)
        await bol.push("offer", listing())
        written = msgspec.json.encode(kept).decode()
        assert len(kept) == 2
        assert not [token for token in bol.sandbox.given_tokens() if token in written]
        assert "sandbox-secret" not in written

    on_bol(scenario)


@pytest.mark.parametrize(
    ("status", "headers", "body", "expected"),
    [
        (429, {"X-RateLimit-Reset": "3"}, {}, Throttled(3.0)),
        (429, {"X-RateLimit-Reset": "1577836800"}, {}, Throttled(None)),
        (429, {}, {}, Throttled(None)),
        (
            406,
            {},
            {"detail": "v11 has ended"},
            ChannelUnavailable("bol gave an unexpected answer (HTTP 406): v11 has ended"),
        ),
        (404, {}, {"title": "Not Found"}, ChannelUnavailable("bol gave an unexpected answer (HTTP 404): Not Found")),
    ],
)
def test_other_answers_have_their_outcome(
    status: int, headers: dict[str, str], body: Payload, expected: Outcome
) -> None:
    assert failure(Answer(status, headers, body, "{}")) == expected
