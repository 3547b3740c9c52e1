"""Every channel that can be read back: without drift after it was filled, and brought back when it lost everything."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from daybook.channel.contract import Manifest, ReadsBack
from daybook.channel.registry import installed
from daybook.channel.sandbox import SandboxServer
from daybook.channel.testing.projection import catalogue
from daybook.delivery.drift import Drift, drift
from daybook.delivery.resync import Choice
from tests.fixtures.matrix import configured, write
from tests.fixtures.pipeline import Pipeline, until

READABLE = ("amazon", "bol", "google", "shopify", "webshop")


async def compare(pipeline: Pipeline, box: SandboxServer, manifest: Manifest) -> Drift:
    assert manifest.connector is not None
    given: Any = box
    connector = manifest.connect(given.settings())
    assert isinstance(connector, ReadsBack)
    try:
        return await drift(pipeline.app.pool, manifest, connector, Choice())
    finally:
        await connector.close()


async def lost_all(box: Any, make: Callable[[], Any]) -> Any:
    """The marketplace at the same place, where nothing is left of what was there."""
    if hasattr(box, "shop") and hasattr(box.shop, "records"):
        box.shop.records.clear()  # its numbers are not given out again
        return box
    await box.stop()
    other = make()
    await other.start(urlsplit(box.url).port)
    return other


@pytest.mark.long
@pytest.mark.parametrize("name", READABLE)
async def test_what_was_brought_reads_back_equal_and_what_was_lost_is_brought_again(
    database: str, nats_url: str, name: str
) -> None:
    manifest = installed().get(name)
    assert manifest.sandbox is not None
    make: Any = manifest.sandbox

    box = make()
    await box.start()
    async with Pipeline(database, nats_url, manifest) as pipeline:
        await write(pipeline, catalogue(manifest).happened(configured(manifest)), 0)
        pipeline.relay()
        pipeline.runner()
        pipeline.delivery(box.settings())
        await pipeline.level(40.0)
        wanted = dict(box.shown())
        found = await compare(pipeline, box, manifest)
        assert [(one.sku, one.facet, one.field, one.shown, one.said) for one in found.drifted] == []
        assert found.compared > 1 and found.stopped is None
        box = await lost_all(box, make)
        lost = await compare(pipeline, box, manifest)
        assert {one.sku for one in lost.drifted} >= wanted.keys()
        await until(lambda: box.shown().keys() == wanted.keys(), "everything is there again", 30.0)
        await pipeline.level(40.0)
        assert not (await compare(pipeline, box, manifest)).drifted
    await box.stop()
