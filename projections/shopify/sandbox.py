"""A small Shopify: the Admin GraphQL API as far as the connector uses it, and a little further where it must refuse.

It is no GraphQL server. The first field of a document says which operation is meant (`productSet`), its arguments come
from the variables by the names that the connector's documents use, and the answer has a fixed shape whatever the
document selects. So a mistake in a document's text (a misspelled field, a wrong type) is not found here; the documents
were written from Shopify's published schema, and only a call to a development store proves them.

Costs are made up in the same way: 10 points for a mutation, 1 for a query and one more for every ten things that a
connection may give at most. Of those only what it gave is charged in the end. The bucket, the refusal and the
arithmetic of waiting are Shopify's.
"""

import json
import math
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from aiohttp import web

from daybook.channel.contract import Payload
from daybook.channel.pacing import Rate
from daybook.channel.sandbox import SandboxServer
from projections.shopify.documents import SHOWN_PAGE, VERSION
from projections.shopify.sandbox_bulk import Bulk
from projections.shopify.sandbox_rules import GraphError, UserErrors
from projections.shopify.sandbox_shop import LOCATION, Shop

DOCUMENTATION = "https://shopify.dev/api/usage/rate-limits"
MUTATION_COST = 10.0
STANDARD = Rate(100.0, 2000.0)
"""Points of a shop on the standard plan, for `limits`."""
UNLIMITED = Rate(1e6, 1e6)
"""What a shop without limits says that it has."""

CURRENCY = "EUR"
Operation = Callable[[Payload], Payload | None]


class ShopifySandbox(SandboxServer):
    """One shop. With `limits["graphql"]` it is throttled: `burst` points, of which `per_second` come back."""

    def __init__(
        self,
        *,
        bulk_seconds: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self.access_token = "shpat_sandbox"
        self.limits: dict[str, Rate] = {}
        """`graphql`: the points of the bucket. None from the start."""
        self.locked = False
        self.scopes = {"write_products", "write_inventory"}
        self.shop = Shop()
        self.bulk = Bulk(self, bulk_seconds, clock)
        self.throttles = 0
        """How often a request was answered that the bucket is empty."""
        self._clock = clock
        self._available, self._counted = math.inf, clock()

    def settings(self) -> dict[str, str]:
        """The loopback server stands for https://<shop>.myshopify.com."""
        return {"url": self.url, "access_token": self.access_token, "location_id": LOCATION}

    def shown(self) -> Mapping[str, Payload]:
        """What buyers see, by SKU; of a product with variants also the page itself, by the SKU it was made for.

        Shopify itself takes one SKU twice. Here that raises: a connector created something twice.
        """
        self.bulk.advance()
        found: dict[str, Payload] = {}
        for product in self.shop.products.values():
            page = {"title": product["title"], "live": product["status"] == "ACTIVE"}
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
        """The Admin API, and the storage that bulk operations use."""
        return [web.post("/admin/api/{version}/graphql.json", self.graphql), *self.bulk.routes()]

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

    async def graphql(self, request: web.Request) -> web.Response:
        """POST /admin/api/2026-07/graphql.json."""
        if request.match_info["version"] != VERSION:
            return web.json_response({"errors": "Not Found"}, status=404)
        if request.headers.get("X-Shopify-Access-Token") != self.access_token:
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
        name = field_of(query)
        try:
            data = {name: self.run(name, query, variables)}
        except GraphError as error:
            self._available -= 1
            errors = [{"message": error.message, "extensions": {"code": error.code}}]
            return _json({"errors": errors, "extensions": self._cost(cost, 1.0, self._available)})
        took = cost_of(query, data)
        self._available -= took
        return _json({"data": data, "extensions": self._cost(cost, took, self._available)})

    def run(self, name: str, query: str, variables: Payload) -> Any:
        """One operation: what its field gives, with userErrors when it is a mutation. Raises GraphError."""
        operation = self._operations().get(name)
        if operation is None:
            raise GraphError("undefinedField", f"Field '{name}' doesn't exist on type 'QueryRoot' or 'Mutation'")
        scope = "write_inventory" if name.startswith("inventory") else "write_products"
        if scope not in self.scopes:
            raise GraphError("ACCESS_DENIED", f"Access denied for {name} field. Required access: `{scope}`.")
        try:
            if not query.lstrip().startswith("mutation"):
                return operation(variables)
            if "@idempotent" in query:
                rest = {each: value for each, value in variables.items() if each != "key"}
                return self.shop.once(variables.get("key"), rest, lambda: self._carry_out(operation, variables))
            if name in ("inventorySetQuantities", "inventoryActivate"):
                self.shop.once(None, variables, dict)
            return self._carry_out(operation, variables)
        except UserErrors as refused:
            return {"userErrors": refused.errors}
        except (KeyError, TypeError) as missing:
            raise GraphError("INVALID_VARIABLE", f"A variable lacks a value or has a wrong one: {missing}") from missing

    def _carry_out(self, operation: Operation, variables: Payload) -> Payload:
        # A refusal is remembered as well: its idempotency key can't be used again.
        try:
            return {"userErrors": []} | (operation(variables) or {})
        except UserErrors as refused:
            return {"userErrors": refused.errors}

    def _operations(self) -> dict[str, Operation]:
        shop = self.shop
        return {
            "productSet": lambda v: {"product": _product(shop.product_set(v.get("identifier"), v["input"]))},
            "productDelete": lambda v: {"deletedProductId": shop.product_delete(v["input"]["id"])},
            "productByIdentifier": lambda v: self._page(shop.find(v["identifier"]), v),
            "product": lambda v: (
                self._variants(shop.products[v["id"]], v["locationId"], v.get("after"))
                if v["id"] in shop.products
                else None
            ),
            "productVariantsBulkUpdate": lambda v: {
                "productVariants": shop.variants_update(v["productId"], v["variants"])
            },
            "productVariantsBulkDelete": lambda v: {
                "product": _id(shop.variants_delete(v["productId"], v["variantsIds"]))
            },
            "inventoryItem": lambda v: self._item(v["id"], v["locationId"]),
            "inventorySetQuantities": lambda v: {
                "inventoryAdjustmentGroup": {"id": "1", "changes": shop.set_quantities(v["input"])}
            },
            "inventoryActivate": lambda v: {
                "inventoryLevel": shop.activate(v["inventoryItemId"], v["locationId"], v.get("available"))
            },
            **self.bulk.operations(),
        }

    def _variants(self, product: Payload, location: str, after: str | None) -> Payload:
        start = int(after or 0)
        here = product["variants"][start : start + SHOWN_PAGE]
        page = {"hasNextPage": start + SHOWN_PAGE < len(product["variants"]), "endCursor": str(start + SHOWN_PAGE)}
        nodes = [
            _node(variant, {"inventoryLevel": self._level(variant["inventoryItem"]["id"], location)})
            for variant in here
        ]
        return {"id": product["id"], "variants": {"nodes": nodes, "pageInfo": page}}

    def _page(self, product: Payload | None, variables: Payload) -> Payload | None:
        """productByIdentifier: the ids are enough for who names no location."""
        if product is None or "locationId" not in variables:
            return _id(product)
        shown = {name: product.get(name, "") for name in ("title", "descriptionHtml", "vendor", "productType")}
        options = [
            {"name": each["name"], "position": each.get("position", number), "optionValues": each["values"]}
            for number, each in enumerate(product["productOptions"], start=1)
        ]
        return {
            **shown,
            "status": product["status"],
            "handle": product["handle"],
            "options": options,
            "mediaCount": {"count": len(product.get("files", ()))},
            **self._variants(product, variables["locationId"], variables.get("after")),
        }

    def _level(self, item: str, location: str) -> Payload | None:
        quantity = self.shop.levels.get(item) if location == LOCATION else None
        return None if quantity is None else {"quantities": [{"name": "available", "quantity": quantity}]}

    def _item(self, item: str, location: str) -> Payload | None:
        return {"id": item, "inventoryLevel": self._level(item, location)} if item in self.shop.items else None

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
    """The first field of a document, which is the only one in the connector's."""
    found = re.search(r"\{\s*(\w+)", query)
    if found is None:
        raise GraphError("PARSE_ERROR", "Parse error on document")
    return found[1]


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


def _node(variant: Payload, level: Payload | None = None) -> Payload:
    options = [{"name": each["optionName"], "value": each["name"]} for each in variant["optionValues"]]
    item = {"id": variant["inventoryItem"]["id"], "tracked": variant["inventoryItem"]["tracked"]}
    return {
        "id": variant["id"],
        "sku": variant["sku"],
        "barcode": variant["barcode"],
        "price": variant["price"],
        "inventoryPolicy": variant.get("inventoryPolicy", "DENY"),
        "selectedOptions": options,
        "inventoryItem": item if level is None else item | level,
    }


def _product(product: Payload) -> Payload:
    return {"id": product["id"], "variants": {"nodes": [_node(variant) for variant in product["variants"][:250]]}}


def _id(product: Payload | None) -> Payload | None:
    return None if product is None else {"id": product["id"]}


def _json(body: Payload) -> web.Response:
    return web.json_response(text=json.dumps(body))
