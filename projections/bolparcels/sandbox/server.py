"""The orders of one account at bol, its shipments, and what becomes of each request: 202 first, the end a little later.

An order is there as soon as it is asked for, with two pieces of one item (order 7 has item 71), unless it is in `gone`.
A shipment that is told twice takes pieces twice, where there are any left: only a request for more than is open fails,
and not at once. `shown` raises for one reference in two shipments.
"""

import base64
import itertools
import secrets
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from aiohttp import web

from daybook.channel.contract import Payload
from daybook.channel.sandbox import SandboxServer

MEDIA_TYPE = "application/vnd.retailer.v10+json"
PROCESS_SECONDS = 0.03
EAN = "4006381333931"
ADDRESS: Payload = {
    "salutation": "FEMALE",
    "firstName": "Grace",
    "surname": "Hopper",
    "streetName": "Keizersgracht",
    "houseNumber": "1",
    "zipCode": "1015CJ",
    "city": "Amsterdam",
    "countryCode": "NL",
}


class Process(msgspec.Struct, kw_only=True):
    """A request on its way."""

    own: str
    event: str
    entity: str
    items: tuple[str, ...]
    at: float
    work: Callable[[], str | None]
    """Carries it out; gives what is wrong with it."""
    status: str = "PENDING"
    error: str | None = None


class BolShipmentSandbox(SandboxServer):
    """Orders by number."""

    def __init__(self) -> None:
        super().__init__()
        self.client_secret = f"secret-{secrets.token_hex(8)}"
        self.gone: set[str] = set()
        self.orders: dict[str, dict[str, dict[str, Any]]] = {}
        """Number -> item -> quantity, quantityShipped, quantityCancelled, cancellationRequest."""
        self.shipments: list[dict[str, Any]] = []
        """Each with its order, reference, items, transport and tracking number."""
        self.cancelled: list[tuple[str, str]] = []
        """Item and reason of each cancellation."""
        self.process_end = "SUCCESS"
        """SUCCESS, FAILURE or TIMEOUT: how requests from now on end."""
        self.processes: dict[str, Process] = {}
        """By id. Forgetting one is what bol does after a day."""
        self._tokens: set[str] = set()
        self._ids = itertools.count(1234567)

    def settings(self) -> dict[str, str]:
        return {"url": self.url, "client_id": "sandbox", "client_secret": self.client_secret}

    def expire_tokens(self) -> None:
        self._tokens.clear()

    def shown(self) -> Mapping[str, Payload]:
        """What bol knows of each order. Never `live`: a parcel that left can't be taken back."""
        self._settle()
        shown: dict[str, Payload] = {}
        for number, items in self.orders.items():
            told = [one for one in self.shipments if one["order"] == number]
            references = [one["reference"] for one in told]
            if len(set(references)) < len(references):
                raise AssertionError(f"order {number} was told twice of the same parcel: {references}")
            pieces = {
                name: sum(one[name] for one in items.values()) for name in ("quantityShipped", "quantityCancelled")
            }
            if any(pieces.values()):
                tracking = [str(one["tracking"]) for one in told if one["tracking"]]
                shown[f"bol:{number}"] = {"title": " ".join(references), "tracking": tracking, **pieces, "live": False}
        return shown

    def has(self, number: str, **items: int) -> None:
        """An order with pieces of items, `i1=2` for item 1."""
        self.orders[number] = {name.removeprefix("i"): _item(pieces) for name, pieces in items.items()}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/token", self._token),
            web.get("/retailer/orders/{id}", self._guarded(self._get_order)),
            web.put("/retailer/orders/cancellation", self._guarded(self._cancel)),
            web.get("/retailer/shipments", self._guarded(self._list_shipments)),
            web.get("/retailer/shipments/{id}", self._guarded(self._get_shipment)),
            web.post("/retailer/shipments", self._guarded(self._ship)),
            web.put("/retailer/transports/{id}", self._guarded(self._follow)),
            web.get("/shared/process-status", self._guarded(self._list_processes)),
            web.get("/shared/process-status/{id}", self._guarded(self._get_process)),
        ]

    async def _token(self, request: web.Request) -> web.Response:
        basic = base64.b64encode(f"sandbox:{self.client_secret}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {basic}":
            return web.json_response({"error": "invalid_client"}, status=401)
        token = secrets.token_urlsafe(16)
        self._tokens.add(token)
        return web.json_response({"access_token": token, "token_type": "Bearer", "expires_in": 299})

    def _guarded(self, handler: Callable[[web.Request], Any]) -> Callable[[web.Request], Any]:
        async def guarded(request: web.Request) -> web.Response:
            if request.headers.get("Authorization", "").removeprefix("Bearer ") not in self._tokens:
                return _problem(401, "Expired JWT", "JWT expired")
            if request.headers.get("Accept") != MEDIA_TYPE:
                return _problem(406, "Not Acceptable", f"The Accept header must be {MEDIA_TYPE}.")
            if request.method != "GET" and request.content_type != MEDIA_TYPE:
                return _problem(415, "Unsupported Media Type", f"The Content-Type header must be {MEDIA_TYPE}.")
            self._settle()
            response: web.Response = await handler(request)
            return response

        return guarded

    async def _get_order(self, request: web.Request) -> web.Response:
        number = request.match_info["id"]
        if number in self.gone:
            return _problem(404, "Not Found", f"Order with id '{number}' was not found.")
        items = [{"orderItemId": name, **one, **_price(one)} for name, one in self._order(number).items()]
        body = {"orderId": number, "pickupPoint": False, "shipmentDetails": ADDRESS, "orderItems": items}
        return _answer(body | {"orderPlacedDateTime": _now()})

    async def _ship(self, request: web.Request) -> web.Response:
        body = msgspec.json.decode(await request.read())
        reference, transport = body.get("shipmentReference"), body.get("transport") or {}
        if reference == "" or len(reference or "") > 90 or not transport.get("transporterCode"):
            return _problem(400, "Bad Request", "Bad request: validation error(s).")
        wanted = {one["orderItemId"]: one.get("quantity") for one in body["orderItems"]}
        number = self._of(next(iter(wanted)))

        def work() -> str | None:
            there = self._order(number)
            pieces = {item: _open(there[item]) if n is None else n for item, n in wanted.items() if item in there}
            if len(pieces) < len(wanted) or any(not 0 < n <= _open(there[item]) for item, n in pieces.items()):
                return "The order items can't be shipped in this quantity."
            for item, n in pieces.items():
                there[item]["quantityShipped"] += n
            own = str(next(self._ids))
            self.shipments.append(
                {
                    "id": own,
                    "order": number,
                    "reference": reference,
                    "items": pieces,
                    "transport": f"T{own}",
                    "transporter": transport["transporterCode"],
                    "tracking": transport.get("trackAndTrace"),
                }
            )
            return None

        return self._taken("CREATE_SHIPMENT", tuple(wanted), work)

    async def _cancel(self, request: web.Request) -> web.Response:
        (one,) = msgspec.json.decode(await request.read())["orderItems"]
        item, number = one["orderItemId"], self._of(one["orderItemId"])

        def work() -> str | None:
            there = self._order(number)[item]
            if not _open(there):
                return "The order item is not open."
            there["quantityCancelled"] += _open(there)
            there["cancellationRequest"] = False
            self.cancelled.append((item, one["reasonCode"]))
            return None

        return self._taken("CANCEL_ORDER", (item,), work)

    async def _follow(self, request: web.Request) -> web.Response:
        own, body = request.match_info["id"], msgspec.json.decode(await request.read())

        def work() -> str | None:
            found = next((one for one in self.shipments if one["transport"] == own), None)
            if found is None:
                return "The transport is unknown."
            found |= {"tracking": body["trackAndTrace"], "transporter": body.get("transporterCode")}
            return None

        return self._taken("CHANGE_TRANSPORT", (own,), work)

    async def _list_shipments(self, request: web.Request) -> web.Response:
        found = [one for one in reversed(self.shipments) if one["order"] == request.query.get("order-id")]
        reduced = [
            _head(one)
            | {
                "shipmentItems": [{"orderItemId": item, "ean": EAN} for item in one["items"]],
                "transport": {"transportId": one["transport"]},
            }
            for one in found
        ]
        return _answer({"shipments": reduced})

    async def _get_shipment(self, request: web.Request) -> web.Response:
        one = next(one for one in self.shipments if one["id"] == request.match_info["id"])
        transport = {"transportId": one["transport"], "transporterCode": one["transporter"]}
        if one["tracking"]:
            transport["trackAndTrace"] = one["tracking"]
        items = [{"orderItemId": item, "quantity": n, "unitPrice": 9.99} for item, n in one["items"].items()]
        return _answer(_head(one) | {"shipmentItems": items, "transport": transport, "shipmentDetails": ADDRESS})

    async def _list_processes(self, request: web.Request) -> web.Response:
        entity, event = request.query.get("entity-id"), request.query.get("event-type")
        if not entity or not event:
            return _problem(400, "Bad Request", "An entity id and an event type are needed.")
        found = [one for one in reversed(self.processes.values()) if entity in one.items and one.event == event]
        return _answer({"processStatuses": [_status(one) for one in found]})

    async def _get_process(self, request: web.Request) -> web.Response:
        found = self.processes.get(request.match_info["id"])
        if found is None:
            return _problem(404, "Not Found", "The process status was not found.")
        return _answer(_status(found))

    def _taken(self, event: str, items: tuple[str, ...], work: Callable[[], str | None]) -> web.Response:
        own, end = str(next(self._ids)), self.process_end
        process = Process(own=own, event=event, entity=items[0], items=items, at=time.monotonic(), work=work)
        if end != "SUCCESS":
            process.work = lambda: end
        self.processes[own] = process
        return _answer(_status(process), 202)

    def _settle(self) -> None:
        """Carries out what has waited long enough, in the order in which it came."""
        for one in self.processes.values():
            waits = self.faults.keep_pending or time.monotonic() < one.at + PROCESS_SECONDS
            if one.status == "PENDING" and not waits:
                one.error = one.work()
                one.status = "TIMEOUT" if one.error == "TIMEOUT" else "FAILURE" if one.error else "SUCCESS"

    def _order(self, number: str) -> dict[str, dict[str, Any]]:
        if number not in self.orders:
            self.orders[number] = {f"{number}1": _item(2)}
        return self.orders[number]

    def _of(self, item: str) -> str:
        """The order of an item, whose id no other item has."""
        return next(number for number, items in self.orders.items() if item in items)


def _item(pieces: int) -> dict[str, Any]:
    return {"quantity": pieces, "quantityShipped": 0, "quantityCancelled": 0, "cancellationRequest": False}


def _open(item: Mapping[str, Any]) -> int:
    return int(item["quantity"]) - int(item["quantityShipped"]) - int(item["quantityCancelled"])


def _price(item: Mapping[str, Any]) -> Payload:
    price = {"unitPrice": 9.99, "totalPrice": round(9.99 * item["quantity"], 2), "commission": 1.5, "discounts": []}
    return price | {"latestChangedDateTime": _now()}


def _head(one: Mapping[str, Any]) -> Payload:
    said = {"shipmentId": one["id"], "shipmentReference": one["reference"], "shipmentDateTime": _now()}
    return said | {"order": {"orderId": one["order"], "orderPlacedDateTime": _now()}}


def _status(one: Process) -> Payload:
    found: Payload = {
        "processStatusId": one.own,
        "entityId": one.entity,
        "eventType": one.event,
        "description": f"{one.event} of {one.entity}.",
        "status": one.status,
        "createTimestamp": _now(),
        "links": [{"rel": "self", "href": f"https://api.bol.com/shared/process-status/{one.own}"}],
    }
    return found | ({"errorMessage": one.error} if one.status == "FAILURE" else {})


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _answer(body: Payload, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(body), status=status, content_type=MEDIA_TYPE)


def _problem(status: int, title: str, detail: str) -> web.Response:
    body = {"type": "https://api.bol.com/problems", "title": title, "status": status, "detail": detail}
    return web.json_response(body, status=status, content_type="application/problem+json")
