"""What every request to bol's sandbox goes through: tokens, the pace with its headers, media types, problem bodies."""

import base64
import functools
import math
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
from aiohttp import web

from daybook.channel.contract import Payload
from daybook.channel.pacing import Rate
from daybook.channel.sandbox import SandboxServer

RETAILER_V11 = "application/vnd.retailer.v11+json"
RETAILER_V10 = "application/vnd.retailer.v10+json"
UNLIMITED = 50
"""What the headers say of an operation without a limit."""

D = TypeVar("D", bound="AccountServer")
Handler = Callable[[D, web.Request], Awaitable[web.Response]]


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


def too_many(seconds: int) -> Refusal:
    """bol's refusal of a request that came too fast."""
    return Refusal(429, "Too Many Requests", f"Too many requests, retry in {seconds} seconds.", retry_after=seconds)


class Allowance(msgspec.Struct, frozen=True):
    """What an operation's limit says to one request."""

    limit: int
    left: int
    """After this request; below zero when there was nothing left for it."""
    reset_seconds: int
    """Until the count starts anew, in whole seconds."""


class AccountServer(SandboxServer):
    """The account, its tokens and its limits."""

    def __init__(self, token_seconds: float) -> None:
        super().__init__()
        self.token_seconds = token_seconds
        self.client_id, self.client_secret = "sandbox", "sandbox-secret"
        self.account_active = True
        self.limits: dict[str, Rate] = {}
        """By bol's name of the operation. bol counts in windows: so many requests, then none until the window ends."""
        self._tokens: dict[str, float] = {}
        self._windows: dict[str, tuple[float, int]] = {}

    def settings(self) -> dict[str, str]:
        """The loopback server is both the API and the login host."""
        return {"url": self.url, "client_id": self.client_id, "client_secret": self.client_secret}

    def throttled(self) -> web.Response:
        """bol's answer to too many requests, with the seconds to wait."""
        return too_many(1).response("/")

    def expire_tokens(self) -> None:
        """Every token that was given out is expired from now on."""
        self._tokens = dict.fromkeys(self._tokens, 0.0)

    def given_tokens(self) -> tuple[str, ...]:
        """Every token that was given out, whether it still holds or not."""
        return tuple(self._tokens)

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
            raise Refusal(401, "Expired JWT", f"JWT expired at {now()}")
        if not self.account_active:
            raise Refusal(403, "Forbidden", "Account is not active, access denied. Please contact partnerservice.")

    def take(self, name: str) -> Allowance:
        """Counts one request of an operation. A window is opened by the first request after the one before it."""
        rate = self.limits.get(name)
        if rate is None:
            return Allowance(UNLIMITED, UNLIMITED, 1)
        limit = max(1, int(rate.per_second))
        window, clock = limit / rate.per_second, time.monotonic()
        opened, used = self._windows.get(name, (clock, 0))
        if clock >= opened + window:
            opened, used = clock, 0
        self._windows[name] = (opened, used + 1)
        return Allowance(limit, limit - used - 1, max(1, math.ceil(opened + window - clock)))


def operation(name: str, media_type: str = RETAILER_V11) -> Callable[[Handler[D]], Handler[D]]:
    """What holds for every operation, by bol's name for it."""

    def guard(handler: Handler[D]) -> Handler[D]:
        @functools.wraps(handler)
        async def guarded(self: D, request: web.Request) -> web.Response:
            allowed = self.take(name)
            try:
                if allowed.left < 0:
                    raise too_many(allowed.reset_seconds)
                self.authenticate(request)
                if request.headers.get("Accept", "*/*") not in (media_type, "*/*"):
                    raise Refusal(406, "Not Acceptable", f"The Accept header must be {media_type}.")
                if request.method in ("POST", "PATCH") and request.content_type != media_type:
                    raise Refusal(415, "Unsupported Media Type", f"The Content-Type header must be {media_type}.")
                response = await handler(self, request)
            except Refusal as refusal:
                response = refusal.response(request.path)
            response.headers["X-RateLimit-Limit"] = str(allowed.limit)
            response.headers["X-RateLimit-Remaining"] = str(max(0, allowed.left))
            response.headers["X-RateLimit-Reset"] = str(allowed.reset_seconds)
            return response

        return guarded

    return guard


def refuse(violations: list[tuple[str, str]]) -> None:
    """Raises the Refusal of a request with these violations, if there are any."""
    if violations:
        detail = "Bad request: validation error(s)."
        raise Refusal(400, "Error validating request. Consult the bol.com API documentation", detail, violations)


async def object_of(request: web.Request) -> dict[str, Any]:
    """The request's JSON object."""
    try:
        return msgspec.json.decode(await request.read(), type=dict[str, Any])
    except msgspec.DecodeError:
        raise Refusal(400, "Bad Request", "The request body is no JSON object.") from None


def answer(body: Payload, status: int = 200, media_type: str = RETAILER_V11) -> web.Response:
    """A JSON answer in the operation's media type."""
    return web.Response(body=msgspec.json.encode(body), status=status, content_type=media_type)


def now() -> str:
    """The time as bol writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
