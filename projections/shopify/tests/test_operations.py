"""Operations and variables say what Shopify's published schema has, and nothing else."""

import pytest
from graphql import parse, validate

from daybook_projections.shopify import operations
from daybook_projections.shopify.sandbox.execution import SCHEMA
from daybook_projections.shopify.sandbox.server import field_of
from daybook_projections.shopify.tests.caller import BAG, Client, in_a_shop

TEXTS = {name: str(text) for name, text in vars(operations).items() if name.isupper() and "{" in str(text)}
ASKED = {name: text for name, text in TEXTS.items() if not name.startswith("_")}


@pytest.mark.parametrize("name", sorted(ASKED))
def test_an_operation_asks_for_fields_that_there_are_with_arguments_that_they_take(name: str) -> None:
    assert [error.message for error in validate(SCHEMA, parse(ASKED[name]))] == []


@pytest.mark.parametrize("name", sorted(ASKED))
def test_an_operation_is_about_one_field_that_its_name_tells_the_sandbox(name: str) -> None:
    [definition] = parse(ASKED[name]).definitions
    [field] = definition.selection_set.selections  # type: ignore[attr-defined]
    assert field.name.value == field_of(ASKED[name])


def test_a_misspelt_field_is_refused_at_any_depth() -> None:
    async def scenario(call: Client) -> None:
        for text, right, wrong in (
            (operations.VARIANTS, "hasNextPage", "hasNext"),
            (operations.LEVEL, "quantity", "pieces"),
            (operations.BULK_STATE, "partialDataUrl", "partialUrl"),
            (operations.PRODUCT_SET, "userErrors", "errors"),
        ):
            assert await call.error(text.replace(right, wrong)) == "undefinedField"

    in_a_shop(scenario)


def test_an_input_with_an_unknown_field_or_a_value_of_another_type_is_refused() -> None:
    async def scenario(call: Client) -> None:
        [variant] = BAG["variants"]
        for wrong in (
            {"titel": "Bag"},
            {"status": "active"},
            {"variants": [variant | {"price": 19.99}]},
            {"variants": [variant | {"inventoryItem": {"tracked": "yes"}}]},
            {"variants": [variant | {"cost": "1.00"}]},
            {"files": [{"url": "https://img.example.com/1.jpg"}]},
        ):
            assert await call.error(operations.PRODUCT_SET, input=BAG | wrong) == "INVALID_VARIABLE"
        assert call.sandbox.shown() == {}

    in_a_shop(scenario)


def test_an_answer_holds_what_was_asked_for_and_nothing_else() -> None:
    async def scenario(call: Client) -> None:
        only_id = "mutation ($input: ProductSetInput!) { productSet(input: $input) { product { id } } }"
        assert await call(only_id, input=BAG) == {"product": {"id": "gid://shopify/Product/1"}}
        named = "query ($id: ID!) { found: product(id: $id) { title name: title } }"
        _, body = await call.post(named, id="gid://shopify/Product/1")
        assert body["data"] == {"found": {"title": "Bag", "name": "Bag"}}

    in_a_shop(scenario)
