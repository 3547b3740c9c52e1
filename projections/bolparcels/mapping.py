"""What bol should be told of an order's parcels and of what is not sent. Pure.

- `shipments`: each parcel that left, with its pieces by item, and bol's own code of its carrier.
- `cancellations`: items of which nothing is open any more and pieces were cancelled. bol cancels an item with all that
  is open of it, and no single pieces: so what is cancelled of an item is told once the rest of it left.
"""

from collections.abc import Mapping

from daybook.catalogue.reference import Reference
from daybook.channel.contract import Rendered
from daybook.events import CancelCause, ChannelConfigured, OrderShipped
from daybook_projections.bolparcels.listing import NAME, HandledOrder, Tracked

SHIPMENTS, CANCELLATIONS = "shipments", "cancellations"
FACETS = (SHIPMENTS, CANCELLATIONS)
DEFAULTS = ChannelConfigured(name=NAME)
CHANNEL = "bol"
OTHER = "OTHER"
TRANSPORTERS: Mapping[str, str] = {
    "postnl": "TNT",
    "dhl": "DHLFORYOU",
    "dhlforyou": "DHLFORYOU",
    "dpd": "DPD-NL",
    "gls": "GLS",
    "ups": "UPS",
    "bpost": "BPOST_BE",
    "fedex": "FEDEX_NL",
}
"""By a carrier's name in the book. One that is all capitals is taken for bol's own code."""
REASONS: Mapping[CancelCause, str] = {
    "customer": "REQUESTED_BY_CUSTOMER",
    "out_of_stock": "OUT_OF_STOCK",
    "price": "INCORRECT_PRICE",
    "fraud": "OTHER",
    "other": "OTHER",
}
_UNKNOWN = Tracked(None, None)


def render(state: HandledOrder, reference: Reference) -> Rendered:
    """(order, `shipments`) and (order, `cancellations`); nothing for an order of another channel."""
    order, settings = state.order, reference.channels.get(NAME, DEFAULTS)
    if order.placed.channel != settings.extra.get("channel", CHANNEL):
        return {}
    about = {"number": order.placed.number, "person": order.placed.person}
    rendered: dict[tuple[str, str], dict[str, object]] = {}
    if order.parcels:
        parcels = [_parcel(one, state.tracked.get(one.parcel, _UNKNOWN)) for one in order.parcels]
        rendered[order.id, SHIPMENTS] = {**about, "parcels": parcels}
    over = {
        one.line: {"pieces": pieces, "reason": REASONS[state.causes.get(one.line, "other")]}
        for one in order.placed.lines
        if (pieces := order.cancelled.get(one.line, 0)) and not order.remaining(one)
    }
    if over:
        rendered[order.id, CANCELLATIONS] = {**about, "items": over}
    return rendered


def _parcel(parcel: OrderShipped, tracked: Tracked) -> dict[str, object]:
    carrier = parcel.carrier or tracked.carrier
    pieces: dict[str, int] = {}
    for one in parcel.lines:
        pieces[one.line] = pieces.get(one.line, 0) + one.quantity
    return {
        "parcel": parcel.parcel,
        "items": pieces,
        "transporter": _transporter(carrier) if carrier else OTHER,
        "tracking": parcel.tracking or tracked.tracking,
    }


def _transporter(carrier: str) -> str:
    return TRANSPORTERS.get(carrier.lower(), carrier if carrier.isupper() else OTHER)
