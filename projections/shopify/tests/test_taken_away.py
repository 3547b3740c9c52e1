"""What somebody took away in the shop by hand comes back with the next change, and is never confirmed unseen."""

import pytest

from daybook.channel.contract import Confirmed
from daybook_projections.shopify.ids import Ids
from daybook_projections.shopify.sandbox.server import ShopifySandbox
from daybook_projections.shopify.tests.desk import Desk, Listings, bag, in_a_shop, shirts


@pytest.mark.parametrize("deleted", ["the variant", "its product"])
def test_a_variant_that_was_deleted_while_nobody_sends_its_product_brings_that_too(deleted: str) -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        await desk.bring(shirts(), group=True)
        ids = Ids.parse(desk.ids["RED"])
        if deleted == "the variant":
            desk.sandbox.shop.variants_delete(ids.product, [ids.variant])
        else:
            desk.sandbox.shop.product_delete(ids.product)
        dearer = shirts(price="11.00")
        for sku in ("RED", "BLUE"):
            assert isinstance(await desk.push(dearer, sku, "price", group=True), Confirmed)
        shown = desk.sandbox.shown()
        assert {sku: (shown[sku]["price"], shown[sku]["stock"], shown[sku]["live"]) for sku in ("RED", "BLUE")} == {
            "RED": ("11.00", 2, True),
            "BLUE": ("11.00", 2, True),
        }
        assert isinstance(await desk.push(dearer, "SHIRT", group=True), Confirmed)
        assert len(desk.sandbox.shop.products) == 1

    in_a_shop(scenario)


@pytest.mark.parametrize("listings, sku", [(bag(price="7.00"), "BAG"), (shirts(price="7.00"), "RED")])
@pytest.mark.parametrize("hidden", ["archived", "unpublished"])
def test_the_price_of_what_somebody_took_from_the_buyers_brings_it_back(
    listings: Listings, sku: str, hidden: str
) -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        await desk.bring(listings, group=True)
        product = desk.sandbox.shop.products[Ids.parse(desk.ids[sku]).product]
        if hidden == "archived":
            product["status"] = "ARCHIVED"
        else:
            desk.sandbox.shop.published[product["id"]] = set()
        assert not desk.sandbox.shown()[sku]["live"]
        assert isinstance(await desk.push(listings, sku, "price", group=True), Confirmed)
        assert desk.sandbox.shown()[sku]["live"]

    in_a_shop(scenario)
