"""The fulfilments of a Shopify shop: orders with what is to be sent of them from which location, over GraphQL.

An order is there as soon as it is asked for, with `default` pieces, unless it is in `gone`. A fulfilment that is made
twice takes pieces twice: none is refused while pieces are left, and `mails` has one for each. The shop closes what has
nothing left, and gives a page of two lines at most, so that whoever asks has to go on.
"""

import itertools
import json
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from aiohttp import web
from graphql import ExecutionResult, build_schema, graphql_sync

from daybook.channel.contract import Payload
from daybook.channel.sandbox import SandboxServer

SCHEMA = build_schema(Path(__file__).with_name("schema.graphql").read_text())
PAGE_MAX = 2
WAREHOUSE = "gid://shopify/Location/1"


class ShopifyFulfillmentSandbox(SandboxServer):
    """Orders by number."""

    def __init__(self) -> None:
        super().__init__()
        self.client_secret = f"shpss_{secrets.token_hex(8)}"
        self._tokens: set[str] = set()
        self.default = {"1": 2}
        self.gone: set[str] = set()
        self.open_orders: dict[str, list[Payload]] = {}
        """Order -> its fulfilment orders: id, status, location and lines with what remains."""
        self.fulfillments: dict[str, list[Payload]] = {}
        self.mails: list[tuple[str, str | None]] = []
        """Order and tracking number of each mail to a customer."""
        self._ids = itertools.count(1)

    def settings(self) -> dict[str, str]:
        return {"url": self.url, "client_id": "sandbox", "client_secret": self.client_secret}

    def shown(self) -> Mapping[str, Payload]:
        """What each order's customer was told. Never `live`: a parcel that left can't be taken back."""
        shown: dict[str, Payload] = {}
        for number, made in self.fulfillments.items():
            numbers = [one["tracking"].get("number") for one in made if one["tracking"].get("number")]
            if len(set(numbers)) < len(numbers):
                raise AssertionError(f"order {number} was told twice of the same parcel: {numbers}")
            if made:
                pieces = [sum(one["lines"].values()) for one in made]
                shown[f"shopify:{number}"] = {"title": " ".join(numbers), "pieces": pieces, "live": False}
        return shown

    def has(self, number: str, *places: tuple[str, Mapping[str, int]], status: str = "OPEN") -> None:
        """An order with what is to be sent of it from each location."""
        self.open_orders[number] = [self._to_send(place, lines, status) for place, lines in places]

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/admin/oauth/access_token", self._sign_in),
            web.post("/admin/api/2026-07/graphql.json", self._graphql),
        ]

    async def _sign_in(self, request: web.Request) -> web.Response:
        form = await request.post()
        if form.get("client_secret") != self.client_secret:
            return web.json_response({"error": "invalid_client"}, status=400)
        token = f"shpat_{secrets.token_hex(16)}"
        self._tokens.add(token)
        return web.json_response({"access_token": token, "expires_in": 86399})

    async def _graphql(self, request: web.Request) -> web.Response:
        if request.headers.get("X-Shopify-Access-Token") not in self._tokens:
            return web.json_response({"errors": "[API] Invalid API key or access token"}, status=401)
        body = await request.json()
        fields: dict[str, Callable[..., Any]] = {
            "order": self._order,
            "fulfillment": self._fulfillment,
            "fulfillmentOrder": self._fulfillment_order,
            "fulfillmentCreate": self._create,
            "fulfillmentTrackingInfoUpdate": self._track,
        }
        result = graphql_sync(SCHEMA, body["query"], fields, variable_values=body.get("variables"))
        assert isinstance(result, ExecutionResult)
        if result.errors:
            errors = [{"message": one.message, "extensions": {"code": "BAD_REQUEST"}} for one in result.errors]
            return web.json_response({"errors": errors})
        return web.json_response(text=json.dumps({"data": result.data}))

    def _order(self, _: Any, id: str) -> Payload | None:
        number = id.rpartition("/")[2]
        if number in self.gone:
            return None
        if number not in self.open_orders:
            self.has(number, (WAREHOUSE, self.default))
        made, waiting = self.fulfillments.get(number, []), self.open_orders[number]
        return {
            "id": id,
            "fulfillments": lambda _, first=None: [_made(one) for one in made[:first]],
            "fulfillmentOrders": lambda _, first=None, after=None: {
                "nodes": [_waiting(one) for one in waiting[:first]],
                "pageInfo": {"hasNextPage": False, "endCursor": None},
            },
        }

    def _fulfillment(self, _: Any, id: str) -> Payload | None:
        return next((_made(one) for made in self.fulfillments.values() for one in made if one["id"] == id), None)

    def _fulfillment_order(self, _: Any, id: str) -> Payload | None:
        return next((_waiting(one) for each in self.open_orders.values() for one in each if one["id"] == id), None)

    def _create(self, _: Any, fulfillment: Payload, message: str | None = None) -> Payload:
        wanted = fulfillment["lineItemsByFulfillmentOrder"]
        found = {one["id"]: (number, one) for number, each in self.open_orders.items() for one in each}
        problem = _problem(wanted, {own: one for own, (_, one) in found.items()})
        if problem is not None:
            return {"fulfillment": None, "userErrors": [{"field": ["fulfillment"], "message": problem}]}
        lines: dict[str, int] = {}
        for each in wanted:
            number, order = found[each["fulfillmentOrderId"]]
            items = each.get("fulfillmentOrderLineItems") or [
                {"id": line["id"], "quantity": line["remaining"]} for line in order["lines"]
            ]
            for item in items:
                line = next(one for one in order["lines"] if one["id"] == item["id"])
                line["remaining"] -= item["quantity"]
                lines[line["line"]] = lines.get(line["line"], 0) + item["quantity"]
            if not any(line["remaining"] for line in order["lines"]):
                order["status"] = "CLOSED"
        tracking = dict(fulfillment.get("trackingInfo") or {})
        made = {"id": self._gid("Fulfillment"), "status": "SUCCESS", "tracking": tracking, "lines": lines}
        self.fulfillments.setdefault(number, []).append(made)
        if fulfillment.get("notifyCustomer"):
            self.mails.append((number, tracking.get("number")))
        return {"fulfillment": _made(made), "userErrors": []}

    def _track(self, _: Any, fulfillmentId: str, trackingInfoInput: Payload, notifyCustomer: bool = False) -> Payload:  # noqa: N803
        for number, made in self.fulfillments.items():
            for one in made:
                if one["id"] == fulfillmentId:
                    one["tracking"] = dict(trackingInfoInput)
                    if notifyCustomer:
                        self.mails.append((number, trackingInfoInput.get("number")))
                    return {"fulfillment": _made(one), "userErrors": []}
        return {"fulfillment": None, "userErrors": [{"field": None, "message": "Fulfillment does not exist."}]}

    def _to_send(self, place: str, lines: Mapping[str, int], status: str) -> Payload:
        kept = [
            {"id": self._gid("FulfillmentOrderLineItem"), "line": line, "total": pieces, "remaining": pieces}
            for line, pieces in lines.items()
        ]
        return {"id": self._gid("FulfillmentOrder"), "status": status, "place": place, "lines": kept}

    def _gid(self, kind: str) -> str:
        return f"gid://shopify/{kind}/{next(self._ids)}"


def _problem(wanted: list[Payload], found: Mapping[str, Payload]) -> str | None:
    """Why a fulfilment can't be made: one location, orders that are open, no more than remains."""
    if any(each["fulfillmentOrderId"] not in found for each in wanted):
        return "Fulfillment order does not exist."
    if len({found[each["fulfillmentOrderId"]]["place"] for each in wanted}) != 1:
        return "All fulfillment orders must be assigned to the same location."
    for each in wanted:
        order = found[each["fulfillmentOrderId"]]
        if order["status"] not in ("OPEN", "IN_PROGRESS"):
            number, status = order["id"].rpartition("/")[2], order["status"].lower()
            return f"Fulfillment order {number} has an unfulfillable status= {status}."
        lines = {line["id"]: line["remaining"] for line in order["lines"]}
        for item in each.get("fulfillmentOrderLineItems") or ():
            if item["quantity"] > lines.get(item["id"], 0):
                return "Invalid fulfillment order line item quantity requested."
    return None


def _made(one: Payload) -> Payload:
    tracking = {"company": one["tracking"].get("company"), "number": one["tracking"].get("number"), "url": None}
    nodes = [
        {"id": f"gid://shopify/FulfillmentLineItem/{line}", "quantity": pieces, "lineItem": _line(line)}
        for line, pieces in one["lines"].items()
    ]
    told = [tracking] if tracking["number"] or tracking["company"] else []
    return {
        "id": one["id"],
        "status": one["status"],
        "trackingInfo": lambda _, first=None: told[:first],
        "fulfillmentLineItems": _connection(nodes),
    }


def _waiting(one: Payload) -> Payload:
    nodes = [
        {
            "id": line["id"],
            "totalQuantity": line["total"],
            "remainingQuantity": line["remaining"],
            "lineItem": _line(line["line"]),
        }
        for line in one["lines"]
    ]
    place = {"name": "Shop location", "location": {"id": one["place"]}}
    return {"id": one["id"], "status": one["status"], "assignedLocation": place, "lineItems": _connection(nodes)}


def _line(line: str) -> Payload:
    return {"id": f"gid://shopify/LineItem/{line}"}


def _connection(nodes: list[Payload]) -> Callable[..., Payload]:
    def page(_: Any, first: int, after: str | None = None) -> Payload:
        start = int(after or 0)
        end = start + min(first, PAGE_MAX)
        return {
            "nodes": nodes[start:end],
            "pageInfo": {"hasNextPage": end < len(nodes), "endCursor": str(end)},
        }

    return page
