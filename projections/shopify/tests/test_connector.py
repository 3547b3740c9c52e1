"""The connector against the sandbox, over HTTP: products, variants, prices, and taking them off."""

from typing import Any

import pytest

from daybook.channel.contract import ChannelUnavailable, Confirmed, Payload, Waiting
from daybook.channel.sandbox import Faults
from daybook_projections.shopify.ids import Ids
from daybook_projections.shopify.sandbox.server import ShopifySandbox
from daybook_projections.shopify.tests.desk import Desk, bag, in_a_shop, shirts

ALL = ("product", "price", "stock")
SET, UPDATE, DELETE, DROP = "productSet", "productVariantsBulkUpdate", "productDelete", "productVariantsBulkDelete"
FIND, READ, LEVEL = "productByIdentifier", "product", "inventoryItem"
QUANTITY, ACTIVATE = "inventorySetQuantities", "inventoryActivate"


def test_a_product_with_one_variant_is_created_with_every_facet_in_one_request() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        outcome = await desk.push(bag(), "BAG")
        [product] = desk.sandbox.shop.products.values()
        [variant] = product["variants"]
        ids = Ids(product["id"], variant["id"], variant["inventoryItem"]["id"])
        assert outcome == Confirmed(covers=ALL, remote_id=str(ids))
        assert Ids.parse(str(ids)) == ids
        assert desk.sent() == [SET]
        assert desk.sandbox.shown()["BAG"] == {
            "title": "Bag",
            "live": True,
            "price": "19.99",
            "currency": "EUR",
            "stock": 5,
            "options": {"Title": "Default Title"},
            "barcode": "",
        }

    in_a_shop(scenario)


@pytest.mark.parametrize(
    ("facet", "changed", "shown", "request_"),
    [
        ("product", {"title": "Sack"}, {"title": "Sack"}, SET),
        ("price", {"price": "24.50"}, {"price": "24.50"}, UPDATE),
        ("stock", {"stock": 0}, {"stock": 0}, QUANTITY),
    ],
)
def test_a_changed_facet_changes_only_that_and_is_one_request(
    facet: str, changed: dict[str, Any], shown: Payload, request_: str
) -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        await desk.push(bag(), "BAG")
        before, ids = desk.sandbox.shown()["BAG"], desk.ids["BAG"]
        desk.sent()
        for _ in range(2):
            assert await desk.push(bag(**changed), "BAG", facet) == Confirmed(remote_id=ids)
            assert desk.sandbox.shown()["BAG"] == before | shown
        assert desk.sent() == [request_, request_]

    in_a_shop(scenario)


def test_a_change_of_the_product_sends_no_price_no_quantity_and_no_metafield() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        await desk.push(bag(), "BAG")
        await desk.push(bag(title="Sack", price="1.00", stock=1), "BAG")
        ids = Ids.parse(desk.ids["BAG"])
        variables = desk.last()
        assert variables["identifier"] == {"id": ids.product}
        [variant] = variables["input"]["variants"]
        assert variant["id"] == ids.variant
        assert not {"price", "inventoryQuantities"} & variant.keys()
        assert "metafields" not in variables["input"]
        assert desk.sandbox.shown()["BAG"]["price"] == "19.99"

    in_a_shop(scenario)


def test_a_product_with_variants_is_one_product_set_and_then_a_price_and_a_stock_for_each() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        wanted = shirts()
        outcome = await desk.push(wanted, "SHIRT")
        [product] = desk.sandbox.shop.products
        assert outcome == Confirmed(covers=("product",), remote_id=product)
        await desk.bring({sku: wanted[sku] for sku in ("RED", "BLUE")})
        assert desk.sent() == [SET, *(UPDATE, LEVEL, ACTIVATE) * 2]
        shown = desk.sandbox.shown()
        assert list(shown) == ["SHIRT", "RED", "BLUE"]
        assert [(shown[sku]["price"], shown[sku]["stock"]) for sku in ("RED", "BLUE")] == [("10.00", 2)] * 2
        assert Ids.parse(desk.ids["RED"]).product == product

    in_a_shop(scenario)


def test_a_new_variant_can_not_be_bought_before_its_price_and_stock_are_brought() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        await desk.push(shirts(), "SHIRT")
        assert desk.sandbox.shown()["RED"]["stock"] == 0
        red = desk.sandbox.shop.variant("RED")
        assert (red["inventoryPolicy"], red["inventoryItem"]["tracked"]) == ("DENY", True)

    in_a_shop(scenario)


def test_everything_again_changes_nothing_and_asks_for_no_variant_twice() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        await desk.bring(shirts())
        shown, ids = desk.sandbox.shown(), dict(desk.ids)
        desk.sent()
        await desk.bring(shirts())
        assert (desk.sandbox.shown(), desk.ids) == (shown, ids)
        assert desk.sent() == [SET, QUANTITY, QUANTITY]  # the prices were in the first one's answer

    in_a_shop(scenario)


def test_a_variant_that_came_to_be_is_added_and_one_that_left_is_deleted_by_the_products_own_change() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        await desk.bring(shirts())
        blue = desk.sandbox.shown()["BLUE"]
        wanted = shirts("red", "BLUE", "GREEN")
        await desk.push(wanted, "SHIRT")
        assert list(desk.sandbox.shown()) == ["SHIRT", "BLUE", "GREEN"]
        assert desk.sandbox.shown()["BLUE"] == blue
        desk.sent()
        assert await desk.push(wanted, "RED", remove=True) == Confirmed(covers=ALL)
        assert desk.sent() == [DROP, READ]
        await desk.bring({"GREEN": wanted["GREEN"]})
        assert desk.sandbox.shown()["GREEN"]["price"] == "10.00"

    in_a_shop(scenario)


def test_a_variant_whose_option_is_renamed_stays_the_same_with_its_price_and_stock() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        await desk.bring(shirts())
        before, red = desk.sandbox.shown()["RED"], desk.ids["RED"]
        wanted = shirts("crimson")
        await desk.push(wanted, "SHIRT")
        assert await desk.push(wanted, "RED") == Confirmed(covers=("product", "price"), remote_id=red)
        assert desk.sandbox.shown()["RED"] == before | {"options": {"Color": "crimson"}}

    in_a_shop(scenario)


def test_a_variant_waits_for_its_product_and_a_facet_for_its_variant() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        wanted = shirts()
        for facet in ALL:
            assert isinstance(await desk.push(wanted, "RED", facet), Waiting)
        assert isinstance(await desk.push(bag(), "BAG", "price"), Waiting)
        assert isinstance(await desk.push({"BAG": {"price": {"price": "1"}}}, "BAG", "price"), Waiting)
        assert desk.sent() == []

    in_a_shop(scenario)


def test_a_variant_waits_while_the_product_shows_it_in_an_older_state() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        await desk.bring(shirts())
        outcome = await desk.push(shirts("crimson"), "RED")
        assert isinstance(outcome, Waiting)
        assert "SHIRT does not hold its variant RED as it should be yet" in outcome.reason
        await desk.push(shirts("red", "BLUE"), "SHIRT")
        assert isinstance(await desk.push(shirts(), "RED"), Waiting)

    in_a_shop(scenario)


def test_the_ids_of_a_variant_are_looked_up_when_no_answer_told_them() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        names = tuple(f"V{number}" for number in range(260))
        wanted = shirts("red", *names)
        await desk.push(wanted, "SHIRT")
        desk.sent()
        first = await desk.push(wanted, "V0", key="SHIRT")
        assert desk.sent() == []
        last = await desk.push(wanted, "V259", key="SHIRT")
        assert desk.sent() == [READ, READ, READ]
        assert isinstance(first, Confirmed)
        assert isinstance(last, Confirmed)
        assert last.remote_id is not None
        assert Ids.parse(last.remote_id).variant == desk.sandbox.shop.variant("V259")["id"]
        await desk.push(wanted, "V258", key="SHIRT")
        assert desk.sent() == []

    in_a_shop(scenario)


def test_a_create_whose_answer_was_lost_finds_what_it_made() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        for wanted, sku in ((bag(), "BAG"), (shirts(), "SHIRT")):
            desk.sandbox.faults = Faults(drop_answer_next=1)
            assert isinstance(await desk.push(wanted, sku), ChannelUnavailable)
            for attempt in (2, 3):
                desk.ids.pop(sku, None)
                assert isinstance(await desk.push(wanted, sku, attempt=attempt), Confirmed)
        assert len(desk.sandbox.shop.products) == 2
        assert desk.sent() == [SET] * 6

    in_a_shop(scenario)


def test_a_second_attempt_creates_when_the_first_never_arrived() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        desk.sandbox.faults = Faults(outage=True)
        assert isinstance(await desk.push(bag(), "BAG"), ChannelUnavailable)
        desk.sandbox.faults = Faults()
        assert isinstance(await desk.push(bag(), "BAG", attempt=2), Confirmed)
        assert list(desk.sandbox.shown()) == ["BAG"]

    in_a_shop(scenario)


@pytest.mark.parametrize("facet", ALL)
def test_a_product_that_somebody_deleted_is_made_anew_with_everything_by_any_facet(facet: str) -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        await desk.push(bag(), "BAG")
        shown, gone = desk.sandbox.shown(), desk.ids["BAG"]
        desk.sandbox.shop.product_delete(Ids.parse(gone).product)
        outcome = await desk.push(bag(), "BAG", facet)
        assert isinstance(outcome, Confirmed)
        assert outcome.covers == ALL
        assert outcome.remote_id != gone
        assert desk.sandbox.shown() == shown

    in_a_shop(scenario)


def test_a_product_with_variants_that_somebody_deleted_is_made_anew() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        await desk.bring(shirts())
        shown, gone = desk.sandbox.shown(), dict(desk.ids)
        desk.sandbox.shop.product_delete(gone["SHIRT"])
        assert isinstance(await desk.push(shirts(), "RED", "price"), Waiting)
        desk.sent()
        assert isinstance(await desk.push(shirts(), "SHIRT"), Confirmed)
        assert desk.sent() == [SET, READ, SET]
        for sku in ("RED", "BLUE"):
            outcome = await desk.push(shirts(), sku)
            assert isinstance(outcome, Confirmed)
            assert outcome.covers == ALL
        assert desk.sandbox.shown() == shown
        assert not set(desk.ids.values()) & set(gone.values())

    in_a_shop(scenario)


@pytest.mark.parametrize("facet", ["price", "stock"])
def test_a_variant_that_somebody_deleted_waits_until_its_product_is_sent_and_then_gets_everything(facet: str) -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        await desk.bring(shirts())
        shown = desk.sandbox.shown()
        ids = Ids.parse(desk.ids["RED"])
        desk.sandbox.shop.variants_delete(ids.product, [ids.variant])
        assert isinstance(await desk.push(shirts(), "RED", facet), Waiting)
        assert isinstance(await desk.push(shirts(), "SHIRT"), Confirmed)
        outcome = await desk.push(shirts(), "RED", facet)
        assert isinstance(outcome, Confirmed)
        assert outcome.covers == ALL
        assert desk.ids["RED"] != str(ids)
        assert desk.sandbox.shown().keys() == shown.keys()
        assert desk.sandbox.shown()["RED"] == shown["RED"]

    in_a_shop(scenario)


def test_removal_deletes_the_product_and_is_done_when_there_is_none() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        await desk.push(bag(), "BAG")
        desk.sent()
        assert await desk.push(bag(), "BAG", "price", remove=True) == Confirmed(remote_id=desk.ids["BAG"])
        assert list(desk.sandbox.shown()) == ["BAG"]
        assert await desk.push(bag(), "BAG", remove=True) == Confirmed(covers=ALL)
        assert desk.sandbox.shown() == {}
        assert desk.sent() == [DELETE]
        assert await desk.push(bag(), "BAG", remove=True) == Confirmed(covers=ALL)
        desk.ids.clear()
        assert await desk.push(bag(), "BAG", remove=True) == Confirmed(covers=ALL)

    in_a_shop(scenario)


def test_removal_finds_a_product_whose_id_was_lost_or_replaced() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        for lost in (None, "gid://shopify/Product/0|gid://shopify/ProductVariant/0|gid://shopify/InventoryItem/0"):
            await desk.push(bag(), "BAG")
            desk.ids.clear()
            if lost is not None:
                desk.ids["BAG"] = lost
            assert await desk.push(bag(), "BAG", remove=True, attempt=2) == Confirmed(covers=ALL)
            assert desk.sandbox.shown() == {}
            desk.ids.clear()

    in_a_shop(scenario)


def test_a_variant_can_be_taken_off_alone_and_the_last_one_takes_its_product_along() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        await desk.bring(shirts())
        desk.sent()
        assert await desk.push(shirts(), "RED", remove=True) == Confirmed(covers=ALL)
        assert list(desk.sandbox.shown()) == ["SHIRT", "BLUE"]
        assert desk.sent() == [DROP]
        assert await desk.push(shirts(), "BLUE", remove=True) == Confirmed(covers=ALL)
        assert desk.sandbox.shown() == {}
        assert desk.sent() == [DROP, DELETE]
        for sku in ("SHIRT", "RED", "BLUE"):
            assert await desk.push(shirts(), sku, remove=True, attempt=2) == Confirmed(covers=ALL)

    in_a_shop(scenario)


def test_a_whole_group_is_taken_off_from_its_root_on() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        await desk.bring(shirts())
        desk.sent()
        for sku in ("SHIRT", "RED", "BLUE"):
            assert await desk.push(shirts(), sku, remove=True) == Confirmed(covers=ALL)
        assert desk.sandbox.shown() == {}
        assert desk.sent() == [DELETE, DROP, DROP]

    in_a_shop(scenario)


def test_a_variant_is_taken_off_by_its_sku_when_its_id_is_not_known() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        await desk.bring(shirts())
        del desk.ids["RED"]
        assert await desk.push(shirts(), "RED", remove=True) == Confirmed(covers=ALL)
        assert list(desk.sandbox.shown()) == ["SHIRT", "BLUE"]
        desk.ids.clear()
        assert await desk.push(shirts(), "BLUE", remove=True) == Confirmed(covers=ALL)

    in_a_shop(scenario)
