"""What was brought is read back in its own words; what a hand changed in the shop shows in its facet only."""

from collections.abc import Mapping
from typing import Any

import pytest

from daybook.channel.contract import ChannelUnavailable, Payload, Throttled
from daybook.channel.testing import History, render
from daybook_projections.webshop import manifest
from daybook_projections.webshop.listing import FACETS
from daybook_projections.webshop.tests.desk import Desk, at_the_desk

ABSENT = dict.fromkeys(FACETS)


def listings() -> dict[str, dict[str, Payload]]:
    """A plain product, and a model with two variants, as they are really rendered."""
    history = (
        History()
        .product(
            "BAG",
            gtin="4006381333931",
            attributes={
                "name": 'Bag "Tosca" & strap',
                "description": "<p>It's <b>big</b>.</p>\n\nAnd light - really...",
                "short_description": "For 2 x 3 days",
                "brand": "Acme",
            },
            price=("default", "19.90", "EUR"),
            stock={"main": 5},
            media=("https://cdn.example/files/my%20bag.jpg?v=2", "https://cdn.example/pictures/42"),
            listed=("webshop",),
        )
        .product(
            "SHIRT",
            axes=("size", "color"),
            attributes={"name": "Shirt", "description": "Cotton."},
            price=("default", "25.00", "EUR"),
            listed=("webshop",),
        )
    )
    for size, colour in (("M", "red"), ("L", "blue")):
        history.product(
            f"SHIRT-{size}",
            parent="SHIRT",
            attributes={"size": size, "color": colour, "description": f'The "{size}" isn\'t small'},
            stock={"main": 2},
            media=(f"https://cdn.example/{size}.png",),
        )
    found: dict[str, dict[str, Payload]] = {}
    for (sku, facet), payload in render(manifest, history).items():
        assert isinstance(payload, dict)
        found.setdefault(sku, {})[facet] = payload
    return found


async def brought(desk: Desk) -> dict[str, dict[str, Payload]]:
    everything = listings()
    for listing in everything.values():
        assert (await desk.push(listing)).remote_id
    return everything


def whole(listing: Mapping[str, Payload]) -> dict[str, Payload | None]:
    """The listing with None for the facets that it does not have: a variable product has no price of its own."""
    return {facet: listing.get(facet) for facet in FACETS}


def test_what_was_brought_and_is_untouched_reads_as_it_was_pushed() -> None:
    async def scenario(desk: Desk) -> None:
        everything = await brought(desk)
        assert everything.keys() == {"BAG", "SHIRT", "SHIRT-M", "SHIRT-L"}
        for listing in everything.values():
            assert await desk.read(listing) == whole(listing)
        record = desk.shop.shop.records[int(desk.ids["BAG"])]
        assert [each["src"].rpartition("/")[2] for each in record["images"]] == ["my20bag.jpg", "42.jpg"]

    at_the_desk(scenario)


def test_what_the_shop_writes_in_another_way_is_no_difference() -> None:
    async def scenario(desk: Desk) -> None:
        everything = await brought(desk)
        record = desk.shop.shop.records[int(desk.ids["BAG"])]
        record |= {"regular_price": "19.9", "name": "Bag &quot;Tosca&quot; &amp; strap", "stock_quantity": 5.0}
        assert await desk.read(everything["BAG"]) == whole(everything["BAG"])

    at_the_desk(scenario)


@pytest.mark.parametrize(
    ("facet", "edit"),
    [
        ("price", {"regular_price": "24.50"}),
        ("price", {"regular_price": ""}),
        ("stock", {"stock_quantity": 0}),
        ("stock", {"manage_stock": False, "stock_quantity": None}),
        ("product", {"name": "Handbag"}),
        ("product", {"description": "It is big."}),
        ("product", {"status": "draft"}),
        ("product", {"global_unique_id": ""}),
        ("product", {"sku": "BAG-2"}),
        ("product", {"images": []}),
        ("product", {"images": [{"src": "https://shop.example/other.jpg", "alt": 'Bag "Tosca" & strap'}]}),
        ("product", {"attributes": []}),
    ],
)
def test_a_hand_edit_shows_as_a_difference_of_its_facet_only(facet: str, edit: dict[str, Any]) -> None:
    async def scenario(desk: Desk) -> None:
        bag = (await brought(desk))["BAG"]
        desk.shop.shop.records[int(desk.ids["BAG"])] |= edit
        shown = await desk.read(bag)
        assert {name for name in FACETS if shown[name] != bag[name]} == {facet}

    at_the_desk(scenario)


def test_a_sale_and_pictures_that_the_shop_has_beside_the_book_are_its_own() -> None:
    async def scenario(desk: Desk) -> None:
        bag = (await brought(desk))["BAG"]
        own = {"product": {field: value for field, value in bag["product"].items() if field != "images"}}
        desk.shop.shop.records[int(desk.ids["BAG"])] |= {"sale_price": "9.00", "categories": [{"id": 3}]}
        assert await desk.read(bag | own) == whole(bag | own)

    at_the_desk(scenario)


def test_an_edited_variation_differs_and_its_sisters_do_not() -> None:
    async def scenario(desk: Desk) -> None:
        everything = await brought(desk)
        medium = desk.shop.shop.records[int(desk.ids["SHIRT-M"].partition("/")[2])]
        medium["chosen"] = dict.fromkeys(medium["chosen"], "green")
        medium["description"] = "The other one"
        shown = await desk.read(everything["SHIRT-M"])
        product = shown["product"]
        assert product is not None
        assert [each["option"] for each in product["attributes"]] == ["green", "green"]
        assert "The other one" in product["description"]
        assert await desk.read(everything["SHIRT-L"]) == whole(everything["SHIRT-L"])
        assert await desk.read(everything["SHIRT"]) == whole(everything["SHIRT"])

    at_the_desk(scenario)


def test_what_was_deleted_by_hand_is_not_shown_at_all() -> None:
    async def scenario(desk: Desk) -> None:
        everything = await brought(desk)
        desk.shop.shop.delete(int(desk.ids["BAG"]), force=True)
        desk.shop.shop.delete(int(desk.ids["SHIRT"]), force=False)
        for listing in everything.values():
            assert await desk.read(listing) == ABSENT

    at_the_desk(scenario)


def test_what_was_never_brought_is_looked_up_by_its_sku_and_told_whole() -> None:
    async def scenario(desk: Desk) -> None:
        bag = listings()["BAG"]
        assert await desk.read(bag) == ABSENT
        desk.shop.shop.create({"name": "By hand", "sku": "BAG", "regular_price": "5.00"})
        shown = await desk.connector.read(desk.describe(bag, remove=True))
        assert shown.facets["price"] == {"regular_price": "5.00"}  # type: ignore[union-attr]
        assert shown.facets["product"]["name"] == "By hand"  # type: ignore[union-attr,index]
        assert shown.facets["stock"] is None  # type: ignore[union-attr]

    at_the_desk(scenario)


def test_a_listing_that_was_made_anew_by_hand_is_found_under_its_sku() -> None:
    async def scenario(desk: Desk) -> None:
        bag = (await brought(desk))["BAG"]
        desk.shop.shop.delete(int(desk.ids["BAG"]), force=True)
        desk.shop.shop.create({"name": "By hand", "sku": "BAG", "regular_price": "19.9"})
        shown = await desk.read(bag)
        assert shown["price"] == bag["price"]
        assert shown["stock"] is None

    at_the_desk(scenario)


def test_a_shop_that_is_down_says_nothing_about_what_it_shows() -> None:
    async def scenario(desk: Desk) -> None:
        bag = (await brought(desk))["BAG"]
        asked = desk.describe(bag)
        for fault in ("outage", "html_503"):
            setattr(desk.shop.faults, fault, True)
            assert isinstance(await desk.connector.read(asked), ChannelUnavailable)
            setattr(desk.shop.faults, fault, False)
        desk.shop.consumer_key = "ck_new"
        assert isinstance(await desk.connector.read(asked), ChannelUnavailable)
        desk.shop.faults.throttle_next = 1
        assert isinstance(await desk.connector.read(asked), Throttled)

    at_the_desk(scenario)
