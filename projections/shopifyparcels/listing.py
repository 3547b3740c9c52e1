"""What of an order left, and how it can be followed. Pure."""

import msgspec
from msgspec.structs import replace

from daybook.events import ParcelAnnounced, Recorded
from daybook.orders.state import Order, evolve

NAME = "shopifyparcels"


class Label(msgspec.Struct, frozen=True):
    """How a parcel is followed that a shipper announced."""

    carrier: str | None
    tracking: str | None


class SentOrder(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One order, and by a shipper's id the labels that it announced of it."""

    order: Order
    labels: dict[str, Label] = {}


def fold(state: SentOrder | None, recorded: Recorded) -> SentOrder | None:
    """The order after one more event."""
    event = recorded.event
    if isinstance(event, ParcelAnnounced):
        if state is None:
            return None
        return replace(state, labels={**state.labels, event.parcel: Label(event.carrier, event.tracking)})
    order = evolve(state.order if state else None, event)
    if order is None or (state is not None and order is state.order):
        return state
    return replace(state, order=order) if state is not None else SentOrder(order=order)
