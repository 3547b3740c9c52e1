"""What an order is, after these events. Pure."""

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec
from msgspec.structs import replace

from daybook.events import (
    Event,
    LineQuantity,
    OrderCancelled,
    OrderLine,
    OrderPaid,
    OrderPlaced,
    OrderRefunded,
    OrderReturned,
    OrderShipped,
    StockMove,
)

OrderStatus = Literal["open", "partly_shipped", "shipped", "cancelled", "returned"]
PaymentStatus = Literal["unpaid", "partly_paid", "paid", "partly_refunded", "refunded"]
Pieces = dict[str, int]
"""By line, or by location."""


class Order(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One order. What was ordered stays as it was; what became of the pieces is counted beside it."""

    placed: OrderPlaced
    cancelled: Pieces = {}
    shipped: Pieces = {}
    returned: Pieces = {}
    reserved: dict[str, Pieces] = {}
    """SKU -> location -> pieces, in the order in which they are given out."""
    left_from: dict[str, Pieces] = {}
    """SKU -> location -> pieces that were shipped from there."""
    parcels: tuple[OrderShipped, ...] = ()
    returns: tuple[OrderReturned, ...] = ()
    payments: tuple[OrderPaid, ...] = ()
    refunds: tuple[OrderRefunded, ...] = ()

    @property
    def id(self) -> str:
        """`<channel>:<number>`."""
        return self.placed.order

    @property
    def lines(self) -> dict[str, OrderLine]:
        """What was ordered, by name."""
        return {one.line: one for one in self.placed.lines}

    def remaining(self, line: OrderLine) -> int:
        """Pieces of a line that are neither shipped nor cancelled."""
        return line.quantity - self.cancelled.get(line.line, 0) - self.shipped.get(line.line, 0)

    def open_pieces(self) -> Pieces:
        """By line, those that are neither shipped nor cancelled."""
        return {one.line: self.remaining(one) for one in self.placed.lines}

    def out(self, line: OrderLine) -> int:
        """Pieces of a line that were shipped and did not come back."""
        return self.shipped.get(line.line, 0) - self.returned.get(line.line, 0)

    @property
    def total(self) -> int:
        """What the customer owes for all that was ordered, in minor units."""
        return total_of(self.placed)

    @property
    def owed(self) -> int:
        """What the customer owes for what was not cancelled; the cost of sending is owed while anything is left."""
        kept = 0
        for one in self.placed.lines:
            cost, cancelled = _cost(self.placed, one), self.cancelled.get(one.line, 0)
            kept += cost - cost * cancelled // one.quantity
        left = any(one.quantity > self.cancelled.get(one.line, 0) for one in self.placed.lines)
        return kept + (self.placed.shipping if left else 0)

    @property
    def paid(self) -> int:
        """What came in."""
        return sum(one.amount.amount for one in self.payments)

    @property
    def refunded(self) -> int:
        """What went back."""
        return sum(one.amount.amount for one in self.refunds)

    @property
    def oversold(self) -> int:
        """Pieces that were not there when it came."""
        return sum(one.oversold for one in self.placed.allocations)

    @property
    def status(self) -> OrderStatus:
        """How far its pieces are."""
        remaining = sum(self.remaining(one) for one in self.placed.lines)
        shipped = sum(self.shipped.values())
        if remaining:
            return "partly_shipped" if shipped else "open"
        if not shipped:
            return "cancelled"
        return "returned" if sum(self.returned.values()) == shipped else "shipped"

    @property
    def payment(self) -> PaymentStatus:
        """How far its money is."""
        if self.refunded:
            return "refunded" if self.refunded == self.paid else "partly_refunded"
        if not self.paid:
            return "paid" if not self.total else "unpaid"
        return "paid" if self.paid >= self.owed else "partly_paid"


def channel_of(order: str) -> str:
    """The channel that an order's id names."""
    return order.partition(":")[0]


def total_of(placed: OrderPlaced) -> int:
    """The sum of an order, in minor units."""
    return sum(_cost(placed, one) for one in placed.lines) + placed.shipping


def _cost(placed: OrderPlaced, line: OrderLine) -> int:
    """What all pieces of a line cost, in minor units."""
    return line.price * line.quantity - line.discount + (0 if placed.tax_included else line.tax)


def evolve(order: Order | None, event: Event) -> Order | None:
    """The order after the event. Events of other nouns, and those before it was placed, change nothing."""
    if isinstance(event, OrderPlaced):
        kept: dict[str, Pieces] = {}
        for one in event.allocations:
            kept[one.sku] = _plus(kept.get(one.sku, {}), {one.location: one.quantity})
        return Order(placed=event, reserved=kept)
    if order is None:
        return None
    match event:
        case OrderPaid():
            return replace(order, payments=(*order.payments, event))
        case OrderRefunded():
            return replace(order, refunds=(*order.refunds, event))
        case OrderCancelled(lines=lines, released=released):
            return replace(
                order, cancelled=_with_lines(order.cancelled, lines), reserved=_moved(order.reserved, released, -1)
            )
        case OrderShipped(lines=lines, released=released, taken=taken):
            return replace(
                order,
                shipped=_with_lines(order.shipped, lines),
                reserved=_moved(order.reserved, released, -1),
                left_from=_moved(order.left_from, taken, 1),
                parcels=(*order.parcels, event),
            )
        case OrderReturned(lines=lines, restocked=restocked):
            return replace(
                order,
                returned=_with_lines(order.returned, lines),
                left_from=_moved(order.left_from, restocked, -1),
                returns=(*order.returns, event),
            )
        case _:
            return order


def _with_lines(pieces: Pieces, lines: Iterable[LineQuantity]) -> Pieces:
    return _plus(pieces, {one.line: one.quantity for one in lines})


def _plus(pieces: Pieces, more: Mapping[str, int]) -> Pieces:
    return pieces | {name: pieces.get(name, 0) + quantity for name, quantity in more.items()}


def _moved(kept: Mapping[str, Pieces], moves: Iterable[StockMove], sign: int) -> dict[str, Pieces]:
    result = dict(kept)
    for one in moves:
        result[one.sku] = _plus(result.get(one.sku, {}), {one.location: sign * one.quantity})
    return {
        sku: there
        for sku, pieces in result.items()
        if (there := {name: quantity for name, quantity in pieces.items() if quantity > 0})
    }
