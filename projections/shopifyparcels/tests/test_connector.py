"""A fulfilment is made once, whichever answer is lost, and whoever else sends parcels."""

from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from daybook.channel.contract import ChannelUnavailable, Confirmed, Outcome, Push, Rejected
from daybook.channel.sandbox import Faults
from daybook_projections.shopifyparcels.connector import ShopifyParcelsConnector, connector
from daybook_projections.shopifyparcels.sandbox.server import WAREHOUSE, ShopifyFulfillmentSandbox

OTHER = "gid://shopify/Location/2"


class Desk:
    """One shop and whoever tells it."""

    def __init__(self, sandbox: ShopifyFulfillmentSandbox, speaks: ShopifyParcelsConnector) -> None:
        self.sandbox, self.speaks = sandbox, speaks

    async def tell(self, *parcels: dict[str, Any], notify: bool = True) -> Outcome:
        return await self.speaks.push(
            Push(
                sku="shopify:1001",
                key="@order/shopify:1001",
                facet="fulfilments",
                payload={"number": "1001", "notify": notify, "parcels": list(parcels)},
                listing={},
                remote_id=None,
                remote_ids={},
                position=1,
                attempt=1,
            )
        )

    def made(self) -> list[dict[str, int]]:
        return [one["lines"] for one in self.sandbox.fulfillments.get("1001", ())]


@pytest_asyncio.fixture
async def desk() -> AsyncIterator[Desk]:
    sandbox = ShopifyFulfillmentSandbox()
    await sandbox.start()
    speaks = connector(sandbox.settings())
    yield Desk(sandbox, speaks)
    await speaks.close()
    await sandbox.stop()


def parcel(name: str, tracking: str | None = None, **lines: int) -> dict[str, Any]:
    pieces = {line.removeprefix("l"): count for line, count in lines.items()}
    return {"parcel": name, "lines": pieces, "carrier": "PostNL" if tracking else None, "tracking": tracking}


async def test_a_lost_answer_makes_no_second_fulfilment_with_or_without_a_number(desk: Desk) -> None:
    desk.sandbox.has("1001", (WAREHOUSE, {"1": 5, "2": 5, "3": 5}))
    wanted = (parcel("P1", "3SX", l1=1, l2=1, l3=1), parcel("P2", l1=1), parcel("P3", l1=1))
    assert await desk.tell(wanted[0]) == Confirmed()
    for _ in range(12):
        desk.sandbox.faults = Faults(drop_answer_next=1)
        outcome = await desk.tell(*wanted)
        assert isinstance(outcome, ChannelUnavailable)
        desk.sandbox.faults = Faults()
    assert await desk.tell(*wanted) == Confirmed()
    assert await desk.tell(*wanted) == Confirmed()
    assert desk.made() == [{"1": 1, "2": 1, "3": 1}, {"1": 1}, {"1": 1}]
    assert desk.sandbox.mails == [("1001", "3SX"), ("1001", None), ("1001", None)]


async def test_a_number_that_is_known_later_is_added_and_another_number_is_another_parcel(desk: Desk) -> None:
    desk.sandbox.has("1001", (WAREHOUSE, {"1": 3}))
    assert await desk.tell(parcel("P1", l1=1), notify=False) == Confirmed()
    assert await desk.tell(parcel("P1", "3SX", l1=1)) == Confirmed()
    assert desk.made() == [{"1": 1}]
    assert desk.sandbox.fulfillments["1001"][0]["tracking"] == {"number": "3SX", "company": "PostNL"}
    assert desk.sandbox.mails == [("1001", "3SX")]
    assert await desk.tell(parcel("P1", "3SX", l1=1), parcel("P2", "3SY", l1=1)) == Confirmed()
    assert len(desk.made()) == 2


async def test_pieces_of_two_locations_are_two_fulfilments_and_one_place_is_taken_where_it_has_all(desk: Desk) -> None:
    desk.sandbox.has("1001", (WAREHOUSE, {"1": 1}), (OTHER, {"1": 2, "2": 1}))
    assert await desk.tell(parcel("P1", l1=1, l2=1)) == Confirmed()
    assert desk.made() == [{"1": 1, "2": 1}]
    both = (parcel("P1", l1=1, l2=1), parcel("P2", l1=2))
    assert await desk.tell(*both) == Confirmed()
    assert await desk.tell(*both) == Confirmed()
    assert sorted(map(str, desk.made())) == ["{'1': 1, '2': 1}", "{'1': 1}", "{'1': 1}"]


async def test_what_the_shops_people_sent_is_not_sent_again(desk: Desk) -> None:
    desk.sandbox.has("1001", (WAREHOUSE, {"1": 2}))
    assert await desk.tell(parcel("P1", l1=1)) == Confirmed()
    own = desk.sandbox.fulfillments["1001"][0]["id"].rpartition("/")[2]
    assert await desk.tell(parcel(own, l1=1)) == Confirmed()
    assert desk.made() == [{"1": 1}]


async def test_what_is_held_or_not_there_is_a_refusal_that_says_what_to_do(desk: Desk) -> None:
    desk.sandbox.has("1001", (WAREHOUSE, {"1": 1}), status="ON_HOLD")
    outcome = await desk.tell(parcel("P1", l1=1))
    assert isinstance(outcome, Rejected) and "ON_HOLD there: release them" in outcome.reasons[0].message
    desk.sandbox.gone.add("1001")
    outcome = await desk.tell(parcel("P1", l1=1))
    assert isinstance(outcome, Rejected) and outcome.reasons[0].code == "order_not_found"
