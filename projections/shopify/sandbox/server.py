"""A small Shopify: the Admin GraphQL API as far as the connector uses it, and a little further where it must refuse.

Documents are carried out against the part of the published schema in `schema.graphql`, so a misspelled field or a value
of the wrong type is refused as Shopify refuses it, and an answer holds what was asked for. What the shop does with
texts and which errors it has is in `rules` and `shop`, with where that is known from.

Costs are made up: 10 points for a mutation, 1 for a query and one more for every ten things that a connection may give
at most. Of those only what it gave is charged in the end. The bucket, the refusal and the arithmetic of waiting are
Shopify's.

Not known of the real one, and so not pretended: what it takes out of a description's HTML; whether it refuses a value
of an option for its characters; whether capital letters make another value (here they don't); what a picture that it
can't fetch counts as; whether a product keeps a picture that is given again. Only a development store tells.
"""

import json
import math
import re
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from aiohttp import web

from daybook.channel.contract import Payload
from daybook.channel.pacing import Rate
from daybook.channel.sandbox import SandboxServer
from daybook_projections.shopify.operations import VERSION
from daybook_projections.shopify.sandbox.bulk import Bulk
from daybook_projections.shopify.sandbox.execution import carry_out
from daybook_projections.shopify.sandbox.fields import roots
from daybook_projections.shopify.sandbox.orders import ShopOrders
from daybook_projections.shopify.sandbox.shop import LOCATION, ONLINE_STORE, Shop
from daybook_projections.shopify.sandbox.webhooks import ShopWebhooks

DOCUMENTATION = "https://shopify.dev/api/usage/rate-limits"
MUTATION_COST = 10.0
STANDARD = Rate(100.0, 2000.0)
"""Points of a shop on the standard plan, for `limits`."""
UNLIMITED = Rate(1e6, 1e6)
"""What a shop without limits says that it has."""

CURRENCY = "EUR"
TOKEN_SECONDS = 86399


class ShopifySandbox(SandboxServer):
    """One shop with one location. With `limits["graphql"]` it is throttled: `burst` points, `per_second` come back.

    `access_token` never ends, as that of an app which a shop's owner made in the admin before 2026. Other apps ask for
    tokens that last a day.
    """

    def __init__(
        self,
        *,
        bulk_seconds: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self.access_token = "shpat_sandbox"
        self.client_id, self.client_secret = "sandbox", "shpss_sandbox"
        self._tokens: set[str] = set()
        self.limits: dict[str, Rate] = {}
        """`graphql`: the points of the bucket. None from the start."""
        self.locked = False
        self.scopes = {"write_products", "write_inventory", "write_publications", "read_orders"}
        self.shop = Shop()
        self.webhooks = ShopWebhooks(self.client_secret)
        self.orders = ShopOrders(self.shop, CURRENCY, self.webhooks.happened)
        self.tells_orders = True
        self.bulk = Bulk(self, bulk_seconds, clock)
        self.throttles = 0
        """How often a request was answered that the bucket is empty."""
        self._clock = clock
        self._available, self._counted = math.inf, clock()

    def settings(self) -> dict[str, str]:
        """The loopback server stands for https://<shop>.myshopify.com."""
        return {
            "url": self.url,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "location_id": LOCATION,
            "publication_id": ONLINE_STORE,
            "orders": "true" if self.tells_orders else "false",
        }

    def shown(self) -> Mapping[str, Payload]:
        """What buyers see, by SKU; of a product with variants also the page itself, by the SKU it was made for.

        Shopify itself takes one SKU twice. Here that raises: a connector created something twice.
        """
        self.bulk.advance()
        found: dict[str, Payload] = {}
        for product in self.shop.products.values():
            live = product["status"] == "ACTIVE" and ONLINE_STORE in self.shop.published.get(product["id"], ())
            page = {"title": product["title"], "live": live}
            root = self.shop.custom_id(product)
            shown = [(variant["sku"], page | self._variant(variant)) for variant in product["variants"]]
            if root is not None and root not in (sku for sku, _ in shown):
                shown.insert(0, (root, page | {"variants": [variant["sku"] for variant in product["variants"]]}))
            for sku, item in shown:
                if sku in found:
                    raise AssertionError(f"the SKU {sku} is in the shop twice")
                found[sku] = item
        return found

    def _variant(self, variant: Payload) -> Payload:
        return {
            "price": variant["price"],
            "currency": CURRENCY,
            "stock": self.shop.levels.get(variant["inventoryItem"]["id"], 0),
            "options": {each["optionName"]: each["name"] for each in variant["optionValues"]},
            "barcode": variant["barcode"],
        }

    def routes(self) -> list[web.RouteDef]:
        """The sign-in, the Admin API, and the storage that bulk operations use."""
        return [
            web.post("/admin/oauth/access_token", self.sign_in),
            web.post("/admin/api/{version}/graphql.json", self.graphql),
            *self.bulk.routes(),
        ]

    def expire_tokens(self) -> None:
        """Every token that was asked for is over; the one that never ends is good."""
        self._tokens.clear()

    def throttled(self) -> web.Response:
        """Shopify's answer to what the bucket does not hold: HTTP 200."""
        return self._throttled(MUTATION_COST, min(self.available(), 0.0))

    def available(self) -> float:
        """Points in the bucket now."""
        now, rate = self._clock(), self._rate()
        self._available = min(rate.burst, self._available + (now - self._counted) * rate.per_second)
        self._counted = now
        return self._available

    def _rate(self) -> Rate:
        return self.limits.get("graphql", UNLIMITED)

    async def sign_in(self, request: web.Request) -> web.Response:
        """POST /admin/oauth/access_token: client credentials against a token."""
        form = await request.post()
        asked = form.get("grant_type"), form.get("client_id"), form.get("client_secret")
        if asked != ("client_credentials", self.client_id, self.client_secret):
            said = "Client authentication failed due to unknown client or mismatched secret"
            return web.json_response({"error": "invalid_client", "error_description": said}, status=400)
        token = f"shpat_{secrets.token_hex(16)}"
        self._tokens.add(token)
        return web.json_response({"access_token": token, "scope": ",".join(self.scopes), "expires_in": TOKEN_SECONDS})

    async def graphql(self, request: web.Request) -> web.Response:
        """POST /admin/api/2026-07/graphql.json."""
        if request.match_info["version"] != VERSION:
            return web.json_response({"errors": "Not Found"}, status=404)
        if request.headers.get("X-Shopify-Access-Token") not in {self.access_token, *self._tokens}:
            said = "[API] Invalid API key or access token (unrecognized login or wrong password)"
            return web.json_response({"errors": said}, status=401)
        if self.locked:
            return web.json_response({"errors": "Locked"}, status=423)
        try:
            body = msgspec.json.decode(await request.read(), type=dict[str, Any])
        except msgspec.DecodeError:
            return web.json_response({"errors": {"query": "Required parameter missing or invalid"}}, status=400)
        return self._execute(str(body.get("query", "")), body.get("variables") or {})

    def _execute(self, query: str, variables: Payload) -> web.Response:
        self.bulk.advance()
        cost = cost_of(query)
        available = self.available()
        if cost > available:
            return self._throttled(cost, available)
        answer = self.run(query, variables)
        took = cost_of(query, answer["data"]) if answer.get("data") and not answer.get("errors") else 1.0
        self._available -= took
        return _json(answer | {"extensions": self._cost(cost, took, self._available)})

    def run(self, query: str, variables: Payload) -> Payload:
        """Carries out one document: its `data` and `errors`."""
        return carry_out(query, variables, roots(self.shop, self.bulk, self.orders, self.scopes))

    def _throttled(self, cost: float, available: float) -> web.Response:
        self.throttles += 1
        error = {"message": "Throttled", "extensions": {"code": "THROTTLED", "documentation": DOCUMENTATION}}
        return _json({"errors": [error], "extensions": self._cost(cost, None, available)})

    def _cost(self, requested: float, actual: float | None, available: float) -> Payload:
        status = {
            "maximumAvailable": self._rate().burst,
            "currentlyAvailable": available,
            "restoreRate": self._rate().per_second,
        }
        return {"cost": {"requestedQueryCost": requested, "actualQueryCost": actual, "throttleStatus": status}}


def field_of(query: str) -> str:
    """The first field of a document, which is the only one in the connector's; empty for no document at all."""
    found = re.search(r"\{\s*(\w+)", query)
    return found[1] if found is not None else ""


def cost_of(query: str, data: Any = None) -> float:
    """Points of a document: what it may cost at most, or what it cost, when there is data."""
    base = MUTATION_COST if query.lstrip().startswith("mutation") else 1.0
    if data is not None:
        return base + math.ceil(_nodes(data) / 10)
    return base + sum(int(size) / 10 for size in re.findall(r"first:\s*(\d+)", query))


def _nodes(data: Any) -> int:
    if isinstance(data, dict):
        own = len(data["nodes"]) if isinstance(data.get("nodes"), list) else 0
        return own + sum(_nodes(value) for value in data.values())
    return sum(_nodes(value) for value in data) if isinstance(data, list) else 0


def _json(body: Payload) -> web.Response:
    return web.json_response(text=json.dumps(body))
