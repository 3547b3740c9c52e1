"""The sandbox follows Shopify's Admin GraphQL API 2026-07, above all where it refuses."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from projections.shopify import documents
from projections.shopify.documents import PATH
from projections.shopify.sandbox import ShopifySandbox, cost_of, field_of
from projections.shopify.sandbox_shop import LOCATION

BAG: dict[str, Any] = {
    "title": "Bag",
    "productOptions": [{"name": "Title", "values": [{"name": "Default Title"}]}],
    "variants": [
        {
            "sku": "BAG",
            "price": "19.99",
            "optionValues": [{"optionName": "Title", "name": "Default Title"}],
            "inventoryQuantities": [{"locationId": LOCATION, "name": "available", "quantity": 3}],
        }
    ],
}


def entry(sku: str, size: str, **fields: Any) -> dict[str, Any]:
    return {"sku": sku, "optionValues": [{"optionName": "Size", "name": size}]} | fields


def shirt(*variants: dict[str, Any], **fields: Any) -> dict[str, Any]:
    sizes = dict.fromkeys(each["name"] for v in variants for each in v["optionValues"])
    options = [{"name": "Size", "values": [{"name": size} for size in sizes]}]
    return {"title": "Shirt", "productOptions": options, "variants": list(variants)} | fields


class Client:
    """One shop and a client that may use it."""

    def __init__(self, sandbox: ShopifySandbox, session: aiohttp.ClientSession) -> None:
        self.sandbox, self.session = sandbox, session

    async def post(self, query: str, token: str | None = None, path: str = PATH, **variables: Any) -> tuple[int, Any]:
        headers = {"X-Shopify-Access-Token": token or self.sandbox.access_token}
        body = {"query": query, "variables": variables}
        async with self.session.post(self.sandbox.url + path, json=body, headers=headers) as answer:
            return answer.status, await answer.json()

    async def __call__(self, query: str, **variables: Any) -> Any:
        status, body = await self.post(query, **variables)
        assert (status, body.get("errors")) == (200, None)
        return body["data"][field_of(query)]

    async def refused(self, query: str, **variables: Any) -> tuple[str | None, str | None]:
        """Code and field of the one user error."""
        [error] = (await self(query, **variables))["userErrors"]
        return error.get("code"), ".".join(error["field"]) if error["field"] else None

    async def error(self, query: str, **variables: Any) -> str:
        """Code of the one error of the whole request."""
        status, body = await self.post(query, **variables)
        assert (status, body.get("data")) == (200, None)
        [error] = body["errors"]
        return str(error["extensions"]["code"])

    async def make(self, product: dict[str, Any]) -> Any:
        return (await self(documents.PRODUCT_SET, input=product))["product"]


def in_a_shop(scenario: Callable[[Client], Awaitable[None]], **options: Any) -> None:
    async def run() -> None:
        sandbox = ShopifySandbox(**options)
        await sandbox.start()
        try:
            async with aiohttp.ClientSession() as session:
                await scenario(Client(sandbox, session))
        finally:
            await sandbox.stop()

    asyncio.run(run())


def quantity(item: str, pieces: int, before: int | None, **fields: Any) -> dict[str, Any]:
    change = {"inventoryItemId": item, "locationId": LOCATION, "quantity": pieces, "changeFromQuantity": before}
    return {"name": "available", "reason": "correction", "quantities": [change | fields]}


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
        assert await call(documents.VARIANTS, id=gone, after=None) is None
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


def test_a_quantity_is_set_only_when_it_is_what_the_caller_thinks_or_when_that_is_waived() -> None:
    async def scenario(call: Client) -> None:
        item = (await call.make(BAG))["variants"]["nodes"][0]["inventoryItem"]["id"]
        for key, given, stands in (("a", quantity(item, 5, 3), 5), ("b", quantity(item, 8, None), 8)):
            assert (await call(documents.SET_QUANTITIES, input=given, key=key))["userErrors"] == []
            assert call.sandbox.shown()["BAG"]["stock"] == stands
        stale = await call.refused(documents.SET_QUANTITIES, input=quantity(item, 9, 5), key="c")
        assert stale == ("CHANGE_FROM_QUANTITY_STALE", "input.quantities.0.changeFromQuantity")
        assert call.sandbox.shown()["BAG"]["stock"] == 8
        assert await call(documents.LEVEL, id=item, locationId=LOCATION) == {
            "id": item,
            "inventoryLevel": {"quantities": [{"name": "available", "quantity": 8}]},
        }

    in_a_shop(scenario)


def test_one_stale_entry_fails_the_whole_call() -> None:
    async def scenario(call: Client) -> None:
        first = (await call.make(BAG))["variants"]["nodes"][0]["inventoryItem"]["id"]
        other = BAG["variants"][0] | {"sku": "BAG-2"}
        second = (await call.make(BAG | {"variants": [other]}))["variants"]["nodes"][0]["inventoryItem"]["id"]
        both = quantity(first, 7, 3)
        both["quantities"] += quantity(second, 7, 99)["quantities"]
        assert (await call.refused(documents.SET_QUANTITIES, input=both, key="a"))[0] == "CHANGE_FROM_QUANTITY_STALE"
        assert {item["stock"] for item in call.sandbox.shown().values()} == {3}

    in_a_shop(scenario)


def test_a_quantity_is_refused_with_a_code() -> None:
    async def scenario(call: Client) -> None:
        item = (await call.make(BAG))["variants"]["nodes"][0]["inventoryItem"]["id"]
        unstocked = (await call.make(shirt(entry("S", "s"))))["variants"]["nodes"][0]["inventoryItem"]["id"]
        elsewhere = {"locationId": "gid://shopify/Location/9"}
        for number, (given, code) in enumerate(
            (
                (quantity("gid://shopify/InventoryItem/0", 1, 1), "INVALID_INVENTORY_ITEM"),
                (quantity(item, 1, 3, **elsewhere), "INVALID_LOCATION"),
                (quantity(item, -1, 3), "INVALID_QUANTITY_NEGATIVE"),
                (quantity(item, 10**10, 3), "INVALID_QUANTITY_TOO_HIGH"),
                (quantity(unstocked, 1, 0), "ITEM_NOT_STOCKED_AT_LOCATION"),
            )
        ):
            assert (await call.refused(documents.SET_QUANTITIES, input=given, key=str(number)))[0] == code
        without = quantity(item, 1, 3)
        del without["quantities"][0]["changeFromQuantity"]
        assert await call.error(documents.SET_QUANTITIES, input=without, key="x") == "INVALID_VARIABLE"

    in_a_shop(scenario)


def test_an_item_is_stocked_by_activating_it_once() -> None:
    async def scenario(call: Client) -> None:
        item = (await call.make(shirt(entry("S", "s"))))["variants"]["nodes"][0]["inventoryItem"]["id"]
        given = {"inventoryItemId": item, "locationId": LOCATION, "available": 4}
        assert (await call(documents.LEVEL, id=item, locationId=LOCATION))["inventoryLevel"] is None
        await call(documents.ACTIVATE, **given, key="a")
        assert call.sandbox.shown()["S"]["stock"] == 4
        assert await call.refused(documents.ACTIVATE, **given, key="b") == (None, "available")
        gone = given | {"inventoryItemId": "gid://shopify/InventoryItem/0"}
        assert await call.refused(documents.ACTIVATE, **gone, key="c") == (None, "inventoryItemId")

    in_a_shop(scenario)


def test_an_idempotency_key_replays_its_first_result_and_belongs_to_its_values() -> None:
    async def scenario(call: Client) -> None:
        item = (await call.make(BAG))["variants"]["nodes"][0]["inventoryItem"]["id"]
        first = await call(documents.SET_QUANTITIES, input=quantity(item, 5, 3), key="a")
        call.sandbox.shop.sell("BAG")
        assert await call(documents.SET_QUANTITIES, input=quantity(item, 5, 3), key="a") == first
        assert call.sandbox.shown()["BAG"]["stock"] == 4
        for code in ("CHANGE_FROM_QUANTITY_STALE", "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"):
            assert (await call.refused(documents.SET_QUANTITIES, input=quantity(item, 6, 9), key="b"))[0] == code
        other = await call.refused(documents.SET_QUANTITIES, input=quantity(item, 6, 4), key="a")
        assert other[0] == "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"
        without = documents.SET_QUANTITIES.replace("@idempotent(key: $key)", "")
        assert await call.error(without, input=quantity(item, 6, 4)) == "BAD_REQUEST"

    in_a_shop(scenario)


def test_access_needs_the_token_the_scope_the_version_and_an_open_shop() -> None:
    async def scenario(call: Client) -> None:
        status, body = await call.post(documents.PRODUCT_SET, token="wrong", input=BAG)
        assert status == 401
        assert body["errors"].startswith("[API] Invalid API key or access token")
        assert (await call.post(documents.PRODUCT_SET, path="/admin/api/2020-01/graphql.json", input=BAG))[0] == 404
        call.sandbox.scopes.discard("write_products")
        assert await call.error(documents.PRODUCT_SET, input=BAG) == "ACCESS_DENIED"
        call.sandbox.locked = True
        assert (await call.post(documents.PRODUCT_SET, input=BAG))[0] == 423
        assert call.sandbox.shown() == {}

    in_a_shop(scenario)


def test_what_is_no_known_operation_is_an_error() -> None:
    async def scenario(call: Client) -> None:
        assert await call.error("mutation { productExplode(id: 1) { id } }") == "undefinedField"
        assert await call.error(documents.PRODUCT_SET) == "INVALID_VARIABLE"
        assert await call.error(documents.VARIANTS, after=None) == "INVALID_VARIABLE"

    in_a_shop(scenario)


def test_every_answer_tells_its_cost_and_an_empty_bucket_throttles_with_http_200() -> None:
    async def scenario(call: Client) -> None:
        _, body = await call.post(documents.PRODUCT_SET, input=BAG)
        assert body["extensions"]["cost"] == {
            "requestedQueryCost": 35.0,
            "actualQueryCost": 35.0,
            "throttleStatus": {"maximumAvailable": 40.0, "currentlyAvailable": 5.0, "restoreRate": 10.0},
        }
        status, body = await call.post(documents.PRODUCT_SET, input=BAG)
        assert (status, body.get("data")) == (200, None)
        assert body["errors"][0]["extensions"]["code"] == "THROTTLED"
        assert body["extensions"]["cost"]["actualQueryCost"] is None
        assert body["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"] == 5.0
        now[0] += 3.0
        assert (await call(documents.PRODUCT_SET, input=BAG))["userErrors"] == []

    now = [0.0]
    in_a_shop(scenario, limited=True, maximum=40.0, restore_rate=10.0, clock=lambda: now[0])


def test_costs_are_by_kind_and_size() -> None:
    assert cost_of(documents.SET_QUANTITIES) == 10
    assert cost_of(documents.PRODUCT_FIND) == 1
    assert cost_of(documents.VARIANTS) == 26


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
        page = (await call(documents.VARIANTS, id=made["id"], after=None))["variants"]
        assert (len(page["nodes"]), page["pageInfo"]["hasNextPage"]) == (250, True)
        page = (await call(documents.VARIANTS, id=made["id"], after=page["pageInfo"]["endCursor"]))["variants"]
        assert [len(page["nodes"]), page["pageInfo"]["hasNextPage"]] == [10, False]

    in_a_shop(scenario)


def test_every_document_names_its_operation_first() -> None:
    texts = [text for name, text in vars(documents).items() if name[0].isupper() and "{" in str(text)]
    names = {text: field_of(text) for text in texts}
    known = {*ShopifySandbox()._operations(), "productSet"}
    assert set(names.values()) <= known
    for text in names:
        assert text.count("{") == text.count("}")
        assert text.count("(") == text.count(")")
