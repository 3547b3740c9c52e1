"""What may happen to an order, given what it is. Pure: state and wish in, events or a domain error out.

What an order does to stock is decided with it: both are appended at once, or neither. A wish that is already true gives
no events: the same parcel, payment, return or refund told twice changes nothing.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from daybook import limits
from daybook.errors import InvalidValue, NotFound, Refused
from daybook.events import (
    CancelCause,
    LineQuantity,
    OrderCancelled,
    OrderEvent,
    OrderPaid,
    OrderPlaced,
    OrderRefunded,
    OrderReturned,
    OrderShipped,
    StockEvent,
    StockMove,
    StockReleased,
    StockReserved,
    StockReturned,
    StockShipped,
)
from daybook.orders.state import Order, Pieces
from daybook.stock.decisions import check_pieces
from daybook.values import Money, check_limit

Wanted = Mapping[str, int]
"""Line -> pieces."""


class Decided(msgspec.Struct, frozen=True):
    """What happens to the order, and by SKU what happens to its stock."""

    events: Sequence[OrderEvent] = ()
    stock: Mapping[str, Sequence[StockEvent]] = {}


NOTHING = Decided()


def known(order: Order | None, order_id: str) -> Order:
    """The order, or NotFound."""
    if order is None:
        raise NotFound(
            f"there is no order {order_id}; an order is named by its channel and number, such as webshop:1001",
            order=order_id,
        )
    return order


def same_as_before(order: Order, wish: OrderPlaced) -> bool:
    """Whether the order that is there is the one that is wished for. Raises Refused, naming what differs."""
    plain = replace(order.placed, allocations=(), person=None)
    asked = replace(wish, allocations=(), person=None)
    for field in plain.__struct_fields__:
        if getattr(plain, field) != getattr(asked, field):
            raise Refused(
                f"order {order.id} was placed before, with other {field}: give another order another number",
                field=field,
                order=order.id,
            )
    return True


def place(wish: OrderPlaced) -> Decided:
    """A new order, with its stock reserved as it says."""
    stock: dict[str, list[StockEvent]] = {}
    for one in wish.allocations:
        reserved = StockReserved(order=wish.order, location=one.location, quantity=one.quantity, oversold=one.oversold)
        stock.setdefault(one.sku, []).append(reserved)
    return Decided([wish], stock)


def cancel(order: Order, wanted: Wanted | None, cause: CancelCause) -> Decided:
    """Pieces that are not shipped; all of them when none are named."""
    if wanted is None and order.status == "cancelled":
        return NOTHING
    chosen = _chosen(order, wanted, order.open_pieces(), "open: what was shipped is returned, not cancelled")
    moves = _reserved_last_first(order, _by_sku(order, chosen))
    released = [(one.sku, StockReleased(order=order.id, location=one.location, quantity=one.quantity)) for one in moves]
    event = OrderCancelled(lines=_lines(chosen), released=tuple(moves), cause=cause)
    return Decided([event], _grouped(released))


def ship(
    order: Order,
    parcel: str,
    wanted: Wanted | None,
    *,
    carrier: str | None = None,
    tracking: str | None = None,
    location: str | None = None,
) -> Decided:
    """A parcel with these pieces, or with all that are open; from where they are reserved, or from elsewhere."""
    before = next((one for one in order.parcels if one.parcel == parcel), None)
    if before is not None:
        same = (before.carrier, before.tracking) == (carrier, tracking)
        if same and (wanted is None or _lines(wanted) == before.lines):
            return NOTHING
        raise Refused(f"parcel {parcel} of order {order.id} left before, and was another: name it otherwise")
    check_limit(limits.PARCELS, len(order.parcels) + 1, "parcel")
    chosen = _chosen(order, wanted, order.open_pieces(), "open: the others were shipped or cancelled before")
    by_sku = _by_sku(order, chosen)
    moves = _reserved_first_first(order, by_sku, location)
    taken = moves if location is None else [StockMove(sku, location, most) for sku, most in by_sku.items()]
    event = OrderShipped(
        parcel=parcel,
        lines=_lines(chosen),
        released=tuple(moves),
        taken=tuple(taken),
        carrier=carrier,
        tracking=tracking,
    )
    return Decided([event], _grouped(_shipping(order, moves, taken)))


def take_back(
    order: Order, wanted: Wanted | None, *, location: str | None, restock: bool, reference: str | None
) -> Decided:
    """Pieces that came back, or all that are out: to where they left from, or to another location."""
    if reference is not None:
        before = next((one for one in order.returns if one.reference == reference), None)
        if before is not None:
            if wanted is None or _lines(wanted) == before.lines:
                return NOTHING
            raise Refused(f"return {reference} of order {order.id} came before, and was another: name it otherwise")
    check_limit(limits.PARCELS, len(order.returns) + 1, "return")
    out = {one.line: order.out(one) for one in order.placed.lines}
    chosen = _chosen(order, wanted, out, "with the customer: what was not shipped is cancelled, not returned")
    by_sku = _by_sku(order, chosen)
    moves = [
        move
        for sku, most in by_sku.items()
        for move in ([StockMove(sku, location, most)] if location else _taken(sku, order.left_from.get(sku, {}), most))
    ]
    if not restock:
        moves = []
    back = [(one.sku, StockReturned(order=order.id, location=one.location, quantity=one.quantity)) for one in moves]
    event = OrderReturned(lines=_lines(chosen), restocked=tuple(moves), reference=reference)
    return Decided([event], _grouped(back))


def pay(order: Order, amount: Money, reference: str | None) -> Decided:
    """A payment; together not more than what was not cancelled costs."""
    _check_amount(order, amount)
    if reference is not None and any(one.reference == reference for one in order.payments):
        return _same_money(order, next(one for one in order.payments if one.reference == reference).amount, amount)
    check_limit(limits.PAYMENTS, len(order.payments) + 1, "payment")
    due = max(0, order.owed - order.paid)
    if amount.amount > due:
        left = Money(due, amount.currency)
        raise Refused(f"{amount} is more than order {order.id} still costs: {left}", field="amount", order=order.id)
    return Decided([OrderPaid(amount=amount, reference=reference)])


def refund(order: Order, amount: Money, reference: str | None) -> Decided:
    """Money that goes back; together not more than was paid."""
    _check_amount(order, amount)
    if reference is not None and any(one.reference == reference for one in order.refunds):
        return _same_money(order, next(one for one in order.refunds if one.reference == reference).amount, amount)
    check_limit(limits.PAYMENTS, len(order.refunds) + 1, "refund")
    left = order.paid - order.refunded
    if amount.amount > left:
        told = Money(left, amount.currency)
        raise Refused(
            f"{amount} is more than was paid for order {order.id} and not refunded yet: {told}",
            field="amount",
            order=order.id,
        )
    return Decided([OrderRefunded(amount=amount, reference=reference)])


def _same_money(order: Order, before: Money, amount: Money) -> Decided:
    if before == amount:
        return NOTHING
    raise Refused(f"order {order.id} has this reference for {before} already, not for {amount}", field="reference")


def _check_amount(order: Order, amount: Money) -> None:
    if amount.currency != order.placed.currency:
        raise InvalidValue("currency", f"order {order.id} is in {order.placed.currency}", amount.currency)
    if amount.amount <= 0:
        raise InvalidValue("amount", "must be more than nothing", str(amount.decimal()))


def _chosen(order: Order, wanted: Wanted | None, there: Mapping[str, int], what: str) -> Pieces:
    """Line -> pieces: those that are wanted, checked against those that are there, or all of these."""
    if wanted is None:
        chosen = {line: quantity for line, quantity in there.items() if quantity}
        if not chosen:
            raise Refused(f"no piece of order {order.id} is {what}", order=order.id)
        return chosen
    if not wanted:
        raise InvalidValue("lines", "name at least one line, or leave them out for all")
    for line, quantity in wanted.items():
        if line not in there:
            raise NotFound(f"lines: order {order.id} has no line {line!r}: {', '.join(there)}", field="lines")
        check_pieces(f"lines.{line}", quantity, 1)
        if quantity > there[line]:
            raise Refused(
                f"lines.{line}: {quantity} pieces of line {line} of order {order.id}, but {there[line] or 'none'} "
                f"{'is' if there[line] == 1 else 'are'} {what}",
                field=f"lines.{line}",
                order=order.id,
            )
    return dict(wanted)


def _lines(chosen: Wanted) -> tuple[LineQuantity, ...]:
    return tuple(LineQuantity(line, quantity) for line, quantity in chosen.items())


def _by_sku(order: Order, chosen: Pieces) -> Counter[str]:
    lines = order.lines
    summed: Counter[str] = Counter()
    for line, quantity in chosen.items():
        summed[lines[line].sku] += quantity
    return summed


def _taken(sku: str, there: Mapping[str, int], most: int) -> list[StockMove]:
    """So many pieces out of those that are there, one location after the other."""
    moves = []
    for location, quantity in there.items():
        if most:
            moves.append(StockMove(sku, location, min(quantity, most)))
            most -= min(quantity, most)
    return moves


def _reserved_first_first(order: Order, by_sku: Mapping[str, int], location: str | None) -> list[StockMove]:
    """What is given up of the reservations; where the pieces leave from comes first."""
    moves: list[StockMove] = []
    for sku, most in by_sku.items():
        kept = order.reserved.get(sku, {})
        moves += _taken(sku, dict(sorted(kept.items(), key=lambda one: one[0] != location)), most)
    return moves


def _reserved_last_first(order: Order, by_sku: Mapping[str, int]) -> list[StockMove]:
    """The locations that were asked last gave what the others lacked: theirs is given back first."""
    return [
        move
        for sku, most in by_sku.items()
        for move in _taken(sku, dict(reversed(order.reserved.get(sku, {}).items())), most)
    ]


def _shipping(order: Order, released: Iterable[StockMove], taken: Iterable[StockMove]) -> list[tuple[str, StockEvent]]:
    """A reservation that is elsewhere moves to where the pieces leave from, before they do."""
    moved: list[tuple[str, StockEvent]] = []
    kept = {(one.sku, one.location): one.quantity for one in released}
    for one in taken:
        short = one.quantity - kept.pop((one.sku, one.location), 0)
        if short > 0:
            moved.append((one.sku, StockReserved(order=order.id, location=one.location, quantity=short)))
    for (sku, location), quantity in kept.items():
        moved.append((sku, StockReleased(order=order.id, location=location, quantity=quantity)))
    moved += [(one.sku, StockShipped(order=order.id, location=one.location, quantity=one.quantity)) for one in taken]
    return moved


def _grouped(moves: Iterable[tuple[str, StockEvent]]) -> dict[str, list[StockEvent]]:
    stock: dict[str, list[StockEvent]] = {}
    for sku, event in moves:
        stock.setdefault(sku, []).append(event)
    return stock
