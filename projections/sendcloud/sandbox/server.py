"""A shipper that speaks Sendcloud's API v3, with what is odd about it.

A reference that is known is answered 409 with its shipment. A shipment may be taken (201) and refused by the carrier
in the same answer. While `queues_cancellations`, a cancellation is only asked for (202), until `decide` says what
became of it. What the carrier has can't be cancelled.
"""

import base64
import secrets
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from daybook.channel.contract import Payload
from daybook.channel.sandbox import SandboxServer
from daybook_projections.sendcloud.sandbox.rules import problems

UNDELIVERABLE = "0000"
"""A postcode that begins so: the shipment is taken, and the carrier refuses it."""
READY, FAILED, CANCELLED, ASKED, MOVING = (
    *("READY_TO_SEND", "ANNOUNCEMENT_FAILED", "CANCELLED", "CANCELLATION_REQUESTED", "EN_ROUTE_TO_SORTING_CENTER"),
)


class SendcloudSandbox(SandboxServer):
    """Shipments by id. `shown` tells those with a label, by the order's number."""

    def __init__(self) -> None:
        super().__init__()
        self._pair = (secrets.token_hex(8), secrets.token_hex(16))
        self.shipments: dict[str, dict[str, Any]] = {}
        self.labels = 0
        """How many labels were made, and paid for."""
        self.queues_cancellations = False

    def settings(self) -> dict[str, str]:
        public, secret = self._pair
        return {"url": self.url, "public_key": public, "secret_key": secret, "check_seconds": "0.05"}

    def shown(self) -> Mapping[str, Payload]:
        shown: dict[str, Payload] = {}
        for one in self.shipments.values():
            if self.status(one) in (FAILED, CANCELLED):
                continue
            order = one["order_number"]
            if order in shown:
                raise AssertionError(f"{order} has two parcels on their way")
            items = one["parcels"][0]["parcel_items"]
            shown[order] = {
                "title": one["to_address"]["name"],
                "price": items[0]["price"]["value"] if items else "0",
                "stock": sum(item["quantity"] for item in items),
                "live": True,
            }
        return shown

    @staticmethod
    def status(shipment: Mapping[str, Any]) -> str:
        """The code of its parcel's status."""
        return str(shipment["parcels"][0]["status"]["code"])

    def decide(self, *, cancelled: bool) -> None:
        """The carrier decides on what it was asked to cancel: void, or on its way."""
        for one in self.shipments.values():
            if self.status(one) == ASKED:
                self._turn(one, CANCELLED if cancelled else MOVING)

    def hand_over(self) -> None:
        """The carrier has all that has a label."""
        for one in self.shipments.values():
            if self.status(one) == READY:
                self._turn(one, MOVING)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/shipments/announce", self._announce),
            web.get("/shipments", self._list),
            web.get("/shipments/{id}", self._get),
            web.post("/shipments/{id}/cancel", self._cancel),
        ]

    def throttled(self) -> web.Response:
        return _errors(429, [("throttled", "Request was throttled.", "")], {"Retry-After": "1"})

    async def _announce(self, request: web.Request) -> web.Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        body = await request.json()
        if wrong := problems(body):
            return _errors(400, wrong)
        reference = body.get("external_reference_id")
        known = next((one for one in self.shipments.values() if one["external_reference_id"] == reference), None)
        if reference and known is not None:
            return web.json_response({"data": known}, status=409)
        made = self._make(body, str(body["to_address"]["postal_code"]).startswith(UNDELIVERABLE))
        return web.json_response({"data": made}, status=201)

    def _make(self, body: dict[str, Any], refused: bool) -> dict[str, Any]:
        number = len(self.shipments) + 1
        code = body["ship_with"]["properties"]["shipping_option_code"].partition(":")[0]
        parcel = {
            "id": 8_000_000 + number,
            "status": {"code": FAILED if refused else READY, "message": "Announcement failed" if refused else "Ready"},
            "parcel_items": body["parcels"][0]["parcel_items"],
            "tracking_number": "" if refused else f"3SYZXG{number:07d}",
            "tracking_url": ""
            if refused
            else f"https://follow.example/{number}?to={body['to_address']['postal_code']}",
            "documents": [] if refused else [{"type": "label", "size": "a6", "link": f"{self.url}/labels/{number}"}],
        }
        errors = [_error("parcel_announcement_error", "The carrier does not know this postal code.", "/parcels/0")]
        made = {
            "id": f"{number:08d}-shipment",
            "external_reference_id": body.get("external_reference_id"),
            "order_number": body.get("order_number"),
            "to_address": body["to_address"],
            "carrier": {"code": code, "name": code.upper()},
            "parcels": [parcel],
            "errors": errors if refused else [],
        }
        self.labels += not refused
        self.shipments[str(made["id"])] = made
        return made

    async def _list(self, request: web.Request) -> web.Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        wanted = request.query
        found = [
            one
            for one in self.shipments.values()
            if all(one[name] == wanted[name] for name in ("order_number", "external_reference_id") if name in wanted)
        ]
        return web.json_response({"data": found[: int(wanted.get("page_size", "40"))]})

    async def _get(self, request: web.Request) -> web.Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        one = self.shipments.get(request.match_info["id"])
        return web.json_response({"data": one}) if one is not None else _errors(404, [("not_found", "Not found.", "")])

    async def _cancel(self, request: web.Request) -> web.Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        one = self.shipments.get(request.match_info["id"])
        if one is None:
            return _errors(404, [("not_found", "Not found.", "")])
        status = self.status(one)
        if status == ASKED:
            return _errors(409, [("cancellation_in_progress", "The shipment is being cancelled.", "")])
        if status != READY:
            return _errors(409, [("invalid", f"A shipment that is {status} can't be cancelled.", "")])
        queued = self.queues_cancellations
        self._turn(one, ASKED if queued else CANCELLED)
        told = {"status": "queued" if queued else "cancelled", "message": "ok"}
        return web.json_response({"data": told}, status=202 if queued else 200)

    @staticmethod
    def _turn(shipment: dict[str, Any], code: str) -> None:
        shipment["parcels"][0]["status"] = {"code": code, "message": code.replace("_", " ").capitalize()}

    def _refusal(self, request: web.Request) -> web.Response | None:
        pair = base64.b64encode(":".join(self._pair).encode()).decode()
        if request.headers.get("Authorization") == f"Basic {pair}":
            return None
        return _errors(401, [("authentication_failed", "Invalid username/password.", "")])


def _error(code: str, detail: str, pointer: str) -> dict[str, Any]:
    return {"status": "400", "code": code, "detail": detail, "source": {"pointer": pointer}}


def _errors(status: int, found: list[tuple[str, str, str]], headers: Mapping[str, str] | None = None) -> web.Response:
    errors = [_error(*one) | {"status": str(status)} for one in found]
    return web.json_response({"errors": errors}, status=status, headers=headers)
