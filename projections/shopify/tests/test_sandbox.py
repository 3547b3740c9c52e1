"""The sandbox keeps and refuses products as Shopify's Admin GraphQL API 2026-07 does."""

from typing import Any

import pytest

from projections.shopify import documents
from projections.shopify.sandbox_shop import LOCATION
from projections.shopify.tests.caller import BAG, Client, entry, in_a_shop, shirt


def test_a_product_is_created_with_ids_and_shown() -> None:
    async def scenario(call: Client) -> None:
        made = await call.make(BAG)
        [node] = made["variants"]["nodes"]
        assert made["id"].startswith("gid://shopify/Product/")
        assert node["inventoryItem"]["id"].startswith("gid://shopify/InventoryItem/")
        assert call.sandbox.shown()["BAG"] == {
            "title": "Bag",
            "live": True,
            "price": "19.99",
            "currency": "EUR",
            "stock": 3,
            "options": {"Title": "Default Title"},
            "barcode": None,
        }

    in_a_shop(scenario)


def test_lists_are_replaced_and_other_fields_stay() -> None:
    async def scenario(call: Client) -> None:
        made = await call.make(shirt(entry("S", "s", price="5"), entry("M", "m"), vendor="Acme", tags=["a"]))
        identifier, small = {"id": made["id"]}, made["variants"]["nodes"][0]["id"]
        changed = await call(
            documents.PRODUCT_SET, identifier=identifier, input=shirt(entry("S", "s"), entry("L", "l"))
        )
        kept = call.sandbox.shop.products[made["id"]]
        assert (kept["vendor"], kept["tags"]) == ("Acme", ["a"])
        assert [node["sku"] for node in changed["product"]["variants"]["nodes"]] == ["S", "L"]
        assert changed["product"]["variants"]["nodes"][0]["id"] == small
        assert call.sandbox.shown()["S"]["price"] == "5.00"
        assert call.sandbox.shown()["L"]["price"] == "0.00"

    in_a_shop(scenario)


def test_a_variant_without_its_id_is_another_one_when_its_options_change() -> None:
    async def scenario(call: Client) -> None:
        made = await call.make(shirt(entry("S", "s", price="5")))
        own = made["variants"]["nodes"][0]["id"]
        for fields, same in (({"id": own}, True), ({}, False)):
            size = "tiny" if same else "petite"
            answer = await call(
                documents.PRODUCT_SET, identifier={"id": made["id"]}, input=shirt(entry("S", size, **fields))
            )
            [node] = answer["product"]["variants"]["nodes"]
            assert (node["id"] == own) is same
        assert call.sandbox.shown()["S"]["price"] == "0.00"

    in_a_shop(scenario)


def test_an_identifier_by_custom_id_or_handle_creates_once_and_then_changes() -> None:
    async def scenario(call: Client) -> None:
        metafield = {"namespace": "daybook", "key": "sku", "value": "BAG"}
        for identifier, fields in (
            ({"customId": metafield}, {"metafields": [metafield | {"type": "id"}]}),
            ({"handle": "a-bag"}, {"handle": "a-bag"}),
        ):
            first = await call(documents.PRODUCT_SET, identifier=identifier, input=BAG | fields)
            again = await call(documents.PRODUCT_SET, identifier=identifier, input=BAG | fields)
            assert first["product"] == again["product"]
            assert await call(documents.PRODUCT_FIND, identifier=identifier) == {"id": first["product"]["id"]}
        refused = await call.refused(
            documents.PRODUCT_SET, identifier={"customId": metafield | {"value": "X"}}, input=BAG
        )
        assert refused == ("INPUT_MISMATCH", "input.metafields")

    in_a_shop(scenario)


@pytest.mark.parametrize(
    ("product", "code", "field"),
    [
        (BAG | {"title": " "}, "MISSING_FIELD_REQUIRED", "input.title"),
        (BAG | {"title": "x" * 256}, "INVALID_PRODUCT", "input.title"),
        (BAG | {"handle": "taken"}, "HANDLE_NOT_UNIQUE", "input.handle"),
        ({"title": "x", "variants": BAG["variants"]}, "PRODUCT_OPTIONS_INPUT_MISSING", "input.productOptions"),
        ({"title": "x", "productOptions": []}, "VARIANTS_INPUT_MISSING", "input.variants"),
        (BAG | {"productOptions": [{"name": n, "values": []} for n in "abcd"]}, "OPTIONS_OVER_LIMIT", None),
        (BAG | {"productOptions": [{"name": "a", "values": []}] * 2}, "DUPLICATED_OPTION_NAME", None),
        (BAG | {"productOptions": [{"name": "a", "values": []}]}, "OPTION_DOES_NOT_EXIST", None),
        (BAG | {"productOptions": [{"name": "Title", "values": []}]}, "OPTION_VALUE_DOES_NOT_EXIST", None),
        (shirt(entry("S", "s"), {"sku": "M", "optionValues": []}), "OPTION_VALUES_MISSING", None),
        (shirt(entry("S", "s"), entry("T", "s")), "INVALID_VARIANT", "input.variants.1"),
        (shirt(entry("S", "s", price="-1.00")), "INVALID_VARIANT", "input.variants.0.price"),
        (shirt(*(entry(str(n), str(n)) for n in range(2049))), "VARIANTS_OVER_LIMIT", "input.variants"),
        (shirt(entry("S", "s", id="gid://shopify/ProductVariant/0")), "PRODUCT_VARIANT_DOES_NOT_EXIST", None),
    ],
)
def test_a_product_set_is_refused_with_a_code_and_does_nothing(
    product: dict[str, Any], code: str, field: str | None
) -> None:
    async def scenario(call: Client) -> None:
        await call.make(BAG | {"handle": "taken"})
        before = call.sandbox.shown()
        found, where = await call.refused(documents.PRODUCT_SET, input=product)
        assert found == code
        assert field is None or where == field
        assert call.sandbox.shown() == before

    in_a_shop(scenario)


def test_a_product_that_is_not_there_is_refused_by_every_operation() -> None:
    async def scenario(call: Client) -> None:
        gone = "gid://shopify/Product/0"
        by_id = {"id": gone}
        assert (await call.refused(documents.PRODUCT_SET, identifier=by_id, input=BAG))[0] == "PRODUCT_DOES_NOT_EXIST"
        assert await call.refused(documents.PRODUCT_DELETE, input={"id": gone}) == (None, "id")
        assert (await call.refused(documents.VARIANTS_UPDATE, productId=gone, variants=[]))[
            0
        ] == "PRODUCT_DOES_NOT_EXIST"
        assert (await call.refused(documents.VARIANTS_DELETE, productId=gone, variantsIds=[]))[
            0
        ] == "PRODUCT_DOES_NOT_EXIST"
        assert await call(documents.PRODUCT_FIND, identifier=by_id) is None
        assert await call(documents.VARIANTS, id=gone, locationId=LOCATION, after=None) is None
        assert await call(documents.LEVEL, id=gone, locationId=LOCATION) is None

    in_a_shop(scenario)


def test_prices_are_changed_together_or_not_at_all() -> None:
    async def scenario(call: Client) -> None:
        made = await call.make(shirt(entry("S", "s", price="5"), entry("M", "m", price="5")))
        small, medium = (node["id"] for node in made["variants"]["nodes"])
        for change, code in (
            ({"id": medium, "price": "-2"}, "NEGATIVE_PRICE_VALUE"),
            ({"id": "gid://shopify/ProductVariant/0", "price": "2"}, "PRODUCT_VARIANT_DOES_NOT_EXIST"),
            ({"id": medium, "inventoryQuantities": []}, "NO_INVENTORY_QUANTITIES_ON_VARIANTS_UPDATE"),
        ):
            variants = [{"id": small, "price": "9"}, change]
            refused = await call.refused(documents.VARIANTS_UPDATE, productId=made["id"], variants=variants)
            assert refused[0] == code
        variants = [{"id": small, "price": "cheap"}]
        assert (
            await call.error(documents.VARIANTS_UPDATE, productId=made["id"], variants=variants) == "INVALID_VARIABLE"
        )
        assert call.sandbox.shown()["S"]["price"] == "5.00"
        await call(documents.VARIANTS_UPDATE, productId=made["id"], variants=[{"id": small, "price": "9"}])
        assert call.sandbox.shown()["S"]["price"] == "9.00"

    in_a_shop(scenario)


def test_a_product_keeps_its_last_variant() -> None:
    async def scenario(call: Client) -> None:
        made = await call.make(shirt(entry("S", "s"), entry("M", "m")))
        small, medium = (node["id"] for node in made["variants"]["nodes"])
        await call(documents.VARIANTS_DELETE, productId=made["id"], variantsIds=[small])
        again = await call.refused(documents.VARIANTS_DELETE, productId=made["id"], variantsIds=[small])
        assert again[0] == "AT_LEAST_ONE_VARIANT_DOES_NOT_BELONG_TO_THE_PRODUCT"
        last = await call.refused(documents.VARIANTS_DELETE, productId=made["id"], variantsIds=[medium])
        assert last[0] == "CANNOT_DELETE_LAST_VARIANT"
        assert list(call.sandbox.shown()) == ["M"]

    in_a_shop(scenario)


def test_a_sku_that_is_live_twice_is_told() -> None:
    async def scenario(call: Client) -> None:
        await call.make(BAG)
        await call.make(BAG)
        with pytest.raises(AssertionError, match="the SKU BAG is in the shop twice"):
            call.sandbox.shown()

    in_a_shop(scenario)


def test_a_long_list_of_variants_comes_in_pages() -> None:
    async def scenario(call: Client) -> None:
        made = await call.make(shirt(*(entry(f"V{n}", str(n)) for n in range(260))))
        assert len(made["variants"]["nodes"]) == 250
        after: str | None = None
        for size, more in ((100, True), (100, True), (60, False)):
            answer = await call(documents.VARIANTS, id=made["id"], locationId=LOCATION, after=after)
            page = answer["variants"]
            assert (len(page["nodes"]), page["pageInfo"]["hasNextPage"]) == (size, more)
            after = page["pageInfo"]["endCursor"]

    in_a_shop(scenario)
