"""The connector goes as fast as bol allows and no faster; what is only to be seen does not leave at all."""

import asyncio
import time

import msgspec
import pytest

from daybook.channel.calls import Exchange, exchanges, previewing
from daybook.channel.contract import Confirmed, Throttled, Waiting
from daybook.channel.pacing import Rate
from daybook_projections.bol.access import RATES
from daybook_projections.bol.mapping import FACETS
from daybook_projections.bol.tests.desk import Bol, listing, on_bol

SECONDS = 2.5
ALLOWED = {name: Rate(round(rate.per_second / 0.94)) for name, rate in RATES.items() if rate.per_second > 1}
"""bol's published limits: what the connector keeps a little below."""


def test_the_limits_are_those_that_bol_publishes() -> None:
    assert {name: rate.per_second for name, rate in ALLOWED.items()} == {
        "create-offer": 50,
        "update-offer": 50,
        "get-offer": 50,
        "get-offers": 25,
    }


def test_more_than_bol_allows_goes_out_at_bols_pace_without_a_429() -> None:
    async def scenario(bol: Bol) -> None:
        await bol.push("offer", listing())
        bol.sandbox.limits = ALLOWED
        started, done = time.monotonic(), 0

        async def lane() -> None:
            nonlocal done
            while time.monotonic() < started + SECONDS:
                outcome = await bol.push("price", listing())
                if isinstance(outcome, Throttled):
                    await asyncio.sleep(outcome.retry_after_seconds or 0.1)
                else:
                    assert isinstance(outcome, Confirmed)
                    done += 1

        await asyncio.gather(*(lane() for _ in range(16)))
        assert [each.status for each in bol.sandbox.received if each.status == 429] == []
        # Far less than it reaches on a quiet machine; the benchmark of the delivery measures that.
        assert done >= 0.5 * 50 * (time.monotonic() - started)

    on_bol(scenario)


def test_an_operation_that_was_throttled_holds_no_other_back() -> None:
    async def scenario(bol: Bol) -> None:
        await bol.push("offer", listing())
        bol.sandbox.limits = {"update-offer": Rate(0.2)}
        outcomes = [await bol.push("price", listing()) for _ in range(2)]
        assert isinstance(outcomes[0], Confirmed)
        assert isinstance(outcomes[1], Throttled)
        assert outcomes[1].operation == "update-offer"
        started = time.monotonic()
        assert await bol.push("offer", None) == Confirmed(covers=FACETS)
        assert time.monotonic() - started < 1

    on_bol(scenario)


@pytest.mark.parametrize(
    ("facet", "known", "method", "path"),
    [
        ("offer", False, "POST", "/retailer/offers"),
        ("offer", True, "GET", "/retailer/offers/known-id"),
        ("price", True, "PATCH", "/retailer/offers/known-id"),
        ("stock", True, "PATCH", "/retailer/offers/known-id"),
        ("content", True, "POST", "/retailer/content/products"),
    ],
)
def test_a_preview_records_the_first_request_and_sends_nothing(facet: str, known: bool, method: str, path: str) -> None:
    async def scenario(bol: Bol) -> None:
        wanted = listing()
        kept: list[Exchange] = []
        exchanges.set(kept)
        previewing.set(True)
        bol.remote_id = "known-id" if known else None
        await bol.push(facet, wanted)
        (seen,) = kept
        assert (seen.method, seen.url, seen.status) == (method, bol.sandbox.url + path, None)
        body = {name: value for part in FACETS[:3] for name, value in wanted[part].items()}
        sent = {"POST": body if facet == "offer" else wanted[facet], "PATCH": wanted[facet], "GET": None}[method]
        assert (msgspec.json.decode(seen.request) if seen.request else None) == sent
        assert not bol.sandbox.received

    on_bol(scenario)


@pytest.mark.parametrize("facet", FACETS[1:])
def test_a_preview_of_what_waits_for_its_offer_sends_and_records_nothing(facet: str) -> None:
    async def scenario(bol: Bol) -> None:
        kept: list[Exchange] = []
        exchanges.set(kept)
        previewing.set(True)
        assert isinstance(await bol.push(facet, listing()), Waiting)
        assert kept == []
        assert not bol.sandbox.received

    on_bol(scenario)


def test_a_preview_of_a_removal_is_a_delete() -> None:
    async def scenario(bol: Bol) -> None:
        kept: list[Exchange] = []
        exchanges.set(kept)
        previewing.set(True)
        bol.remote_id = "known-id"
        await bol.push("offer", None)
        assert [(each.method, each.status) for each in kept] == [("DELETE", None)]
        assert not bol.sandbox.received

    on_bol(scenario)
