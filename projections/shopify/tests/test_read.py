"""What the shop shows is read back in the payloads' words."""

from collections.abc import Callable
from typing import Any

import pytest

from daybook.channel.contract import ChannelUnavailable, Payload, ReadsBack, Shown, Throttled
from daybook.channel.sandbox import Faults
from daybook_projections.shopify import manifest
from daybook_projections.shopify.ids import Ids
from daybook_projections.shopify.sandbox.server import ShopifySandbox
from daybook_projections.shopify.tests.desk import Desk, Listings, bag, in_a_shop, shirts

PICTURES = ("https://img.example.com/1.jpg", "https://img.example.com/2.jpg")
RICH: dict[str, Any] = {
    "gtin": "4015211100803",
    "media": PICTURES,
    "categories": ("bags",),
}
GONE: dict[str, Payload | None] = {"product": None, "price": None, "stock": None}


async def shown(desk: Desk[Any], wanted: Listings, sku: str) -> dict[str, Payload | None]:
    answer = await desk.connector.read(desk.describe(wanted, sku))
    assert isinstance(answer, Shown), answer
    return dict(answer.facets)


@pytest.mark.parametrize("wanted", [bag(), bag(title="Bag  & sack", stock=0, **RICH), shirts(), shirts("red", "RED")])
@pytest.mark.parametrize("group", [False, True])
def test_what_was_brought_and_is_untouched_reads_as_it_was_pushed(wanted: Listings, group: bool) -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        assert isinstance(desk.connector, ReadsBack)
        await desk.bring(wanted, group=group)
        for sku, listing in wanted.items():
            desk.sent()
            assert await shown(desk, wanted, sku) == listing
            assert desk.sent() == ["productByIdentifier"]

    in_a_shop(scenario)


@pytest.mark.parametrize(
    ("facet", "edit", "expected"),
    [
        ("price", lambda shop: shop.variant("RED").update(price="1.00"), {"price": "1.00"}),
        ("stock", lambda shop: shop.sell("RED"), {"name": "available", "quantity": 1}),
        ("stock", lambda shop: shop.levels.pop(shop.variant("RED")["inventoryItem"]["id"]), None),
    ],
)
def test_an_edit_in_the_shop_is_a_difference_of_that_facet_only(
    facet: str, edit: Callable[[Any], Any], expected: Payload | None
) -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        wanted = shirts()
        await desk.bring(wanted)
        edit(desk.sandbox.shop)
        assert await shown(desk, wanted, "RED") == {**wanted["RED"], facet: expected}
        for sku in ("SHIRT", "BLUE"):
            assert await shown(desk, wanted, sku) == wanted[sku]

    in_a_shop(scenario)


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("title", "Cheap shirt", "Cheap shirt"),
        ("descriptionHtml", "<p>new</p>", "<p>new</p>"),
        ("status", "DRAFT", "DRAFT"),
    ],
)
def test_an_edited_product_differs_and_its_variants_do_not(field: str, value: str, expected: str) -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        wanted = shirts()
        await desk.bring(wanted)
        [product] = desk.sandbox.shop.products.values()
        product[field] = value
        changed = wanted["SHIRT"]["product"] | {field: expected}
        assert await shown(desk, wanted, "SHIRT") == {"product": changed}
        assert await shown(desk, wanted, "RED") == wanted["RED"]

    in_a_shop(scenario)


def test_what_shopify_says_in_other_words_is_no_difference() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        wanted = {"BAG": {facet: dict(payload) for facet, payload in bag(**RICH)["BAG"].items()}}
        wanted["BAG"]["product"]["descriptionHtml"] = "<p>A bag.</p> <ul><li>big</li></ul>"
        wanted["BAG"]["price"]["price"] = "20.5"
        await desk.bring(wanted)
        [product] = desk.sandbox.shop.products.values()
        assert product["variants"][0]["price"] == "20.50"
        product["descriptionHtml"] = "<p>A bag.</p>\n<ul>\n<li>big</li>\n</ul>\n"
        product["handle"] = "made-by-shopify"
        product["tags"] = ["theirs"]
        assert await shown(desk, wanted, "BAG") == wanted["BAG"]
        product["files"] = product["files"][:1]
        found = (await shown(desk, wanted, "BAG"))["product"]
        assert found is not None
        assert found["files"] == wanted["BAG"]["product"]["files"][:1]

    in_a_shop(scenario)


def test_the_order_of_variants_is_no_difference_and_a_missing_or_added_one_is() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        wanted = shirts()
        await desk.bring(wanted)
        [product] = desk.sandbox.shop.products.values()
        product["variants"].reverse()
        assert await shown(desk, wanted, "SHIRT") == wanted["SHIRT"]
        stray = product["variants"][0] | {"sku": "STRAY"}
        product["variants"] = [stray, *[each for each in product["variants"] if each["sku"] == "RED"]]
        found = (await shown(desk, wanted, "SHIRT"))["product"]
        assert found is not None
        assert [each["sku"] for each in found["variants"]] == ["RED", "STRAY"]
        assert await shown(desk, wanted, "BLUE") == GONE

    in_a_shop(scenario)


def test_what_was_deleted_by_hand_shows_nothing_and_what_has_no_id_is_found_by_its_sku() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        wanted = {**bag(), **shirts()}
        assert await shown(desk, wanted, "BAG") == GONE
        await desk.bring(wanted)
        ids = desk.ids
        desk.ids = {}
        for sku in wanted:
            assert await shown(desk, wanted, sku) == wanted[sku]
        desk.ids = ids
        for sku in ("BAG", "SHIRT"):
            desk.sandbox.shop.product_delete(Ids.parse(ids[sku]).product)
        for sku in wanted:
            assert await shown(desk, wanted, sku) == GONE

    in_a_shop(scenario)


def test_a_variant_on_a_later_page_is_found_and_the_root_has_them_all() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        wanted = shirts("red", *(f"V{number}" for number in range(120)))
        await desk.push(wanted, "SHIRT", group=True)
        desk.sent()
        assert await shown(desk, wanted, "SHIRT") == wanted["SHIRT"]
        assert len(desk.sent()) == 2
        for sku, pages in (("V3", 1), ("V119", 2)):
            read = await desk.connector.read(desk.describe(wanted, sku, key="SHIRT"))
            assert read == Shown(wanted[sku])
            assert len(desk.sent()) == pages

    in_a_shop(scenario)


def test_a_read_in_an_outage_says_nothing_about_the_listing() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        await desk.bring(bag())
        push = desk.describe(bag(), "BAG")
        for faults, expected in (
            (Faults(outage=True), ChannelUnavailable),
            (Faults(html_503=True), ChannelUnavailable),
            (Faults(throttle_next=1), Throttled),
        ):
            desk.sandbox.faults = faults
            assert isinstance(await desk.connector.read(push), expected)
        desk.sandbox.faults = Faults()
        desk.sandbox.scopes.clear()
        assert isinstance(await desk.connector.read(push), ChannelUnavailable)

    in_a_shop(scenario)


def test_the_stock_facet_says_how_many_and_waits_for_the_price() -> None:
    stock = manifest.stock
    assert stock is not None
    assert (stock.facet, stock.price, stock.amount(bag(stock=7)["BAG"]["stock"])) == ("stock", "price", 7)
