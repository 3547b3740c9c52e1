"""What a Shopify shop says of its orders: webhooks, checked by their signature, and what one order comes to. Pure.

A shop commits its stock the moment an order is made, paid or not, so every order is sold but a test. Which message came
is of no weight: `orders/updated` may overtake `orders/create`, and one event is told once for each subscription. Each
holds the whole order, and `updated_at` decides. What was asked for comes in the same words (see `order_query`).
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from daybook.channel.order_body import member, money, object_in, objects, signed
from daybook.channel.orders import (
    Forged,
    HeardOrder,
    NothingToHear,
    OrderMessage,
    OrdersIn,
    ToldLine,
    ToldOrder,
    ToldParcel,
    ToldRefund,
    ToldReturn,
)
from daybook.channel.personal import Person, PostalAddress, known_of
from daybook.errors import InvalidValue

SECRETS = "webhook_secrets"
WHOLE = frozenset(
    f"orders/{event}"
    for event in ("create", "updated", "paid", "cancelled", "fulfilled", "partially_fulfilled", "delete")
)
"""Topics whose body is an order. Those of `orders/edited` and `refunds/create` hold none: `orders/updated` does."""
PAID = frozenset({"paid", "partially_refunded", "refunded"})
NOT_SENT = frozenset({"cancelled", "error", "failure"})
"""States of a fulfilment that took no pieces."""
OWN_DOMAIN = ".myshopify.com"
OVERLAP_SECONDS = 300.0
"""The shop's search for changed orders lags behind them."""

Body = Mapping[str, Any]


def hear(settings: Mapping[str, str], message: OrderMessage) -> HeardOrder | NothingToHear | Forged:
    """Reads a webhook's request. Both the app's secret and those of webhooks that were made by hand sign."""
    shown = _header(message, "hmac-sha256")
    if shown is None:
        return Forged("it has no signature")
    secrets = [*settings.get(SECRETS, "").split(), *filter(None, [settings.get("client_secret")])]
    if not secrets:
        return Forged("this channel has no secret to check it with")
    if not signed(shown, message.body, secrets):
        return Forged("its signature is of another secret, or of another body")
    domain, own = _header(message, "shop-domain"), urlsplit(settings.get("url", "")).hostname or ""
    if domain and own.endswith(OWN_DOMAIN) and domain.lower() != own.lower():
        return Forged(f"it is of the shop {domain[:100]}, where the same app is installed, and not of {own}")
    if _header(message, "topic") not in WHOLE:
        return NothingToHear("of no order as a whole")
    return heard(object_in(message.body), message.body)


def heard(order: Body, body: bytes) -> HeardOrder:
    """One order, as a webhook or the answer to a question holds it. One that was deleted is its id alone."""
    own = order.get("id")
    if not isinstance(own, int) or isinstance(own, bool):
        raise InvalidValue("id", "must be the order's number")
    return HeardOrder(number=str(own), stamp=_moment(order.get("updated_at"), "updated_at"), body=body)


def decode(told: HeardOrder) -> ToldOrder:
    """All that the shop says of the order."""
    order = object_in(told.body)
    if "line_items" not in order:
        return ToldOrder(number=told.number, state="gone")
    if order.get("incomplete"):
        raise InvalidValue(str(order["incomplete"]), "are more than can be asked for: look at the order in the shop")
    if order.get("test"):
        return ToldOrder(number=told.number, state="not_sold")
    lines = {str(one.get("id")): one for one in objects(order, "line_items") if _counts(one)}
    parcels = tuple(_parcels(order, lines.keys()))
    cancelled_whole = order.get("cancelled_at") is not None and not parcels
    return ToldOrder(
        number=told.number,
        state="cancelled" if cancelled_whole else "sold",
        currency=str(order.get("currency", "")),
        lines=tuple(_line(name, one, bool(order.get("taxes_included"))) for name, one in lines.items()),
        shipping=str(_besides(order, lines)),
        tax_included=bool(order.get("taxes_included")),
        customer=_customer(order),
        sold_at=_moment(order.get("processed_at") or order.get("created_at"), "processed_at"),
        paid=_paid(order),
        cancelled={} if cancelled_whole else _cancelled(order, lines, parcels),
        parcels=parcels,
        returns=tuple(_returns(order, lines.keys())),
        refunds=tuple(_refunds(order)),
    )


def _counts(one: Body) -> bool:
    """Whether a line is about goods: a tip and a gift card without a SKU are money alone."""
    return bool(one.get("quantity")) and bool(one.get("sku") or one.get("requires_shipping", True))


def _line(name: str, one: Body, tax_included: bool) -> ToldLine:
    sku = str(one.get("sku") or "")
    if not sku:
        raise InvalidValue(
            f"line_items[{name}].sku", "is empty: give the variant the SKU that the book has for it, then take it anew"
        )
    return ToldLine(
        line=name,
        sku=sku,
        quantity=_pieces(one.get("quantity"), f"line_items[{name}].quantity"),
        price=str(money(one.get("price"), f"line_items[{name}].price")),
        discount=str(_discount(one, name)),
        tax=str(_tax(one, name)),
    )


def _discount(one: Body, name: str) -> Decimal:
    """Off the whole line, its share of what is off the whole order too: `total_discount` lacks that."""
    if "discount_allocations" not in one:
        return money(one.get("total_discount"), f"line_items[{name}].total_discount")
    return _sum(one, "discount_allocations", "amount")


def _tax(one: Body, name: str) -> Decimal:
    return _sum(one, "tax_lines", "price")


def _besides(order: Body, lines: Mapping[str, Body]) -> Decimal:
    """What is paid besides the lines: sending, tips, duties. At least what sending costs, whatever was taken off."""
    taxed = not order.get("taxes_included")
    sent = Decimal(0)
    for at, one in enumerate(objects(order, "shipping_lines")):
        price = one.get("discounted_price", one.get("price"))
        sent += money(price, f"shipping_lines[{at}].price") + (_tax(one, "") if taxed else 0)
    rest = money(order.get("total_price"), "total_price")
    for name, line in lines.items():
        price = money(line.get("price"), f"line_items[{name}].price")
        rest -= price * int(line["quantity"]) - _discount(line, name) + (_tax(line, name) if taxed else 0)
    return max(rest, sent)


def _paid(order: Body) -> str | None:
    status, total = str(order.get("financial_status") or ""), money(order.get("total_price"), "total_price")
    if status in PAID:
        return str(total)
    if status == "partially_paid":
        return str(max(Decimal(0), total - money(order.get("total_outstanding"), "total_outstanding")))
    return None


def _parcels(order: Body, lines: Any) -> Iterator[ToldParcel]:
    for one in objects(order, "fulfillments"):
        pieces = _by_line(one, "line_items", "id", lines)
        if str(one.get("status")) not in NOT_SENT and pieces:
            yield ToldParcel(
                parcel=str(one.get("id")),
                lines=pieces,
                carrier=_text(one.get("tracking_company")),
                tracking=_text(one.get("tracking_number")),
            )


def _cancelled(order: Body, lines: Mapping[str, Body], parcels: tuple[ToldParcel, ...]) -> dict[str, int]:
    """Line -> pieces that will not be sent: taken off by an edit, or paid back before they left.

    Paid back without being put into stock again (`no_restock`) says both of pieces that were sent and are kept, and of
    those that never were: then what the shop still means to send decides.
    """
    gone: dict[str, int] = {}
    sent: Counter[str] = Counter()
    for parcel in parcels:
        sent.update(parcel.lines or {})
    back, lost = (_refunded(order, lines.keys(), kind) for kind in ("return", "no_restock"))
    for name, one in lines.items():
        quantity = _pieces(one.get("quantity"), f"line_items[{name}].quantity")
        if order.get("cancelled_at") is not None:
            gone[name] = quantity - sent[name]
            continue
        current = _pieces(one.get("current_quantity", quantity), f"line_items[{name}].current_quantity")
        surely = quantity - current - back[name] - lost[name]
        to_send = one.get("fulfillable_quantity")
        open_ = quantity - sent[name] - surely
        unsent = open_ - to_send if isinstance(to_send, int) else open_ if not sent[name] else 0
        gone[name] = max(0, surely) + max(0, min(lost[name], unsent))
    return {name: pieces for name, pieces in gone.items() if pieces > 0}


def _refunded(order: Body, lines: Any, kind: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for one in objects(order, "refunds"):
        chosen = [each for each in objects(one, "refund_line_items") if each.get("restock_type") == kind]
        found.update(_by_line({"chosen": chosen}, "chosen", "line_item_id", lines))
    return found


def _returns(order: Body, lines: Any) -> Iterator[ToldReturn]:
    for one in objects(order, "refunds"):
        came = [each for each in objects(one, "refund_line_items") if each.get("restock_type") == "return"]
        if pieces := _by_line({"came": came}, "came", "line_item_id", lines):
            yield ToldReturn(reference=f"refund-{one.get('id')}", lines=pieces)


def _refunds(order: Body) -> Iterator[ToldRefund]:
    for one in objects(order, "refunds"):
        moved = [each for each in objects(one, "transactions") if each.get("status", "success") == "success"]
        moved = [each for each in moved if each.get("kind", "refund") == "refund"]
        own = str(order.get("currency", ""))
        if moved and all(str(each.get("currency") or own) == own for each in moved):
            amount = sum((money(each.get("amount"), "refunds.transactions.amount") for each in moved), Decimal(0))
        elif moved:  # paid back in the customer's money: the lines are in the shop's
            amount = _sum(one, "refund_line_items", "subtotal") - _sum(one, "order_adjustments", "amount")
            if not order.get("taxes_included"):
                amount += _sum(one, "refund_line_items", "total_tax") - _sum(one, "order_adjustments", "tax_amount")
        else:
            continue
        if amount > 0:
            yield ToldRefund(reference=str(one.get("id")), amount=str(amount))


def _customer(order: Body) -> Person | None:
    """Whom it is sent to. A shop whose app may not see its customers tells nobody."""
    billing, shipping = member(order, "billing_address"), member(order, "shipping_address")
    to = shipping or billing
    return known_of(
        Person(
            name=" ".join(str(to.get(part) or "") for part in ("first_name", "last_name")),
            mail=str(order.get("email") or ""),
            phone=str(to.get("phone") or order.get("phone") or ""),
            address=PostalAddress(
                lines=tuple(str(to.get(part) or "") for part in ("company", "address1", "address2")),
                postcode=str(to.get("zip") or ""),
                city=str(to.get("city") or ""),
                region=str(to.get("province_code") or ""),
                country=str(to.get("country_code") or ""),
            ),
        )
    )


def _by_line(holder: Body, field: str, name: str, lines: Any) -> dict[str, int]:
    found: Counter[str] = Counter()
    for at, one in enumerate(objects(holder, field)):
        if str(one.get(name)) in lines:
            found[str(one.get(name))] += _pieces(one.get("quantity"), f"{field}[{at}].quantity")
    return {line: pieces for line, pieces in found.items() if pieces}


def _header(message: OrderMessage, name: str) -> str | None:
    """The newer kind of messages leaves the `X-` out."""
    return message.headers.get(f"x-shopify-{name}") or message.headers.get(f"shopify-{name}")


def _text(value: Any) -> str | None:
    return str(value).strip() or None if value else None


def _pieces(value: Any, field: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise InvalidValue(field, "must be a whole number of pieces")
    return value


def _sum(holder: Body, field: str, part: str) -> Decimal:
    return sum(
        (money(one.get(part), f"{field}[{at}].{part}") for at, one in enumerate(objects(holder, field))), Decimal(0)
    )


def _moment(value: Any, field: str) -> datetime | None:
    if not value:
        return None
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise InvalidValue(field, "must be a time with its zone, such as 2026-11-30T09:00:00+01:00")
    return found


ORDERS = OrdersIn(decode=decode, hear=hear, overlap_seconds=OVERLAP_SECONDS)
