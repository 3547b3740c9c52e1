"""What Amazon shows of a SKU, read back in the words of what was pushed."""

from typing import Any

import msgspec
import pytest

from daybook.channel.contract import ChannelUnavailable, Payload, Push, Shown, Throttled
from daybook.channel.testing import History
from daybook_projections.amazon.readback import NOTHING
from daybook_projections.amazon.sandbox.marketplace import Listing
from daybook_projections.amazon.tests.desk import ALL, SKU, Desk, at_desk, family, suitcase
from daybook_projections.amazon.tests.histories import shirts
from daybook_projections.amazon.tests.histories import suitcase as described


async def read(desk: Desk, push: Push) -> dict[str, Payload | None]:
    shown = await desk.connector.read(push)
    assert isinstance(shown, Shown)
    return dict(shown.facets)


async def brought(desk: Desk, sku: str, history: History) -> Push:
    push = desk.push_of(sku, "product", history)
    assert type(await desk.bring(push)).__name__ == "Confirmed"
    return push


def listing(desk: Desk, sku: str = SKU) -> Listing:
    return desk.sandbox.market.listings()[sku]


@pytest.mark.parametrize(
    ("history", "skus"),
    [
        (suitcase(), [SKU]),
        (described(), ["SUITCASE"]),
        (suitcase(price="1000000.10", stock=0), [SKU]),
        (family(), ["M", "M-1"]),
        (shirts(), ["SHIRT", "SHIRT-NAVY-M", "SHIRT-RED-XL"]),
    ],
)
def test_what_was_brought_and_is_untouched_reads_as_it_was_pushed(history: History, skus: list[str]) -> None:
    async def scenario(desk: Desk) -> None:
        for sku in skus:
            push = await brought(desk, sku, history)
            expected = {facet: push.listing.get(facet) for facet in ALL}
            found = await read(desk, push)
            assert found == expected
            assert msgspec.json.encode(found) == msgspec.json.encode(expected), "a number is another number"

    at_desk(scenario)


def test_what_amazon_adds_is_no_difference() -> None:
    async def scenario(desk: Desk) -> None:
        push = await brought(desk, SKU, suitcase())
        attributes = listing(desk).attributes
        attributes["item_name"] = [{"value": "Trolley", "marketplace_id": "A1F83G8C2ARO7P"}, *attributes["item_name"]]
        attributes["color"] = [{"value": "blue"}]
        attributes["purchasable_offer"] = [attributes["purchasable_offer"][0] | {"start_at": {"value": "2026-01-01"}}]
        assert await read(desk, push) == push.listing

    at_desk(scenario)


@pytest.mark.parametrize("facet", ALL)
def test_a_hand_edit_shows_as_a_difference_of_its_facet_only(facet: str) -> None:
    async def scenario(desk: Desk) -> None:
        push = await brought(desk, SKU, suitcase())
        edited = listing(desk)
        if facet == "product":
            edited.attributes["item_name"] = [edited.attributes["item_name"][0] | {"value": "Koffer!", "seen": 1}]
        elif facet == "price":
            edited.price = ("EUR", "59.95")
        else:
            edited.quantity = 3
        found = await read(desk, push)
        assert [name for name in ALL if found[name] != push.listing[name]] == [facet]
        changed: Any = found[facet]
        if facet == "product":
            name = dict(push.listing["product"]["attributes"]["item_name"][0], value="Koffer!")
            assert changed["attributes"]["item_name"] == [name]
        elif facet == "price":
            assert changed["purchasable_offer"][0]["our_price"] == [{"schedule": [{"value_with_tax": 59.95}]}]
        else:
            assert changed == {"fulfillment_availability": [{"fulfillment_channel_code": "DEFAULT", "quantity": 3}]}

    at_desk(scenario)


def test_an_edited_offer_and_another_product_type_are_told_as_they_are() -> None:
    async def scenario(desk: Desk) -> None:
        push = await brought(desk, SKU, suitcase())
        edited = listing(desk)
        edited.product_type = "LUGGAGE"
        edited.attributes["purchasable_offer"] = []
        edited.price = None
        found = await read(desk, push)
        assert found["price"] is None
        assert found["product"] == push.listing["product"] | {"productType": "LUGGAGE"}
        assert found["stock"] == push.listing["stock"]

    at_desk(scenario)


def test_what_was_never_acknowledged_is_told_in_full() -> None:
    async def scenario(desk: Desk) -> None:
        push = await brought(desk, SKU, suitcase())
        found = await read(desk, msgspec.structs.replace(push, listing={}, payload=None))
        assert found == push.listing

    at_desk(scenario)


def test_a_listing_that_was_removed_by_hand_shows_nothing() -> None:
    async def scenario(desk: Desk) -> None:
        push = await brought(desk, SKU, suitcase())
        desk.sandbox.market.remove(SKU, 0)
        assert await read(desk, push) == dict.fromkeys(ALL) == NOTHING

    at_desk(scenario)


def test_trouble_on_the_way_is_no_answer() -> None:
    async def scenario(desk: Desk) -> None:
        push = await brought(desk, SKU, suitcase())
        desk.sandbox.faults.outage = True
        assert isinstance(await desk.connector.read(push), ChannelUnavailable)
        desk.sandbox.faults.outage = False
        desk.sandbox.faults.throttle_next = 1
        throttled = await desk.connector.read(push)
        assert isinstance(throttled, Throttled)
        assert throttled.operation == "getListingsItem"

    at_desk(scenario)
