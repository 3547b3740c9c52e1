"""The orders half of bol's sandbox: customers buy, ask to cancel and are served; lists by page, orders by id (v10).

A list shows items of one way of fulfilment, newest orders first, 50 to a page: open ones, and what was handled within
the last 48 hours. `lag_seconds` is how late it shows a change. Stock: bol takes pieces off that were ordered after the
offer was last updated, or all open ones where the retailer leaves that to bol (`managedByRetailer` false).
"""

import itertools
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta, timezone
from typing import Any

import msgspec
from aiohttp import web

from daybook.channel.contract import Payload
from daybook_projections.bol.sandbox.content import ContentServer
from daybook_projections.bol.sandbox.requests import RETAILER_V10, Refusal, answer, operation, refuse

ZONE = timezone(timedelta(hours=1))
ORDERS_A_PAGE = 50
INTERVAL_MAX = 60
HANDLED_SECONDS = 48 * 3600
HISTORY = timedelta(days=92)
BUYER: Payload = {
    "salutation": "FEMALE",
    "firstName": "Grace",
    "surname": "Hopper",
    "streetName": "Keizersgracht",
    "houseNumber": "1",
    "houseNumberExtension": "A",
    "zipCode": "1015CJ",
    "city": "Amsterdam",
    "countryCode": "NL",
    "email": "2ge4x6yrnx@verkopen.bol.com",
    "language": "nl",
}


class Bought(msgspec.Struct, kw_only=True):
    """An item of an order, as `GET` gives it, and when it was bought."""

    at: float
    changed: float
    body: Payload


class OrderServer(ContentServer):
    """Orders by id. `offers` are next door."""

    def __init__(self, token_seconds: float) -> None:
        super().__init__(token_seconds)
        self.offers: dict[str, Payload] = {}
        """By offer id, as `GET` gives them."""
        self.updated_at: dict[str, float] = {}
        """Offer -> when it was last written."""
        self.tells_orders = True
        self.lag_seconds = 0.0
        self.clock: Callable[[], float] = time.time
        self._orders: dict[str, list[Bought]] = {}
        self._numbers_of_orders = itertools.count(4123456789)
        self._numbers_of_items = itertools.count(2012345678)

    def order_routes(self) -> list[web.RouteDef]:
        """Of api.bol.com, in version 10."""
        return [web.get("/retailer/orders", self.list_orders), web.get("/retailer/orders/{id}", self.get_order)]

    def buy(self, *items: tuple[str, int], discount: float = 0.0, method: str = "FBR") -> str:
        """A customer buys pieces of offers, each by its reference; the order's id."""
        own, at = str(next(self._numbers_of_orders)), self.clock()
        self._orders[own] = [self._bought(sku, pieces, discount, method, at) for sku, pieces in items]
        return own

    def buy_from_bol(self, order: str, sku: str, pieces: int) -> None:
        """The same order has pieces that bol sends from its own warehouse."""
        self._orders[order].append(self._bought(sku, pieces, 0.0, "FBB", self.clock()))

    def items(self, order: str) -> list[str]:
        """The ids of an order's items."""
        return [str(one.body["orderItemId"]) for one in self._orders[order]]

    def ask_to_cancel(self, order: str, item: str) -> None:
        """The customer does not want an item any more."""
        self._change(order, item, cancellationRequest=True)

    def cancel(self, order: str, item: str, pieces: int | None = None) -> None:
        """Pieces will not be sent, all that are open without a number."""
        one = self._item(order, item)
        found = one["quantityCancelled"] + (_open(one) if pieces is None else pieces)
        self._change(order, item, quantityCancelled=found, cancellationRequest=False)

    def send(self, order: str, item: str, pieces: int | None = None) -> None:
        """Pieces were told to be on their way, all that are open without a number."""
        one = self._item(order, item)
        self._change(order, item, quantityShipped=one["quantityShipped"] + (_open(one) if pieces is None else pieces))

    def pieces(self, order: str, item: str) -> tuple[int, int, int]:
        """Those of an item that are open, sent and cancelled."""
        one = self._item(order, item)
        return _open(one), one["quantityShipped"], one["quantityCancelled"]

    def change_offer(self, order: str, reference: str | None) -> None:
        """The offers of an order's items have another reference, or none."""
        for item in self.items(order):
            offer = {"offerId": self._item(order, item)["offer"]["offerId"]}
            self._change(order, item, offer=offer | ({"reference": reference} if reference is not None else {}))

    def sold_of(self, offer: Payload) -> int:
        """Pieces that bol takes off an offer's stock."""
        mine = [
            one for each in self._orders.values() for one in each if one.body["offer"]["offerId"] == offer["offerId"]
        ]
        ours = [one for one in mine if one.body["fulfilment"]["method"] == "FBR"]
        if not offer["stock"]["managedByRetailer"]:
            return sum(_open(one.body) for one in ours)
        since = self.updated_at.get(offer["offerId"], 0.0)
        return sum(one.body["quantity"] - one.body["quantityCancelled"] for one in ours if one.at > since)

    @operation("get-orders", RETAILER_V10)
    async def list_orders(self, request: web.Request) -> web.Response:
        """GET /retailer/orders."""
        query = request.query
        page, status = query.get("page", "1"), query.get("status", "OPEN")
        if not page.isdigit() or int(page) < 1:
            refuse([("page", "Request contains invalid value(s): must be greater than or equal to 1.")])
        if status not in ("OPEN", "SHIPPED", "ALL"):
            refuse([("status", "Request contains invalid value(s): must be OPEN, SHIPPED or ALL.")])
        method, changed = query.get("fulfilment-method", "FBR"), self._changes(query)
        found = []
        for own, items in sorted(self._orders.items(), reverse=True):
            shown = [
                one for one in items if self._is_listed(one, status) and _is_of(one, method) and changed(one.changed)
            ]
            if shown:
                listed = [_reduced(one) for one in shown]
                found.append({"orderId": own, "orderPlacedDateTime": _time(items[0].at), "orderItems": listed})
        start = (int(page) - 1) * ORDERS_A_PAGE
        return answer({"orders": found[start : start + ORDERS_A_PAGE]}, 200, RETAILER_V10)

    @operation("get-order", RETAILER_V10)
    async def get_order(self, request: web.Request) -> web.Response:
        """GET /retailer/orders/{order-id}."""
        items = self._orders.get(request.match_info["id"])
        if items is None:
            raise Refusal(404, "Not Found", f"Order with id '{request.match_info['id']}' was not found.")
        order: Payload = {
            "orderId": request.match_info["id"],
            "pickupPoint": False,
            "orderPlacedDateTime": _time(items[0].at),
            "shipmentDetails": BUYER,
            "billingDetails": {name: value for name, value in BUYER.items() if name != "language"},
            "orderItems": [one.body for one in items],
        }
        return answer(order, 200, RETAILER_V10)

    def _bought(self, sku: str, pieces: int, discount: float, method: str, at: float) -> Bought:
        offer = next(one for one in self.offers.values() if one.get("reference") == sku)
        price = offer["pricing"]["bundlePrices"][0]["unitPrice"]
        body: Payload = {
            "orderItemId": str(next(self._numbers_of_items)),
            "cancellationRequest": False,
            "fulfilment": {
                "method": method,
                "distributionParty": "RETAILER" if method == "FBR" else "BOL",
                "latestDeliveryDate": _time(at + 2 * 86400)[:10],
                "timeFrameType": "REGULAR",
            },
            "offer": {"offerId": offer["offerId"], "reference": sku},
            "product": {"ean": offer["ean"], "title": sku},
            "quantity": pieces,
            "quantityShipped": 0,
            "quantityCancelled": 0,
            "unitPrice": price,
            "totalPrice": round(price * pieces - discount, 2),
            "discounts": [{"title": "Actie", "amount": discount}] if discount else [],
            "commission": round(price * pieces * 0.15, 2),
            "additionalServices": [],
            "latestChangedDateTime": _time(at),
        }
        return Bought(at=at, changed=at, body=body)

    def _item(self, order: str, item: str) -> Payload:
        return next(one.body for one in self._orders[order] if one.body["orderItemId"] == item)

    def _change(self, order: str, item: str, **fields: Any) -> None:
        for one in self._orders[order]:
            if one.body["orderItemId"] == item:
                one.changed = self.clock()
                one.body = one.body | fields | {"latestChangedDateTime": _time(one.changed)}

    def _is_listed(self, one: Bought, status: str) -> bool:
        if self.clock() < one.changed + self.lag_seconds:
            return False
        if _open(one.body):
            return status != "SHIPPED"
        if status == "OPEN" or self.clock() > one.changed + HANDLED_SECONDS:
            return False
        return status == "ALL" or one.body["quantityShipped"] > 0

    def _changes(self, query: Mapping[str, str]) -> Callable[[float], bool]:
        minutes, day = query.get("change-interval-minute"), query.get("latest-change-date")
        wrong = "Request contains invalid value(s): "
        if minutes is not None and not (minutes.isdigit() and int(minutes) <= INTERVAL_MAX):
            refuse([("change-interval-minute", f"{wrong}must be less than or equal to {INTERVAL_MAX}.")])
        if day is not None and not _is_day(day, self.clock()):
            refuse([("latest-change-date", f"{wrong}must be a date of the last three months.")])
        since = self.clock() - int(minutes) * 60 if minutes is not None else 0.0
        return lambda changed: changed >= since and (day is None or _time(changed)[:10] == day)


def _is_day(day: str, now: float) -> bool:
    try:
        found = date.fromisoformat(day)
    except ValueError:
        return False
    return found >= datetime.fromtimestamp(now, ZONE).date() - HISTORY


def _is_of(one: Bought, method: str) -> bool:
    return method in ("ALL", one.body["fulfilment"]["method"])


def _open(one: Payload) -> int:
    return int(one["quantity"]) - int(one["quantityShipped"]) - int(one["quantityCancelled"])


def _reduced(one: Bought) -> Payload:
    names: Iterable[str] = (
        *("orderItemId", "quantity", "quantityShipped", "quantityCancelled", "cancellationRequest"),
        "latestChangedDateTime",
    )
    status = "OPEN" if _open(one.body) else "HANDLED"
    said = {"ean": one.body["product"]["ean"], "fulfilmentMethod": one.body["fulfilment"]["method"]}
    return {name: one.body[name] for name in names} | said | {"fulfilmentStatus": status}


def _time(moment: float) -> str:
    return datetime.fromtimestamp(moment, ZONE).isoformat(timespec="seconds")
