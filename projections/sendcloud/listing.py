"""What has to be known of an order to ship it: what is still to go, and which parcels were announced here. Pure."""

import msgspec
from msgspec.structs import replace

from daybook.events import OrderShipped, ParcelAnnounced, Recorded
from daybook.orders.state import Order, evolve

NAME = "sendcloud"


class ToShip(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One order, and by which names its parcels of here may be told to have left."""

    order: Order
    announced: tuple[str, ...] = ()
    """Ids and tracking numbers of parcels that Sendcloud gave this order."""

    def left(self) -> list[str]:
        """The parcels of here that left, by the names that were told."""
        return [one.parcel for one in self.order.parcels if self._is_ours(one)]

    def _is_ours(self, parcel: OrderShipped) -> bool:
        return parcel.parcel in self.announced or parcel.tracking in self.announced

    def pieces(self) -> dict[str, int]:
        """By line, those that go with Sendcloud: neither cancelled, nor shipped in a parcel of somebody else's."""
        elsewhere: dict[str, int] = {}
        for parcel in self.order.parcels:
            if not self._is_ours(parcel):
                for line in parcel.lines:
                    elsewhere[line.line] = elsewhere.get(line.line, 0) + line.quantity
        left = {
            one.line: one.quantity - self.order.cancelled.get(one.line, 0) - elsewhere.get(one.line, 0)
            for one in self.order.placed.lines
        }
        return {line: quantity for line, quantity in left.items() if quantity > 0}


def fold(state: ToShip | None, recorded: Recorded) -> ToShip | None:
    """The order after one more event."""
    event = recorded.event
    if isinstance(event, ParcelAnnounced):
        if state is None or event.shipper != NAME:
            return state
        names = (name for name in (event.parcel, event.tracking) if name is not None)
        return replace(state, announced=tuple(dict.fromkeys((*state.announced, *names))))
    order = evolve(state.order if state else None, event)
    if order is None or (state is not None and order is state.order):
        return state
    return replace(state, order=order) if state is not None else ToShip(order=order)
