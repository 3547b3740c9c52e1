"""From what a channel says of an order as a whole to the commands that make the book say so. Pure.

All that follows only ever adds: pieces are cancelled, sent or taken back, money comes or goes. So a message that comes
twice, late or in between changes nothing that a newer one has changed.
"""

from collections import Counter
from collections.abc import Mapping

import msgspec

from daybook.channel.orders import ToldOrder
from daybook.commands import CancelOrder, PayOrder, RefundOrder, ReturnOrder, ShipOrder
from daybook.commands.order_intake import NewOrder
from daybook.commands.orders import OrderedLine
from daybook.errors import Refused
from daybook.events import CancelCause
from daybook.orders.state import Order
from daybook.values import Money, parse_money

Commands = tuple[CancelOrder | PayOrder | RefundOrder | ReturnOrder | ShipOrder, ...]


class OrderPlan(msgspec.Struct, frozen=True):
    """What is to be done, and then why a person has to look nevertheless."""

    commands: Commands = ()
    refusal: Refused | None = None


def to_place(channel: str, told: ToldOrder) -> NewOrder | None:
    """The order, when it was sold; None when there is nothing to place."""
    if told.state != "sold":
        return None
    return NewOrder(
        channel=channel,
        number=told.number,
        currency=told.currency,
        lines=tuple(
            OrderedLine(
                line=one.line, sku=one.sku, quantity=one.quantity, price=one.price, discount=one.discount, tax=one.tax
            )
            for one in told.lines
        ),
        customer=told.customer,
        shipping=told.shipping,
        tax_included=told.tax_included,
        already_sold=True,
        sold_at=told.sold_at,
    )


def plan(order: Order, told: ToldOrder) -> OrderPlan:
    """What became of an order that the book has."""
    if told.state == "not_sold":
        return OrderPlan(refusal=_lost(order, "does not count on its channel any more: its payment failed, or waits"))
    if told.state == "gone":
        return OrderPlan(refusal=_lost(order, "is gone from its channel, which does not say why"))
    cancelled, refusal = _cancelled(order, told)
    return OrderPlan(
        (
            *_paid(order, told),
            *_refunded(order, told),
            *cancelled,
            *_shipped(order, told),
            *_returned(order, told),
        ),
        refusal,
    )


def _lost(order: Order, why: str) -> Refused | None:
    """An order that its channel does not have any more is nobody's business once nothing of it is open."""
    if not any(order.open_pieces().values()):
        return None
    return Refused(
        f"order {order.id} {why}: if it is not to be sent, cancel it with `daybook order cancel {order.id}`, then take "
        "this once more",
        field="status",
    )


def _paid(order: Order, told: ToldOrder) -> Commands:
    if told.paid is None:
        return ()
    currency = order.placed.currency
    more = min(parse_money(told.paid, currency, "paid").amount - order.paid, order.owed - order.paid)
    if more <= 0:
        return ()
    amount = str(Money(more, currency).decimal())
    # By what was there before it: another payment of the same amount has another name.
    return (PayOrder(order=order.id, amount=amount, currency=currency, reference=f"told-{order.paid}"),)


def _refunded(order: Order, told: ToldOrder) -> Commands:
    known = {one.reference for one in order.refunds}
    return tuple(
        RefundOrder(order=order.id, amount=one.amount, currency=order.placed.currency, reference=one.reference)
        for one in told.refunds
        if one.reference not in known
    )


def _cancelled(order: Order, told: ToldOrder) -> tuple[Commands, Refused | None]:
    """Pieces that the channel counts no more. What was sent can't be cancelled, and what was added is not taken."""
    wanted, late, more = {}, [], []
    for line, target in _targets(order, told).items():
        placed = order.lines[line]
        done = order.cancelled.get(line, 0)
        open_, back = order.remaining(placed), order.returned.get(line, 0)
        all_of_it = told.rest_cancelled or line in told.cancel_requested
        pieces = open_ if all_of_it else min(max(0, target - done), open_)
        if pieces:
            wanted[line] = pieces
        if target > done + open_ + back:
            late.append(f"{target - done - open_ - back} of line {line}")
    for one in told.lines if told.state == "sold" else ():
        known = order.lines.get(one.line)
        if known is None and one.quantity <= told.cancelled.get(one.line, 0):
            continue  # added, and taken off again
        if known is None:
            more.append(f"line {one.line} with {one.quantity} of {one.sku} is new")
        elif one.sku != known.sku:
            more.append(f"line {one.line} is {one.sku} now, and was {known.sku}")
        elif one.quantity > known.quantity:
            more.append(f"line {one.line} has {one.quantity} pieces now, and had {known.quantity}")
    commands = (CancelOrder(order=order.id, lines=wanted, cause=_cause(told)),) if wanted else ()
    if more:
        said = "; ".join(more)
        return commands, Refused(
            f"order {order.id} grew at its channel after it was placed: {said}. Place what was added as an order of "
            f"its own (`daybook order place`), then dismiss this",
            field="lines",
        )
    if late:
        return commands, Refused(
            f"order {order.id} was cancelled at its channel after it was sent: {', '.join(late)}. Once they are back, "
            f"`daybook order return {order.id}`, then take this once more",
            field="lines",
        )
    return commands, None


def _targets(order: Order, told: ToldOrder) -> Mapping[str, int]:
    """Line -> pieces of it, as it was placed, that are cancelled at the channel."""
    if told.state == "cancelled":
        return {one.line: one.quantity for one in order.placed.lines}
    now = {one.line: one.quantity for one in told.lines}
    return {
        one.line: min(one.quantity, max(0, one.quantity - now.get(one.line, 0)) + told.cancelled.get(one.line, 0))
        for one in order.placed.lines
    }


def _cause(told: ToldOrder) -> CancelCause:
    return "customer" if told.refunds or told.cancel_requested or told.state == "cancelled" else "other"


def _shipped(order: Order, told: ToldOrder) -> Commands:
    """Parcels that somebody else sent.

    What left from here is told to the channel, which then names it as it likes: so pieces count, and not names. Only
    those that the channel says have left beyond what the book knows are sent, the newest parcels' first.
    """
    left = dict(order.open_pieces())
    beyond = _sent_beyond(order, told)
    known = {one.parcel for one in order.parcels}
    commands: list[ShipOrder] = []
    for one in reversed(told.parcels):
        if one.parcel in known:
            continue
        counted = left if one.lines is None else {line: min(n, beyond.get(line, 0)) for line, n in one.lines.items()}
        wanted = {line: pieces for line, n in counted.items() if (pieces := min(n, left.get(line, 0))) > 0}
        if not wanted:
            continue
        for line, pieces in wanted.items():
            left[line] -= pieces
            beyond[line] = beyond.get(line, 0) - pieces
        commands.append(
            ShipOrder(order=order.id, parcel=one.parcel, lines=wanted, carrier=one.carrier, tracking=one.tracking)
        )
    return tuple(reversed(commands))


def _sent_beyond(order: Order, told: ToldOrder) -> dict[str, int]:
    """Line -> pieces that the channel says have left, without those that have left in the book."""
    sent: Counter[str] = Counter()
    for one in told.parcels:
        sent.update(one.lines or {})
    return {line: pieces - order.shipped.get(line, 0) for line, pieces in sent.items()}


def _returned(order: Order, told: ToldOrder) -> Commands:
    known = {one.reference for one in order.returns}
    return tuple(
        ReturnOrder(order=order.id, lines=dict(one.lines), restock=one.restock, reference=one.reference)
        for one in told.returns
        if one.reference not in known
    )
