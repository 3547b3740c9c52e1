"""bol is told of each parcel and cancellation once, whichever answer is lost, and whoever else tells it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from daybook.channel.calls import Exchange, exchanges
from daybook.channel.contract import Accepted, ChannelUnavailable, Confirmed, Outcome, Push, Rejected, Waiting
from daybook.channel.sandbox import Faults
from daybook_projections.bolparcels.connector import BolParcelsConnector, connector
from daybook_projections.bolparcels.sandbox.server import BolShipmentSandbox


class Desk:
    """One account and whoever tells it."""

    def __init__(self, sandbox: BolShipmentSandbox, speaks: BolParcelsConnector) -> None:
        self.sandbox, self.speaks = sandbox, speaks

    def described(self, facet: str, **payload: Any) -> Push:
        return Push(
            sku="bol:7",
            key="@order/bol:7",
            facet=facet,
            payload={"number": "7", "person": "p-1", **payload},
            listing={},
            remote_id=None,
            remote_ids={},
            position=1,
            attempt=1,
        )

    async def ended(self, push: Push) -> Outcome:
        outcome = await self.speaks.push(push)
        async with asyncio.timeout(10):
            while isinstance(outcome, Accepted):
                await asyncio.sleep(0.01)
                outcome = await self.speaks.confirm(push, outcome.submission)
        return outcome

    async def tell(self, *parcels: dict[str, Any]) -> Outcome:
        return await self.ended(self.described("shipments", parcels=list(parcels)))

    async def cancel(self, **items: int) -> Outcome:
        said = {name.removeprefix("i"): {"pieces": n, "reason": "OUT_OF_STOCK"} for name, n in items.items()}
        return await self.ended(self.described("cancellations", items=said))

    def told(self) -> list[tuple[str, dict[str, int], str | None]]:
        return [(one["reference"], one["items"], one["tracking"]) for one in self.sandbox.shipments]


@pytest_asyncio.fixture
async def desk() -> AsyncIterator[Desk]:
    sandbox = BolShipmentSandbox()
    await sandbox.start()
    speaks = connector(sandbox.settings())
    yield Desk(sandbox, speaks)
    await speaks.close()
    await sandbox.stop()


def parcel(name: str, tracking: str | None = None, **items: int) -> dict[str, Any]:
    pieces = {item.removeprefix("i"): count for item, count in items.items()}
    return {"parcel": name, "items": pieces, "transporter": "TNT" if tracking else "OTHER", "tracking": tracking}


async def test_parcels_are_told_one_after_the_other_and_once(desk: Desk) -> None:
    desk.sandbox.has("7", i1=3, i2=1)
    first, second = parcel("P1", "3SX", i1=1, i2=1), parcel("P2", i1=2)
    assert await desk.tell(first) == Confirmed()
    assert await desk.tell(first, second) == Confirmed()
    assert await desk.tell(first, second) == Confirmed()
    assert desk.told() == [("P1", {"1": 1, "2": 1}, "3SX"), ("P2", {"1": 2}, None)]


async def test_a_lost_answer_makes_no_second_shipment_though_bol_still_works_on_the_first(desk: Desk) -> None:
    desk.sandbox.has("7", i1=5)
    wanted = [parcel("P1", "3SX", i1=1), parcel("P2", "3SY", i1=1)]
    for lost in range(8):
        desk.sandbox.faults = Faults(drop_answer_next=1, keep_pending=lost % 2 == 0)
        assert isinstance(await desk.speaks.push(desk.described("shipments", parcels=wanted)), ChannelUnavailable)
        desk.sandbox.faults = Faults(keep_pending=True)
        await desk.speaks.push(desk.described("shipments", parcels=wanted))
        desk.sandbox.faults = Faults()
    assert await desk.tell(*wanted) == Confirmed()
    assert [one[:2] for one in desk.told()] == [("P1", {"1": 1}), ("P2", {"1": 1})]


@pytest.mark.parametrize("end", ["TIMEOUT", "forgotten"])
async def test_what_bol_gave_up_or_forgot_is_told_again_only_where_it_is_lacking(desk: Desk, end: str) -> None:
    desk.sandbox.has("7", i1=2)
    if end == "TIMEOUT":
        desk.sandbox.process_end = end
    push = desk.described("shipments", parcels=[parcel("P1", i1=2)])
    taken = await desk.speaks.push(push)
    assert isinstance(taken, Accepted)
    desk.sandbox.process_end = "SUCCESS"
    await asyncio.sleep(0.05)
    if end == "forgotten":
        desk.sandbox.shown()
        desk.sandbox.processes.clear()
    assert isinstance(await desk.speaks.confirm(push, taken.submission), Accepted if end == "TIMEOUT" else Confirmed)
    assert await desk.tell(parcel("P1", i1=2)) == Confirmed()
    assert desk.told() == [("P1", {"1": 2}, None)]


async def test_what_bol_refuses_later_is_a_rejection_in_its_words(desk: Desk) -> None:
    desk.sandbox.process_end = "FAILURE"
    outcome = await desk.tell(parcel("P1", i71=2))
    assert isinstance(outcome, Rejected) and outcome.reasons[0].code == "FAILURE"
    desk.sandbox.gone.add("7")
    outcome = await desk.tell(parcel("P1", i71=2))
    assert isinstance(outcome, Rejected) and outcome.reasons[0].code == "order_not_found"


async def test_what_was_told_in_the_sellers_dashboard_is_not_told_again(desk: Desk) -> None:
    desk.sandbox.has("7", i1=3)
    desk.sandbox.orders["7"]["1"]["quantityShipped"] = 2
    assert await desk.tell(parcel("bol-2", i1=2)) == Confirmed()
    assert await desk.tell(parcel("bol-2", i1=2), parcel("P2", i1=1)) == Confirmed()
    assert [sum(one[1].values()) for one in desk.told()] == [1]
    desk.sandbox.orders["7"]["1"] |= {"quantityShipped": 0, "quantityCancelled": 3}
    outcome = await desk.tell(parcel("P9", i1=1))
    assert isinstance(outcome, Rejected) and outcome.reasons[0].code == "not_open"


async def test_a_number_that_is_known_later_is_added_to_the_shipment(desk: Desk) -> None:
    assert await desk.tell(parcel("P1", i71=2)) == Confirmed()
    for _ in range(2):
        assert await desk.tell(parcel("P1", "3SX", i71=2)) == Confirmed()
    assert desk.told() == [("P1", {"71": 2}, "3SX")]
    assert [one.method for one in desk.sandbox.received].count("PUT") == 1


async def test_items_are_cancelled_one_by_one_and_a_wish_is_confirmed_as_the_customers(desk: Desk) -> None:
    desk.sandbox.has("7", i1=2, i2=1)
    desk.sandbox.orders["7"]["2"]["cancellationRequest"] = True
    for _ in range(2):
        assert await desk.cancel(i1=2, i2=1) == Confirmed()
    assert desk.sandbox.cancelled == [("1", "OUT_OF_STOCK"), ("2", "REQUESTED_BY_CUSTOMER")]


async def test_a_cancellation_waits_for_the_parcel_that_it_would_take_with_it(desk: Desk) -> None:
    desk.sandbox.has("7", i1=3)
    assert isinstance(await desk.cancel(i1=1), Waiting) and desk.sandbox.cancelled == []
    assert await desk.tell(parcel("P1", i1=2)) == Confirmed()
    assert await desk.cancel(i1=1) == Confirmed()
    assert desk.sandbox.orders["7"]["1"]["quantityCancelled"] == 1


async def test_the_journal_knows_whose_order_an_answer_tells_of(desk: Desk) -> None:
    kept: list[Exchange] = []
    exchanges.set(kept)
    await desk.tell(parcel("P1", "3SX", i71=2))
    telling = [one for one in kept if one.answer and "Hopper" in one.answer]
    assert telling and all(one.people == ("p-1",) for one in telling)
