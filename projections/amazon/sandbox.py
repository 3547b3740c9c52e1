"""A small Amazon: Login with Amazon and the Listings Items API 2021-08-01, with Amazon's bodies, headers and habits.

Switches beside the shared faults: `token_seconds`, `apply_after_seconds`, `price_lag_seconds` and `late_issues`
(SKU -> an issue that appears once a submission for it, accepted without a word, is applied).
"""

import re
import secrets
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from aiohttp import web

from daybook.channel.contract import Payload
from daybook.channel.sandbox import SandboxServer
from projections.amazon.listing import MARKETPLACE_NL
from projections.amazon.marketplace import Marketplace, patched, problems, shown, view

RATE = {"PUT": "5.0", "PATCH": "5.0", "GET": "5.0", "DELETE": "5.0"}
"""The default usage plan, requests a second. Told, as at Amazon, but not enforced: `throttle_next` does that."""
INCLUDED = {
    "GET": (
        "summaries",
        "attributes",
        "issues",
        "offers",
        "fulfillmentAvailability",
        "procurement",
        "relationships",
        "productTypes",
    ),
    "PUT": ("issues", "identifiers"),
    "PATCH": ("issues", "identifiers"),
}
_PATH = re.compile(r"/attributes/[a-z0-9_]+\Z")


class AmazonSandbox(SandboxServer):
    """One seller, one marketplace, one application."""

    def __init__(
        self,
        *,
        apply_after_seconds: float = 0.05,
        token_seconds: float = 3600.0,
        marketplace_id: str = MARKETPLACE_NL,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self.token_seconds = token_seconds
        self.market = Marketplace(marketplace_id, apply_after_seconds, clock)
        self.tokens: dict[str, float] = {}
        """Access tokens and when each is over."""
        self._clock = clock
        self._credentials = {
            "client_id": "amzn1.application-oa2-client.sandbox",
            "client_secret": "amzn1.oa2-cs.v1.sandbox",
            "refresh_token": "Atzr|sandbox",
        }
        self._seller = "A2SANDBOXSELLER"

    @property
    def late_issues(self) -> dict[str, dict[str, Any]]:
        return self.market.late_issues

    def settings(self) -> dict[str, str]:
        """All that a connector needs: token_url is left out, the sandbox signs in at the same address."""
        return {
            "url": self.url,
            **self._credentials,
            "seller_id": self._seller,
            "marketplace_id": self.market.marketplace_id,
        }

    def shown(self) -> Mapping[str, Payload]:
        """By SKU: title, price, stock and whether the listing is live (discoverable) and buyable."""
        return {sku: shown(listing) for sku, listing in self.market.listings().items()}

    def throttled(self) -> web.Response:
        """Amazon does not say how long to wait."""
        return _refused(429, "QuotaExceeded", "You exceeded your quota for the requested resource.")

    def routes(self) -> list[web.RouteDef]:
        item = "/listings/2021-08-01/items/{seller}/{sku}"
        return [web.post("/auth/o2/token", self._token)] + [
            web.route(method, item, self._item) for method in ("PUT", "PATCH", "GET", "DELETE")
        ]

    async def _token(self, request: web.Request) -> web.Response:
        form = await request.post()
        if form.get("grant_type") != "refresh_token":
            return _sign_in_error("unsupported_grant_type", "The authorization grant type is not supported")
        if any(form.get(name) != self._credentials[name] for name in ("client_id", "client_secret")):
            return _sign_in_error("invalid_client", "Client authentication failed")
        if form.get("refresh_token") != self._credentials["refresh_token"]:
            return _sign_in_error(
                "invalid_grant",
                "The request has an invalid grant parameter : refresh_token. "
                "User may have revoked or didn't grant the permission.",
            )
        token = "Atza|" + secrets.token_urlsafe(16)
        self.tokens[token] = self._clock() + self.token_seconds
        return web.json_response(
            {
                "access_token": token,
                "token_type": "bearer",
                "expires_in": int(self.token_seconds),
                "refresh_token": form["refresh_token"],
            }
        )

    async def _item(self, request: web.Request) -> web.Response:
        refusal = self._access(request) or self._query(request)
        if refusal is not None:
            return refusal
        sku = request.match_info["sku"]
        if request.method == "GET":
            return self._get(request, sku)
        if request.method == "DELETE":
            return self._delete(sku)
        if request.content_type != "application/json":
            return _refused(415, "UnsupportedMediaType", "The request payload is in an unsupported format.")
        try:
            body = msgspec.json.decode(await request.read())
        except msgspec.DecodeError:
            return _refused(400, "InvalidInput", "Could not parse the request body.")
        if not isinstance(body, dict) or not isinstance(body.get("productType"), str):
            return _refused(400, "InvalidInput", "'productType' is missing or invalid.")
        return self._put(request, sku, body) if request.method == "PUT" else self._patch(request, sku, body)

    def _access(self, request: web.Request) -> web.Response | None:
        token = request.headers.get("x-amz-access-token")
        if token is None:
            why = "Access token is missing in the request header."
        elif token not in self.tokens:
            why = "The access token you provided is invalid."
        elif self.tokens[token] <= self._clock():
            why = "The access token you provided has expired."
        elif request.match_info["seller"] != self._seller:
            why = "The seller is not one that this application may act for."
        else:
            return None
        return _refused(403, "Unauthorized", "Access to requested resource is denied.", why)

    def _query(self, request: web.Request) -> web.Response | None:
        asked = request.query.get("marketplaceIds", "")
        if not asked:
            return _refused(400, "InvalidInput", "Missing required parameter: 'marketplaceIds'.")
        if asked != self.market.marketplace_id:
            return _refused(400, "InvalidInput", f"Invalid 'marketplaceIds' provided: {asked}.")
        unknown = set(_included(request)) - {*INCLUDED.get(request.method, ())}
        if unknown:
            return _refused(400, "InvalidInput", f"Invalid 'includedData' provided: {', '.join(sorted(unknown))}.")
        if request.query.get("mode", "VALIDATION_PREVIEW") != "VALIDATION_PREVIEW":
            return _refused(400, "InvalidInput", "Invalid 'mode' provided.")
        return None

    def _get(self, request: web.Request, sku: str) -> web.Response:
        listings = self.market.listings()
        if sku not in listings:
            return self._unknown(sku)
        children = [
            name
            for name, other in listings.items()
            if other.first("child_parent_sku_relationship", "parent_sku") == sku
        ]
        included = _included(request) or ["summaries"]
        return _answer(200, view(listings[sku], included, self.market.marketplace_id, children), "GET")

    def _put(self, request: web.Request, sku: str, body: dict[str, Any]) -> web.Response:
        requirements = body.get("requirements", "LISTING")
        if requirements not in ("LISTING", "LISTING_PRODUCT_ONLY", "LISTING_OFFER_ONLY"):
            return _refused(400, "InvalidInput", "Invalid 'requirements' provided.")
        if not isinstance(body.get("attributes"), dict):
            return _refused(400, "InvalidInput", "'attributes' is missing or invalid.")
        issues = problems(requirements, body["attributes"], self.market.marketplace_id)
        if not issues and "mode" not in request.query:
            self.market.submit(sku, body["productType"], body["attributes"])
        return self._submitted(request, sku, issues)

    def _patch(self, request: web.Request, sku: str, body: dict[str, Any]) -> web.Response:
        patches = body.get("patches")
        if not isinstance(patches, list) or not patches:
            return _refused(400, "InvalidInput", "'patches' is missing or invalid.")
        for patch in patches:
            if patch.get("op") not in ("add", "replace", "merge", "delete"):
                return _refused(400, "InvalidInput", f"Invalid patch operation: {patch.get('op')}.")
            if not _PATH.match(str(patch.get("path"))):
                why = "Only top-level listings item attributes can be patched."
                return _refused(400, "InvalidInput", f"Invalid patch path: {patch.get('path')}.", why)
        listing = self.market.listings().get(sku)
        if listing is None:
            return self._unknown(sku)
        touched = {patch["path"].removeprefix("/attributes/") for patch in patches}
        after = patched(listing.attributes, patches)
        issues = [
            issue
            for issue in problems("LISTING", after, self.market.marketplace_id)
            if touched & {*issue["attributeNames"]}
        ]
        if not issues and "mode" not in request.query:
            self.market.patch(sku, patches)
        return self._submitted(request, sku, issues)

    def _delete(self, sku: str) -> web.Response:
        if sku not in self.market.listings():
            return self._unknown(sku)
        self.market.remove(sku)
        body = {"sku": sku, "status": "ACCEPTED", "submissionId": str(uuid.uuid4()), "issues": []}
        return _answer(200, body, "DELETE")

    def _submitted(self, request: web.Request, sku: str, issues: list[dict[str, Any]]) -> web.Response:
        status = "INVALID" if issues else "VALID" if "mode" in request.query else "ACCEPTED"
        body: dict[str, Any] = {"sku": sku, "status": status, "submissionId": str(uuid.uuid4())}
        included = _included(request) or ["issues"]
        if "issues" in included:
            body["issues"] = issues
        known = self.market.listings().get(sku)
        if "identifiers" in included and known is not None:
            body["identifiers"] = [{"marketplaceId": self.market.marketplace_id, "asin": known.asin}]
        return _answer(200, body, request.method)

    def _unknown(self, sku: str) -> web.Response:
        return _refused(404, "NotFound", f"SKU '{sku}' not found in marketplace {self.market.marketplace_id}.")


def _included(request: web.Request) -> list[str]:
    return [name for name in request.query.get("includedData", "").split(",") if name]


def _answer(status: int, body: object, method: str | None) -> web.Response:
    headers = {"x-amzn-RequestId": str(uuid.uuid4())}
    if method is not None:
        headers["x-amzn-RateLimit-Limit"] = RATE[method]
    return web.Response(status=status, body=msgspec.json.encode(body), content_type="application/json", headers=headers)


def _refused(status: int, code: str, message: str, details: str = "") -> web.Response:
    """Amazon tells the rate with 400 and 404, not with 403, 413, 415 and 429."""
    errors = {"errors": [{"code": code, "message": message, "details": details}]}
    return _answer(status, errors, "GET" if status in (400, 404) else None)


def _sign_in_error(error: str, description: str) -> web.Response:
    return web.json_response({"error": error, "error_description": description}, status=400)
