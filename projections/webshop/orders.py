"""What a WooCommerce shop says of its orders: webhooks, checked by their signature, and what one order comes to. Pure.

An order counts once the shop counts on it: `on-hold` (paid later), `processing` and `completed` have lowered the shop's
own stock; `pending`, `failed` and a basket at the checkout are nobody's yet; of a status that a plugin made the payment
decides. A delivery's id names no event, as it is
made of the second, and the body is written when it is sent: both are passed over, and `date_modified_gmt` decides.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import ROUND_CEILING, Decimal
from typing import Any, Literal

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
)
from daybook.channel.personal import Person, PostalAddress, known_of
from daybook.errors import InvalidValue
from daybook.values import exponent

SECRETS = "webhook_secrets"
SOLD = frozenset({"on-hold", "processing", "completed", "refunded"})
NOT_SOLD = frozenset({"pending", "failed", "checkout-draft", "auto-draft"})
SENT = "completed"
"""The parcel of what the shop's own people have sent."""
OVERLAP_SECONDS = 300.0
"""The shop writes down when an order was changed before the change can be seen."""


def hear(settings: Mapping[str, str], message: OrderMessage) -> HeardOrder | NothingToHear | Forged:
    """Reads a webhook's request. A ping comes without a signature, form-encoded, and says nothing."""
    shown = message.headers.get("x-wc-webhook-signature")
    topic = message.headers.get("x-wc-webhook-topic", "")
    if shown is None:
        if not topic and message.body.startswith(b"webhook_id="):
            return NothingToHear("a ping")
        return Forged("it has no signature")
    secrets = settings.get(SECRETS, "").split()
    if not secrets:
        return Forged("this channel has no secret to check it with")
    if not signed(shown, message.body, secrets):
        return Forged("its signature is of another secret, or of another body")
    if not topic.startswith("order."):
        return NothingToHear("of no order")
    return heard(object_in(message.body), message.body)


def heard(order: Mapping[str, Any], body: bytes) -> HeardOrder:
    """One order, as a webhook or the answer to a question holds it. One that was deleted is its id alone."""
    own = order.get("id")
    if not isinstance(own, int) or isinstance(own, bool):
        raise InvalidValue("id", "must be the order's number")
    return HeardOrder(number=str(own), stamp=_moment(order.get("date_modified_gmt"), "date_modified_gmt"), body=body)


def decode(told: HeardOrder) -> ToldOrder:
    """All that the shop says of the order."""
    order = object_in(told.body)
    if "status" not in order:
        return ToldOrder(number=told.number, state="gone")
    status, currency = str(order["status"]), str(order.get("currency") or "")
    known = _state(status, bool(order.get("date_paid_gmt")))
    if known in ("not_sold", "gone"):
        return ToldOrder(number=told.number, state=known)
    lines = tuple(
        _line(one, at, currency) for at, one in enumerate(objects(order, "line_items")) if one.get("quantity")
    )
    total = money(order.get("total"), "total")
    rest = total - sum((_cost(one, at) for at, one in enumerate(objects(order, "line_items"))), Decimal(0))
    if rest < 0:
        raise InvalidValue("total", f"is {-rest} less than its lines cost: a fee takes off more than is added")
    paid = order.get("date_paid_gmt") or status in ("processing", SENT)
    return ToldOrder(
        number=told.number,
        state=known,
        currency=currency,
        lines=lines,
        shipping=str(rest),
        customer=_customer(order),
        sold_at=_moment(order.get("date_created_gmt"), "date_created_gmt"),
        paid=str(total) if paid else None,
        rest_cancelled=status == "refunded",
        parcels=(ToldParcel(parcel=SENT),) if status == SENT else (),
        refunds=tuple(
            ToldRefund(reference=str(one.get("id")), amount=str(abs(money(one.get("total"), f"refunds[{at}].total"))))
            for at, one in enumerate(objects(order, "refunds"))
        ),
    )


def _state(status: str, paid: bool) -> Literal["not_sold", "sold", "cancelled", "gone"]:
    """Plugins add statuses of their own, such as `packing`: what was paid is sold, and of the rest nobody knows."""
    if status in SOLD:
        return "sold"
    if status in NOT_SOLD:
        return "not_sold"
    match status:
        case "cancelled":
            return "cancelled"
        case "trash":
            return "gone"
        case _ if paid:
            return "sold"
    raise InvalidValue(
        "status",
        "is none of WooCommerce's own, and nothing was paid: whether the order counts is not known. It is taken as soon"
        " as the shop gives it another one",
        status[:100],
    )


def _line(one: Mapping[str, Any], at: int, currency: str) -> ToldLine:
    """The shop's amounts are before tax and of the whole line; ours are of one piece, and what rounding adds is off."""
    sku, quantity = str(one.get("sku") or ""), one.get("quantity")
    if not sku:
        raise InvalidValue(f"line_items[{at}].sku", "is empty: give the product the SKU that the book has for it")
    if not isinstance(quantity, int) or isinstance(quantity, bool):
        raise InvalidValue(f"line_items[{at}].quantity", "must be a whole number of pieces")
    before = sum(
        (money(one.get(part), f"line_items[{at}].{part}") for part in ("subtotal", "subtotal_tax")), Decimal(0)
    )
    cost = _cost(one, at)
    price = (max(before, cost) / quantity).quantize(Decimal(1).scaleb(-exponent(currency)), ROUND_CEILING)
    return ToldLine(
        line=str(one.get("id")),
        sku=sku,
        quantity=quantity,
        price=str(price),
        discount=str(price * quantity - cost),
        tax=str(money(one.get("total_tax"), f"line_items[{at}].total_tax")),
    )


def _cost(one: Mapping[str, Any], at: int) -> Decimal:
    """What the customer pays for a line, tax included."""
    return sum((money(one.get(part), f"line_items[{at}].{part}") for part in ("total", "total_tax")), Decimal(0))


def _customer(order: Mapping[str, Any]) -> Person | None:
    """Whom it is sent to, and how he or she is reached."""
    billing, shipping = member(order, "billing"), member(order, "shipping")
    to = shipping if any(shipping.get(part) for part in ("address_1", "city", "postcode")) else billing
    name = " ".join(str(to.get(part) or billing.get(part) or "") for part in ("first_name", "last_name"))
    lines = tuple(str(to.get(part) or "") for part in ("company", "address_1", "address_2"))
    return known_of(
        Person(
            name=name,
            mail=str(billing.get("email") or ""),
            phone=str(shipping.get("phone") or billing.get("phone") or ""),
            address=PostalAddress(
                lines=lines,
                postcode=str(to.get("postcode") or ""),
                city=str(to.get("city") or ""),
                region=str(to.get("state") or ""),
                country=str(to.get("country") or ""),
            ),
        )
    )


def _moment(value: Any, field: str) -> datetime | None:
    """The shop's times in GMT, which name no zone."""
    if not value:
        return None
    try:
        return datetime.fromisoformat(str(value)).replace(tzinfo=UTC)
    except ValueError:
        raise InvalidValue(field, "must be a time such as 2026-11-30T09:00:00") from None


ORDERS = OrdersIn(decode=decode, hear=hear, overlap_seconds=OVERLAP_SECONDS)
