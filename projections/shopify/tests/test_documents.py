"""Documents and variables say what Shopify's published schema has, and nothing else."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from projections.shopify import documents
from projections.shopify.sandbox import ShopifySandbox
from projections.shopify.tests.desk import Desk, Listings, bag, in_a_shop, shirts
from projections.shopify.tests.published import FIELDS, INPUTS

TEXTS = {name: text for name, text in vars(documents).items() if name.isupper() and "{" in str(text) and name[0] != "_"}
TOKEN = re.compile(r"\.\.\. on \w+|@\w+|\w+|[{}]")


def unknown(text: str) -> Iterator[str]:
    """Fields that their type does not have."""
    operation, _, rest = text.partition("{")
    root = "Mutation" if operation.lstrip().startswith("mutation") else "Query"
    while "(" in rest:  # arguments, which may hold braces and brackets of their own
        rest = re.sub(r"\([^()]*\)", "", rest)
    types, last = [root], ""
    for token in TOKEN.findall(rest):
        if token == "{":
            types.append(last)
        elif token == "}":
            types.pop()
            if not types:
                return
        elif token.startswith("... on "):
            last = token.removeprefix("... on ")
        elif not token.startswith("@"):
            fields = FIELDS.get(types[-1], {})
            if token not in fields:
                yield f"{types[-1]}.{token}"
            last = fields.get(token, "")


def wrong(kind: str, value: Any, at: str) -> Iterator[str]:
    """What an input value has that its type does not."""
    for name, given in value.items():
        wanted = INPUTS[kind].get(name)
        where = f"{at}.{name}"
        if isinstance(wanted, list):
            for each in given:
                yield from wrong(wanted[0], each, where)
        elif isinstance(wanted, str):
            yield from wrong(wanted, given, where)
        elif wanted is None or type(given) is not wanted:
            yield where


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_a_document_asks_for_fields_that_there_are(name: str) -> None:
    assert list(unknown(TEXTS[name])) == []


def test_a_misspelt_field_is_noticed_at_any_depth() -> None:
    assert list(unknown(documents.VARIANTS.replace("hasNextPage", "hasNext"))) == ["PageInfo.hasNext"]
    assert list(unknown(documents.LEVEL.replace("quantity", "pieces"))) == ["InventoryQuantity.pieces"]
    assert list(unknown(documents.BULK_STATE.replace("partialDataUrl", "partialUrl"))) == ["BulkOperation.partialUrl"]


@pytest.mark.parametrize("wanted", [bag(gtin="4015211100803", media=("https://img.example.com/1.jpg",)), shirts()])
def test_a_product_set_has_the_fields_of_its_input_when_it_creates_and_when_it_changes(wanted: Listings) -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        root = next(iter(wanted))
        for _ in ("creates", "changes"):
            await desk.push(wanted, root, group=True)
            assert list(wrong("ProductSetInput", desk.last()["input"], "input")) == []

    in_a_shop(scenario)


def test_a_wrong_input_is_noticed() -> None:
    given = {"titel": "x", "variants": [{"price": 1.0, "inventoryItem": {"tracked": "yes"}}]}
    assert list(wrong("ProductSetInput", given, "input")) == [
        "input.titel",
        "input.variants.price",
        "input.variants.inventoryItem.tracked",
    ]
