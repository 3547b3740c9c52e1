"""A group whose listings the push knows: new variants come with their price and stock, and nothing is sent twice."""

from daybook.channel.contract import Confirmed
from daybook.channel.sandbox import Faults
from daybook_projections.shopify import manifest
from daybook_projections.shopify.ids import Ids
from daybook_projections.shopify.sandbox.server import ShopifySandbox
from daybook_projections.shopify.tests.desk import Desk, in_a_shop, shirts

ALL = ("product", "price", "stock")
SET, READ, UPDATE, LEVEL = "productSet", "product", "productVariantsBulkUpdate", "inventoryItem"
QUANTITY, ACTIVATE = "inventorySetQuantities", "inventoryActivate"


def test_a_whole_group_is_created_by_one_request_and_no_variant_is_ever_shown_for_nothing() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        wanted = shirts()
        await desk.push(wanted, "SHIRT", group=True)
        shown = desk.sandbox.shown()
        assert [(shown[sku]["price"], shown[sku]["stock"]) for sku in ("RED", "BLUE")] == [("10.00", 2)] * 2
        for sku in ("RED", "BLUE"):
            outcome = await desk.push(wanted, sku, group=True)
            assert isinstance(outcome, Confirmed)
            assert outcome.covers == ALL
        assert desk.sent() == [SET]
        assert desk.sandbox.shown() == shown

    in_a_shop(scenario)


def test_a_variant_that_is_added_later_has_its_price_at_once_and_the_others_keep_theirs() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        await desk.bring(shirts("red", "RED"), group=True)
        desk.sandbox.shop.sell("RED")
        desk.sent()
        wanted = shirts("red", "RED", "GREEN", price="12.00", stock=7)
        await desk.push(wanted, "SHIRT", group=True)
        shown = desk.sandbox.shown()
        assert (shown["GREEN"]["price"], shown["GREEN"]["stock"]) == ("12.00", 7)
        assert (shown["RED"]["price"], shown["RED"]["stock"]) == ("10.00", 1)
        assert await desk.push(wanted, "RED", group=True) == Confirmed(covers=("product",), remote_id=desk.ids["RED"])
        assert (await desk.push(wanted, "GREEN", group=True)).covers == ALL  # type: ignore[union-attr]
        assert desk.sent() == [SET]

    in_a_shop(scenario)


def test_a_group_that_is_there_but_not_stocked_is_brought_without_stock_and_then_stocked() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        await desk.push(shirts(), "SHIRT")
        desk.ids.clear()
        desk.sent()
        await desk.bring(shirts(), group=True)
        shown = desk.sandbox.shown()
        assert [(shown[sku]["price"], shown[sku]["stock"]) for sku in ("RED", "BLUE")] == [("10.00", 2)] * 2
        assert desk.sent() == [SET, SET, *(LEVEL, ACTIVATE) * 2]

    in_a_shop(scenario)


def test_a_group_whose_create_was_not_answered_is_brought_once() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        desk.sandbox.faults = Faults(drop_answer_next=1)
        await desk.push(shirts(), "SHIRT", group=True)
        assert isinstance(await desk.push(shirts(), "SHIRT", group=True, attempt=2), Confirmed)
        assert len(desk.sandbox.shop.products) == 1
        assert list(desk.sandbox.shown()) == ["SHIRT", "RED", "BLUE"]

    in_a_shop(scenario)


def test_what_an_answer_told_of_a_variant_is_forgotten_when_the_variant_is_changed() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        await desk.bring(shirts(), group=True)
        await desk.push(shirts(), "SHIRT", group=True)  # tells a price of 10.00
        await desk.push(shirts(price="12.00"), "RED", "price")
        outcome = await desk.push(shirts(), "RED")
        assert isinstance(outcome, Confirmed)
        assert "price" not in outcome.covers
        assert desk.sandbox.shown()["RED"]["price"] == "12.00"

    in_a_shop(scenario)


def test_a_deleted_group_comes_back_by_two_requests_and_its_variants_by_none() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        assert manifest.variants_hang_on_root
        await desk.bring(shirts(), group=True)
        shown, gone = desk.sandbox.shown(), dict(desk.ids)
        desk.sandbox.shop.product_delete(Ids.parse(gone["SHIRT"]).product)
        desk.sent()
        await desk.bring(shirts(), group=True)
        assert desk.sent() == [SET, READ, SET]
        assert desk.sandbox.shown() == shown
        assert not set(gone.values()) & set(desk.ids.values())

    in_a_shop(scenario)
