"""A small bol.com: the token endpoint and Offers v11 with bol's statuses, problem bodies, limits and paging.

Where bol's published contract is silent (an offer's stock above 999, a second offer for the same EAN and condition, a
field that can't be patched) it refuses with a violation, as v10 documents or as sellers report.
"""

import base64
import functools
import secrets
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from aiohttp import web

from daybook.channel.contract import Payload
from daybook.channel.sandbox import SandboxServer
from projections.bol.sandbox_rules import create_violations, patch_violations

MEDIA_TYPE = "application/vnd.retailer.v11+json"
PER_SECOND = 50
PAGE_SIZE = 25

Handler = Callable[["BolSandbox", web.Request], Awaitable[web.Response]]


class Refusal(Exception):
    """Answered with a problem body."""

    def __init__(
        self, status: int, title: str, detail: str, violations: Iterable[tuple[str, str]] = (), retry_after: int = 0
    ) -> None:
        super().__init__(detail)
        self.status, self.title, self.detail = status, title, detail
        self.violations = tuple(violations)
        self.retry_after = retry_after

    def response(self, path: str) -> web.Response:
        """The problem as bol words it."""
        body: Payload = {
            "type": "https://api.bol.com/problems",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "host": "Instance-001",
            "instance": f"https://api.bol.com{path}",
        }
        if self.violations:
            body["violations"] = [{"name": name, "reason": reason} for name, reason in self.violations]
        headers = {"Retry-After": str(self.retry_after)} if self.retry_after else {}
        return web.json_response(body, status=self.status, headers=headers, content_type="application/problem+json")


def operation(handler: Handler) -> Handler:
    """What holds for every operation: the pace with its headers, the token, the media types, problem bodies."""

    @functools.wraps(handler)
    async def guarded(self: "BolSandbox", request: web.Request) -> web.Response:
        left = self.take(handler.__name__)
        try:
            if left < 0:
                raise Refusal(429, "Too Many Requests", "Too many requests, retry in 1 seconds.", retry_after=1)
            self.authenticate(request)
            if request.headers.get("Accept", "*/*") not in (MEDIA_TYPE, "*/*"):
                raise Refusal(406, "Not Acceptable", f"The Accept header must be {MEDIA_TYPE}.")
            if request.method in ("POST", "PATCH") and request.content_type != MEDIA_TYPE:
                raise Refusal(415, "Unsupported Media Type", f"The Content-Type header must be {MEDIA_TYPE}.")
            response = await handler(self, request)
        except Refusal as refusal:
            response = refusal.response(request.path)
        response.headers["X-RateLimit-Limit"] = str(self.per_second or PER_SECOND)
        response.headers["X-RateLimit-Remaining"] = str(max(0, left))
        response.headers["X-RateLimit-Reset"] = "1"
        return response

    return guarded


class BolSandbox(SandboxServer):
    """One account. `per_second` is the pace allowed per operation (None: any), `token_seconds` a token's life."""

    def __init__(self, per_second: int | None = PER_SECOND, token_seconds: float = 299) -> None:
        super().__init__()
        self.per_second = per_second
        self.token_seconds = token_seconds
        self.client_id, self.client_secret = "sandbox", "sandbox-secret"
        self.account_active = True
        self.offers: dict[str, Payload] = {}
        """By offer id, as `GET` gives them."""
        self._tokens: dict[str, float] = {}
        self._windows: dict[str, tuple[int, int]] = {}

    def settings(self) -> dict[str, str]:
        """The loopback server is both the API and the login host."""
        return {"url": self.url, "client_id": self.client_id, "client_secret": self.client_secret}

    def shown(self) -> Mapping[str, Payload]:
        """Offers by reference. Two offers under one reference raise: a connector created something twice."""
        found: dict[str, Payload] = {}
        for offer in self.offers.values():
            sku = str(offer.get("reference", offer["offerId"]))
            if sku in found:
                raise AssertionError(f"two offers have the reference {sku}")
            found[sku] = {
                "title": offer.get("unknownProductTitle"),
                "ean": offer["ean"],
                "price": f"{offer['pricing']['bundlePrices'][0]['unitPrice']:.2f}",
                "currency": "EUR",
                "stock": offer["stock"]["amount"],
                "countries": [each["countryCode"] for each in offer["countryAvailabilities"]],
                "live": not self._reasons(offer),
            }
        return found

    def throttled(self) -> web.Response:
        """bol's answer to too many requests, with the seconds to wait."""
        return Refusal(429, "Too Many Requests", "Too many requests, retry in 1 seconds.", retry_after=1).response("/")

    def expire_tokens(self) -> None:
        """Every token that was given out is expired from now on."""
        self._tokens = dict.fromkeys(self._tokens, 0.0)

    def routes(self) -> list[web.RouteDef]:
        """The token endpoint of login.bol.com and the offers of api.bol.com."""
        return [
            web.post("/token", self.token),
            web.post("/retailer/offers", self.create),
            web.get("/retailer/offers", self.list_offers),
            web.get("/retailer/offers/{id}", self.get),
            web.patch("/retailer/offers/{id}", self.patch),
            web.delete("/retailer/offers/{id}", self.delete),
            web.get("/retailer/offers/{id}/not-for-sale-reasons", self.not_for_sale_reasons),
        ]

    async def token(self, request: web.Request) -> web.Response:
        """Client credentials in Basic auth against a token."""
        basic = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {basic}":
            refused = {"error": "invalid_client", "error_description": "Bad client credentials"}
            return web.json_response(refused, status=401)
        form = await request.post()
        if (request.query.get("grant_type") or form.get("grant_type")) != "client_credentials":
            return web.json_response({"error": "unsupported_grant_type"}, status=400)
        token = f"eyJ.{secrets.token_urlsafe(16)}.sandbox"
        self._tokens[token] = time.monotonic() + self.token_seconds
        given = {"access_token": token, "token_type": "Bearer", "expires_in": self.token_seconds, "scope": "RETAILER"}
        return web.json_response(given)

    def authenticate(self, request: web.Request) -> None:
        """Raises the Refusal of a request without a token that holds now."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or token not in self._tokens:
            raise Refusal(401, "Unauthorized", "Invalid JWT")
        if time.monotonic() >= self._tokens[token]:
            raise Refusal(401, "Expired JWT", f"JWT expired at {_now()}")
        if not self.account_active:
            raise Refusal(403, "Forbidden", "Account is not active, access denied. Please contact partnerservice.")

    def take(self, name: str) -> int:
        """Takes one request of this second's allowance; what is left of it, below zero when it was used up."""
        if self.per_second is None:
            return PER_SECOND
        second = int(time.monotonic())
        window, used = self._windows.get(name, (second, 0))
        used = used + 1 if window == second else 1
        self._windows[name] = (second, used)
        return self.per_second - used

    @operation
    async def create(self, request: web.Request) -> web.Response:
        """POST /retailer/offers."""
        body = await _object(request)
        violations = create_violations(body)
        twins = [
            o for o in self.offers.values() if (o["ean"], o["condition"]) == (body.get("ean"), body.get("condition"))
        ]
        if twins and not violations:
            violations = [("ean", "An offer for this EAN and condition already exists: " + twins[0]["offerId"])]
        _refuse(violations)
        offer_id = str(uuid.uuid4())
        defaults = {
            "onHoldByRetailer": False,
            "stock": {"amount": 0, "managedByRetailer": False},
            "countryAvailabilities": [{"countryCode": "NL"}, {"countryCode": "BE"}],
        }
        self._store(defaults | body | {"offerId": offer_id})
        return _json({"offerId": offer_id}, 201)

    @operation
    async def patch(self, request: web.Request) -> web.Response:
        """PATCH /retailer/offers/{id}: the fields that are named; stock is merged, others are replaced."""
        offer = self._offer(request)
        body = await _object(request)
        _refuse(patch_violations(body))
        if "stock" in body:
            body["stock"] = offer["stock"] | body["stock"]
        self._store(offer | body)
        return web.Response(status=204)

    @operation
    async def delete(self, request: web.Request) -> web.Response:
        """DELETE /retailer/offers/{id}."""
        del self.offers[self._offer(request)["offerId"]]
        return web.Response(status=204)

    @operation
    async def get(self, request: web.Request) -> web.Response:
        """GET /retailer/offers/{id}."""
        return _json(self._answered(self._offer(request)))

    @operation
    async def list_offers(self, request: web.Request) -> web.Response:
        """GET /retailer/offers with filters, page by page. The cursor is only for giving back."""
        query = request.query
        size = query.get("page-size", str(PAGE_SIZE))
        if not size.isdigit() or not 1 <= int(size) <= 100:
            _refuse([("page-size", "Request contains invalid value(s): must be between 1 and 100.")])
        try:
            after = base64.b64decode(query.get("cursor", ""), altchars=b"-_", validate=True).decode()
        except ValueError:
            _refuse([("cursor", "Request contains invalid value(s): unknown cursor.")])
        ids, eans = _several(query.getall("offer-ids", [])), _several(query.getall("eans", []))
        found = [
            offer
            for offer_id, offer in sorted(self.offers.items())
            if offer_id > after
            and (not ids or offer_id in ids)
            and (not eans or offer["ean"] in eans)
            and query.get("reference", offer.get("reference")) == offer.get("reference")
            and query.get("for-sale", str(not self._reasons(offer)).lower()) == str(not self._reasons(offer)).lower()
        ]
        page: Payload = {"pageSize": int(size)}
        if len(found) > int(size):
            page["nextCursor"] = base64.urlsafe_b64encode(found[int(size) - 1]["offerId"].encode()).decode()
        return _json({"offers": [self._answered(offer) for offer in found[: int(size)]], "page": page})

    @operation
    async def not_for_sale_reasons(self, request: web.Request) -> web.Response:
        """GET /retailer/offers/{id}/not-for-sale-reasons."""
        offer = self._offer(request)
        reasons = self._reasons(offer)
        countries = [each["countryCode"] for each in offer["countryAvailabilities"]] if reasons else []
        shown = [{"countryCode": code, "reasons": reasons} for code in countries]
        return _json({"offerId": offer["offerId"], "countries": shown})

    def _offer(self, request: web.Request) -> Payload:
        offer = self.offers.get(request.match_info["id"])
        if offer is None:
            raise Refusal(404, "Not Found", f"Offer with id '{request.match_info['id']}' was not found.")
        return offer

    def _store(self, offer: Payload) -> None:
        self.offers[offer["offerId"]] = offer | {"lastModifiedDateTime": _now()}

    def _answered(self, offer: Payload) -> Payload:
        live = not self._reasons(offer)
        stock = offer["stock"] | {"correctedStock": offer["stock"]["amount"]}
        countries = [each | {"forSale": live} for each in offer["countryAvailabilities"]]
        return offer | {"stock": stock, "countryAvailabilities": countries}

    @staticmethod
    def _reasons(offer: Payload) -> list[Payload]:
        reasons = []
        if offer["onHoldByRetailer"]:
            reasons.append({"category": "ON_HOLD", "description": "The offer is on hold by the retailer"})
        if offer["stock"]["amount"] == 0:
            reasons.append({"category": "STOCK", "description": "The offer has no stock"})
        return reasons


def _refuse(violations: list[tuple[str, str]]) -> None:
    if violations:
        detail = "Bad request: validation error(s)."
        raise Refusal(400, "Error validating request. Consult the bol.com API documentation", detail, violations)


def _several(values: Iterable[str]) -> set[str]:
    return {each for value in values for each in value.split(",")}


async def _object(request: web.Request) -> dict[str, Any]:
    try:
        body = msgspec.json.decode(await request.read(), type=dict[str, Any])
    except msgspec.DecodeError:
        raise Refusal(400, "Bad Request", "The request body is no JSON object.") from None
    return body


def _json(body: Payload, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(body), status=status, content_type=MEDIA_TYPE)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
