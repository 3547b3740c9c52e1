"""The engine and a channel that takes many listings in one file: from the book to the marketplace and back."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import psycopg
import pytest

from daybook.commands import DefineAttribute, DescribeProduct
from daybook.events import AttributeChange, AttributeDefined
from daybook_projections.amazon import manifest
from daybook_projections.amazon.sandbox.server import AmazonSandbox
from tests.fixtures.pipeline import Pipeline, product

SKUS = [f"P{number}" for number in range(250)]


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slowly this machine asks for the first hundred: there is demand for a feed."""
    monkeypatch.setattr("daybook_projections.amazon.bulk.DEMAND_SECONDS", 60.0)


def on_the_market(database: str, nats_url: str, scenario: Callable[[Pipeline, AmazonSandbox], Awaitable[None]]) -> None:
    async def main() -> None:
        market = AmazonSandbox()
        await market.start()
        try:
            async with Pipeline(database, nats_url, manifest) as pipeline:
                pipeline.relay()
                pipeline.runner()
                attributes = ("name", "brand")
                await pipeline.carry_out(
                    *(DefineAttribute(attribute=AttributeDefined(code=c, type="text")) for c in attributes)
                )
                await scenario(pipeline, market)
        finally:
            await market.stop()

    asyncio.run(main())


def described(sku: str, price: str) -> DescribeProduct:
    attributes = (AttributeChange(attribute="name", value=sku), AttributeChange(attribute="brand", value="Acme"))
    return product(sku, price=price, channels={"amazon": True}, attributes=attributes)


def messages(market: AmazonSandbox) -> list[dict[str, Any]]:
    """All that went by feed."""
    uploads = [one.body for one in market.received if one.method == "PUT" and one.path.startswith("/documents/")]
    return [message for body in uploads for message in body["messages"]]


def puts(market: AmazonSandbox) -> list[str]:
    """SKUs that were put by a request of their own."""
    listings = "/listings/2021-08-01/items/"
    return [one.path.rpartition("/")[2] for one in market.received if one.method == "PUT" and listings in one.path]


def rejected(pipeline: Pipeline) -> Sequence[str]:
    with psycopg.connect(pipeline.dsn) as conn:
        return [row[0] for row in conn.execute("SELECT DISTINCT sku FROM deliveries WHERE state = 'rejected'")]


@pytest.mark.long
@pytest.mark.parametrize("fatal", [0, 1])
def test_a_catalogue_goes_by_feed_and_what_a_failed_feed_had_is_brought_singly(
    database: str, nats_url: str, fatal: int
) -> None:
    async def scenario(pipeline: Pipeline, market: AmazonSandbox) -> None:
        market.feeds.fatal_next = fatal
        await pipeline.carry_out(*(described(sku, "10.00") for sku in SKUS))
        await pipeline.caught_up()
        pipeline.delivery(market.settings())
        await pipeline.level(60)
        shown = market.shown()
        assert sorted(shown) == sorted(SKUS)
        assert {(each["price"], each["stock"], each["buyable"]) for each in shown.values()} == {("10.00", 5, True)}
        sent = {message["sku"] for message in messages(market)}
        assert len(sent) > 100, "most of them went together"
        by_themselves = puts(market)
        assert len(by_themselves) == len({*by_themselves}), "nothing was put twice"
        assert {*by_themselves} & sent == (sent if fatal else set())

    on_the_market(database, nats_url, scenario)


@pytest.mark.long
def test_members_that_are_refused_are_rejected_one_by_one_and_a_newer_state_brings_them(
    database: str, nats_url: str
) -> None:
    async def scenario(pipeline: Pipeline, market: AmazonSandbox) -> None:
        market.faults.fail_members = True
        await pipeline.carry_out(*(described(sku, "10.00") for sku in SKUS))
        await pipeline.caught_up()
        pipeline.delivery(market.settings())
        await pipeline.level(60)
        refused = rejected(pipeline)
        sent = [message["sku"] for message in messages(market)]
        assert sorted(refused) == sorted(set(sent[1::2]))
        assert sorted(market.shown()) == sorted({*SKUS} - {*refused})
        market.faults.fail_members = False
        await pipeline.carry_out(*(described(sku, "9.00") for sku in refused))
        await pipeline.caught_up()
        await pipeline.level(60)
        assert {market.shown()[sku]["price"] for sku in refused} == {"9.00"}

    on_the_market(database, nats_url, scenario)
