"""A listing that goes away while a change of it is under way comes back whole, and not after an hour."""

import pytest

from daybook.commands import ChangePrice, CountStock, DefineAttribute, SetAttributes
from daybook.commands.book import Command
from daybook.events import AttributeChange, AttributeDefined
from daybook_projections.amazon import manifest
from daybook_projections.amazon.sandbox.server import AmazonSandbox
from tests.fixtures.pipeline import Pipeline, product, until

LATER_SECONDS = 3600.0
CHANGES: dict[str, Command] = {
    "price": ChangePrice(sku="P1", amount="9.00", currency="EUR"),
    "stock": CountStock(sku="P1", location="main", quantity=3),
    "product": SetAttributes(sku="P1", changes=(AttributeChange(attribute="name", value="Trolley"),)),
}


@pytest.mark.parametrize("facet", CHANGES)
async def test_what_amazon_forgot_while_a_change_was_under_way_is_brought_back_at_once(
    database: str, nats_url: str, facet: str
) -> None:
    market = AmazonSandbox()
    await market.start()
    try:
        async with Pipeline(database, nats_url, manifest) as pipeline:
            pipeline.relay()
            pipeline.runner()
            words = ("name", "brand")
            await pipeline.carry_out(*(DefineAttribute(attribute=AttributeDefined(code=c, type="text")) for c in words))
            texts = (
                AttributeChange(attribute="name", value="Koffer"),
                AttributeChange(attribute="brand", value="Acme"),
            )
            await pipeline.carry_out(product("P1", price="10.00", channels={"amazon": True}, attributes=texts))
            pipeline.delivery(market.settings())
            await pipeline.caught_up()
            await pipeline.level(30)

            market.market.apply_after_seconds = LATER_SECONDS
            market.received.clear()
            await pipeline.carry_out(CHANGES[facet])
            await until(
                lambda: any(one.method in ("PATCH", "PUT") for one in market.received), "the change is under way"
            )
            market.market.remove("P1", 0)
            market.market.apply_after_seconds = 0.05

            await pipeline.caught_up()
            await pipeline.level(30)
            shown = market.shown()["P1"]
            wanted = {"price": "10.00", "stock": 5, "product": "Koffer"} | {
                facet: {"price": "9.00", "stock": 3, "product": "Trolley"}[facet]
            }
            assert {"price": shown["price"], "stock": shown["stock"], "product": shown["title"]} == wanted
    finally:
        await market.stop()
