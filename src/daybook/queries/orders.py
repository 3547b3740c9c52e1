"""Orders: one as it is or was, what happened to it, and the list of them, newest first.

There is no read model yet: an order has few events, found by its key, and the list is read from the index by type.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from daybook.errors import InvalidValue
from daybook.events import CancelCause, ListingEvent, ListingRejected, OrderCancelled, Recorded
from daybook.events.envelope import ORDER_KEY
from daybook.limits import ROWS
from daybook.log.reader import LAST, Reader, recorded
from daybook.orders.decisions import known
from daybook.orders.state import Order, OrderStatus, PaymentStatus, evolve
from daybook.postgres.pool import Pool, fetch
from daybook.postgres.sql import beside
from daybook.queries.moment import Moment
from daybook.queries.receipts import outcome_of
from daybook.queries.sentences import sentence
from daybook.values import Money

QUERIES = beside(__file__)


class OrderLineView(msgspec.Struct, frozen=True, kw_only=True):
    """A line, with what became of its pieces. Amounts are in major units."""

    line: str
    sku: str
    quantity: int
    price: str
    discount: str
    tax: str
    open: int
    """Neither shipped nor cancelled."""
    cancelled: int
    shipped: int
    returned: int


class ReservedPieces(msgspec.Struct, frozen=True):
    """Pieces that a location keeps for the order."""

    sku: str
    location: str
    quantity: int


class ParcelView(msgspec.Struct, frozen=True, kw_only=True):
    """A parcel that left."""

    parcel: str
    carrier: str | None
    tracking: str | None
    lines: dict[str, int]


class ReturnView(msgspec.Struct, frozen=True, kw_only=True):
    """What came back at once."""

    reference: str | None
    lines: dict[str, int]
    restocked: bool


class ToldSystem(msgspec.Struct, frozen=True, kw_only=True):
    """An outside system that was, or is to be, told something about the order: a shipper, a CRM, the shop itself."""

    channel: str
    facet: str
    """What it is told, in that channel's words."""
    state: str
    """`due`, `accepted`, `confirmed` or `rejected`."""
    answered_at: datetime | None = None
    """When its last answer was recorded."""
    reasons: list[str] = []
    """Why it refused."""


class OrderSummary(msgspec.Struct, frozen=True, kw_only=True):
    """An order in a list."""

    order: str
    """`<channel>:<number>`: its name everywhere."""
    channel: str
    number: str
    status: OrderStatus
    payment: PaymentStatus
    currency: str
    total: str
    """Of all that was ordered, in major units."""
    pieces: int
    oversold: int
    """Pieces that were not there when it came."""
    person: str | None
    """The id of who ordered; `daybook privacy show` tells who that is."""
    placed_at: datetime
    """When Daybook recorded it."""
    position: int
    """Of the event that placed it."""


class OrderView(OrderSummary, frozen=True, kw_only=True):
    """An order as it was at a moment."""

    lines: list[OrderLineView]
    reserved: list[ReservedPieces]
    parcels: list[ParcelView]
    returns: list[ReturnView]
    told: list[ToldSystem]
    """In order of channel and facet. What is due stands here only in an answer about now."""
    shipping: str
    tax_included: bool
    paid: str
    refunded: str
    already_sold: bool
    sold_at: datetime | None
    version: int
    """Of the order's own stream: what If-Match compares."""


class OrderPage(msgspec.Struct, frozen=True):
    """Orders, newest first, and the `before` of the next page; null on the last one."""

    orders: list[OrderSummary]
    next: int | None


class OrderChange(msgspec.Struct, frozen=True, kw_only=True):
    """One event of an order, or what an outside system answered about it."""

    position: int
    recorded_at: datetime
    type: str
    sentence: str
    actor: str
    reason: str | None
    source: str
    event_id: str
    stream: str
    version: int
    correlation_id: str
    causation_id: str | None
    command_id: str
    access: str | None
    cause: CancelCause | None = None
    """Of a cancellation."""


def show(reader: Reader, pool: Pool, order: str, moment: Moment, *, now: bool) -> OrderView:
    """The order at the moment. Raises NotFound, also for one that came later. One indexed statement.

    `now`: the moment is the present: what outside systems are still to be told is looked up as well.
    """
    events = reader.of_key(f"{ORDER_KEY}{order}", upto=moment.position)
    found = known(_folded(events), order)
    told = {(one.channel, one.facet): one for one in _answers(events)}
    for channel, facet, state in fetch(pool, QUERIES["told"], {"order": order}) if now else ():
        before = told.get((channel, facet)) or ToldSystem(channel=channel, facet=facet, state=state)
        told[channel, facet] = msgspec.structs.replace(before, state=state)
    return _view(found, events, [told[where] for where in sorted(told)])


def history(reader: Reader, order: str, *, limit: int = ROWS.most, after: int = 0) -> list[OrderChange]:
    """What happened to the order after a position, oldest first, at most `limit`. Raises NotFound and InvalidValue."""
    _check(limit)
    events = reader.of_key(f"{ORDER_KEY}{order}")
    known(_folded(events), order)
    return [_change(one) for one in events if one.position > after][:limit]


def page(
    pool: Pool,
    *,
    channels: frozenset[str] | None = None,
    before: int | None = None,
    limit: int = 50,
    oversold: bool = False,
    state: OrderStatus | None = None,
) -> OrderPage:
    """The newest orders, before a position: of these channels, or of all. Two indexed statements.

    `oversold`: only those that had pieces which were not there; `state`: only those that are so far. Both are sought
    among all, the newest first.
    """
    _check(limit)
    given = {
        "before": LAST if before is None else before,
        "channels": None if channels is None else sorted(channels),
        "limit": limit,
        "oversold": oversold,
        "state": state,
    }
    newest = fetch(pool, QUERIES["newest" if state is None else "newest_of"], given)
    events: dict[str, list[Recorded]] = {str(key): [] for _, key in newest}
    for row in fetch(pool, QUERIES["of_keys"], {"keys": list(events)}) if events else ():
        one = recorded(row)
        events[one.key].append(one)
    found = [_summary(known(_folded(those), key), those) for key, those in events.items()]
    return OrderPage(found, found[-1].position if len(found) == limit else None)


def _check(limit: int) -> None:
    if not 1 <= limit <= ROWS.most:
        raise InvalidValue("limit", f"must be between 1 and {ROWS.most}", limit)


def _folded(events: Iterable[Recorded]) -> Order | None:
    order: Order | None = None
    for one in events:
        order = evolve(order, one.event)
    return order


def _summary(order: Order, events: Sequence[Recorded]) -> OrderSummary:
    placed = order.placed
    return OrderSummary(
        order=order.id,
        channel=placed.channel,
        number=placed.number,
        status=order.status,
        payment=order.payment,
        currency=placed.currency,
        total=_major(order, order.total),
        pieces=sum(one.quantity for one in placed.lines),
        oversold=order.oversold,
        person=placed.person,
        placed_at=events[0].recorded_at,
        position=events[0].position,
    )


def _answers(events: Iterable[Recorded]) -> Iterable[ToldSystem]:
    for one in events:
        event = one.event
        if not isinstance(event, ListingEvent):
            continue
        reasons = event.reasons if isinstance(event, ListingRejected) else ()
        for facet in event.facets:
            yield ToldSystem(
                channel=event.channel,
                facet=facet.facet,
                state=outcome_of(event),
                answered_at=one.recorded_at,
                reasons=[f"{reason.code} {reason.message}".strip() for reason in reasons],
            )


def _view(order: Order, events: Sequence[Recorded], told: list[ToldSystem]) -> OrderView:
    placed = order.placed
    return OrderView(
        **msgspec.structs.asdict(_summary(order, events)),
        lines=_lines(order),
        reserved=[
            ReservedPieces(sku, location, quantity)
            for sku, there in order.reserved.items()
            for location, quantity in there.items()
        ],
        parcels=[
            ParcelView(
                parcel=one.parcel,
                carrier=one.carrier,
                tracking=one.tracking,
                lines={each.line: each.quantity for each in one.lines},
            )
            for one in order.parcels
        ],
        returns=[
            ReturnView(
                reference=one.reference,
                lines={each.line: each.quantity for each in one.lines},
                restocked=bool(one.restocked),
            )
            for one in order.returns
        ],
        told=told,
        shipping=_major(order, placed.shipping),
        tax_included=placed.tax_included,
        paid=_major(order, order.paid),
        refunded=_major(order, order.refunded),
        already_sold=placed.already_sold,
        sold_at=placed.sold_at,
        version=max(one.version for one in events if one.stream == f"order/{order.id}"),
    )


def _lines(order: Order) -> list[OrderLineView]:
    return [
        OrderLineView(
            line=one.line,
            sku=one.sku,
            quantity=one.quantity,
            price=_major(order, one.price),
            discount=_major(order, one.discount),
            tax=_major(order, one.tax),
            open=order.remaining(one),
            cancelled=order.cancelled.get(one.line, 0),
            shipped=order.shipped.get(one.line, 0),
            returned=order.returned.get(one.line, 0),
        )
        for one in order.placed.lines
    ]


def _major(order: Order, minor: int) -> str:
    return f"{Money(minor, order.placed.currency).decimal():f}"


def _change(one: Recorded) -> OrderChange:
    return OrderChange(
        position=one.position,
        recorded_at=one.recorded_at,
        type=one.type,
        sentence=sentence(one.event, ()),
        actor=one.actor,
        reason=one.reason,
        source=one.source,
        event_id=one.event_id,
        stream=one.stream,
        version=one.version,
        correlation_id=one.correlation_id,
        causation_id=one.causation_id,
        command_id=one.command_id,
        access=one.access,
        cause=one.event.cause if isinstance(one.event, OrderCancelled) else None,
    )
