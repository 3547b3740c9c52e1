"""A marketplace that speaks the template's API and refuses what such a marketplace would."""

import secrets
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from daybook.channel.contract import Payload
from daybook.channel.sandbox import SandboxServer

TITLE_LENGTH_MAX = 80
STOCK_MAX = 100_000


class TemplateSandbox(SandboxServer):
    """Offers by SKU. An offer is live when it has stock."""

    def __init__(self) -> None:
        super().__init__()
        self._key = secrets.token_hex(8)
        self._offers: dict[str, dict[str, Any]] = {}

    def settings(self) -> dict[str, str]:
        return {"url": self.url, "key": self._key}

    def shown(self) -> Mapping[str, Payload]:
        return {sku: offer | {"live": offer["stock"] > 0} for sku, offer in self._offers.items()}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.put("/offers/{sku}", self._put_offer),
            web.put("/offers/{sku}/stock", self._put_stock),
            web.delete("/offers/{sku}", self._delete),
        ]

    async def _put_offer(self, request: web.Request) -> web.Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        body = await request.json()
        if not 0 < len(body.get("title", "")) <= TITLE_LENGTH_MAX:
            return _refused(422, f"must have 1 to {TITLE_LENGTH_MAX} characters", "title")
        if float(body.get("price", 0)) <= 0:
            return _refused(422, "must be above zero", "price")
        if (problem := _stock_problem(body)) is not None:
            return problem
        there = request.match_info["sku"] in self._offers
        self._offers[request.match_info["sku"]] = body
        return web.json_response({}, status=200 if there else 201)

    async def _put_stock(self, request: web.Request) -> web.Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        offer = self._offers.get(request.match_info["sku"])
        if offer is None:
            return _refused(404, "there is no such offer")
        body = await request.json()
        if (problem := _stock_problem(body)) is not None:
            return problem
        offer["stock"] = body["stock"]
        return web.json_response({})

    async def _delete(self, request: web.Request) -> web.Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        if self._offers.pop(request.match_info["sku"], None) is None:
            return _refused(404, "there is no such offer")
        return web.Response(status=204)

    def _refusal(self, request: web.Request) -> web.Response | None:
        if request.headers.get("Authorization") == f"Bearer {self._key}":
            return None
        return _refused(401, "the key is wrong")


def _stock_problem(body: Payload) -> web.Response | None:
    pieces = body.get("stock")
    if isinstance(pieces, int) and 0 <= pieces <= STOCK_MAX:
        return None
    return _refused(422, f"must be a whole number up to {STOCK_MAX}", "stock")


def _refused(status: int, message: str, field: str | None = None) -> web.Response:
    return web.json_response({"message": message, "field": field}, status=status)
