"""What would be sent is seen without sending it."""

from typing import Any

import msgspec
import pytest

from daybook.channel.calls import Exchange, exchanges, previewing
from daybook.channel.contract import Payload
from daybook_projections.shopify.connection import connector
from daybook_projections.shopify.operations import PATH
from daybook_projections.shopify.sandbox.server import ShopifySandbox, field_of
from daybook_projections.shopify.tests.desk import Desk, Listings, bag, in_a_shop, shirts, with_a_lasting_token


async def preview(desk: Desk[Any], wanted: Listings, sku: str, facet: str, **how: Any) -> list[tuple[str, Payload]]:
    """The operations and variables that the push would send first, by a connector that knows nothing."""
    kept: list[Exchange] = []
    before = desk.connector
    desk.connector = connector(with_a_lasting_token(desk.sandbox))
    tokens = previewing.set(True), exchanges.set(kept)
    try:
        await desk.push(wanted, sku, facet, group=True, **how)
    finally:
        previewing.reset(tokens[0])
        exchanges.reset(tokens[1])
        await desk.connector.close()
        desk.connector = before
    assert all((each.method, each.url) == ("POST", desk.sandbox.url + PATH) for each in kept)
    bodies = [msgspec.json.decode(each.request or b"") for each in kept]
    return [(field_of(body["query"]), body["variables"]) for body in bodies]


@pytest.mark.parametrize("wanted", [bag(), shirts()])
def test_a_new_listing_is_the_very_product_set_that_is_sent_then(wanted: Listings) -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        root = next(iter(wanted))
        [(operation, variables)] = await preview(desk, wanted, root, "product")
        assert not desk.sandbox.received
        await desk.push(wanted, root, group=True)
        assert (operation, variables) == ("productSet", desk.last())

    in_a_shop(scenario)


@pytest.mark.parametrize(
    ("sku", "facet", "operation"),
    [
        ("BAG", "product", "productSet"),
        ("BAG", "price", "productVariantsBulkUpdate"),
        ("BAG", "stock", "inventoryItem"),
        ("SHIRT", "product", "productSet"),
        ("RED", "product", "product"),
        ("RED", "price", "productVariantsBulkUpdate"),
        ("RED", "stock", "inventoryItem"),
    ],
)
def test_a_change_of_each_facet_is_seen_and_nothing_leaves(sku: str, facet: str, operation: str) -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        wanted = {**bag(), **shirts()}
        await desk.bring(wanted)
        desk.sandbox.received.clear()
        [(seen, _)] = await preview(desk, wanted, sku, facet)
        assert seen == operation
        assert not desk.sandbox.received

    in_a_shop(scenario)


@pytest.mark.parametrize("known", [True, False])
def test_a_removal_is_seen_and_nothing_leaves(known: bool) -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        wanted = {**bag(), **shirts()}
        await desk.bring(wanted)
        root_id = desk.ids["SHIRT"]
        if not known:
            desk.ids = {"SHIRT": root_id}
        desk.sandbox.received.clear()
        assert await preview(desk, wanted, "BAG", "product", remove=True) != []
        [(seen, _)] = await preview(desk, wanted, "RED", "product", remove=True)
        assert seen == ("productVariantsBulkDelete" if known else "product")
        assert await preview(desk, wanted, "RED", "price", remove=True) == []
        assert not desk.sandbox.received

    in_a_shop(scenario)
