"""Every channel that can be read back: without drift after it was filled, and brought back when it lost everything."""

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from daybook.channel.contract import Manifest, Reads
from daybook.channel.drift import Drift, drift
from daybook.channel.registry import installed
from daybook.channel.resync import Choice
from daybook.channel.sandbox import SandboxServer
from daybook.channel.testing.projection import catalogue
from tests.fixtures.matrix import configured, write
from tests.fixtures.pipeline import Line, until

READABLE = ("amazon", "bol", "google", "shopify", "webshop")


async def compare(line: Line, box: SandboxServer, manifest: Manifest) -> Drift:
    assert manifest.connector is not None
    given: Any = box
    connector = manifest.connector(given.settings())
    assert isinstance(connector, Reads)
    try:
        return await drift(line.app.pool, manifest, connector, Choice())
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


@pytest.mark.parametrize("name", READABLE)
def test_what_was_brought_reads_back_equal_and_what_was_lost_is_brought_again(
    database: str, nats_url: str, name: str
) -> None:
    manifest = installed().get(name)
    assert manifest.sandbox is not None
    make: Any = manifest.sandbox

    async def main() -> None:
        box = make()
        await box.start()
        async with Line(database, nats_url, manifest) as line:
            await write(line, catalogue(manifest).happened(configured(manifest)), 0)
            line.relay()
            line.runner()
            line.delivery(box.settings())
            await line.level(40.0)
            wanted = dict(box.shown())
            found = await compare(line, box, manifest)
            assert [(one.sku, one.facet, one.field, one.shown, one.said) for one in found.drifted] == []
            assert found.compared > 1 and found.stopped is None
            box = await lost_all(box, make)
            lost = await compare(line, box, manifest)
            assert {one.sku for one in lost.drifted} >= wanted.keys()
            await until(lambda: box.shown().keys() == wanted.keys(), "everything is there again", 30.0)
            await line.level(40.0)
            assert not (await compare(line, box, manifest)).drifted
        await box.stop()

    asyncio.run(main())
