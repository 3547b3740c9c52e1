"""As fast as the shop's points allow and no faster: by what a document costs, and by what every answer says."""

import asyncio
import time

from daybook.channel.contract import Confirmed, Throttled
from daybook.channel.pacing import Rate
from daybook_projections.shopify.graphql import GRAPHQL, RATES
from daybook_projections.shopify.sandbox.server import STANDARD, ShopifySandbox
from daybook_projections.shopify.tests.desk import Desk, bag, in_a_shop

POINTS = Rate(500.0, 500.0)
PRICE_COST = 10.0
SECONDS = 1.5


def test_driven_faster_than_the_points_come_back_it_is_never_refused_and_uses_nearly_all_of_them() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        desk.sandbox.limits = {GRAPHQL: POINTS}
        wanted = bag()
        await desk.push(wanted, "BAG")
        count, until = 0, time.monotonic() + SECONDS

        async def worker() -> None:
            nonlocal count
            while time.monotonic() < until:
                outcome = await desk.push(wanted, "BAG", "price")
                count += isinstance(outcome, Confirmed)

        started = time.monotonic()
        await asyncio.gather(*(worker() for _ in range(16)))
        took = time.monotonic() - started
        # A machine that stands still for a moment lets what was spaced arrive at once: a refusal or two, not many.
        assert desk.sandbox.throttles <= max(2, count // 20)
        # Far less than it reaches on a quiet machine; the benchmark of the delivery measures that.
        assert count * PRICE_COST >= 0.5 * (POINTS.burst + POINTS.per_second * took)

    in_a_shop(scenario)


def test_documents_that_may_cost_more_than_they_do_are_not_refused_either() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        desk.sandbox.limits = {GRAPHQL: Rate(500.0, 200.0)}
        await desk.push(bag(), "BAG")
        until = time.monotonic() + 0.8
        taken = 0

        async def worker() -> None:
            nonlocal taken
            while time.monotonic() < until:
                outcome = await desk.push(bag(), "BAG")
                taken += isinstance(outcome, Confirmed)

        await asyncio.gather(*(worker() for _ in range(16)))
        # A machine that stands still for a moment lets what was spaced arrive at once, which is one refusal, not many.
        assert desk.sandbox.throttles <= max(2, taken // 20)
        assert taken

    in_a_shop(scenario)


def test_a_refusal_holds_every_call_back_until_the_missing_points_are_there() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        await desk.push(bag(), "BAG")
        desk.sandbox.limits = {GRAPHQL: Rate(10.0, 40.0)}
        desk.sandbox._available = 5.0
        assert await desk.push(bag(), "BAG") == Throttled(3.0, GRAPHQL)
        desk.sent()
        held = await desk.push(bag(), "BAG", "price")
        assert isinstance(held, Throttled)
        assert held.operation == GRAPHQL
        assert held.retry_after_seconds is not None
        assert 1.0 < held.retry_after_seconds <= 3.0
        assert desk.sent() == []

    now = [0.0]
    in_a_shop(scenario, clock=lambda: now[0])


def test_a_shop_of_the_standard_plan_is_what_is_expected_before_the_first_answer() -> None:
    assert RATES == {GRAPHQL: STANDARD}
