"""Days of a channel: a weekend off, five channels of which three are in trouble, eight workers under faults."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import partial

import msgspec
import pytest

from daybook.channel.contract import Manifest, StockRule
from daybook.channel.sandbox import Faults
from daybook.commands import ChangePrice
from daybook.events import Event, PriceChanged, StockCounted
from daybook.log.pending import Context, NewEvent
from daybook.values import Money
from tests.fixtures.channels import ToySandbox, toy
from tests.fixtures.pipeline import Pipeline, delivering, product, until
from tests.fixtures.toy_shop import shop

pytestmark = pytest.mark.long

PRODUCTS, CHANGES = 1000, 50
SKUS = [f"P{number:04}" for number in range(PRODUCTS)]


async def happened(pipeline: Pipeline, events: Iterable[tuple[str, str, Event]]) -> None:
    """(noun, SKU, event): straight into the log, each behind what its stream holds."""
    commands = [
        (Context.new("erp", "night"), [NewEvent(f"{noun}/{sku}", 0, event, sku, sku)]) for noun, sku, event in events
    ]
    results = await asyncio.to_thread(lambda: list(pipeline.app.log.bulk(commands)))
    assert not [one for one in results if isinstance(one, Exception)]
    pipeline.ringer.ring()


def price(cents: int) -> PriceChanged:
    return PriceChanged("default", Money(cents, "EUR"))


async def test_a_channel_that_was_off_gets_each_differing_facet_once_and_the_newest_state_first(
    database: str, nats_url: str
) -> None:
    async with shop(database, nats_url, toy(in_flight_max=16)) as (pipeline, sandbox):
        await pipeline.carry_out(*(product(sku) for sku in SKUS))
        await pipeline.level(60.0)
        port = int(sandbox.url.rpartition(":")[2])
        await sandbox.stop()
        before = len(sandbox.writes)
        for change in range(CHANGES):
            await happened(pipeline, [("product", sku, price(2000 + change)) for sku in SKUS])
        await happened(pipeline, [("stock", sku, StockCounted("main", 9)) for sku in SKUS[:500]])
        await pipeline.caught_up(120.0)
        await sandbox.start(port)
        await pipeline.level(60.0)
        since = sandbox.writes[before:]
        assert len(since) == PRODUCTS + 500, "as many calls as facets differ, not as there were events"
        assert {body["price"]["price"] for _, _, body in since if "price" in body} == {2000 + CHANGES - 1}
        assert {body["stock"]["stock"] for _, _, body in since if "stock" in body} == {9}


@asynccontextmanager
async def five(database: str, nats_url: str) -> AsyncIterator[tuple[Pipeline, dict[str, ToySandbox]]]:
    """Five channels that show the same products, each at its own marketplace."""
    manifests = [msgspec.structs.replace(toy(), name=name) for name in ("toy", "toy2", "toy3", "toy4", "toy5")]
    boxes = {one.name: ToySandbox() for one in manifests}
    async with Pipeline(database, nats_url, *manifests) as pipeline:
        pipeline.relay()
        await pipeline.define_attributes()
        for manifest in manifests:
            box = boxes[manifest.name]
            await box.start()
            pipeline.runner(manifest)
            pipeline.start(partial(worker, pipeline, manifest, box))
        try:
            yield pipeline, boxes
        finally:
            for box in boxes.values():
                box.faults = Faults()
                await box.stop()


async def worker(pipeline: Pipeline, manifest: Manifest, box: ToySandbox, stop: asyncio.Event) -> None:
    assert manifest.connector is not None
    await delivering(pipeline, manifest, manifest.connect(box.settings()), stop)


def test_channels_in_trouble_do_not_hold_the_others_up(database: str, nats_url: str) -> None:
    async def main() -> None:
        skus = SKUS[:20]
        async with five(database, nats_url) as (pipeline, boxes):
            await pipeline.carry_out(*(product(sku, channels={"toy": True}) for sku in skus))
            await until(lambda: all(len(box.shown()) == 20 for box in boxes.values()), "all five show everything")
            boxes["toy"].faults.outage = True
            boxes["toy2"].faults.slow_seconds = 1.0
            boxes["toy3"].faults.throttle_next = 10**9

            def shown(name: str) -> set[object]:
                return {item["price"] for item in boxes[name].shown().values()}

            for cents in range(3000, 3010):
                await pipeline.carry_out(
                    *(ChangePrice(sku=sku, amount=f"{cents / 100:.2f}", currency="EUR") for sku in skus)
                )
                newest = {cents}
                await until(lambda: shown("toy4") == shown("toy5") == newest, "the two that are well show it")  # noqa: B023
            assert shown("toy") == shown("toy3") == {1000} and shown("toy2") != {3009}
            for box in boxes.values():
                box.faults = Faults()
            await until(lambda: all(shown(name) == {3009} for name in boxes), "the others are brought up to date", 60.0)

    asyncio.run(main())


async def test_eight_workers_under_faults_never_send_an_older_state_after_a_newer_one(
    database: str, nats_url: str
) -> None:
    chance = random.Random(7)
    skus = SKUS[:30]
    manifest = msgspec.structs.replace(toy(), stock=StockRule("stock", "price", lambda payload: int(payload["stock"])))
    async with shop(database, nats_url, manifest, workers=8) as (pipeline, sandbox):
        await pipeline.carry_out(*(product(sku) for sku in skus))
        for change in range(40):
            sandbox.faults = Faults(
                drop_answer_next=chance.randrange(3),
                throttle_next=chance.randrange(2),
                html_503=chance.random() < 0.15,
                slow_seconds=chance.choice((0.0, 0.0, 0.02)),
            )
            some = chance.sample(skus, 15)
            changes = [("product", sku, price(2000 + change)) for sku in some]
            await happened(pipeline, changes + [("stock", sku, StockCounted("main", 100 + change)) for sku in some[:5]])
        sandbox.faults = Faults()
        await pipeline.level(60.0)
        assert sandbox.overlaps == []
        for facet in ("price", "stock"):
            for sku in skus:
                told = [body[facet][facet] for _, one, body in sandbox.writes if one == sku and facet in body]
                assert told == sorted(told), f"{facet} of {sku} went backwards: {told}"
        for (sku, facet), payload in pipeline.listings().items():
            for field, value in payload.items():
                assert sandbox.shown()[sku][field] == value, f"{facet} of {sku}"
