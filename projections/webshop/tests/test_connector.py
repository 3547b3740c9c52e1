"""The connector against the sandbox over HTTP: bringing, changing and taking off."""

import json
from pathlib import Path
from typing import Any

import pytest

from daybook.channel.contract import Confirmed, Payload, Waiting
from daybook_projections.webshop.listing import FACETS
from daybook_projections.webshop.tests.desk import BAG, MEDIUM, SHIRT, Desk, at_the_desk, changed


def test_a_product_is_created_with_all_facets_in_one_request() -> None:
    async def scenario(desk: Desk) -> None:
        outcome = await desk.push(BAG)
        assert outcome == Confirmed(covers=FACETS, remote_id="101")
        assert desk.asked() == ["POST /products"]
        shown = {"title": "Bag", "price": "19.99", "currency": "EUR", "stock": 5, "live": True}
        assert desk.shop.shown() == {"BAG": shown}

    at_the_desk(scenario)


@pytest.mark.parametrize(
    ("facet", "fields", "seen"),
    [
        ("product", {"name": "Big bag"}, {"title": "Big bag"}),
        ("price", {"regular_price": "24.50"}, {"price": "24.50"}),
        ("stock", {"stock_quantity": 0}, {"stock": 0}),
    ],
)
def test_each_facet_is_changed_alone_and_sending_it_again_changes_nothing(
    facet: str, fields: dict[str, Any], seen: dict[str, Any]
) -> None:
    async def scenario(desk: Desk) -> None:
        await desk.push(BAG)
        before = desk.shop.shown()["BAG"]
        newer = changed(BAG, facet, **fields)
        for _ in range(2):
            assert await desk.push(newer, facet) == Confirmed()
            assert desk.shop.shown() == {"BAG": before | seen}
        assert desk.shop.received[-1].body == newer[facet]

    at_the_desk(scenario)


def test_a_facet_waits_until_its_product_is_in_the_shop() -> None:
    async def scenario(desk: Desk) -> None:
        assert isinstance(await desk.push(BAG, "price"), Waiting)
        assert desk.asked() == []

    at_the_desk(scenario)


def test_a_variation_waits_for_its_parent_and_is_created_under_it() -> None:
    async def scenario(desk: Desk) -> None:
        assert isinstance(await desk.push(MEDIUM), Waiting)
        await desk.push(SHIRT)
        assert await desk.push(MEDIUM) == Confirmed(covers=FACETS, remote_id="101/102")
        assert all("_parent" not in (request.body or {}) for request in desk.shop.received)
        assert desk.shop.shown()["SHIRT-M"]["title"] == "Shirt - M"
        assert desk.shop.shown()["SHIRT"]["variations"] == ["SHIRT-M"]
        assert await desk.push(changed(MEDIUM, "stock", stock_quantity=9), "stock") == Confirmed()
        assert desk.shop.shown()["SHIRT-M"]["stock"] == 9

    at_the_desk(scenario)


def test_a_variation_whose_axis_its_parent_does_not_have_in_the_shop_brings_it_along() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.push(changed(SHIRT, "product", attributes=[]))
        desk.describe(SHIRT)  # its own change was refused, for a picture perhaps
        assert (await desk.push(MEDIUM)).remote_id == "101/102"
        assert desk.shop.shown()["SHIRT-M"]["title"] == "Shirt - M"
        assert desk.shop.shown()["SHIRT-M"]["live"]

    at_the_desk(scenario)


def test_removing_takes_the_listing_off_and_may_be_repeated() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.push(BAG)
        for _ in range(2):
            assert await desk.push(BAG, remove=True) == Confirmed(covers=FACETS)
            assert desk.shop.shown() == {}

    at_the_desk(scenario)


def test_removing_a_variable_product_takes_its_variations_and_their_removal_is_then_done() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.push(SHIRT)
        await desk.push(MEDIUM)
        assert isinstance(await desk.push(SHIRT, remove=True), Confirmed)
        assert desk.shop.shown() == {}
        assert await desk.push(MEDIUM, remove=True) == Confirmed(covers=FACETS)

    at_the_desk(scenario)


def test_removing_what_a_lost_answer_may_have_created_looks_it_up_first() -> None:
    async def scenario(desk: Desk) -> None:
        desk.shop.faults.drop_answer_next = 1
        await desk.push(BAG)
        assert await desk.push(BAG, remove=True, attempt=2) == Confirmed(covers=FACETS)
        assert desk.shop.shown() == {}

    at_the_desk(scenario)


def test_removing_what_was_never_brought_leaves_a_product_of_the_shop_alone() -> None:
    async def scenario(desk: Desk) -> None:
        desk.shop.shop.create({"name": "Made by hand", "sku": "BAG"})
        assert isinstance(await desk.push(BAG, remove=True), Confirmed)
        assert desk.shop.shown().keys() == {"BAG"}

    at_the_desk(scenario)


def test_taking_one_facet_off_clears_it() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.push(BAG)
        for facet in ("price", "stock"):
            assert await desk.push(BAG, facet, remove=True) == Confirmed()
        assert (desk.shop.shown()["BAG"]["price"], desk.shop.shown()["BAG"]["stock"]) == (None, None)

    at_the_desk(scenario)


def test_the_shop_takes_and_keeps_a_rendering_as_it_is() -> None:
    golden = json.loads((Path(__file__).parent / "golden" / "jackets.json").read_text(encoding="utf-8"))
    listings: dict[str, dict[str, Payload]] = {}
    for name, payload in golden.items():
        sku, facet = name.split()
        listings.setdefault(sku, {})[facet] = payload

    async def scenario(desk: Desk) -> None:
        for listing in listings.values():
            assert isinstance(await desk.push(listing), Confirmed)
        assert desk.shop.shown()["amor"]["variations"] == [sku for sku in listings if sku != "amor"]
        assert desk.shop.shown()["amor-red-M"] == {
            "title": "Amor - Red, M",
            "price": "999.00",
            "currency": "EUR",
            "stock": 3,
            "live": True,
            "parent": "amor",
        }
        kept = desk.shop.shop.get(int(desk.ids["amor"]))["attributes"]
        own = [{field: value for field, value in each.items() if field not in ("id", "slug")} for each in kept]
        assert own == listings["amor"]["product"]["attributes"]

    at_the_desk(scenario)
