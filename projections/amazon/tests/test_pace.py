"""As fast as Amazon allows and no faster; and the troubles that last."""

import asyncio
import time

import pytest

from daybook.channel import calls
from daybook.channel.contract import Accepted, ChannelUnavailable, Confirmed, Throttled
from daybook.channel.pacing import Rate
from daybook_projections.amazon.api import RATES
from daybook_projections.amazon.connector import connector
from daybook_projections.amazon.sandbox.answers import PUBLISHED
from daybook_projections.amazon.sandbox.server import AmazonSandbox
from daybook_projections.amazon.tests.desk import SKU, Desk, at_desk, suitcase

SECONDS = 1.5


async def test_driven_harder_than_the_limit_there_is_no_refusal_and_the_rate_is_reached() -> None:
    sandbox = AmazonSandbox()
    await sandbox.start()
    amazon = connector(sandbox.settings())
    desk = Desk()
    desk.remote_ids[SKU] = SKU
    whole, price = desk.push_of(SKU, "product", suitcase()), desk.push_of(SKU, "price", suitcase())
    rate = Rate(40, 5)
    sandbox.limits = {"patchListingsItem": rate}
    await amazon.push(whole)
    await asyncio.sleep(0.1)
    await amazon.push(price)  # Amazon's answer tells the rate, which is another one than the default
    sandbox.received.clear()
    end = time.monotonic() + SECONDS

    async def drive() -> None:
        while time.monotonic() < end:
            outcome = await amazon.push(price)
            assert isinstance(outcome, Accepted | Throttled), outcome
            if isinstance(outcome, Throttled):
                assert outcome.operation == "patchListingsItem"
                await asyncio.sleep(min(0.02, outcome.retry_after_seconds or 0.02))

    await asyncio.gather(*(drive() for _ in range(60)))
    statuses = [one.status for one in sandbox.received if one.at <= sandbox.received[0].at + SECONDS]
    await amazon.close()
    await sandbox.stop()
    # A machine that stands still for a moment lets what was spaced arrive at once: a refusal or two, not many.
    assert statuses.count(429) <= max(2, len(statuses) // 10)
    # Far less than it reaches on a quiet machine; the benchmark of the delivery measures that.
    assert len(statuses) >= 0.5 * rate.per_second * SECONDS


def test_a_throttle_holds_back_its_operation_and_nothing_else() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.bring(desk.push_of(SKU, "product", suitcase()))
        desk.sandbox.limits = {"patchListingsItem": Rate(0.001, 1)}
        assert isinstance(await desk.connector.push(desk.push_of(SKU, "stock", suitcase())), Accepted)
        outcome = await desk.connector.push(desk.push_of(SKU, "stock", suitcase()))
        assert isinstance(outcome, Throttled)
        assert outcome.operation == "patchListingsItem"
        assert isinstance(await desk.connector.push(desk.push_of(SKU, "product", suitcase())), Accepted)

    at_desk(scenario)


def test_no_declared_rate_is_above_the_published_one() -> None:
    for name, rate in RATES.items():
        assert rate.per_second <= PUBLISHED[name].per_second, name
        assert rate.burst <= PUBLISHED[name].burst, name


def test_no_more_than_five_feeds_go_in_any_five_minutes() -> None:
    rate = RATES["createFeed"]
    assert rate.burst + 300 * rate.per_second <= 5


def test_a_server_that_hangs_is_an_outage_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "ANSWER_SECONDS_MAX", 0.15)

    async def scenario(desk: Desk) -> None:
        desk.sandbox.faults.hang = True
        push = desk.push_of(SKU, "product", suitcase())
        outcome = await desk.connector.push(push)
        assert isinstance(outcome, ChannelUnavailable)
        assert "TimeoutError" in outcome.reason
        desk.sandbox.faults.hang = False
        assert isinstance(await desk.bring(push), Confirmed)

    at_desk(scenario)


def test_tokens_that_all_end_at_once_are_replaced_within_the_push() -> None:
    async def scenario(desk: Desk) -> None:
        push = desk.push_of(SKU, "product", suitcase())
        await desk.bring(push)
        desk.sandbox.faults.expire_tokens = True
        before = len(desk.requests())
        assert isinstance(await desk.connector.push(push), Accepted)
        assert desk.requests()[before:] == ["PUT", "POST", "PUT"]

    at_desk(scenario)


def test_a_submission_that_never_ends_stays_pending_and_can_be_made_again() -> None:
    async def scenario(desk: Desk) -> None:
        desk.sandbox.faults.keep_pending = True
        push = desk.push_of(SKU, "product", suitcase())
        assert isinstance(await desk.bring(push), Accepted)
        desk.sandbox.faults.keep_pending = False
        assert isinstance(await desk.bring(push), Confirmed)

    at_desk(scenario)
