"""Questions: products as they are and were, their histories, and the log itself."""

from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.params import FromPath, FromQuery

from daybook.channel.contract import Held, Payload
from daybook.http.answers import conditional
from daybook.http.asking import At, From, Position, To, either, moment
from daybook.http.given import TheApp
from daybook.queries import catalogue, events
from daybook.queries.diff import diff
from daybook.queries.fields import FieldChange
from daybook.queries.history import Change, history
from daybook.queries.listing import listing_at
from daybook.queries.product import ProductView, show
from daybook.queries.timeline import past


class History(msgspec.Struct, frozen=True):
    """Changes, oldest first, and the `after` of the next page; null on the last one."""

    changes: list[Change]
    next: int | None


class Diff(msgspec.Struct, frozen=True):
    """What differs between two positions."""

    from_position: int
    to_position: int
    changes: list[FieldChange]


class Listing(msgspec.Struct, frozen=True):
    """What a channel should show of a product's group: SKU -> facet -> payload."""

    channel: str
    position: int
    shown: dict[str, dict[str, Payload]]
    held: dict[str, tuple[str, ...]]
    """SKU -> why it can't be shown there."""


@get("/products", sync_to_thread=True, summary="The catalogue")
def products(
    app: TheApp, after: FromQuery[str] = "", limit: FromQuery[int] = 50, at: At = None, position: Position = None
) -> catalogue.Page:
    """Product groups, a page at a time: a plain product, or a model with its variants' SKUs."""
    return catalogue.page(app.reader, moment(app.reader, at, position), after, limit)


@get("/catalogue", sync_to_thread=True, summary="The catalogue at a moment")
def catalogue_then(
    app: TheApp,
    after: FromQuery[str] = "",
    limit: FromQuery[int] = 50,
    family: FromQuery[str | None] = None,
    category: FromQuery[str | None] = None,
    listed_on: FromQuery[str | None] = None,
    at: At = None,
    position: Position = None,
) -> Response[catalogue.PageThen]:
    """Product groups with complete descriptions, a page at a time, now or at a moment.

    A Warning says when the timeline does not cover the moment: the answer is the same, only slower.
    """
    then = past(app.pool, app.reader, app.registry, moment(app.reader, at, position).position)
    found = catalogue.page_then(then, after, limit, family=family, category=category, listed_on=listed_on)
    return Response(found, headers={} if then.reason is None else {"Warning": f'199 daybook "{then.reason}"'})


@get("/products/{sku:str}", sync_to_thread=True, summary="A product")
def product(
    app: TheApp, request: Request[Any, Any, Any], sku: FromPath[str], at: At = None, position: Position = None
) -> Response[ProductView]:
    """The product now or at a moment, with what it inherits. Honours If-None-Match."""
    found = show(app.reader, sku, moment(app.reader, at, position))
    return conditional(request, found, found.version)


@get("/products/{sku:str}/channels/{channel:str}", sync_to_thread=True, summary="A product's listing")
def listing(
    app: TheApp, sku: FromPath[str], channel: FromPath[str], at: At = None, position: Position = None
) -> Listing:
    """What the channel should show, by the channel's own code, now or at a moment."""
    when = moment(app.reader, at, position)
    shown: dict[str, dict[str, Payload]] = {}
    held: dict[str, tuple[str, ...]] = {}
    # A channel that went has a past still.
    manifest = app.registry.get(channel) if at is None and position is None else app.registry.ever(channel)
    for (each, facet), payload in listing_at(app.reader, manifest, sku, when).items():
        if isinstance(payload, Held):
            held[each] = payload.reasons
        else:
            shown.setdefault(each, {})[facet] = payload
    return Listing(channel, when.position, shown, held)


@get("/products/{sku:str}/history", sync_to_thread=True, summary="A product's history")
def product_history(
    app: TheApp,
    sku: FromPath[str],
    after: FromQuery[int] = 0,
    limit: FromQuery[int] = 100,
    inherited: FromQuery[bool] = False,
    receipts: FromQuery[bool] = False,
) -> History:
    """What changed, who did it, why, and which channels saw it. `inherited` adds the parents' changes."""
    changes = history(app.reader, sku, limit=limit, after=after, inherited=inherited, receipts=receipts)
    return History(changes, changes[-1].position if len(changes) == limit else None)


@get("/products/{sku:str}/diff", sync_to_thread=True, summary="What differs between two moments")
def product_diff(app: TheApp, sku: FromPath[str], since: From, until: To = None) -> Diff:
    """Inherited values included."""
    first, last = either(app.reader, since), either(app.reader, until)
    return Diff(first.position, last.position, diff(app.reader, sku, first, last))


@get("/events", sync_to_thread=True, summary="The log")
def log(app: TheApp, after: FromQuery[int] = 0, limit: FromQuery[int] = 100) -> events.EventPage:
    """Every event after a position, in order. Go on from `next`: positions have no holes."""
    return events.page(app.reader, after, limit)


HANDLERS = (products, catalogue_then, product, listing, product_history, product_diff, log)
