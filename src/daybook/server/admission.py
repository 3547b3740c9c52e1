"""What is refused before a request reaches its route: by whom it is addressed, how it is written, how many come."""

import ipaddress
import math
import re
from typing import Any

import msgspec

from daybook.http_settings import HttpSettings
from daybook.web.problems import INSTANCE_LENGTH_MAX, MEDIA_TYPE, plain
from daybook.web.rates import Rates, client_of
from daybook.web.response_headers import careful

HEADERS_MAX = 100
HEAD_BYTES_MAX = 64 * 1024
"""Of the address and the headers together."""
TOGETHER = 4
"""All clients together may have so many times as many requests under way as one."""
_LOCAL = frozenset({"localhost"})
_HOST = re.compile(r"(\[[0-9a-f:.%]+\]|[^:\[\]]*)(?::[0-9]*)?", re.ASCII)
"""A name or an address, and perhaps a port."""
_OTHER_FORM = re.compile(rb"//|\\|%2f|%5c|%00|/(?:\.|%2e){1,2}(?:/|\Z)|.+/\Z", re.IGNORECASE)
"""Of an address: what routes like another one. A proxy in front that decides by the address would be gone around."""


class Refusal(msgspec.Struct, frozen=True):
    """Why a request is not let in."""

    status: int
    code: str
    detail: str
    retry_after: float | None = None


class Admission:
    """An ASGI application around another one. For one event loop."""

    def __init__(self, application: Any, settings: HttpSettings, bound_to: str) -> None:
        """`bound_to` is the address that the server listens on: whoever names it means us."""
        self._application = application
        self._hosts = frozenset(settings.own_hosts) | _LOCAL | {bound_to.lower()}
        self._suffixes = tuple(one[1:] for one in settings.hosts if one.startswith("*."))
        self._rates = Rates(settings.rate, settings.concurrent)
        self._most = settings.concurrent * TOGETHER
        self._under_way = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        client = client_of(scope["client"][0]) if scope["client"] else ""
        refusal = self._refusal(scope) or self._begin(client)
        if refusal is not None:
            await _refuse(refusal, scope, send)
            return
        self._under_way += 1
        try:
            await self._application(scope, receive, send)
        finally:
            self._under_way -= 1
            self._rates.end(client)

    def _begin(self, client: str) -> Refusal | None:
        if self._under_way >= self._most:
            return Refusal(503, "unavailable", "too many requests are under way: repeat this one in a moment", 1.0)
        wait = self._rates.begin(client)
        if wait is None:
            return None
        return Refusal(
            429, "too_many_requests", "more requests than one address may send: repeat this one after Retry-After", wait
        )

    def _refusal(self, scope: Any) -> Refusal | None:
        headers = scope["headers"]
        if len(headers) > HEADERS_MAX:
            return Refusal(431, "headers_too_large", f"{len(headers)} headers; at most {HEADERS_MAX} are taken")
        size = len(scope["raw_path"]) + len(scope["query_string"])
        for name, value in headers:
            size += len(name) + len(value)
            if name == b"host" and not self._ours(value.decode("latin-1")):
                return Refusal(
                    421,
                    "misdirected",
                    "the API is not addressed by this host name: use its own, or name it in DAYBOOK_HTTP_HOSTS",
                )
            if name == b"content-encoding" and value.strip().lower() not in (b"", b"identity"):
                return Refusal(415, "unsupported_media_type", "the body is encoded: send it as it is")
        if size > HEAD_BYTES_MAX:
            most = f"at most {HEAD_BYTES_MAX:,} are taken"
            return Refusal(431, "headers_too_large", f"the address and headers have {size:,} bytes; {most}")
        path = scope["raw_path"]
        if not path.startswith(b"/") or (_OTHER_FORM.search(path) and path != b"/"):
            return Refusal(
                404,
                "no_such_route",
                "an address has single slashes, none at the end, none encoded and no dots between them: "
                "the routes are at /schema",
            )
        return None

    def _ours(self, host: str) -> bool:
        """Whether the host names us.

        Hazard: a page of a stranger can let its own name point to this machine, and its visitors' browsers then take
        the API for that page's own server. They send the page's name as Host. An IP address is no name that a stranger
        could point anywhere.
        """
        found = _HOST.fullmatch(host.strip().lower())
        if found is None:
            return False
        name = found[1].rstrip(".")
        known = name in self._hosts or "*" in self._hosts or _is_address(name)
        return known or (bool(self._suffixes) and name.endswith(self._suffixes))


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


async def _refuse(refusal: Refusal, scope: Any, send: Any) -> None:
    instance = scope["path"][:INSTANCE_LENGTH_MAX]
    body = msgspec.json.encode(plain(refusal.status, refusal.code, refusal.detail, instance))
    headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
    if refusal.retry_after is not None:
        headers.append((b"retry-after", str(max(1, math.ceil(refusal.retry_after))).encode()))
    if any(name in (b"content-length", b"transfer-encoding") for name, _ in scope["headers"]):
        headers.append((b"connection", b"close"))  # its body is not read
    headers = careful(headers, scope["scheme"])
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
