"""The engine and a channel that takes many products in one request: from the book to the shop and back."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from daybook.commands import DefineAttribute
from daybook.events import AttributeChange, AttributeDefined
from daybook_projections.webshop import manifest
from daybook_projections.webshop.sandbox.server import API, WooSandbox
from tests.fixtures.pipeline import Pipeline, product


def in_a_shop(database: str, nats_url: str, scenario: Callable[[Pipeline, WooSandbox], Awaitable[None]]) -> None:
    async def main() -> None:
        shop = WooSandbox()
        await shop.start()
        try:
            async with Pipeline(database, nats_url, manifest) as pipeline:
                pipeline.relay()
                pipeline.runner()
                attributes = ("name", "brand", "size")
                await pipeline.carry_out(
                    *(DefineAttribute(attribute=AttributeDefined(code=c, type="text")) for c in attributes)
                )
                await scenario(pipeline, shop)
        finally:
            await shop.stop()

    asyncio.run(main())


def named(value: str, attribute: str = "name") -> tuple[AttributeChange, ...]:
    return (AttributeChange(attribute=attribute, value=value),)


@pytest.mark.long
def test_a_catalogue_is_brought_in_few_requests_and_a_lost_one_doubles_nothing(database: str, nats_url: str) -> None:
    async def scenario(pipeline: Pipeline, shop: WooSandbox) -> None:
        skus = [f"P{number}" for number in range(150)]
        await pipeline.carry_out(*(product(sku, channels={"webshop": True}) for sku in skus))
        await pipeline.caught_up()
        shop.faults.drop_answer_next = 1
        pipeline.delivery(shop.settings())
        await pipeline.level(60)
        shown = shop.shown()  # raises for a SKU that is there twice
        assert sorted(shown) == sorted(skus)
        assert all(each["live"] and each["stock"] == 5 for each in shown.values())
        batches = [each for each in shop.received if each.path == f"{API}/products/batch"]
        largest = max(len(each.body["create"]) for each in batches)
        assert 10 < largest <= 100, "most of them went together"

    in_a_shop(database, nats_url, scenario)


def test_variations_come_back_under_a_product_that_was_deleted_by_hand(database: str, nats_url: str) -> None:
    async def scenario(pipeline: Pipeline, shop: WooSandbox) -> None:
        model = product("R", kind="model", axes=("size",), channels={"webshop": True})
        await pipeline.carry_out(model)
        for size in ("M", "L"):
            own = named(size, "size")
            await pipeline.carry_out(product(f"R-{size}", parent="R", kind="variant", channels={}, attributes=own))
        await pipeline.caught_up()
        pipeline.delivery(shop.settings())
        await pipeline.level()
        assert sorted(shop.shown()) == ["R", "R-L", "R-M"]
        (root,) = shop.shop.search("R")
        shop.shop.delete(root["id"], force=True)
        await pipeline.carry_out(
            product("R", kind="model", axes=("size",), channels={"webshop": True}, attributes=named("New"))
        )
        await pipeline.caught_up()
        await pipeline.level()
        shown = shop.shown()
        assert sorted(shown) == ["R", "R-L", "R-M"]
        assert shown["R-L"]["title"] == "New - L"

    in_a_shop(database, nats_url, scenario)
