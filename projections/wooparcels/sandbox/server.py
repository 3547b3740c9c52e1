"""The orders of a WooCommerce shop: their notes, of which each is a mail to the customer, and their status.

An order is there as soon as it is asked for: the shop took it before Daybook heard of it. `refused` are those that are
not. A note that is written twice is two mails: `shown` raises for it.
"""

import base64
import secrets
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from daybook.channel.contract import Payload
from daybook.channel.sandbox import SandboxServer

STATUSES = {"pending", "processing", "on-hold", "completed", "cancelled", "refunded", "failed"}


class WooOrdersSandbox(SandboxServer):
    """Orders by number."""

    def __init__(self) -> None:
        super().__init__()
        self._pair = (f"ck_{secrets.token_hex(10)}", f"cs_{secrets.token_hex(10)}")
        self.notes: dict[str, list[dict[str, Any]]] = {}
        self.statuses: dict[str, str] = {}
        self.refused: set[str] = set()

    def settings(self) -> dict[str, str]:
        key, secret = self._pair
        return {"url": self.url, "consumer_key": key, "consumer_secret": secret}

    def shown(self) -> Mapping[str, Payload]:
        shown: dict[str, Payload] = {}
        for number in {*self.notes, *self.statuses}:
            lines = [one["note"] for one in self.notes.get(number, ())]
            if len(set(lines)) < len(lines):
                raise AssertionError(f"order {number} was told twice of the same parcel: {lines}")
            status = self.statuses.get(number, "processing")
            shown[f"webshop:{number}"] = {"title": " ".join(lines), "status": status, "live": status != "processing"}
        return shown

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/wp-json/wc/v3/orders/{number}/notes", self._get_notes),
            web.post("/wp-json/wc/v3/orders/{number}/notes", self._add_note),
            web.put("/wp-json/wc/v3/orders/{number}", self._put),
        ]

    async def _get_notes(self, request: web.Request) -> web.Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        return web.json_response(self.notes.get(request.match_info["number"], []))

    async def _add_note(self, request: web.Request) -> web.Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        kept = self.notes.setdefault(request.match_info["number"], [])
        body = await request.json()
        kept.append({"id": len(kept) + 1, "note": body["note"], "customer_note": bool(body.get("customer_note"))})
        return web.json_response(kept[-1], status=201)

    async def _put(self, request: web.Request) -> web.Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        status, number = (await request.json())["status"], request.match_info["number"]
        if status not in STATUSES:
            return _error(400, "rest_invalid_param", "Invalid parameter(s): status")
        self.statuses[number] = status
        return web.json_response({"id": number, "status": status})

    def _refusal(self, request: web.Request) -> web.Response | None:
        pair = base64.b64encode(":".join(self._pair).encode()).decode()
        if request.headers.get("Authorization") != f"Basic {pair}":
            return _error(401, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")
        if request.match_info["number"] in self.refused:
            return _error(404, "woocommerce_rest_shop_order_invalid_id", "Invalid ID.")
        return None


def _error(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"code": code, "message": message, "data": {"status": status}}, status=status)
