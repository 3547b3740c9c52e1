"""What one order of bol comes to, from `GET /retailer/orders/{order-id}` of the Retailer API v10. Pure.

bol is paid at once, in euros, tax included. An order has items, each with an offer of ours: the offer's reference is
the SKU. What bol sends from its own warehouse (FBB) is not ours to reserve or send: those items are left out, and an
order that has no others is nobody's. Of what left, an order tells the pieces alone.

Hazard: `cancellationRequest` is a wish of the customer, not a fact. It is granted for what did not leave yet, and bol
is to be told so.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from daybook.channel.order_body import member, money, object_in, objects
from daybook.channel.orders import HeardOrder, OrdersIn, ToldLine, ToldOrder, ToldParcel
from daybook.channel.personal import Person, PostalAddress, known_of
from daybook.errors import InvalidValue

CURRENCY = "EUR"
SENT_BY_BOL = "FBB"
OVERLAP_SECONDS = 1800.0
"""While pages are asked for, an order can drop out of the list and move another one out of sight. Whatever changed is
therefore in the answers of half an hour; an order whose items did not change since is not asked for again."""
EVERY_SECONDS = 60.0

Body = Mapping[str, Any]


def heard(order: Body, body: bytes) -> HeardOrder:
    """One order, as the answer to a question about it holds it. Its newest item says when it changed."""
    own = order.get("orderId")
    if not isinstance(own, str) or not own:
        raise InvalidValue("orderId", "must be the order's number")
    stamps = [changed_at(one, f"orderItems[{at}]") for at, one in enumerate(objects(order, "orderItems"))]
    return HeardOrder(number=own, stamp=max(stamps, default=None), body=body)


def changed_at(item: Body, field: str) -> datetime:
    """When an item of an order changed last."""
    try:
        found = datetime.fromisoformat(str(item.get("latestChangedDateTime")))
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise InvalidValue(f"{field}.latestChangedDateTime", "must be a time such as 2026-11-30T09:00:00+01:00")
    return found


def decode(told: HeardOrder) -> ToldOrder:
    """All that bol says of the order, as far as it is ours to send."""
    order = object_in(told.body)
    items = [
        (f"orderItems[{at}]", one)
        for at, one in enumerate(objects(order, "orderItems"))
        if member(one, "fulfilment").get("method") != SENT_BY_BOL
    ]
    if not items:
        return ToldOrder(number=told.number, state="not_sold")
    lines = [_line(one, field) for field, one in items]
    paid = sum((_cost(one, field) for field, one in items), Decimal(0))
    goods = sum((Decimal(one.price) * one.quantity - Decimal(one.discount) for one in lines), Decimal(0))
    cancelled = {_own(one, field): _pieces(one, "quantityCancelled", field) for field, one in items}
    sent = {_own(one, field): _pieces(one, "quantityShipped", field) for field, one in items}
    whole = all(cancelled[one.line] >= one.quantity for one in lines)
    return ToldOrder(
        number=told.number,
        state="cancelled" if whole else "sold",
        currency=CURRENCY,
        lines=tuple(lines),
        shipping=str(paid - goods),
        customer=_customer(member(order, "shipmentDetails"), member(order, "billingDetails")),
        sold_at=_placed_at(order),
        paid=str(paid),
        cancelled={} if whole else cancelled,
        cancel_requested=frozenset(_own(one, field) for field, one in items if one.get("cancellationRequest") is True),
        parcels=_sent(sent),
    )


def _sent(pieces: Mapping[str, int]) -> tuple[ToldParcel, ...]:
    """All that left so far. More of it is another parcel to the book, so its name tells how much it was."""
    left = {line: count for line, count in pieces.items() if count}
    return (ToldParcel(parcel=f"bol-{sum(left.values())}", lines=left),) if left else ()


def _line(one: Body, field: str) -> ToldLine:
    sku = str(member(one, "offer").get("reference") or "")
    if not sku:
        ean = str(member(one, "product").get("ean") or "")
        raise InvalidValue(
            f"{field}.offer.reference",
            f"is empty: the offer of EAN {ean[:13]} was not made from here. Give it the product's SKU as its reference "
            "at bol, or send this order by hand and dismiss it",
        )
    quantity = _pieces(one, "quantity", field)
    price = money(one.get("unitPrice"), f"{field}.unitPrice")
    discount = max(Decimal(0), price * quantity - _cost(one, field))
    return ToldLine(line=_own(one, field), sku=sku, quantity=quantity, price=str(price), discount=str(discount))


def _own(one: Body, field: str) -> str:
    own = one.get("orderItemId")
    if not isinstance(own, str) or not own:
        raise InvalidValue(f"{field}.orderItemId", "must be the item's id")
    return own


def _cost(one: Body, field: str) -> Decimal:
    """What the customer paid for an item."""
    return money(one.get("totalPrice"), f"{field}.totalPrice")


def _pieces(one: Body, name: str, field: str) -> int:
    found = one.get(name, 0)
    if not isinstance(found, int) or isinstance(found, bool) or found < 0:
        raise InvalidValue(f"{field}.{name}", "must be a whole number of pieces")
    return found


def _placed_at(order: Body) -> datetime | None:
    try:
        return datetime.fromisoformat(str(order["orderPlacedDateTime"])) if order.get("orderPlacedDateTime") else None
    except ValueError:
        raise InvalidValue("orderPlacedDateTime", "must be a time such as 2026-11-30T09:00:00+01:00") from None


def _customer(to: Body, billing: Body) -> Person | None:
    """Whom it is sent to: a pick-up point is where it goes, and the customer still who gets it."""
    street = (to.get(part) for part in ("streetName", "houseNumber", "houseNumberExtension"))
    lines = (
        to.get("pickupPointName"),
        to.get("company"),
        " ".join(str(one) for one in street if one),
        to.get("extraAddressInformation"),
    )
    return known_of(
        Person(
            name=" ".join(str(to.get(part) or "") for part in ("firstName", "surname")),
            mail=str(to.get("email") or billing.get("email") or ""),
            phone=str(to.get("deliveryPhoneNumber") or ""),
            address=PostalAddress(
                lines=tuple(str(one) for one in lines if one),
                postcode=str(to.get("zipCode") or ""),
                city=str(to.get("city") or ""),
                country=str(to.get("countryCode") or ""),
            ),
        )
    )


ORDERS = OrdersIn(decode=decode, overlap_seconds=OVERLAP_SECONDS, every_seconds=EVERY_SECONDS)
