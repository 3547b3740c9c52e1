"""Google's error bodies (google.rpc.Status), and the two forms of a product's name."""

import base64
import binascii
import re
from collections.abc import Iterable
from typing import Any

import msgspec
from aiohttp import web

from daybook.channel.contract import Payload
from daybook_projections.google.sandbox.rules import Problem


class Refusal(Exception):
    """Answered with Google's error body (google.rpc.Status)."""

    def __init__(self, code: int, status: str, message: str, details: Iterable[Payload] = ()) -> None:
        super().__init__(message)
        self.code, self.status, self.message, self.details = code, status, message, list(details)

    def response(self) -> web.Response:
        """The error as Google words it."""
        error: Payload = {"code": self.code, "message": self.message, "status": self.status}
        if self.details:
            error["details"] = self.details
        return web.json_response({"error": error}, status=self.code)


def refuse(problems: Iterable[Problem]) -> None:
    """Raises a 400 that names the first problem; Google stops at the first one too."""
    for field, reason, message in problems:
        raise Refusal(400, "INVALID_ARGUMENT", f"[{field}] {message}", [info(reason, field)])


def not_found(name: str) -> Refusal:
    """The refusal of a name that there is no product for."""
    return Refusal(404, "NOT_FOUND", f"[name] The product {name} was not found.", [info("PRODUCT_NOT_FOUND", "name")])


def info(reason: str, field: str | None = None, **metadata: str) -> Payload:
    """What the Merchant API says of an error, for programs: the stable reason is in the metadata."""
    known = {"REASON": reason} | ({"FIELD_LOCATION": field} if field else {}) | metadata
    return detail("ErrorInfo", reason=reason, domain="merchantapi.googleapis.com", metadata=known)


def detail(kind: str, **fields: Any) -> Payload:
    """One of the error's details."""
    return {"@type": f"type.googleapis.com/google.rpc.{kind}", **fields}


def oauth_error(status: int, error: str, description: str) -> web.Response:
    """The token endpoint's own form of an error (RFC 6749, section 5.2)."""
    return web.json_response({"error": error, "error_description": description}, status=status)


async def json_object(request: web.Request) -> dict[str, Any]:
    """The body; a Refusal when it is no JSON object."""
    try:
        return msgspec.json.decode(await request.read(), type=dict[str, Any])
    except msgspec.DecodeError:
        violations = detail("BadRequest", fieldViolations=[{"description": "Invalid JSON payload received."}])
        raise Refusal(400, "INVALID_ARGUMENT", "Invalid JSON payload received.", [violations]) from None


def encoded(name: str) -> str:
    """Unpadded base64url."""
    return base64.urlsafe_b64encode(name.encode()).rstrip(b"=").decode()


def decoded(text: str) -> str:
    """The inverse; empty for what is padded, of another alphabet, or no text."""
    if not re.match(r"[A-Za-z0-9_-]+\Z", text):
        return ""
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def quota_exceeded(seconds: float = 0.2) -> Refusal:
    """The refusal of a request above the quota, with the time to wait."""
    service = {"service": "merchantapi.googleapis.com"}
    details = (
        detail("ErrorInfo", reason="RATE_LIMIT_EXCEEDED", domain="googleapis.com", metadata=service),
        detail("RetryInfo", retryDelay=f"{seconds:.3f}s"),
    )
    message = "Quota exceeded for quota metric 'Requests' and limit 'Requests per minute'."
    return Refusal(429, "RESOURCE_EXHAUSTED", message, details)
