"""For channel authors: histories to render, specifications, and the contract that every channel must keep.

given(manifest, History().product("S1", price=("default", "19.99", "EUR"), listed=("bol",))).then({...})
check_channel(manifest)
check_work(manifest, history, people)
"""

import asyncio
from collections.abc import Iterator, Sequence

from daybook.channel.contract import Manifest
from daybook.channel.testing.connector import TrialChange, TrialPlan, check_connector
from daybook.channel.testing.expected import expected
from daybook.channel.testing.history import History
from daybook.channel.testing.projection import (
    catalogue,
    check_projection,
    discontinue,
    recount,
    rename,
    reprice,
)
from daybook.channel.testing.shelf import Shelf
from daybook.channel.testing.specification import Specification, check_pure, given, no_side_doors, render
from daybook.channel.testing.work import check_work
from daybook.events import ProductCreated

__all__ = [
    "History",
    "Shelf",
    "Specification",
    "catalogue",
    "check_channel",
    "check_pure",
    "check_work",
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
    check_projection(manifest, history)
    if manifest.connector is not None and manifest.sandbox is not None:
        asyncio.run(check_connector(_plan(manifest, history)))


def _plan(manifest: Manifest, history: History) -> TrialPlan:
    created = [each.event for each in history.recorded if isinstance(each.event, ProductCreated)]
    shelf = _shelf(manifest, history, created)
    listed = [event for event in created if event.sku in shelf.listings]
    single = [event.sku for event in listed if event.kind == "product"]
    return TrialPlan(
        shelf=shelf,
        expected=expected(manifest, history),
        single=single,
        changes=[
            TrialChange(
                name=name, shelf=_shelf(manifest, after, created), expected=expected(manifest, after), skus=skus
            )
            for name, after, skus in _changes(manifest, history, listed)
        ],
    )


def _changes(
    manifest: Manifest, history: History, listed: Sequence[ProductCreated]
) -> Iterator[tuple[str, History, tuple[str, ...]]]:
    """Each with what it is called, and the SKUs of which buyers see something else then."""
    products = [event for event in listed if event.kind == "product"]
    variants = [event for event in listed if event.kind == "variant"]
    for sku in (event.sku for event in products[:1]):
        yield "its name", rename(history, sku), (sku,)
    for sku in (event.sku for event in (*products[:1], *variants[:1])):
        yield "its price", reprice(manifest, history, sku), (sku,)
        yield "it is sold out", recount(manifest, history, sku, 0), (sku,)
    if variants:
        # In many shops a variant has its product's name: so that is changed where all can inherit it.
        root = variants[0].key
        yield "its group's name", rename(history, root), tuple(event.sku for event in listed if event.key == root)
        yield "a variant less", discontinue(history, variants[-1].sku), (variants[-1].sku,)


def _shelf(manifest: Manifest, history: History, created: Sequence[ProductCreated]) -> Shelf:
    return Shelf(manifest, {event.sku: event.key for event in created}, render(manifest, history))
