"""The sandbox keeps and refuses products as Shopify's Admin GraphQL API 2026-07 does."""

from typing import Any

import pytest

from daybook_projections.shopify import operations
from daybook_projections.shopify.sandbox.shop import LOCATION, ONLINE_STORE
from daybook_projections.shopify.tests.caller import BAG, Client, entry, in_a_shop, shirt


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
            operations.PRODUCT_SET, identifier=identifier, input=shirt(entry("S", "s"), entry("L", "l"))
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
                operations.PRODUCT_SET, identifier={"id": made["id"]}, input=shirt(entry("S", size, **fields))
            )
            [node] = answer["product"]["variants"]["nodes"]
            assert (node["id"] == own) is same
        assert call.sandbox.shown()["S"]["price"] == "0.00"

    in_a_shop(scenario)


def test_an_identifier_by_custom_id_or_handle_creates_once_and_then_changes() -> None:
    async def scenario(call: Client) -> None:
        metafield = {"namespace": "daybook", "key": "sku", "value": "BAG"}
        for identifier, fields in (
            ({"customId": metafield}, {"metafields": [metafield]}),
            ({"handle": "a-bag"}, {"handle": "a-bag"}),
        ):
            first = await call(operations.PRODUCT_SET, identifier=identifier, input=BAG | fields)
            again = await call(operations.PRODUCT_SET, identifier=identifier, input=BAG | fields)
            assert first["product"] == again["product"]
            assert await call(operations.PRODUCT_FIND, identifier=identifier) == {"id": first["product"]["id"]}

    in_a_shop(scenario)


def test_metafields_without_the_custom_id_or_with_more_than_it_are_a_mismatch() -> None:
    async def scenario(call: Client) -> None:
        metafield = {"namespace": "daybook", "key": "sku", "value": "BAG"}
        for given in ([], [metafield | {"value": "OTHER"}], [metafield | {"type": "id"}]):
            refused = await call.refused(
                operations.PRODUCT_SET, identifier={"customId": metafield}, input=BAG | {"metafields": given}
            )
            assert refused == ("METAFIELD_MISMATCH", "input")
        made = await call(operations.PRODUCT_SET, identifier={"customId": metafield}, input=BAG)
        found = await call(operations.PRODUCT_FIND, identifier={"customId": metafield})
        assert found == {"id": made["product"]["id"]}

    in_a_shop(scenario)


def test_a_custom_id_needs_a_definition_of_its_type_which_can_be_made_once() -> None:
    async def scenario(call: Client) -> None:
        metafield = {"namespace": "other", "key": "number", "value": "7"}
        definition = {"ownerType": "PRODUCT", "namespace": "other", "key": "number", "name": "Number"}
        for kind, code in (("single_line_text_field", "NOT_FOUND"), ("id", None)):
            call.sandbox.shop.definitions.pop(("other", "number"), None)
            assert await call.error(operations.PRODUCT_FIND, identifier={"customId": metafield}) == "NOT_FOUND"
            made = await call(operations.DEFINE, definition=definition | {"type": kind})
            assert made["userErrors"] == []
            identifier = {"customId": metafield}
            if code is not None:
                assert await call.error(operations.PRODUCT_SET, identifier=identifier, input=BAG) == code
            else:
                assert await call(operations.PRODUCT_FIND, identifier=identifier) is None
        again = await call.refused(operations.DEFINE, definition=definition | {"type": "id"})
        assert again == ("TAKEN", "definition.key")

    in_a_shop(scenario)


def test_a_new_product_is_in_no_publication_until_it_is_published() -> None:
    async def scenario(call: Client) -> None:
        call.sandbox.shop.auto_publish = False
        made = await call.make(BAG)
        assert (made["publishedOnPublication"], call.sandbox.shown()["BAG"]["live"]) == (False, False)
        given = {"id": made["id"], "input": [{"publicationId": ONLINE_STORE}]}
        elsewhere = given | {"input": [{"publicationId": "gid://shopify/Publication/9"}]}
        assert await call.refused(operations.PUBLISH, **elsewhere) == (None, "input.0.publicationId")
        assert await call.refused(operations.PUBLISH, **given | {"id": "gid://shopify/Product/0"}) == (None, "id")
        assert (await call(operations.PUBLISH, **given))["userErrors"] == []
        assert call.sandbox.shown()["BAG"]["live"]

    in_a_shop(scenario)


def test_texts_are_trimmed_a_missing_vendor_is_the_shop_and_a_handle_is_spelt_for_addresses() -> None:
    async def scenario(call: Client) -> None:
        handles = []
        for number, handle in enumerate((None, None, "  Mixed CASE / 東京 100 % ", "%%%", "%%%%", " ")):
            variant = BAG["variants"][0] | {"sku": str(number)}
            given = BAG | {"title": " Bag ", "variants": [variant]} | ({"handle": handle} if handle else {})
            made = await call.make(given)
            product = call.sandbox.shop.products[made["id"]]
            handles.append(product["handle"])
            assert (product["title"], product["vendor"]) == ("Bag", "Daybook's sandbox")
            if handle == "%%%":
                break
        assert handles == ["bag", "bag-1", "mixed-case-東京-100", "product"]

    in_a_shop(scenario)


@pytest.mark.parametrize(
    ("product", "code", "field"),
    [
        (BAG | {"title": " "}, "INVALID_PRODUCT", "input.title"),
        (BAG | {"title": "x" * 256}, "INVALID_PRODUCT", "input.title"),
        (BAG | {"vendor": "x" * 256}, "INVALID_PRODUCT", "input"),
        (BAG | {"handle": "x" * 256}, "INVALID_PRODUCT", "input"),
        (BAG | {"files": [{"originalSource": "files/bag.jpg"}]}, "INVALID_INPUT", "input.files.0.originalSource"),
        (BAG | {"handle": " TAKEN "}, "HANDLE_NOT_UNIQUE", "input.handle"),
        (BAG | {"handle": "taken"}, "HANDLE_NOT_UNIQUE", "input.handle"),
        ({"title": "x", "variants": BAG["variants"]}, "PRODUCT_OPTIONS_INPUT_MISSING", "input.productOptions"),
        ({"title": "x", "productOptions": []}, "VARIANTS_INPUT_MISSING", "input.variants"),
        (BAG | {"productOptions": [{"name": n, "values": []} for n in "abcd"]}, "OPTIONS_OVER_LIMIT", None),
        (BAG | {"productOptions": [{"name": "a", "values": []}] * 2}, "DUPLICATED_OPTION_NAME", None),
        (BAG | {"productOptions": [{"name": "a", "values": []}]}, "OPTION_VALUES_MISSING", "input.productOptions.0"),
        (BAG | {"productOptions": [{"name": "a / b", "values": []}]}, "INVALID_INPUT", "input.productOptions.0.name"),
        (BAG | {"productOptions": [{"name": "a", "values": [{"name": "b"}]}]}, "OPTION_DOES_NOT_EXIST", None),
        (
            BAG | {"productOptions": [{"name": "Title", "values": [{"name": "b"}]}]},
            "OPTION_VALUE_DOES_NOT_EXIST",
            None,
        ),
        (
            BAG
            | {"productOptions": [{"name": "Title", "values": [{"name": "Default Title"}, {"name": "DEFAULT title"}]}]},
            "DUPLICATED_OPTION_VALUE",
            None,
        ),
        (shirt(entry("S", "s"), {"sku": "M", "optionValues": []}), "OPTION_VALUES_MISSING", None),
        (shirt(entry("S", "s"), entry("T", "s")), "INVALID_VARIANT", "input.variants.1"),
        (shirt(entry("S", "s", price="-1.00")), "INVALID_VARIANT", "input.variants.0.price"),
        (shirt(entry("x" * 256, "s")), "INVALID_VARIANT", "input.variants.0.sku"),
        (shirt(entry("S", "s", id="gid://shopify/ProductVariant/0")), "PRODUCT_VARIANT_DOES_NOT_EXIST", None),
    ],
)
def test_a_product_set_is_refused_with_a_code_and_does_nothing(
    product: dict[str, Any], code: str, field: str | None
) -> None:
    async def scenario(call: Client) -> None:
        await call.make(BAG | {"handle": "taken"})
        before = call.sandbox.shown()
        found, where = await call.refused(operations.PRODUCT_SET, input=product)
        assert found == code
        assert field is None or where == field
        assert call.sandbox.shown() == before

    in_a_shop(scenario)


def test_every_variant_that_doubles_another_is_named() -> None:
    async def scenario(call: Client) -> None:
        given = shirt(entry("S", "s"), entry("T", "s"), entry("M", "m"), entry("N", "m"))
        errors = (await call(operations.PRODUCT_SET, input=given))["userErrors"]
        assert [(each["code"], each["field"][-1]) for each in errors] == [("INVALID_VARIANT", n) for n in ("1", "3")]
        assert errors[0]["message"] == "The variant 's' already exists. Please change at least one option value."

    in_a_shop(scenario)


def test_more_variants_or_pictures_than_a_request_may_hold_fail_it_whole() -> None:
    async def scenario(call: Client) -> None:
        for given in (
            shirt(*(entry(str(n), str(n)) for n in range(2049))),
            BAG | {"files": [{"originalSource": "https://img.example.com/1.jpg"}] * 251},
        ):
            _, body = await call.post(operations.PRODUCT_SET, input=given)
            assert body["errors"][0]["extensions"]["code"] == "MAX_INPUT_SIZE_EXCEEDED"
            assert "data" not in body

    in_a_shop(scenario)


def test_a_product_that_is_not_there_is_refused_by_every_operation() -> None:
    async def scenario(call: Client) -> None:
        gone = "gid://shopify/Product/0"
        by_id = {"id": gone}
        assert await call.refused(operations.PRODUCT_SET, identifier=by_id, input=BAG) == ("NOT_FOUND", "input")
        assert await call.refused(operations.PRODUCT_DELETE, input={"id": gone}) == (None, "id")
        assert (await call.refused(operations.VARIANTS_UPDATE, productId=gone, variants=[]))[
            0
        ] == "PRODUCT_DOES_NOT_EXIST"
        assert (await call.refused(operations.VARIANTS_DELETE, productId=gone, variantsIds=[]))[
            0
        ] == "PRODUCT_DOES_NOT_EXIST"
        assert await call(operations.PRODUCT_FIND, identifier=by_id) is None
        assert await call(operations.VARIANTS, id=gone, locationId=LOCATION, after=None) is None
        assert await call(operations.LEVEL, id=gone, locationId=LOCATION) is None

    in_a_shop(scenario)


def test_prices_are_changed_together_or_not_at_all() -> None:
    async def scenario(call: Client) -> None:
        made = await call.make(shirt(entry("S", "s", price="5"), entry("M", "m", price="5")))
        small, medium = (node["id"] for node in made["variants"]["nodes"])
        for change, code in (
            ({"id": medium, "price": "-2"}, "GREATER_THAN_OR_EQUAL_TO"),
            ({"id": "gid://shopify/ProductVariant/0", "price": "2"}, "PRODUCT_VARIANT_DOES_NOT_EXIST"),
            ({"id": medium, "inventoryQuantities": []}, "NO_INVENTORY_QUANTITIES_ON_VARIANTS_UPDATE"),
        ):
            variants = [{"id": small, "price": "9"}, change]
            refused = await call.refused(operations.VARIANTS_UPDATE, productId=made["id"], variants=variants)
            assert refused[0] == code
        variants = [{"id": small, "price": "cheap"}]
        assert (
            await call.error(operations.VARIANTS_UPDATE, productId=made["id"], variants=variants) == "INVALID_VARIABLE"
        )
        assert call.sandbox.shown()["S"]["price"] == "5.00"
        await call(operations.VARIANTS_UPDATE, productId=made["id"], variants=[{"id": small, "price": "9"}])
        assert call.sandbox.shown()["S"]["price"] == "9.00"

    in_a_shop(scenario)


def test_a_product_keeps_its_last_variant() -> None:
    async def scenario(call: Client) -> None:
        made = await call.make(shirt(entry("S", "s"), entry("M", "m")))
        small, medium = (node["id"] for node in made["variants"]["nodes"])
        await call(operations.VARIANTS_DELETE, productId=made["id"], variantsIds=[small])
        again = await call.refused(operations.VARIANTS_DELETE, productId=made["id"], variantsIds=[small])
        assert again[0] == "AT_LEAST_ONE_VARIANT_DOES_NOT_BELONG_TO_THE_PRODUCT"
        last = await call.refused(operations.VARIANTS_DELETE, productId=made["id"], variantsIds=[medium])
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
            answer = await call(operations.VARIANTS, id=made["id"], locationId=LOCATION, after=after)
            page = answer["variants"]
            assert (len(page["nodes"]), page["pageInfo"]["hasNextPage"]) == (size, more)
            after = page["pageInfo"]["endCursor"]

    in_a_shop(scenario)
