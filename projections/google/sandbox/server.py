"""A small Google Merchant Center: the token endpoint and the products part of the Merchant API v1.

What was inserted is shown `delay_seconds` later, with what Google finds wrong with it. It is gone thirty days after the
last insert.
"""

import functools
import re
import secrets
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
from aiohttp import web

from daybook.channel.contract import Payload
from daybook.channel.pacing import Rate
from daybook.channel.sandbox import SandboxServer
from daybook_projections.google.sandbox.answers import (
    Refusal,
    decoded,
    encoded,
    info,
    json_object,
    not_found,
    oauth_error,
    quota_exceeded,
    refuse,
)
from daybook_projections.google.sandbox.rules import ATTRIBUTES, input_problems, issues, shape_problems

SCOPE = "https://www.googleapis.com/auth/content"
TOKEN_SECONDS = 3600
LIFE_SECONDS = 30 * 24 * 3600
PAGE_SIZE, PAGE_SIZE_MAX = 25, 1000
ACCOUNT = "/products/v1/accounts/{account}"
_MASK = re.compile(r"productAttributes\.([A-Za-z]+)\Z")

Handler = Callable[["GoogleSandbox", web.Request], Awaitable[web.Response]]


class Input(msgspec.Struct, frozen=True):
    """A product input, when it was inserted, and its data source."""

    body: Payload
    version: int | None
    inserted: float
    source: str


def operation(method: str) -> Callable[[Handler], Handler]:
    """What holds for every operation: the method's quota, the token, the account, error bodies."""

    def decorated(handler: Handler) -> Handler:
        @functools.wraps(handler)
        async def guarded(self: "GoogleSandbox", request: web.Request) -> web.Response:
            try:
                self.take(method)
                self.authenticate(request)
                self.settle()
                return await handler(self, request)
            except Refusal as refusal:
                return refusal.response()

        return guarded

    return decorated


class GoogleSandbox(SandboxServer):
    """One account with one primary data source. `clock` is in seconds."""

    def __init__(
        self,
        delay_seconds: float = 0.1,
        token_seconds: float = TOKEN_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        self.delay_seconds, self.token_seconds, self.clock = delay_seconds, token_seconds, clock
        self.limits: dict[str, Rate] = {}
        """Quotas by method (`productInputs.insert`), each filled evenly; one that is not here has none. Google's own
        figures depend on the account, so none is set from the start."""
        self.account, self.data_source = "123", "456"
        self.client_id, self.client_secret, self.refresh_token = "sandbox", "sandbox-secret", "1//sandbox-refresh"
        self.access = True
        """False: the user has no access to the account any more."""
        self.broken_images: set[str] = set()
        """Addresses where Google finds no picture."""
        self.page_prices: dict[str, Payload] = {}
        """By offer id: what the product's own page says it costs, once Google has looked."""
        self.inputs: dict[str, Input] = {}
        """By `language~label~offer`."""
        self._products: dict[str, Input] = {}
        self._under_way: deque[tuple[float, str, Input | None]] = deque()
        self._settling = threading.Lock()
        self._tokens: dict[str, float] = {}
        self._left: dict[str, tuple[float, float]] = {}
        """Method -> requests left, and when that was so."""

    def settings(self) -> dict[str, str]:
        """The loopback server is both the API and the token endpoint."""
        return {
            "url": self.url,
            "account": self.account,
            "data_source": self.data_source,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "refresh_token": self.refresh_token,
        }

    def shown(self) -> Mapping[str, Payload]:
        """Processed products by offer id. The same offer in two feeds raises: something was created twice.

        Google is told whether there is stock, not how much: `stock` is 0 or None.
        """
        self.settle()
        found: dict[str, Payload] = {}
        for product in list(self._products.values()):
            sku, attributes = product.body["offerId"], product.body.get("productAttributes", {})
            if sku in found:
                raise AssertionError(f"{sku} is in two feeds")
            price = attributes.get("price")
            in_stock = attributes.get("availability") == "IN_STOCK"
            found[sku] = {
                "title": attributes.get("title"),
                "price": _decimal(price) if price else None,
                "currency": price["currencyCode"] if price else None,
                "stock": None if in_stock else 0,
                "availability": attributes.get("availability"),
                "gtin": next(iter(attributes.get("gtins", ())), None),
                "group": attributes.get("itemGroupId"),
                "live": in_stock and not self._disapproved(product),
            }
        return found

    def throttled(self) -> web.Response:
        """Google's answer when the quota of this minute is used up."""
        return quota_exceeded().response()

    def expire_tokens(self) -> None:
        """Every token that was given out is expired from now on."""
        self._tokens = dict.fromkeys(self._tokens, 0.0)

    def edit(self, sku: str, **attributes: Any) -> None:
        """A person, a rule or a supplemental source changes what is shown; the input and its version stay."""
        for name, product in self._products.items():
            if product.body["offerId"] == sku:
                changed = product.body["productAttributes"] | attributes
                self._products[name] = msgspec.structs.replace(
                    product, body=product.body | {"productAttributes": changed}
                )

    def drop(self, sku: str) -> None:
        """A person deletes the product in Merchant Center."""
        for names in (self.inputs, self._products):
            for name in [name for name, one in names.items() if one.body["offerId"] == sku]:
                del names[name]

    def routes(self) -> list[web.RouteDef]:
        """The token endpoint of oauth2.googleapis.com and the products of merchantapi.googleapis.com."""
        return [
            web.post("/token", self.token),
            web.post(f"{ACCOUNT}/productInputs:insert", self.insert),
            web.patch(f"{ACCOUNT}/productInputs/{{name}}", self.patch),
            web.delete(f"{ACCOUNT}/productInputs/{{name}}", self.delete),
            web.get(f"{ACCOUNT}/products/{{name}}", self.get),
            web.get(f"{ACCOUNT}/products", self.list_products),
        ]

    def given_tokens(self) -> tuple[str, ...]:
        """Every token that was given out, whether it still holds or not."""
        return tuple(self._tokens)

    async def token(self, request: web.Request) -> web.Response:
        """A refresh token against an access token (RFC 6749, section 6)."""
        form = await request.post()
        if (form.get("client_id"), form.get("client_secret")) != (self.client_id, self.client_secret):
            return oauth_error(401, "invalid_client", "The OAuth client was not found.")
        if form.get("grant_type") != "refresh_token":
            return oauth_error(400, "unsupported_grant_type", "Invalid grant_type")
        if form.get("refresh_token") != self.refresh_token:
            return oauth_error(400, "invalid_grant", "Token has been expired or revoked.")
        token = f"ya29.{secrets.token_urlsafe(24)}"
        self._tokens[token] = self.clock() + self.token_seconds
        given = {"access_token": token, "expires_in": self.token_seconds, "scope": SCOPE, "token_type": "Bearer"}
        return web.json_response(given)

    def take(self, method: str) -> None:
        """Takes one request of the method's quota; raises the Refusal when there is none left."""
        rate = self.limits.get(method)
        if rate is None:
            return
        now = self.clock()
        left, at = self._left.get(method, (rate.burst, now))
        left = min(rate.burst, left + (now - at) * rate.per_second)
        if left < 1:
            self._left[method] = left, now
            raise quota_exceeded((1 - left) / rate.per_second)
        self._left[method] = left - 1, now

    def authenticate(self, request: web.Request) -> None:
        """Raises the Refusal of a request without a token that holds now, or for an account that is not the user's."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or self._tokens.get(token, 0.0) <= self.clock():
            message = "Request had invalid authentication credentials. Expected OAuth 2 access token."
            raise Refusal(401, "UNAUTHENTICATED", message)
        if request.match_info["account"] != self.account or not self.access:
            message = f"The caller does not have access to the accounts: [{request.match_info['account']}]"
            denied = info("PERMISSION_DENIED_ACCOUNTS", ACCOUNT_IDS=request.match_info["account"])
            raise Refusal(403, "PERMISSION_DENIED", message, [denied])

    def settle(self) -> None:
        """Shows what is due by now, and drops what is too old. `shown` may be asked from another thread."""
        with self._settling:
            self._settle(self.clock())

    def _settle(self, now: float) -> None:
        while self._under_way and self._under_way[0][0] <= now:
            _, name, stored = self._under_way.popleft()
            if stored is None:
                self._products.pop(name, None)
            else:
                self._products[name] = stored
        for names in (self.inputs, self._products):
            for name in [name for name, one in names.items() if one.inserted + LIFE_SECONDS <= now]:
                del names[name]

    @operation("productInputs.insert")
    async def insert(self, request: web.Request) -> web.Response:
        """POST productInputs:insert: replaces the whole input, unless its version number is lower."""
        source = self._source(request)
        body = await json_object(request)
        refuse(input_problems(body))
        body["offerId"] = " ".join(body["offerId"].split())  # as the contract says
        name = f"{body['contentLanguage']}~{body['feedLabel']}~{body['offerId']}"
        version = int(body["versionNumber"]) if "versionNumber" in body else None
        known = self.inputs.get(name)
        if version is not None and known is not None and version < (known.version or 0):
            message = f"The product has the version number {known.version}, which is higher than {version}."
            raise Refusal(409, "ABORTED", message, [info("VERSION_NUMBER_TOO_LOW", "versionNumber")])
        stored = {key: value for key, value in body.items() if key not in ("name", "versionNumber")}
        self._store(name, Input(stored, version, self.clock(), source))
        return web.json_response(self._answered(name))

    @operation("productInputs.update")
    async def patch(self, request: web.Request) -> web.Response:
        """PATCH productInputs/{name}: the attributes of the mask; one without a value is deleted. Guards nothing."""
        name, source = self._name(request), self._source(request)
        body = await json_object(request)
        refuse(shape_problems(body))
        if "versionNumber" in body:
            refuse([("versionNumber", "IMMUTABLE_FIELD", "must not be set for updates")])
        known = self.inputs.get(name)
        if known is None or known.source != source:
            raise not_found(name)
        given = body.get("productAttributes", {})
        mask = request.query.get("updateMask")
        paths = [f"productAttributes.{key}" for key in given] if mask is None else mask.split(",")
        names = [match[1] for path in paths if (match := _MASK.match(path)) is not None and match[1] in ATTRIBUTES]
        if len(names) != len(paths):
            refuse([("updateMask", "INVALID_UPDATE_MASK", "may name top-level attributes only")])
        attributes = {k: v for k, v in known.body.get("productAttributes", {}).items() if k not in names}
        attributes |= {key: given[key] for key in names if key in given}
        changed = known.body | {"productAttributes": attributes}
        self._store(name, msgspec.structs.replace(known, body=changed))
        return web.json_response(self._answered(name))

    @operation("productInputs.delete")
    async def delete(self, request: web.Request) -> web.Response:
        """DELETE productInputs/{name}."""
        name, source = self._name(request), self._source(request)
        if name not in self.inputs or self.inputs[name].source != source:
            raise not_found(name)
        self._store(name, None)
        return web.json_response({})

    @operation("products.get")
    async def get(self, request: web.Request) -> web.Response:
        """GET products/{name}: the processed product with its status."""
        name = self._name(request)
        if name not in self._products:
            raise not_found(name)
        return web.json_response(self._processed(name))

    @operation("products.list")
    async def list_products(self, request: web.Request) -> web.Response:
        """GET products, page by page in the order of their names."""
        size, after = request.query.get("pageSize", str(PAGE_SIZE)), request.query.get("pageToken", "")
        if not size.isdigit():
            refuse([("pageSize", "INVALID_VALUE", "must be a number")])
        names = [name for name in sorted(self._products) if not after or name > decoded(after)]
        page = names[: min(int(size) or PAGE_SIZE, PAGE_SIZE_MAX)]
        answer: Payload = {"products": [self._processed(name) for name in page]}
        if len(page) < len(names):
            answer["nextPageToken"] = encoded(page[-1])
        return web.json_response(answer)

    def _store(self, name: str, stored: Input | None) -> None:
        if stored is None:
            del self.inputs[name]
        else:
            self.inputs[name] = stored
        self._under_way.append((self.clock() + self.delay_seconds, name, stored))
        self.settle()

    def _name(self, request: web.Request) -> str:
        """`language~label~offer` of the resource name, which is that or its unpadded base64url; `~` tells which."""
        given = request.match_info["name"]
        name = given if "~" in given else decoded(given)
        parts = name.split("~", 2)
        if len(parts) != 3 or not all(parts) or ("~" in given and re.search("[~/%]", parts[2])):
            message = "must be contentLanguage~feedLabel~offerId or its unpadded base64url encoding"
            refuse([("name", "INVALID_NAME", message)])
        return name

    def _source(self, request: web.Request) -> str:
        source: str = request.query.get("dataSource", "")
        if not re.match(rf"accounts/{self.account}/dataSources/[0-9]+\Z", source):
            refuse([("dataSource", "INVALID_DATA_SOURCE", "must be accounts/{account}/dataSources/{dataSource}")])
        if source.rpartition("/")[2] != self.data_source:
            raise Refusal(404, "NOT_FOUND", f"The data source {source} was not found.")
        return source

    def _answered(self, name: str) -> Payload:
        """The product input as insert and patch give it back."""
        stored = self.inputs[name]
        account = f"accounts/{self.account}"
        answer = stored.body | {
            "name": f"{account}/productInputs/{name}",
            "base64EncodedName": f"{account}/productInputs/{encoded(name)}",
            "product": f"{account}/products/{name}",
            "base64EncodedProduct": f"{account}/products/{encoded(name)}",
        }
        return answer if stored.version is None else answer | {"versionNumber": str(stored.version)}

    def _processed(self, name: str) -> Payload:
        product = self._products[name]
        label = product.body["feedLabel"]
        where = "disapprovedCountries" if self._disapproved(product) else "approvedCountries"
        status: Payload = {
            "destinationStatuses": [{"reportingContext": "SHOPPING_ADS", where: [label]}],
            "lastUpdateDate": _time(product.inserted),
            "googleExpirationDate": _time(product.inserted + LIFE_SECONDS),
        }
        if found := self._issues(product):
            status["itemLevelIssues"] = found
        answer = product.body | {
            "name": f"accounts/{self.account}/products/{name}",
            "base64EncodedName": f"accounts/{self.account}/products/{encoded(name)}",
            "dataSource": product.source,
            "productStatus": status,
        }
        return answer if product.version is None else answer | {"versionNumber": str(product.version)}

    def _issues(self, product: Input) -> list[Payload]:
        attributes = product.body.get("productAttributes", {})
        crawled = self.page_prices.get(product.body["offerId"])
        return issues(attributes, crawled, attributes.get("imageLink") in self.broken_images)

    def _disapproved(self, product: Input) -> bool:
        return any(issue["severity"] == "DISAPPROVED" for issue in self._issues(product))


def _decimal(price: Mapping[str, Any]) -> str:
    """`19.99`: two decimals at least, more only when there are more."""
    amount = Decimal(str(price["amountMicros"])).scaleb(-6)
    return f"{amount:.2f}" if amount == round(amount, 2) else f"{amount.normalize():f}"


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
