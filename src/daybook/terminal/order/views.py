"""What a person sees of orders."""

from collections.abc import Sequence

from daybook.queries.orders import OrderChange, OrderPage, OrderView
from daybook.terminal.render import Show, line, stacked
from daybook.terminal.tables import table


def shown(found: OrderView) -> Show:
    """The order, its lines, and where its pieces are."""
    title = f"{found.order}: {found.status}, {found.payment}, {found.total} {found.currency}, version {found.version}"
    facts = [
        ("placed", found.placed_at),
        ("person", found.person),
        ("paid", f"{found.paid} {found.currency}"),
        ("refunded", f"{found.refunded} {found.currency}" if float(found.refunded) else None),
        ("shipping", f"{found.shipping} {found.currency}"),
        ("oversold", found.oversold or None),
    ]
    lines = [
        (one.line, one.sku, one.quantity, one.price, one.open, one.cancelled, one.shipped, one.returned)
        for one in found.lines
    ]
    columns = ("line", "SKU", "#pieces", "#price", "#open", "#cancelled", "#shipped", "#returned")
    parts = [
        line(title),
        table(("field", "value"), [row for row in facts if row[1] is not None]),
        table(columns, lines),
    ]
    if found.reserved:
        reserved = [(one.sku, one.location, one.quantity) for one in found.reserved]
        parts.append(table(("SKU", "reserved at", "#pieces"), reserved))
    if found.parcels:
        parcels = [(one.parcel, one.carrier, one.tracking, one.lines) for one in found.parcels]
        parts.append(table(("parcel", "carrier", "tracking", "lines"), parcels))
    if found.told:
        told = [(one.channel, one.facet, one.state, one.answered_at, "; ".join(one.reasons)) for one in found.told]
        parts.append(table(("told", "what", "state", "answered (UTC)", "why"), told))
    return stacked(*parts)


def listed(found: OrderPage) -> Show:
    """One line an order."""
    rows = [
        (one.order, one.placed_at, one.status, one.payment, f"{one.total} {one.currency}", one.pieces, one.oversold)
        for one in found.orders
    ]
    return table(("order", "placed (UTC)", "status", "payment", "total", "#pieces", "#oversold"), rows, "no orders")


def history(found: Sequence[OrderChange]) -> Show:
    """One line a change."""
    rows = [(one.position, one.recorded_at, one.sentence, one.actor, one.reason) for one in found]
    return table(("#position", "when (UTC)", "what", "who", "why"), rows, "no change")
