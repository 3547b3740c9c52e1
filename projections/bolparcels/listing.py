"""What of an order left or is cancelled, why, and how it can be followed. Pure."""

import msgspec
from msgspec.structs import replace

from daybook.events import CancelCause, OrderCancelled, ParcelAnnounced, Recorded
from daybook.orders.state import Order, evolve

NAME = "bolparcels"


class Tracked(msgspec.Struct, frozen=True):
    """How a parcel is followed that a shipper announced."""

    carrier: str | None
    tracking: str | None


class HandledOrder(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One order, by a shipper's id what it announced of it, and by line why pieces were cancelled last."""

    order: Order
    tracked: dict[str, Tracked] = {}
    causes: dict[str, CancelCause] = {}


def fold(state: HandledOrder | None, recorded: Recorded) -> HandledOrder | None:
    """The order after one more event."""
    event = recorded.event
    if isinstance(event, ParcelAnnounced):
        if state is None:
            return None
        return replace(state, tracked={**state.tracked, event.parcel: Tracked(event.carrier, event.tracking)})
    order = evolve(state.order if state else None, event)
    if order is None or (state is not None and order is state.order):
        return state
    if state is None:
        return HandledOrder(order=order)
    causes = {one.line: event.cause for one in event.lines} if isinstance(event, OrderCancelled) else {}
    return replace(state, order=order, causes={**state.causes, **causes})
