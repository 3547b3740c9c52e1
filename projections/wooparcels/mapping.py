"""What a shop should be told of an order's parcels. Pure.

- `notes`: a line for each parcel that left. Its tracking number is the one that was told with it, or that a shipper's
  finding holds under the parcel's name.
- `status`: `completed` once nothing is left to ship, `cancelled` when nothing ever will be.
"""

from daybook.catalogue.reference import Reference
from daybook.channel.contract import Rendered
from daybook.events import ChannelConfigured, OrderShipped
from daybook_projections.wooparcels.listing import NAME, Announced, Shipped

NOTES, STATUS = "notes", "status"
FACETS = (NOTES, STATUS)
DEFAULTS = ChannelConfigured(name=NAME)
CHANNEL = "webshop"
_UNKNOWN = Announced(None, None)


def render(state: Shipped, reference: Reference) -> Rendered:
    """(order, `notes`) and (order, `status`); nothing for an order of another channel."""
    order, settings = state.order, reference.channels.get(NAME, DEFAULTS)
    if order.placed.channel != settings.extra.get("channel", CHANNEL):
        return {}
    rendered: dict[tuple[str, str], dict[str, object]] = {}
    number = order.placed.number
    if order.parcels:
        lines = [_line(parcel, state.announced.get(parcel.parcel, _UNKNOWN)) for parcel in order.parcels]
        rendered[order.id, NOTES] = {"number": number, "lines": lines}
    ended = {"shipped": "completed", "returned": "completed", "cancelled": "cancelled"}.get(order.status)
    if ended is not None:
        rendered[order.id, STATUS] = {"number": number, "status": ended}
    return rendered


def _line(parcel: OrderShipped, announced: Announced) -> str:
    carrier, tracking = parcel.carrier or announced.carrier, parcel.tracking or announced.tracking
    pieces = sum(one.quantity for one in parcel.lines)
    followed = f", to be followed as {tracking}" if tracking else ""
    by = f" with {carrier}" if carrier else ""
    return f"Parcel {parcel.parcel} left{by}: {pieces} {'piece' if pieces == 1 else 'pieces'}{followed}."
