"""Orders: placed with their stock, paid, cancelled, shipped, returned and refunded."""

from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from daybook.access.authority import reach
from daybook.commands import CancelOrder, PayOrder, RefundOrder, ReturnOrder, ShipOrder
from daybook.commands.order_intake import NewOrder
from daybook.errors import InvalidValue, VersionConflict
from daybook.events import CancelCause
from daybook.filters.names import check_channel
from daybook.filters.visible import check_within
from daybook.orders.state import OrderStatus
from daybook.queries.orders import OrderChange, OrderPage, OrderView, history, page, show
from daybook.queries.reach import channels_within
from daybook.web.authorise import authorised
from daybook.web.caller import Known
from daybook.web.declared import COMMAND, QUESTION, UNCHANGED, created, problems
from daybook.web.dependencies import InjectedApp, InjectedCaller, InjectedPrincipal
from daybook.web.moments import At, Position, moment
from daybook.web.needs import needs
from daybook.web.pages import AfterPosition, RowLimit
from daybook.web.responses import Receipt, carry_out, conditional, receipt_of

PATH = "/api/v1/orders"
ONE = "/orders/{order:str}"
_PLACE: dict[str, Any] = COMMAND | {"responses": COMMAND["responses"] | created() | problems(410)}
StatusFilter = Annotated[OrderStatus | None, QueryParameter(name="state", description="Only those that are so far.")]
Before = Annotated[
    int | None,
    QueryParameter(
        name="before",
        description="Go on behind this position: the `next` of the page before.",
        schema_extra={"minimum": 1},
    ),
]


class Paid(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Money that came in, or went back."""

    amount: str
    currency: str
    reference: str | None = None
    """The payment's or refund's own number: told twice, it counts once."""


class Cancelled(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What will not be shipped; all that is open when no line is named."""

    lines: dict[str, int] | None = None
    """Line -> pieces."""
    cause: CancelCause = "other"


class Shipped(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A parcel that left; with all that is open when no line is named."""

    parcel: str
    """Its name within the order: told twice, it left once."""
    lines: dict[str, int] | None = None
    carrier: str | None = None
    tracking: str | None = None
    location: str | None = None
    """Where it left from, when that is not where its pieces are reserved."""


class Returned(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What came back; all that was shipped when no line is named."""

    lines: dict[str, int] | None = None
    location: str | None = None
    """Where it is now, when that is not where it left from."""
    restock: bool = True
    """It may be sold again."""
    reference: str | None = None
    """The return's own number: told twice, it came back once."""


class OrderHistory(msgspec.Struct, frozen=True):
    """Changes, oldest first, and the `after` of the next page; null on the last one."""

    changes: list[OrderChange]
    next: int | None


@post("/orders", **_PLACE, **needs("order.place", command=True), summary="Place an order")
def place_order(app: InjectedApp, caller: InjectedCaller, data: JSONBody[NewOrder]) -> Response[Receipt]:
    """The order and its stock, at once: all of it is reserved, or it is refused (409 `out_of_stock`).

    The same order again changes nothing; another one under the same number is refused.
    """
    if caller.expected_version:
        raise InvalidValue("If-Match", "a new order has no ETag: leave it out")
    context = msgspec.structs.replace(caller.context, access=authorised(app, caller.principal, data.command()))
    done = app.orders.place(data, context, repeatable=caller.repeatable)
    if caller.expected_version == 0 and not (done.created or done.repeated):
        raise VersionConflict(f"order {data.name} is there already", expected=0)
    return receipt_of(app, done, f"order/{data.name}", f"{PATH}/{data.name}")


@get("/orders", **QUESTION, **needs("order.read", listed=True), summary="The orders")
def list_orders(
    app: InjectedApp,
    principal: InjectedPrincipal,
    channel: FromQuery[str | None] = None,
    before: Before = None,
    limit: RowLimit = 50,
    oversold: FromQuery[bool] = False,
    status: StatusFilter = None,
) -> OrderPage:
    """Orders, newest first, a page at a time.

    `oversold`: only those with pieces that were not there. `state`: only those that are so far.
    """
    readable = reach(principal, "order.read")
    check_within(readable, channel, "channel", "order.read")
    within = channels_within(readable) if channel is None else frozenset({check_channel(app, channel)})
    return page(app.pool, channels=within, before=before, limit=limit, oversold=oversold, state=status)


@get(ONE, **UNCHANGED, **needs("order.read", order="order"), summary="An order")
def show_order(
    app: InjectedApp, order: FromPath[str], at: At = None, position: Position = None, if_none_match: Known = None
) -> Response[OrderView]:
    """Now or at a moment: lines, reservations, parcels, money, what others were told. Honours If-None-Match."""
    now = at is None and position is None
    found = show(app.reader, app.pool, order, moment(app.reader, at, position), now=now)
    return conditional(if_none_match, found, found.version)


@get(f"{ONE}/history", **QUESTION, **needs("order.read", order="order"), summary="An order's history")
def show_order_history(
    app: InjectedApp, order: FromPath[str], after: AfterPosition = 0, limit: RowLimit = 100
) -> OrderHistory:
    """What happened, who did it, why, and what outside systems answered."""
    changes = history(app.reader, order, after=after, limit=limit)
    return OrderHistory(changes, changes[-1].position if len(changes) == limit else None)


@post(f"{ONE}/paid", **COMMAND, **needs("order.pay", command=True), summary="Record a payment")
def pay_order(
    app: InjectedApp, caller: InjectedCaller, order: FromPath[str], data: JSONBody[Paid]
) -> Response[Receipt]:
    """Together, payments come to what the order costs at most."""
    wish = PayOrder(order=order, amount=data.amount, currency=data.currency, reference=data.reference)
    return carry_out(app, caller, wish, f"order/{order}")


@post(f"{ONE}/refunded", **COMMAND, **needs("order.refund", command=True), summary="Record a refund")
def refund_order(
    app: InjectedApp, caller: InjectedCaller, order: FromPath[str], data: JSONBody[Paid]
) -> Response[Receipt]:
    """Together, refunds come to what was paid at most."""
    wish = RefundOrder(order=order, amount=data.amount, currency=data.currency, reference=data.reference)
    return carry_out(app, caller, wish, f"order/{order}")


@post(f"{ONE}/cancelled", **COMMAND, **needs("order.cancel", command=True), summary="Cancel an order")
def cancel_order(
    app: InjectedApp, caller: InjectedCaller, order: FromPath[str], data: JSONBody[Cancelled]
) -> Response[Receipt]:
    """Pieces that were not shipped will not be, and are free again."""
    return carry_out(app, caller, CancelOrder(order=order, lines=data.lines, cause=data.cause), f"order/{order}")


@post(f"{ONE}/shipped", **COMMAND, **needs("order.ship", command=True), summary="Record a parcel")
def ship_order(
    app: InjectedApp, caller: InjectedCaller, order: FromPath[str], data: JSONBody[Shipped]
) -> Response[Receipt]:
    """A parcel left, and its pieces are in stock no more."""
    wish = ShipOrder(order=order, **msgspec.structs.asdict(data))
    return carry_out(app, caller, wish, f"order/{order}")


@post(f"{ONE}/returned", **COMMAND, **needs("order.return", command=True), summary="Record a return")
def return_order(
    app: InjectedApp, caller: InjectedCaller, order: FromPath[str], data: JSONBody[Returned]
) -> Response[Receipt]:
    """Pieces came back, and are in stock again where they may be sold again."""
    wish = ReturnOrder(order=order, **msgspec.structs.asdict(data))
    return carry_out(app, caller, wish, f"order/{order}")


ROUTES: tuple[Any, ...] = (
    *(place_order, list_orders, show_order, show_order_history),
    *(pay_order, cancel_order, ship_order, return_order, refund_order),
)
