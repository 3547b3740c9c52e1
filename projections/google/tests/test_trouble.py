"""The connector in trouble: throttles, outages, tokens, wrong settings, answers that nobody expects."""

import asyncio

import msgspec
import pytest

from daybook.channel.calls import Answer, Exchange, exchanges
from daybook.channel.contract import Accepted, ChannelUnavailable, Outcome, Payload, Rejected, Throttled
from daybook.channel.sandbox import Faults
from daybook_projections.google.answers import failure
from daybook_projections.google.connector import INSERT, connector
from daybook_projections.google.tests.desk import DONE, Google, listing, on_google


def test_throttles_outages_and_proxy_pages_are_no_rejections() -> None:
    async def scenario(google: Google) -> None:
        accepted = await google.push(listing())
        assert isinstance(accepted, Accepted)
        for faults, expected in (
            (Faults(throttle_next=1), Throttled),
            (Faults(outage=True), ChannelUnavailable),
            (Faults(html_503=True), ChannelUnavailable),
        ):
            for ask in ("insert", "remove", "confirm"):
                google.sandbox.faults = msgspec.structs.replace(faults)
                if ask == "confirm":
                    outcome = await google.connector.confirm(google.describe(listing(), 1), accepted.submission)
                else:
                    outcome = await google.push(listing() if ask == "insert" else None, 2)
                assert isinstance(outcome, expected), (ask, faults)
        google.sandbox.faults = Faults(throttle_next=1)
        assert await google.push(listing(), 2) == Throttled(0.2, INSERT)

    on_google(scenario)


def test_nobody_listening_is_unavailable() -> None:
    async def scenario(google: Google) -> None:
        await google.sandbox.stop()
        outcome = await google.push(listing())
        assert isinstance(outcome, ChannelUnavailable)
        assert google.sandbox.url in outcome.reason

    on_google(scenario)


def test_one_token_serves_many_pushes_and_an_expired_one_is_renewed_once_inside_the_push() -> None:
    async def scenario(google: Google) -> None:
        await asyncio.gather(*(google.push(listing()) for _ in range(8)))
        assert google.tokens() == 1
        google.sandbox.expire_tokens()
        assert isinstance(await google.push(listing("24.50"), 2), Accepted)
        assert google.tokens() == 2

    on_google(scenario)


def test_tokens_that_google_never_takes_are_asked_for_twice_at_most() -> None:
    async def scenario(google: Google) -> None:
        outcome = await google.push(listing())
        assert isinstance(outcome, ChannelUnavailable)
        assert "invalid authentication credentials" in outcome.reason
        assert google.tokens() == 2
        assert google.sent() == ["POST", "POST"]

    on_google(scenario, token_seconds=0)


@pytest.mark.parametrize(
    ("key", "said"), [("client_secret", "OAuth client was not found"), ("refresh_token", "expired or revoked")]
)
def test_wrong_credentials_are_unavailable_with_the_next_step(key: str, said: str) -> None:
    async def scenario(google: Google) -> None:
        await google.connector.close()
        google.connector = connector(google.sandbox.settings() | {key: "wrong"})
        outcome = await google.push(listing())
        assert isinstance(outcome, ChannelUnavailable)
        assert said in outcome.reason
        assert "DAYBOOK_CHANNEL_GOOGLE_CLIENT_ID" in outcome.reason

    on_google(scenario)


def test_an_account_without_access_and_a_wrong_data_source_are_the_connections_fault() -> None:
    async def scenario(google: Google) -> None:
        for key, value, said in (
            ("account", "999", "DAYBOOK_CHANNEL_GOOGLE_ACCOUNT"),
            ("data_source", "x", "_DATA_SOURCE"),
            ("data_source", "999", "was not found"),
        ):
            await google.connector.close()
            google.connector = connector(google.sandbox.settings() | {key: value})
            outcome = await google.push(listing())
            assert isinstance(outcome, ChannelUnavailable)
            assert said in outcome.reason

    on_google(scenario)


def test_no_token_and_no_secret_reach_the_journal() -> None:
    async def scenario(google: Google) -> None:
        kept: list[Exchange] = []
        exchanges.set(kept)
        await google.push(listing())
        written = msgspec.json.encode(kept).decode()
        assert len(kept) == 2
        assert not [token for token in google.sandbox.given_tokens() if token in written]
        assert "sandbox-secret" not in written
        assert "sandbox-refresh" not in written

    on_google(scenario)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (429, {"error": {"code": 429, "details": [{"retryDelay": "30s"}]}}, Throttled(30.0)),
        (429, {"error": {"code": 429}}, Throttled(None)),
        (503, {"error": {"status": "UNAVAILABLE"}}, ChannelUnavailable("HTTP 503")),
        (404, {"error": {"message": "none"}}, ChannelUnavailable("Google gave an unexpected answer (HTTP 404): none")),
        (400, {"odd": 1}, ChannelUnavailable("Google gave an unexpected answer (HTTP 400): no reason given")),
    ],
)
def test_other_answers_have_their_outcome(status: int, body: Payload, expected: Outcome) -> None:
    assert failure(Answer(status, {}, body, "{}")) == expected


def test_a_body_that_is_no_product_is_refused_field_by_field() -> None:
    violation = {"field": "product_input.offer_id", "description": "is required"}
    detail = {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation]}
    error = {"code": 400, "status": "INVALID_ARGUMENT", "message": "bad", "details": [detail]}
    outcome = failure(Answer(400, {}, {"error": error}, "{}"))
    assert isinstance(outcome, Rejected)
    (reason,) = outcome.reasons
    assert (reason.code, reason.message, reason.field) == ("INVALID_ARGUMENT", "is required", "product_input.offer_id")


def test_an_answer_that_never_comes_is_an_unknown_outcome_and_the_next_try_brings_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("daybook.channel.calls.ANSWER_SECONDS_MAX", 0.3)

    async def scenario(google: Google) -> None:
        await google.push(None)
        google.sandbox.faults = Faults(hang=True)
        outcome = await google.push(listing())
        assert isinstance(outcome, ChannelUnavailable)
        assert "TimeoutError" in outcome.reason
        google.sandbox.faults = Faults()
        assert await google.bring(listing(), 1) == DONE

    on_google(scenario)


def test_tokens_that_all_end_at_once_cost_one_more_request_and_nothing_else() -> None:
    async def scenario(google: Google) -> None:
        await google.push(listing())
        google.sandbox.faults = Faults(expire_tokens=True)
        outcomes = await asyncio.gather(*(google.push(listing("24.50"), 2) for _ in range(4)))
        assert all(isinstance(each, Accepted) for each in outcomes)
        assert google.tokens() == 2

    on_google(scenario)


def test_a_days_quota_that_is_used_up_is_asked_for_again_after_a_while() -> None:
    body = {"error": {"code": 429, "details": [{"reason": "quota/daily_limit_exceeded"}]}}
    answer = Answer(429, {}, body, msgspec.json.encode(body).decode(), INSERT)
    assert failure(answer) == Throttled(900.0, INSERT)
