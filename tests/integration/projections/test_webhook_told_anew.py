"""A receiver that takes each message id once: what the engine brings anew must reach it all the same."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from daybook.channel.sandbox import Faults
from daybook.commands import ChangePrice
from daybook.delivery.resync import Choice, resync
from daybook_projections.webhook import manifest
from daybook_projections.webhook.sandbox.server import WebhookSandbox
from tests.fixtures.pipeline import Pipeline, product, until


@asynccontextmanager
async def endpoint(database: str, nats_url: str) -> AsyncIterator[tuple[Pipeline, WebhookSandbox]]:
    sandbox = WebhookSandbox()
    await sandbox.start()
    try:
        async with Pipeline(database, nats_url, manifest) as pipeline:
            pipeline.relay()
            pipeline.runner()
            await pipeline.define_attributes()
            pipeline.delivery(sandbox.settings())
            await pipeline.carry_out(product("S1", price="10.00", channels={"webhook": True}))
            await pipeline.level()
            yield pipeline, sandbox
    finally:
        await sandbox.stop()


async def test_a_price_that_an_older_message_has_taken_back_is_told_anew_under_another_id(
    database: str, nats_url: str
) -> None:
    async with endpoint(database, nats_url) as (pipeline, sandbox):
        await pipeline.carry_out(ChangePrice(sku="S1", amount="12.00", currency="EUR"))
        await pipeline.level()
        late = sandbox.state("S1") | {"price": {"amount": "10.00", "currency": "EUR"}}
        sandbox.put_state("S1", late)  # as a worker would that was stopped before it sent it
        assert sandbox.shown()["S1"]["price"] == "10.00"
        await asyncio.to_thread(resync, pipeline.app.pool, manifest, Choice(skus=("S1",)))
        await until(lambda: sandbox.shown()["S1"]["price"] == "12.00", "the price is told anew")
        await pipeline.level()
        assert set(sandbox.effects.values()) == {1}


async def test_a_message_whose_answers_are_lost_keeps_its_id_through_all_tries(database: str, nats_url: str) -> None:
    async with endpoint(database, nats_url) as (pipeline, sandbox):
        before = len(sandbox.messages)
        sandbox.faults = Faults(drop_answer_next=2)
        await pipeline.carry_out(ChangePrice(sku="S1", amount="12.00", currency="EUR"))
        await pipeline.level(60)
        ids = [headers["webhook-id"] for headers, _ in sandbox.messages[before:]]
        assert len(ids) == 3
        assert len(set(ids)) == 1
        assert sandbox.effects[ids[0]] == 1
