"""Where a product is sold: commands to sell it on a channel or not, and what the channel should show of it."""

from typing import Any

import msgspec
from litestar import Response, delete, get, put
from litestar.params import FromPath

from daybook.channel.contract import Held, Payload
from daybook.commands import DelistProduct, ListProduct
from daybook.queries.listing import listing_at
from daybook.web.declared import COMMAND, QUESTION
from daybook.web.dependencies import InjectedApp, InjectedCaller
from daybook.web.moments import At, Position, moment
from daybook.web.needs import needs
from daybook.web.responses import Receipt, carry_out

PATH = "/products/{sku:str}/channels/{channel:str}"


class ListingAnswer(msgspec.Struct, frozen=True):
    """What a channel should show of a product's group: SKU -> facet -> payload."""

    channel: str
    position: int
    shown: dict[str, dict[str, Payload]]
    held: dict[str, tuple[str, ...]]
    """SKU -> why it can't be shown there."""


@get(PATH, **QUESTION, **needs("listing.read", channel="channel", sku="sku"), summary="A product's listing")
def show_listing(
    app: InjectedApp, sku: FromPath[str], channel: FromPath[str], at: At = None, position: Position = None
) -> ListingAnswer:
    """What the channel should show, by the channel's own code, now or at a moment."""
    when = moment(app.reader, at, position)
    shown: dict[str, dict[str, Payload]] = {}
    held: dict[str, tuple[str, ...]] = {}
    # A channel that went has a past still.
    manifest = app.registry.get(channel) if at is None and position is None else app.registry.get_even_removed(channel)
    for (each, facet), payload in listing_at(app.reader, manifest, sku, when).items():
        if isinstance(payload, Held):
            held[each] = payload.reasons
        else:
            shown.setdefault(each, {})[facet] = payload
    return ListingAnswer(channel, when.position, shown, held)


@put(PATH, **COMMAND, **needs("listing.change", command=True), summary="Sell on a channel")
def list_product(
    app: InjectedApp, caller: InjectedCaller, sku: FromPath[str], channel: FromPath[str]
) -> Response[Receipt]:
    """Variants follow their model unless they are taken off themselves."""
    return carry_out(app, caller, ListProduct(sku=sku, channel=channel), f"product/{sku}")


@delete(PATH, **COMMAND, **needs("listing.change", command=True), summary="Take off a channel")
def delist_product(
    app: InjectedApp, caller: InjectedCaller, sku: FromPath[str], channel: FromPath[str]
) -> Response[Receipt]:
    """Not to be sold on this channel."""
    return carry_out(app, caller, DelistProduct(sku=sku, channel=channel), f"product/{sku}")


ROUTES: tuple[Any, ...] = (show_listing, list_product, delist_product)
