"""For channel authors: histories to render, specifications, and the contract that every channel must keep.

given(manifest, History().product("S1", price=("default", "19.99", "EUR"), listed=("bol",))).then({...})
check_channel(manifest)
"""

import asyncio

from daybook.channel.contract import Manifest
from daybook.channel.testing.connector import Shelf, check_connector
from daybook.channel.testing.history import History
from daybook.channel.testing.projection import catalogue, change, check_projection
from daybook.channel.testing.specification import Specification, check_pure, given, no_side_doors, render
from daybook.events import ProductCreated

__all__ = [
    "History",
    "Shelf",
    "Specification",
    "catalogue",
    "check_channel",
    "check_pure",
    "given",
    "no_side_doors",
    "render",
]


def check_channel(manifest: Manifest, history: History | None = None) -> None:
    """The contract suite: the projection, then the connector against its sandbox when the channel has both.

    `history` replaces the built-in catalogue for a channel that needs more than it holds; it must list at least two
    products without variants. A sandbox's `shown()` must raise when a SKU is live twice, so that duplicates are seen.
    """
    history = history or catalogue(manifest)
    rendered = check_projection(manifest, history)
    if manifest.connector is not None and manifest.sandbox is not None:
        created = [each.event for each in history.recorded if isinstance(each.event, ProductCreated)]
        keys = {event.sku: event.key for event in created}
        shelf = Shelf(manifest, keys, rendered)
        single = [event.sku for event in created if event.kind == "product" and event.sku in shelf.listings]
        changed = Shelf(manifest, keys, render(manifest, change(manifest, history, *single[:1])))
        asyncio.run(check_connector(shelf, changed, single))
