"""What answers look like to a person."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from daybook.app import App
from daybook.channel.contract import Held
from daybook.channel.status import Attempt, ChannelStatus, FacetStatus
from daybook.cli.render import cell, line, stacked, table
from daybook.events import Rejection
from daybook.queries.catalogue import PageThen
from daybook.queries.events import EventView
from daybook.queries.fields import FieldChange
from daybook.queries.history import Change
from daybook.queries.listing import listing_at
from daybook.queries.moment import Moment
from daybook.queries.product import ProductView, show

if TYPE_CHECKING:
    from rich.console import Console

Show = Callable[["Console"], None]
TEXT_SHOWN_MAX = 400
"""Characters of a long text; the whole one is in --json."""


class Listing(msgspec.Struct, frozen=True):
    """What a channel should show of a product's group."""

    channel: str
    position: int
    shown: dict[str, dict[str, Any]]
    """SKU -> facet -> payload."""
    held: dict[str, dict[str, tuple[str, ...]]]
    """SKU -> facet -> why it can't be shown there."""


def subject(app: App, sku: str, moment: Moment, channel: str | None) -> ProductView | Listing:
    """The product, or what a channel should show of its group."""
    if channel is None:
        return show(app.reader, sku, moment)
    found = Listing(channel, moment.position, {}, {})
    # A channel that went has a past still.
    manifest = app.registry.get(channel) if moment.position == app.reader.head() else app.registry.ever(channel)
    for (each, facet), payload in listing_at(app.reader, manifest, sku, moment).items():
        if isinstance(payload, Held):
            found.held.setdefault(each, {})[facet] = payload.reasons
        else:
            found.shown.setdefault(each, {})[facet] = payload
    return found


def shown(found: ProductView | Listing) -> Show:
    """The product with where each value comes from, or the listing."""
    if isinstance(found, Listing):
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
    yield from (("category", " / ".join(one.path), one.sku) for one in found.categories)
    yield from ((one.role, one.url, one.sku) for one in found.media)
    yield "sold on", [name for name, on in found.channels.items() if on]
    yield "variants", found.variants


def catalogue(found: PageThen) -> Show:
    """One line a product, models with their variants below them."""
    rows = [
        (
            one.sku,
            one.kind,
            one.family,
            [f"{price.amount} {price.currency}" for price in one.prices or ()],
            sum((one.stock or {}).values()),
            group.listed_on if one.sku == group.key else (),
            "discontinued" if one.discontinued else None,
        )
        for group in found.groups
        for one in group.products
    ]
    columns = ("SKU", "kind", "family", "prices", "#stock", "sold on", "")
    parts = [table(columns, rows, "nothing matches"), line(f"as of position {found.position}")]
    if found.next is not None:
        parts.append(line(f"more: --after {found.next}"))
    return stacked(*parts)


def history(found: Sequence[Change]) -> Show:
    """One line a change."""
    rows = [(one.position, one.recorded_at, one.sku, one.sentence, one.actor, one.reason, _seen(one)) for one in found]
    return table(("#position", "when (UTC)", "SKU", "what", "who", "why", "channels"), rows, "no change")


def _seen(change: Change) -> list[str]:
    words = [f"{one.channel} {one.outcome}" for one in change.channels]
    return list(dict.fromkeys(words))


def changes(found: Sequence[FieldChange]) -> Show:
    """One line a field."""
    rows = [(one.field, plain(one.before), plain(one.after)) for one in found]
    return table(("field", "before", "after"), rows, "no difference")


def channels(found: Sequence[ChannelStatus]) -> Show:
    """One line a channel."""
    names = ("listings", "held", "due", "in_flight", "accepted", "confirmed", "rejected", "parked", "lag", "workers")
    rows = [
        (
            one.name,
            _state(one),
            *(getattr(one, name) for name in names),
            _next_try(one),
            trouble(one),
        )
        for one in found
    ]
    columns = ("channel", "state", *(f"#{name.replace('_', ' ')}" for name in names), "next try (UTC)", "last error")
    return table(columns, rows, "no projection has run here yet: start them with `daybook up`")


def _next_try(one: ChannelStatus) -> datetime | None:
    """Of the channel when it is down or asked for a pause, else of the first product that waits."""
    if one.breaker is not None and (one.breaker.next_try or one.breaker.quiet_until):
        return one.breaker.next_try or one.breaker.quiet_until
    return one.next_try


def _state(one: ChannelStatus) -> str:
    if one.state != "running":
        return one.state
    return "level" if one.level else "working"


def trouble(one: ChannelStatus) -> str | None:
    """What went wrong last."""
    if one.failure:
        said = {name: value for name, value in one.failure.items() if name != "error"}
        where = ", ".join(f"{name.replace('_', ' ')} {plain(value)}" for name, value in said.items())
        return f"{one.failure.get('error', '')} ({where})" if where else str(one.failure.get("error", ""))
    if one.paused:
        return "paused by a person" if one.paused_because is None else f"paused by the channel: {one.paused_because}"
    if one.breaker is not None and one.breaker.down:
        return f"{one.breaker.failures} failures in a row: {one.breaker.reason or one.last_error}"
    return one.last_error


def reasons(found: Sequence[Rejection]) -> str:
    """A channel's own words."""
    return "; ".join(f"{one.code} {one.message}".strip() for one in found)


def facets(found: dict[str, list[FacetStatus]], attempts: dict[str, list[Attempt]]) -> Show:
    """One line a facet, and one a request."""
    rows = [
        (name, one.facet, one.state, one.acknowledged, one.position, one.attempts, _content(one))
        for name, all in found.items()
        for one in all
    ]
    columns = ("channel", "facet", "state", "acknowledged", "#position", "#attempts", "content")
    requests = [
        (name, one.at, one.facet, one.outcome, one.status, f"{one.method or ''} {one.url or ''}", one.detail)
        for name, all in attempts.items()
        for one in all
    ]
    parts = [table(columns, rows, "no channel shows it")]
    if requests:
        parts.append(table(("channel", "at (UTC)", "facet", "outcome", "#status", "request", "detail"), requests))
    return stacked(*parts)


def _content(one: FacetStatus) -> str:
    why = reasons(one.reasons)
    said = f"held: {cell(one.held)}" if one.held is not None else plain(one.payload)
    return f"{said}\nrejected: {why}" if why else said


def event(one: EventView) -> str:
    """An event on one line."""
    why = f" ({one.reason})" if one.reason else ""
    return f"{one.position:>8}  {cell(one.recorded_at)}  {one.stream}  {one.type}  {plain(one.data)}  {one.actor}{why}"


def plain(value: Any) -> str:
    """A value as short text: JSON when it has parts."""
    text = value if isinstance(value, str) else "" if value is None else msgspec.json.encode(value).decode()
    return text if len(text) <= TEXT_SHOWN_MAX else f"{text[: TEXT_SHOWN_MAX - 1]}…"
