"""What becomes of a message that an endpoint does not take."""

from typing import Any

import pytest

from daybook.channel.contract import ChannelUnavailable, Confirmed, Outcome, Stopped, Throttled
from daybook.channel.sandbox import Faults
from daybook_projections.webhook.connector import problem
from daybook_projections.webhook.sandbox.server import PATH, SECRET, Step
from daybook_projections.webhook.tests.desk import Desk, Names, at_the_desk, listing


def answered(step: Step) -> Outcome:
    """The outcome of a push that is answered like this, after proof that it was one request."""
    outcomes: list[Outcome] = []

    async def scenario(desk: Desk) -> None:
        desk.sandbox.script.append(step)
        outcomes.append(await desk.push("product", listing()))
        assert len(desk.sandbox.received) == 1

    at_the_desk(scenario)
    return outcomes[0]


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
@pytest.mark.parametrize("text", ["", "ok", "<html>thanks</html>"])
def test_every_2xx_is_success_whatever_its_body(status: int, text: str) -> None:
    assert isinstance(answered(Step(status=status, text=text, taken=True)), Confirmed)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_failure_and_is_not_followed(status: int) -> None:
    outcome = answered(Step(status=status, headers={"Location": PATH}))
    assert isinstance(outcome, ChannelUnavailable)
    assert outcome.reason == (
        f"HTTP {status} sends us to another place, and redirects are not followed: set DAYBOOK_CHANNEL_WEBHOOK_URL"
    )


def test_410_stops_the_channel_and_says_what_a_person_has_to_do() -> None:
    outcome = answered(Step(status=410, text="bye"))
    assert outcome == Stopped(
        "the endpoint wants no more messages (HTTP 410): enable it there, then resume the channel"
    )


def test_429_is_no_failure_and_says_how_long() -> None:
    assert answered(Step(status=429, headers={"Retry-After": "7"})) == Throttled(7.0)
    assert answered(Step(status=429)) == Throttled(None)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_error_is_tried_again_when_it_says(status: int) -> None:
    outcome = answered(Step(status=status, headers={"Retry-After": "30"}, text="<html>down</html>"))
    assert outcome == ChannelUnavailable(f"the endpoint did not take the message (HTTP {status})", 30.0)


@pytest.mark.parametrize("status", [400, 404, 405, 408, 409, 413, 415, 422])
def test_a_4xx_is_the_receivers_to_repair_and_is_tried_again(status: int) -> None:
    outcome = answered(Step(status=status, text="no such field"))
    assert outcome == ChannelUnavailable(f"the endpoint did not take the message (HTTP {status})")


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_signature_names_the_secret(status: int) -> None:
    outcome = answered(Step(status=status))
    assert isinstance(outcome, ChannelUnavailable)
    assert "check DAYBOOK_CHANNEL_WEBHOOK_SECRET" in outcome.reason


def test_a_refused_message_has_no_effect_and_the_next_try_has() -> None:
    async def scenario(desk: Desk) -> None:
        desk.sandbox.script.extend([Step(status=500), Step(status=410), Step(status=301)])
        for attempt in (1, 2, 3):
            assert not isinstance(await desk.push("product", listing(), attempt=attempt), Confirmed)
            assert desk.sandbox.shown() == {}
        assert isinstance(await desk.push("product", listing(), attempt=4), Confirmed)
        assert len(set(desk.ids())) == 1
        assert list(desk.sandbox.shown()) == ["S1"]

    at_the_desk(scenario)


def test_an_answer_that_denies_what_was_done_does_not_do_it_twice() -> None:
    async def scenario(desk: Desk) -> None:
        desk.sandbox.script.append(Step(status=500, taken=True))
        await desk.push("product", listing())
        assert isinstance(await desk.push("product", listing(), attempt=2), Confirmed)
        assert list(desk.sandbox.effects.values()) == [1]

    at_the_desk(scenario)


def test_an_endpoint_that_takes_a_message_and_never_answers_is_unavailable_and_told_again_once() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.settle(answer_seconds_max=0.1)
        desk.sandbox.faults = Faults(hang=True)
        assert isinstance(await desk.push("product", listing()), ChannelUnavailable)
        assert desk.sandbox.effects == {}
        desk.sandbox.faults = Faults(expire_tokens=True, fail_members=True)
        assert isinstance(await desk.push("product", listing(), attempt=2), Confirmed)
        assert list(desk.sandbox.effects.values()) == [1]

    at_the_desk(scenario)


def test_no_answer_in_time_is_unavailable() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.settle(answer_seconds_max=0.05)
        desk.sandbox.faults = Faults(slow_seconds=0.3)
        outcome = await desk.push("product", listing())
        assert isinstance(outcome, ChannelUnavailable)
        assert "TimeoutError" in outcome.reason

    at_the_desk(scenario)


def test_nobody_listening_and_a_cut_connection_are_unavailable() -> None:
    async def scenario(desk: Desk) -> None:
        desk.sandbox.faults = Faults(outage=True)
        assert isinstance(await desk.push("product", listing()), ChannelUnavailable)
        await desk.sandbox.stop()
        outcome = await desk.push("product", listing())
        assert isinstance(outcome, ChannelUnavailable)
        assert desk.sandbox.url in outcome.reason

    at_the_desk(scenario)


def test_a_cookie_of_the_endpoint_is_not_sent_back() -> None:
    async def scenario(desk: Desk) -> None:
        # By name: from an address no cookie would be kept anyway.
        url = desk.sandbox.settings()["url"].replace("127.0.0.1", "hooks.example.com")
        await desk.settle(url=url, resolver=Names("127.0.0.1"))
        desk.sandbox.script.append(Step(headers={"Set-Cookie": "a=b"}, taken=True))
        await desk.push("product", listing())
        await desk.push("price", listing(), position=2)
        assert "cookie" not in desk.sandbox.messages[-1][0]

    at_the_desk(scenario)


def test_a_query_and_a_slash_at_the_end_are_kept() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.settle(url=f"{desk.sandbox.url}{PATH}?tenant=a%2Fb")
        assert isinstance(await desk.push("product", listing()), Confirmed)
        assert desk.sandbox.received[-1].path == PATH
        assert desk.sandbox.received[-1].query == {"tenant": "a/b"}
        await desk.settle(url=desk.sandbox.url + PATH.rstrip("/"))
        assert isinstance(await desk.push("product", listing()), ChannelUnavailable)

    at_the_desk(scenario)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"url": "http://example.com"}, "_URL is not https; use https, or set DAYBOOK_CHANNEL_ERP_ALLOW_HTTP=true"),
        ({"url": "http://example.com", "allow_http": "yes"}, "_URL is not https"),
        ({"url": "ftp://example.com"}, "_URL must be an address like https://example.com/hook"),
        ({"url": "example.com"}, "_URL must be an address like https://example.com/hook"),
        ({"url": "https://"}, "_URL must be an address like https://example.com/hook"),
        ({"url": "https://[::1"}, "_URL is no URL: "),
        ({"url": "https://example.com:99999"}, "_URL is no URL: "),
        ({"url": "https://me:word@example.com"}, "_URL holds a user or password"),
        ({"secret": "whsec_c2hvcnQ="}, "_SECRET holds no usable secret: number 1 holds 5 bytes; 24 to 64 are needed"),
        ({"secret": f"{SECRET} other"}, "_SECRET holds no usable secret: number 2 does not start with whsec_"),
    ],
)
def test_settings_that_make_no_sense_are_told_and_nothing_is_sent(settings: dict[str, Any], said: str) -> None:
    whole = {"url": "https://example.com", "secret": SECRET} | settings
    told = problem(whole, "erp")
    assert told is not None
    assert told.startswith(f"DAYBOOK_CHANNEL_ERP{said}")
    assert "word@" not in told

    async def scenario(desk: Desk) -> None:
        await desk.settle(name="erp", **{"allow_http": "", **whole})
        assert await desk.push("product", listing()) == ChannelUnavailable(told)

    at_the_desk(scenario)


@pytest.mark.parametrize(
    "settings",
    [{}, {"url": "http://localhost:8080/hook", "allow_http": "True"}, {"url": "https://[2606:4700::1111]:8443/x?y=z"}],
)
def test_settings_that_make_sense_have_no_problem(settings: dict[str, str]) -> None:
    assert problem({"url": "https://example.com/hook", "secret": SECRET} | settings) is None
