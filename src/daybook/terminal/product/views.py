"""What a person sees of a product: its values, its history, its differences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from daybook.app import App
from daybook.channel.contract import Held
from daybook.queries.fields import FieldChange
from daybook.queries.history import HistoryChange
from daybook.queries.listing import listing_at
from daybook.queries.moment import Moment
from daybook.queries.product import ProductView, show
from daybook.terminal.render import Show, cell, line, plain, stacked
from daybook.terminal.tables import table


class ListingView(msgspec.Struct, frozen=True):
    """What a channel should show of a product's group."""

    channel: str
    position: int
    shown: dict[str, dict[str, Any]]
    """SKU -> facet -> payload."""
    held: dict[str, dict[str, tuple[str, ...]]]
    """SKU -> facet -> why it can't be shown there."""


def subject(app: App, sku: str, moment: Moment, channel: str | None) -> ProductView | ListingView:
    """The product, or what a channel should show of its group."""
    if channel is None:
        return show(app.reader, sku, moment)
    found = ListingView(channel, moment.position, {}, {})
    # A channel that went has a past still.
    manifest = (
        app.registry.get(channel) if moment.position == app.reader.head() else app.registry.get_even_removed(channel)
    )
    for (each, facet), payload in listing_at(app.reader, manifest, sku, moment).items():
        if isinstance(payload, Held):
            found.held.setdefault(each, {})[facet] = payload.reasons
        else:
            found.shown.setdefault(each, {})[facet] = payload
    return found


def shown(found: ProductView | ListingView) -> Show:
    """The product with where each value comes from, or the listing."""
    if isinstance(found, ListingView):
        listed = [(sku, facet, plain(payload)) for sku, all in found.shown.items() for facet, payload in all.items()]
        held = [(sku, facet, f"held: {cell(why)}") for sku, all in found.held.items() for facet, why in all.items()]
        return table(
            ("SKU", "facet", f"{found.channel} at position {found.position}"), [*listed, *held], "not sold there"
        )
    title = f"{found.sku}: {found.kind}, version {found.version}, as of position {found.position}"
    rows = [row for row in _fields(found) if row[1] not in (None, (), [])]
    return stacked(line(title), table(("field", "value", "from"), rows, "it has no value yet"))


def _fields(found: ProductView) -> Iterable[tuple[object, ...]]:
    yield from ((name, getattr(found, name)) for name in ("family", "parent", "axes", "gtin", "gtin_problem"))
    yield "discontinued", found.discontinued or None
    for one in found.values:
        where = ", ".join(part for part in (one.locale, one.channel) if part)
        yield f"{one.attribute}{f' ({where})' if where else ''}", plain(one.value), one.sku
    yield from ((f"price {one.price_list} {one.currency}", one.amount, one.sku) for one in found.prices)
    yield from ((f"stock {location}", pieces) for location, pieces in found.stock.items())
    yield from ((f"reserved {location}", pieces) for location, pieces in found.reserved.items())
    yield from ((f"held back {location}", pieces) for location, pieces in found.safety.items())
    if found.reserved or found.safety:
        yield "available", found.available
    yield from (("category", " / ".join(one.path), one.sku) for one in found.categories)
    yield from ((one.role, one.url, one.sku) for one in found.media)
    yield "sold on", [name for name, on in found.channels.items() if on]
    yield "variants", found.variants


def history(found: Sequence[HistoryChange]) -> Show:
    """One line a change. The keys and grants have a column where any was used: what came from the machine has none."""
    keyed = any(one.access for one in found)
    rows = [
        (
            *(one.position, one.recorded_at, one.sku, one.sentence, one.actor),
            *((one.access,) if keyed else ()),
            *(one.reason, _seen(one)),
        )
        for one in found
    ]
    through = ("through",) if keyed else ()
    columns = ("#position", "when (UTC)", "SKU", "what", "who", *through, "why", "channels")
    return table(columns, rows, "no change")


def _seen(change: HistoryChange) -> str:
    """`one, other confirmed; third rejected`."""
    told: dict[str, dict[str, set[str]]] = {}
    for one in change.channels:
        told.setdefault(one.outcome, {}).setdefault(one.channel, set()).add(one.sku)
    return "; ".join(
        f"{', '.join(name + _whose(change.sku, skus) for name, skus in channels.items())} {outcome}"
        for outcome, channels in told.items()
    )


def _whose(sku: str, told: set[str]) -> str:
    """Whose listing a channel's word is about, when it is not the SKU's own: its parent's may be shown before it is."""
    if sku in told:
        return ""
    return f" ({next(iter(told))})" if len(told) == 1 else f" ({len(told)} other SKUs)"


def changes(found: Sequence[FieldChange]) -> Show:
    """One line a field."""
    rows = [(one.field, plain(one.before), plain(one.after)) for one in found]
    return table(("field", "before", "after"), rows, "no difference")
