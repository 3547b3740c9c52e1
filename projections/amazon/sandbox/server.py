"""A small Amazon: sign-in, listings items, feeds and product type definitions, with Amazon's bodies and habits.

What it says to a SKU that is too long or unknown, and that it takes a PATCH for a listing that is not there, are as
sellers have seen it (jrl84/amazon-sp-api#126, saleweaver/python-amazon-sp-api#495, amzn/selling-partner-api-models#2797
and #4941); the rest is the published contract's.

Switches beside the shared faults: `token_seconds`, `apply_after_seconds`, `price_lag_seconds`, `late_issues`
(SKU -> an issue that appears once a submission for it, accepted without a word, is applied), `limits` (operation -> the
rate that is enforced; none at first, `PUBLISHED` has Amazon's own) and those of `feeds` and `files`.
"""

import re
import secrets
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from aiohttp import web

from daybook.channel.contract import Payload
from daybook.channel.pacing import Rate
from daybook.channel.sandbox import SandboxServer
from daybook_projections.amazon.listing import MARKETPLACE_NL
from daybook_projections.amazon.sandbox.answers import Limits, answer, quota, refused
from daybook_projections.amazon.sandbox.feeds import FeedQueue
from daybook_projections.amazon.sandbox.files import Files
from daybook_projections.amazon.sandbox.marketplace import SKU_LENGTH_MAX, Marketplace, patched, problems, shown, view
from daybook_projections.amazon.sandbox.types import DISPLAY_NAMES, definition, schema

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
ITEM_OPERATIONS = {
    "GET": "getListingsItem",
    "PUT": "putListingsItem",
    "PATCH": "patchListingsItem",
    "DELETE": "deleteListingsItem",
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
        self.files = Files(clock)
        self.feeds = FeedQueue(self.market, self.files, self._seller, lambda: self.faults)
        self.market.unfinished = lambda: self.faults.keep_pending
        self._limits = Limits(clock)
        self._schemas: dict[tuple[str, str, str, bool], str] = {}

    @property
    def limits(self) -> dict[str, Rate]:
        """Operation -> the rate that it is held to."""
        return self._limits.rates

    @limits.setter
    def limits(self, rates: dict[str, Rate]) -> None:
        self._limits.rates = rates

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
        return {sku: shown(listing) for sku, listing in self.market.listings().items() if listing.is_listed}

    def throttled(self) -> web.Response:
        """Amazon does not say how long to wait."""
        return quota()

    def expire_tokens(self) -> None:
        """Every access token that was given out is refused from now on."""
        self.tokens.clear()

    def routes(self) -> list[web.RouteDef]:
        item = "/listings/2021-08-01/items/{seller}/{sku}"
        feeds = "/feeds/2021-06-30"
        return [
            web.post("/auth/o2/token", self._token),
            *(web.route(method, item, self._item) for method in ITEM_OPERATIONS),
            web.get(
                "/definitions/2020-09-01/productTypes/{type}", self._guarded("getDefinitionsProductType", self._type)
            ),
            web.post(f"{feeds}/documents", self._guarded("createFeedDocument", self._new_document)),
            web.get(f"{feeds}/documents/{{id}}", self._guarded("getFeedDocument", self._document)),
            web.post(f"{feeds}/feeds", self._guarded("createFeed", self._new_feed)),
            web.get(f"{feeds}/feeds/{{id}}", self._guarded("getFeed", self._feed)),
            web.delete(f"{feeds}/feeds/{{id}}", self._guarded("cancelFeed", self._feed)),
            *self.files.routes(),
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
        operation = "validateListingsItem" if "mode" in request.query else ITEM_OPERATIONS[request.method]
        refusal = self._access(request) or self._query(request)
        if refusal is not None:
            return refusal
        if not self._limits.take(operation):
            return quota()
        sku = request.match_info["sku"]
        if request.method == "GET":
            return self._get(request, sku)
        if request.method == "DELETE":
            return self._delete(sku)
        if request.content_type != "application/json":
            return self._refused(415, "UnsupportedMediaType", "The request payload is in an unsupported format.")
        try:
            body = msgspec.json.decode(await request.read())
        except msgspec.DecodeError:
            return self._refused(400, "InvalidInput", "Could not parse the request body.")
        if not isinstance(body, dict) or not isinstance(body.get("productType"), str):
            return self._refused(400, "InvalidInput", "'productType' is missing or invalid.")
        return self._put(request, sku, body) if request.method == "PUT" else self._patch(request, sku, body)

    def _access(self, request: web.Request) -> web.Response | None:
        token = request.headers.get("x-amz-access-token")
        if token is None:
            why = "Access token is missing in the request header."
        elif token not in self.tokens:
            why = "The access token you provided is invalid."
        elif self.tokens[token] <= self._clock():
            why = "The access token you provided has expired."
        elif request.match_info.get("seller", self._seller) != self._seller:
            why = "The seller is not one that this application may act for."
        else:
            return None
        return self._refused(403, "Unauthorized", "Access to requested resource is denied.", why)

    def _query(self, request: web.Request) -> web.Response | None:
        asked = request.query.get("marketplaceIds", "")
        if not asked:
            return self._refused(400, "InvalidInput", "Missing required parameter: 'marketplaceIds'.")
        if asked != self.market.marketplace_id:
            return self._refused(400, "InvalidInput", f"Invalid 'marketplaceIds' provided: {asked}.")
        unknown = set(_included(request)) - {*INCLUDED.get(request.method, ())}
        if request.method != "GET" and "mode" not in request.query:
            unknown |= {"identifiers"} & set(_included(request))  # for validation previews only
        if unknown:
            return self._refused(400, "InvalidInput", f"Invalid 'includedData' provided: {', '.join(sorted(unknown))}.")
        if request.query.get("mode", "VALIDATION_PREVIEW") != "VALIDATION_PREVIEW":
            return self._refused(400, "InvalidInput", "Invalid 'mode' provided.")
        if len(request.match_info["sku"]) > SKU_LENGTH_MAX:
            return self._refused(400, "InvalidInput", f"Invalid 'sku' provided. SKU: {request.match_info['sku']}")
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
        return self._said(200, view(listings[sku], included, self.market.marketplace_id, children), "GET")

    def _put(self, request: web.Request, sku: str, body: dict[str, Any]) -> web.Response:
        requirements = body.get("requirements", "LISTING")
        if requirements not in ("LISTING", "LISTING_PRODUCT_ONLY", "LISTING_OFFER_ONLY"):
            return self._refused(400, "InvalidInput", "Invalid 'requirements' provided.")
        if not isinstance(body.get("attributes"), dict):
            return self._refused(400, "InvalidInput", "'attributes' is missing or invalid.")
        issues = problems(requirements, body["attributes"], self.market.marketplace_id)
        if not issues and "mode" not in request.query:
            self.market.submit(sku, body["productType"], body["attributes"])
        return self._submitted(request, sku, issues)

    def _patch(self, request: web.Request, sku: str, body: dict[str, Any]) -> web.Response:
        patches = body.get("patches")
        if not isinstance(patches, list) or not patches:
            return self._refused(400, "InvalidInput", "'patches' is missing or invalid.")
        for index, patch in enumerate(patches):
            if patch.get("op") not in ("add", "replace", "merge", "delete"):
                return self._refused(400, "InvalidInput", f"Invalid patch operation: {patch.get('op')}.")
            if not _PATH.match(str(patch.get("path"))):
                why = "Only top-level listings item attributes can be patched."
                return self._refused(400, "InvalidInput", f"Invalid patch path: {patch.get('path')}.", why)
            if not patch.get("value"):
                return self._refused(400, "InvalidInput", f"Invalid empty value provided in patch at index {index}.")
        listing = self.market.listings().get(sku)
        touched = {patch["path"].removeprefix("/attributes/") for patch in patches}
        after = patched(listing.attributes if listing is not None else {}, patches)
        issues = [
            issue
            for issue in problems("LISTING", after, self.market.marketplace_id)
            if touched & {*issue["attributeNames"]}
        ]
        if not issues and "mode" not in request.query:
            self.market.patch(sku, body["productType"], patches)
        return self._submitted(request, sku, issues)

    def _delete(self, sku: str) -> web.Response:
        self.market.remove(sku)  # the contract has no 404 for what is not there
        body = {"sku": sku, "status": "ACCEPTED", "submissionId": str(uuid.uuid4()), "issues": []}
        return self._said(200, body, "DELETE")

    def _submitted(self, request: web.Request, sku: str, issues: list[dict[str, Any]]) -> web.Response:
        status = "INVALID" if issues else "VALID" if "mode" in request.query else "ACCEPTED"
        body: dict[str, Any] = {"sku": sku, "status": status, "submissionId": str(uuid.uuid4())}
        included = _included(request) or ["issues"]
        if "issues" in included:
            body["issues"] = issues
        known = self.market.listings().get(sku)
        if "identifiers" in included and known is not None:
            body["identifiers"] = [{"marketplaceId": self.market.marketplace_id, "asin": known.asin}]
        return self._said(200, body, request.method)

    def _unknown(self, sku: str) -> web.Response:
        return self._refused(404, "NOT_FOUND", f"SKU '{sku}' not found in marketplace {self.market.marketplace_id}")

    def _guarded(
        self, operation: str, handler: Callable[[web.Request], Awaitable[web.Response]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        """What holds for every operation beside the listings': the token and the pace."""

        async def guarded(request: web.Request) -> web.Response:
            refusal = self._access(request)
            if refusal is not None:
                return refusal
            if not self._limits.take(operation):
                return quota()
            response = await handler(request)
            if response.status in (200, 201, 202, 400, 404):
                response.headers["x-amzn-RateLimit-Limit"] = self._limits.told(operation)
            return response

        return guarded

    async def _type(self, request: web.Request) -> web.Response:
        name, asked = request.match_info["type"], request.query
        if asked.get("marketplaceIds") != self.market.marketplace_id:
            return refused(400, "InvalidInput", "Invalid 'marketplaceIds' provided.")
        if name not in DISPLAY_NAMES:
            return refused(404, "NotFound", f"Product type '{name}' not found.")
        requirements = asked.get("requirements", "LISTING")
        enforced = asked.get("requirementsEnforced", "ENFORCED") == "ENFORCED"
        key = (name, requirements, asked.get("parentageLevel", ""), enforced)
        content = schema(*key)
        file = self.files.files.get(self._schemas.get(key, "")) or self.files.add("application/json", content)
        self._schemas[key] = file.id
        address = self.files.address(self.url, "GET", file)
        locale = asked.get("locale", "DEFAULT")
        body = definition(name, requirements, enforced, locale, self.market.marketplace_id, address, content)
        return answer(200, body, None)

    async def _new_document(self, request: web.Request) -> web.Response:
        body = _decoded(await request.read())
        if not isinstance(body.get("contentType"), str):
            return refused(400, "InvalidInput", "'contentType' is missing or invalid.")
        file = self.files.add(body["contentType"])
        return answer(201, {"feedDocumentId": file.id, "url": self.files.address(self.url, "PUT", file)}, None)

    async def _document(self, request: web.Request) -> web.Response:
        file = self.files.files.get(request.match_info["id"])
        if file is None or file.content is None:
            return refused(404, "NotFound", "The feed document does not exist.")
        reports = [feed.report.id for feed in self.feeds.feeds.values() if feed.report]
        packed = {"compressionAlgorithm": "GZIP"} if file.id in reports else {}
        address = self.files.address(self.url, "GET", file)
        return answer(200, {"feedDocumentId": file.id, "url": address} | packed, None)

    async def _new_feed(self, request: web.Request) -> web.Response:
        body = _decoded(await request.read())
        file = self.files.files.get(str(body.get("inputFeedDocumentId")))
        if body.get("feedType") != "JSON_LISTINGS_FEED":
            return refused(400, "InvalidInput", f"Invalid 'feedType' provided: {body.get('feedType')}.")
        if body.get("marketplaceIds") != [self.market.marketplace_id]:
            return refused(400, "InvalidInput", "Invalid 'marketplaceIds' provided.")
        if file is None or file.content is None:
            return refused(400, "InvalidInput", "The input feed document was not uploaded.")
        return answer(202, {"feedId": self.feeds.create(file).id}, None)

    async def _feed(self, request: web.Request) -> web.Response:
        self.market.listings()  # whatever is due is done first
        feed = self.feeds.feeds.get(request.match_info["id"])
        if feed is None:
            return refused(404, "NotFound", "The feed does not exist.")
        if request.method == "GET":
            return answer(200, feed.view(self.market.marketplace_id), None)
        if feed.status != "IN_QUEUE":
            return refused(400, "InvalidInput", f"A feed that is {feed.status} can't be cancelled.")
        feed.status = "CANCELLED"
        return answer(200, {}, None)

    def _said(self, status: int, body: object, method: str) -> web.Response:
        return answer(status, body, self._limits.told(ITEM_OPERATIONS[method]))

    def _refused(self, status: int, code: str, message: str, details: str = "") -> web.Response:
        return refused(status, code, message, details, self._limits.told("getListingsItem"))


def _included(request: web.Request) -> list[str]:
    return [name for name in request.query.get("includedData", "").split(",") if name]


def _sign_in_error(error: str, description: str) -> web.Response:
    return web.json_response({"error": error, "error_description": description}, status=400)


def _decoded(raw: bytes) -> dict[str, Any]:
    try:
        body = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return {}
    return body if isinstance(body, dict) else {}
