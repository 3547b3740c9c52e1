"""What of an order left, and how it can be followed. Pure."""

import msgspec
from msgspec.structs import replace

from daybook.events import ParcelAnnounced, Recorded
from daybook.orders.state import Order, evolve

NAME = "wooparcels"


class Announced(msgspec.Struct, frozen=True):
    """How a parcel is followed that a shipper announced."""

    carrier: str | None
    tracking: str | None


class Shipped(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One order, and by a shipper's id what it announced of it."""

    order: Order
    announced: dict[str, Announced] = {}


def fold(state: Shipped | None, recorded: Recorded) -> Shipped | None:
    """The order after one more event."""
    event = recorded.event
    if isinstance(event, ParcelAnnounced):
        if state is None:
            return None
        known = Announced(event.carrier, event.tracking)
        return replace(state, announced={**state.announced, event.parcel: known})
    order = evolve(state.order if state else None, event)
    if order is None or (state is not None and order is state.order):
        return state
    return replace(state, order=order) if state is not None else Shipped(order=order)
