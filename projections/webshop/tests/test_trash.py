"""What somebody took off sale in the shop by hand is on sale again with its next change, and never confirmed unseen."""

from collections.abc import Mapping

import pytest

from daybook.channel.contract import Confirmed, Payload, Rejected
from daybook_projections.webshop.listing import FACETS
from daybook_projections.webshop.tests.desk import BAG, MEDIUM, SHIRT, Desk, at_the_desk, changed

LARGE = changed(MEDIUM, "product", sku="SHIRT-L", attributes=[{"name": "Size", "option": "L"}])


async def on_sale(desk: Desk) -> None:
    for listing in (BAG, SHIRT, MEDIUM, LARGE):
        assert isinstance(await desk.push(listing), Confirmed)


def test_a_sku_in_the_trash_is_found_there_and_restored_whole() -> None:
    async def scenario(desk: Desk) -> None:
        made = desk.shop.shop.create({"name": "Made by hand", "sku": "BAG"})
        desk.shop.shop.delete(made["id"], force=False)
        assert await desk.push(BAG) == Confirmed(covers=FACETS, remote_id=str(made["id"]))
        assert desk.shop.shown()["BAG"] == {
            "title": "Bag",
            "price": "19.99",
            "currency": "EUR",
            "stock": 5,
            "live": True,
        }

    at_the_desk(scenario)


def test_in_a_batch_too_a_sku_in_the_trash_is_restored() -> None:
    async def scenario(desk: Desk) -> None:
        made = desk.shop.shop.create({"name": "Made by hand", "sku": "BAG"})
        desk.shop.shop.delete(made["id"], force=False)
        assert await desk.push_all(desk.describe(BAG)) == [Confirmed(covers=FACETS, remote_id=str(made["id"]))]
        assert desk.shop.shown()["BAG"]["live"]

    at_the_desk(scenario)


@pytest.mark.parametrize("status", ["trash", "draft", "pending", "private"])
@pytest.mark.parametrize("listing", [BAG, MEDIUM], ids=["product", "variation"])
def test_a_change_of_what_buyers_do_not_see_brings_it_back_on_sale(listing: Mapping[str, Payload], status: str) -> None:
    async def scenario(desk: Desk) -> None:
        await on_sale(desk)
        sku = listing["product"]["sku"]
        desk.shop.shop.records[int(desk.ids[sku].rpartition("/")[2])]["status"] = status
        outcome = await desk.push(changed(listing, "price", regular_price="7.00"), "price")
        assert outcome == Confirmed(covers=FACETS, remote_id=desk.ids[sku])
        assert desk.shop.shown()[sku] | {"price": "7.00", "live": True} == desk.shop.shown()[sku]

    at_the_desk(scenario)


def test_in_a_batch_too_a_change_of_what_is_in_the_trash_brings_it_back_on_sale() -> None:
    async def scenario(desk: Desk) -> None:
        await on_sale(desk)
        desk.shop.shop.delete(int(desk.ids["BAG"]), force=False)
        cheaper = desk.describe(changed(BAG, "price", regular_price="7.00"), "price")
        (outcome,) = await desk.push_all(cheaper)
        assert isinstance(outcome, Confirmed)
        assert desk.shop.shown()["BAG"] | {"price": "7.00", "live": True} == desk.shop.shown()["BAG"]

    at_the_desk(scenario)


def test_a_variation_whose_product_is_in_the_trash_comes_back_with_it() -> None:
    async def scenario(desk: Desk) -> None:
        await on_sale(desk)
        desk.shop.shop.delete(int(desk.ids["SHIRT"]), force=False)
        assert isinstance(await desk.push(changed(MEDIUM, "stock", stock_quantity=9), "stock"), Confirmed)
        shown = desk.shop.shown()
        assert shown["SHIRT-M"] | {"stock": 9, "live": True} == shown["SHIRT-M"]
        assert shown["SHIRT"]["variations"] == ["SHIRT-M"], "the other one comes with its own change, or its product's"

    at_the_desk(scenario)


@pytest.mark.parametrize("batched", [False, True], ids=["alone", "in a batch"])
@pytest.mark.parametrize("status", ["draft", "pending", "trash"])
def test_a_change_of_a_variation_whose_product_alone_is_hidden_brings_that_back(status: str, batched: bool) -> None:
    async def scenario(desk: Desk) -> None:
        await on_sale(desk)
        desk.shop.shop.records[int(desk.ids["SHIRT"])]["status"] = status
        cheaper = changed(MEDIUM, "price", regular_price="7.00")
        if batched:
            (outcome,) = await desk.push_all(desk.describe(cheaper, "price"))
        else:
            outcome = await desk.push(cheaper, "price")
        assert isinstance(outcome, Confirmed)
        shown = desk.shop.shown()
        assert shown["SHIRT-M"] | {"price": "7.00", "live": True} == shown["SHIRT-M"]
        assert shown["SHIRT-L"]["live"]

    at_the_desk(scenario)


def test_a_product_in_the_trash_comes_back_with_all_its_variations() -> None:
    async def scenario(desk: Desk) -> None:
        await on_sale(desk)
        desk.shop.shop.delete(int(desk.ids["SHIRT"]), force=False)
        assert isinstance(await desk.push(changed(SHIRT, "product", name="Shirt 2")), Confirmed)
        shown = desk.shop.shown()
        assert shown["SHIRT"]["variations"] == ["SHIRT-M", "SHIRT-L"]
        assert all(shown[sku]["live"] for sku in ("SHIRT-M", "SHIRT-L"))

    at_the_desk(scenario)


def test_a_new_variation_of_a_product_in_the_trash_is_on_sale() -> None:
    async def scenario(desk: Desk) -> None:
        for listing in (SHIRT, MEDIUM):
            await desk.push(listing)
        desk.shop.shop.delete(int(desk.ids["SHIRT"]), force=False)
        assert isinstance(await desk.push(LARGE), Confirmed)
        assert desk.shop.shown()["SHIRT-L"]["live"]

    at_the_desk(scenario)


def test_a_change_of_a_variation_whose_product_was_deleted_brings_both_anew_and_its_sisters_follow() -> None:
    async def scenario(desk: Desk) -> None:
        await on_sale(desk)
        desk.shop.shop.delete(int(desk.ids["SHIRT"]), force=True)
        assert isinstance(await desk.push(changed(MEDIUM, "price", regular_price="8.00"), "price"), Confirmed)
        assert isinstance(await desk.push(changed(LARGE, "price", regular_price="9.00"), "price"), Confirmed)
        shown = desk.shop.shown()
        assert shown["SHIRT"] == shown["SHIRT"] | {"title": "Shirt", "variations": ["SHIRT-M", "SHIRT-L"]}
        assert [(shown[sku]["price"], shown[sku]["live"]) for sku in ("SHIRT-M", "SHIRT-L")] == [
            ("8.00", True),
            ("9.00", True),
        ]
        before = len(desk.asked())
        assert isinstance(await desk.push(SHIRT), Confirmed), "the product's own change learns where it is now"
        assert desk.ids["SHIRT"] == desk.ids["SHIRT-M"].partition("/")[0]
        assert "POST /products" not in desk.asked()[before:] or len(desk.shop.shown()) == 4

    at_the_desk(scenario)


def test_what_a_shop_keeps_from_buyers_against_our_word_is_rejected_and_not_confirmed() -> None:
    async def scenario(desk: Desk) -> None:
        await on_sale(desk)
        desk.shop.shop.moderated = True
        outcome = await desk.push(changed(BAG, "product", name="Bag 2"))
        assert isinstance(outcome, Rejected)
        assert outcome.reasons[0].code == "not_published"
        assert "'pending'" in outcome.reasons[0].message

    at_the_desk(scenario)


def test_a_new_variation_of_a_product_that_the_shop_keeps_from_buyers_is_not_confirmed() -> None:
    async def scenario(desk: Desk) -> None:
        for listing in (SHIRT, MEDIUM):
            await desk.push(listing)
        desk.shop.shop.moderated = True
        desk.shop.shop.update(int(desk.ids["SHIRT"]), {"status": "draft"})
        outcome = await desk.push(LARGE)
        assert isinstance(outcome, Rejected)
        assert outcome.reasons[0].message == "the shop keeps SHIRT as 'pending', where buyers don't see it"

    at_the_desk(scenario)
