"""A small WooCommerce shop to test against: REST API v3 over HTTP on the loopback interface.

It differs from a real shop in two ways: Basic authentication works without TLS, unless `needs_tls` is set, and pictures
are not fetched.

WooCommerce itself limits nothing. `limits["rest"]` is what the shop's host would do: a token bucket over all requests.
"""

import contextlib
import json
import math
import time
from base64 import b64decode
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from daybook.channel.contract import Payload
from daybook.channel.pacing import Rate
from daybook.channel.sandbox import SandboxServer
from daybook_projections.webshop.sandbox.answers import WooError, critical
from daybook_projections.webshop.sandbox.orders import ShopOrders
from daybook_projections.webshop.sandbox.shop import Shop
from daybook_projections.webshop.sandbox.webhooks import ShopWebhooks

API = "/wp-json/wc/v3"
BATCH_MEMBERS_MAX = 100
PER_PAGE_DEFAULT, PER_PAGE_MAX = 10, 100

_DENIED = {
    "GET": ("woocommerce_rest_cannot_view", "Sorry, you cannot list resources."),
    "POST": ("woocommerce_rest_cannot_create", "Sorry, you are not allowed to create resources."),
    "PUT": ("woocommerce_rest_cannot_edit", "Sorry, you are not allowed to edit this resource."),
    "DELETE": ("woocommerce_rest_cannot_delete", "Sorry, you are not allowed to delete this resource."),
}

Handler = Callable[[web.Request], Awaitable[web.Response]]


class WooSandbox(SandboxServer):
    """One shop with one API key. What it knows survives `stop` and `start`."""

    def __init__(self, currency: str = "EUR") -> None:
        super().__init__()
        self.shop = Shop()
        self.currency = currency
        self.webhooks = ShopWebhooks(self._order)
        self.orders = ShopOrders(self.shop, currency, self.webhooks.happened)
        self.webhook_secret = "whsandbox1"
        self.tells_orders = True
        self.consumer_key = "ck_sandbox"
        self.consumer_secret = "cs_sandbox"
        self.may_write = True
        """A key in WooCommerce is made with the right to read, or to read and write."""
        self.needs_tls = False
        """A real shop does not look at keys that come over plain HTTP, and answers as if there were none."""
        self.limits: dict[str, Rate] = {}
        self.members_max = BATCH_MEMBERS_MAX
        """A shop may take fewer members in a batch than WooCommerce does by itself."""
        self.forget_members = False
        """The answer to a batch leaves out its last member: a plugin that ends the request early."""
        self._left: tuple[float, float] | None = None
        """Tokens in the host's bucket, and when that was."""

    def settings(self) -> dict[str, str]:
        own = {"url": self.url, "consumer_key": self.consumer_key, "consumer_secret": self.consumer_secret}
        return own | {"orders": "true" if self.tells_orders else "false", "webhook_secrets": self.webhook_secret}

    def throttled(self) -> web.Response:
        """WooCommerce has no limit of its own: it is the host or a firewall that says 429, and in HTML."""
        page = "<html><body><h1>429 Too Many Requests</h1></body></html>"
        return web.Response(status=429, text=page, content_type="text/html", headers={"Retry-After": "1"})

    def routes(self) -> list[web.RouteDef]:
        table: list[web.RouteDef] = []
        for base in ("/products", r"/products/{under:\d+}/variations"):
            one = base + r"/{own:\d+}"
            table += [
                web.get(API + base, self._guarded(self._list)),
                web.post(API + base, self._guarded(self._create)),
                *(web.route(verb, API + base + "/batch", self._guarded(self._batch)) for verb in ("POST", "PUT")),
                web.get(API + one, self._guarded(self._get)),
                *(web.route(verb, API + one, self._guarded(self._update)) for verb in ("PUT", "PATCH", "POST")),
                web.delete(API + one, self._guarded(self._delete)),
            ]
        orders = API + "/orders"
        table += [
            web.get(orders, self._guarded(self._list_orders)),
            web.post(orders, self._guarded(self._place_order)),
            web.get(orders + r"/{own:\d+}", self._guarded(self._get_order)),
            web.put(orders + r"/{own:\d+}", self._guarded(self._change_order)),
        ]
        return [*table, web.route("*", "/wp-json/{rest:.*}", self._guarded(self._nowhere))]

    def shown(self) -> Mapping[str, Payload]:
        """What buyers see, by SKU; a variable product names its live variations, which are listed themselves too."""
        found: dict[str, Payload] = {}
        for record in self.shop.records.values():
            if record["status"] == "trash" or not record["sku"]:
                continue
            if record["sku"] in found:
                raise AssertionError(f"the SKU {record['sku']} is in the shop twice")
            found[record["sku"]] = self._seen(record)
        return found

    def _seen(self, record: Payload) -> Payload:
        shop, view = self.shop, self.shop.view(record)
        seen: Payload = {
            "title": shop.title(record),
            "price": view["price"] or None,
            "currency": self.currency,
            "stock": view["stock_quantity"],
            "live": view["status"] == "publish" and view["purchasable"],
        }
        if view["type"] == "variable":
            children = [child for child in shop.children(view["id"]) if child["status"] == "publish"]
            seen["variations"] = [child["sku"] for child in children if shop.view(child)["purchasable"]]
        if view["parent_id"]:
            parent = shop.records[view["parent_id"]]
            seen["parent"] = parent["sku"]
            seen["live"] = seen["live"] and parent["status"] == "publish" and shop.choosable(record)
        return seen

    def _too_fast(self) -> bool:
        rate, now = self.limits.get("rest"), time.monotonic()
        if rate is None:
            self._left = None
            return False
        left, at = self._left or (rate.burst, now)
        left = min(rate.burst, left + (now - at) * rate.per_second)
        self._left = (left if left < 1 else left - 1, now)
        return left < 1

    def _guarded(self, handler: Handler) -> Handler:
        async def guarded(request: web.Request) -> web.Response:
            if self._too_fast():
                return self.throttled()
            try:
                self._authenticate(request)
                return await handler(request)
            except WooError as error:
                return web.json_response(error.body(), status=error.status)

        return guarded

    def _authenticate(self, request: web.Request) -> None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        key, secret = "", ""
        if scheme == "Basic":
            with contextlib.suppress(ValueError):
                key, _, secret = b64decode(token, validate=True).decode().partition(":")
        if key != self.consumer_key or not secret or self.needs_tls:
            raise WooError(*_DENIED.get(request.method, _DENIED["PUT"]), 401)
        if secret != self.consumer_secret:
            raise WooError("woocommerce_rest_authentication_error", "Consumer secret is invalid.", 401)
        if request.method != "GET" and not self.may_write:
            message = "The API key provided does not have write permissions."
            raise WooError("woocommerce_rest_authentication_error", message, 401)

    async def _list(self, request: web.Request) -> web.Response:
        found = self.shop.search(request.query.get("sku"), _under(request), request.query.get("status"))
        return self._page(request, found, lambda each: self._seen_in(request, each))

    def _page(self, request: web.Request, found: list[Payload], seen: Callable[[Payload], Payload]) -> web.Response:
        page, per_page = _number(request, "page", 1), _number(request, "per_page", PER_PAGE_DEFAULT, PER_PAGE_MAX)
        pages = math.ceil(len(found) / per_page)
        headers = {"X-WP-Total": str(len(found)), "X-WP-TotalPages": str(pages)}
        links = [("prev", min(page - 1, pages))] if page > 1 else []
        links += [("next", page + 1)] if page < pages else []
        if links:
            own = self.url + request.path
            headers["Link"] = ", ".join(
                f'<{own}?{urlencode({**request.query, "page": to})}>; rel="{name}"' for name, to in links
            )
        shown = [seen(each) for each in found[(page - 1) * per_page : page * per_page]]
        return web.json_response(shown, headers=headers)

    def _order(self, own: int) -> Payload:
        return self.orders.view(own)

    async def _list_orders(self, request: web.Request) -> web.Response:
        """By id, what was modified after a moment in GMT: `orderby=modified` is no choice here."""
        if request.query.get("orderby", "date") not in ("date", "id", "include", "title", "slug"):
            raise WooError("rest_invalid_param", "Invalid parameter(s): orderby", 400)
        found = self.orders.changed_after(request.query.get("modified_after"))
        if request.query.get("order", "desc") == "desc":
            found.reverse()
        return self._page(request, found, lambda each: each)

    async def _place_order(self, request: web.Request) -> web.Response:
        return web.json_response(self.orders.place(await _body(request)), status=201)

    async def _get_order(self, request: web.Request) -> web.Response:
        return web.json_response(self.orders.view(_own(request)))

    async def _change_order(self, request: web.Request) -> web.Response:
        return web.json_response(self.orders.change(_own(request), await _body(request)))

    async def _create(self, request: web.Request) -> web.Response:
        made = self.shop.create(await _body(request), _under(request))
        return web.json_response(made, status=201, headers={"Location": f"{self.url}{request.path}/{made['id']}"})

    async def _get(self, request: web.Request) -> web.Response:
        return web.json_response(self._seen_in(request, self.shop.get(_own(request), _under(request))))

    def _seen_in(self, request: web.Request, view: Payload) -> Payload:
        return view if request.query.get("context") == "edit" else self.shop.page(view)

    async def _update(self, request: web.Request) -> web.Response:
        return web.json_response(self.shop.update(_own(request), await _body(request), _under(request)))

    async def _delete(self, request: web.Request) -> web.Response:
        force = request.query.get("force", "false") in ("true", "1")
        return web.json_response(self.shop.delete(_own(request), _under(request), force=force))

    async def _batch(self, request: web.Request) -> web.Response:
        """Each member is carried out on its own: a failed one is told in its place, under HTTP 200."""
        body, under = await _body(request), _under(request)
        if sum(len(body.get(verb, ())) for verb in ("create", "update", "delete")) > self.members_max:
            message = f"Unable to accept more than {self.members_max} items for this request."
            raise WooError("woocommerce_rest_request_entity_too_large", message, 413)
        answers: dict[str, list[Payload]] = {}
        number = 0
        for verb in ("create", "update", "delete"):
            for member in body.get(verb, ()):
                number += 1
                answers.setdefault(verb, []).append(self._member(verb, member, under, number))
        if self.forget_members:
            list(answers.values())[-1].pop()
        return web.json_response(answers)

    def _member(self, verb: str, member: Any, under: int | None, number: int) -> Payload:
        own = member if verb == "delete" else member.get("id", 0 if verb == "create" else None)
        try:
            if self.faults.fail_members and number % 2 == 0:
                raise WooError("woocommerce_rest_invalid_product", "A plugin of the shop refuses this product.", 400)
            if verb == "create":
                return self.shop.create(member, under, checked=False)
            if verb == "update":
                return self.shop.update(int(own or 0), member, under, checked=False)
            return self.shop.delete(int(own), under, force=True)
        except WooError as error:
            return {"id": 0 if verb == "create" else own, "error": error.body()}

    async def _nowhere(self, _: web.Request) -> web.Response:
        raise WooError("rest_no_route", "No route was found matching the URL and request method.", 404)


def _under(request: web.Request) -> int | None:
    found = request.match_info.get("under")
    return None if found is None else int(found)


def _own(request: web.Request) -> int:
    return int(request.match_info["own"])


def _number(request: web.Request, name: str, default: int, largest: int | None = None) -> int:
    text = request.query.get(name, str(default))
    if text.isdigit() and 1 <= int(text) <= (largest or int(text)):
        return int(text)
    limits = f"between 1 (inclusive) and {largest} (inclusive)" if largest else "greater than or equal to 1"
    params = {name: f"{name} must be {limits}"}
    raise WooError("rest_invalid_param", f"Invalid parameter(s): {name}", 400, params=params)


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        found = json.loads(await request.read() or b"{}")
    except ValueError:
        raise WooError("rest_invalid_json", "Invalid JSON body passed.", 400) from None
    if found is not None and not isinstance(found, dict | list):
        raise critical()
    return found if isinstance(found, dict) else {}  # a list has no fields
