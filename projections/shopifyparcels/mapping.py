"""What a shop should be told of an order's parcels. Pure.

`fulfilments`: each parcel that left, with its pieces by line. Its tracking number is the one that was told with it, or
that a shipper's finding holds under the parcel's name. Carriers go by the names that Shopify makes links for.
"""

from daybook.catalogue.reference import Reference
from daybook.channel.contract import Rendered
from daybook.events import ChannelConfigured, OrderShipped
from daybook_projections.shopifyparcels.listing import NAME, Label, SentOrder

FULFILMENTS = "fulfilments"
FACETS = (FULFILMENTS,)
DEFAULTS = ChannelConfigured(name=NAME)
CHANNEL = "shopify"
COMPANIES = {"postnl": "PostNL", "dpd": "DPD", "gls": "GLS", "ups": "UPS"}
_UNKNOWN = Label(None, None)


def render(state: SentOrder, reference: Reference) -> Rendered:
    """(order, `fulfilments`); nothing for an order of another channel, or of which nothing left."""
    order, settings = state.order, reference.channels.get(NAME, DEFAULTS)
    if order.placed.channel != settings.extra.get("channel", CHANNEL) or not order.parcels:
        return {}
    parcels = [_parcel(one, state.labels.get(one.parcel, _UNKNOWN)) for one in order.parcels]
    notify = settings.extra.get("notify", True) is not False
    return {(order.id, FULFILMENTS): {"number": order.placed.number, "notify": notify, "parcels": parcels}}


def _parcel(parcel: OrderShipped, label: Label) -> dict[str, object]:
    carrier, tracking = parcel.carrier or label.carrier, parcel.tracking or label.tracking
    pieces: dict[str, int] = {}
    for one in parcel.lines:
        pieces[one.line] = pieces.get(one.line, 0) + one.quantity
    return {
        "parcel": parcel.parcel,
        "lines": pieces,
        "carrier": COMPANIES.get(carrier.lower(), carrier) if carrier else None,
        "tracking": tracking,
    }
