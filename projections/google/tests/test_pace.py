"""As fast as Google allows and no faster, method by method."""

import asyncio
import time

import pytest

from daybook.channel.contract import Accepted, Throttled
from daybook.channel.pacing import Rate
from daybook.errors import BadConfiguration
from daybook_projections.google.connector import DELETE, GET, INSERT, RATES, connector, rates
from daybook_projections.google.tests.desk import Google, listing, on_google

PER_SECOND = 60
SECONDS = 1.5


def test_driven_faster_than_the_quota_it_is_never_refused_and_gets_nearly_all_of_it() -> None:
    async def scenario(google: Google) -> None:
        google.sandbox.limits = dict.fromkeys((INSERT, DELETE, GET), Rate(PER_SECOND, PER_SECOND))
        google.sandbox.clock = time.monotonic
        await google.connector.close()
        google.connector = connector(google.sandbox.settings() | {"per_minute": str(PER_SECOND * 60)})
        await google.connector.push(google.describe(listing(), 1))
        accepted, until = 0, time.monotonic() + SECONDS

        async def worker() -> None:
            nonlocal accepted
            while time.monotonic() < until:
                assert isinstance(await google.connector.push(google.describe(listing(), 1)), Accepted)
                accepted += 1

        started = time.monotonic()
        await asyncio.gather(*(worker() for _ in range(16)))
        reached = accepted / (time.monotonic() - started)
        assert [each.status for each in google.sandbox.received if each.status == 429] == []
        # Far less than it reaches on a quiet machine; the benchmark of the delivery measures that.
        assert reached >= 0.5 * PER_SECOND

    on_google(scenario)


def test_a_throttled_method_holds_up_no_other_one() -> None:
    async def scenario(google: Google) -> None:
        google.sandbox.limits = {INSERT: Rate(0.01, 1)}
        assert isinstance(await google.push(listing()), Accepted)
        refused = await google.push(listing(), 2)
        assert isinstance(refused, Throttled)
        assert refused.operation == INSERT
        assert refused.retry_after_seconds == pytest.approx(100)
        sent = google.sent()
        held_back = await google.push(listing(), 3)
        assert isinstance(held_back, Throttled)
        assert held_back.operation == INSERT
        assert google.sent() == sent, "Google said when to come again: nobody asks before"
        assert isinstance(await google.push(None, 4), Accepted)

    on_google(scenario)


def test_the_quota_is_a_setting_and_must_make_sense() -> None:
    assert rates("600") == dict.fromkeys((INSERT, DELETE, GET), Rate(10.0, 1.0))
    assert RATES[INSERT] == Rate(200.0, 20.0)
    for wrong in ("0", "-1", "many", "inf", "nan"):
        with pytest.raises(BadConfiguration, match="DAYBOOK_CHANNEL_GOOGLE_PER_MINUTE"):
            rates(wrong)
