"""Headers that every answer has: what a browser must not make of it, and that nobody keeps it who need not."""

from collections.abc import Iterable
from typing import Any

from litestar.types import Message, Send

from daybook.web.plain_page import STYLE_HASH

Headers = Iterable[tuple[bytes, bytes]]

_ALWAYS: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_UNLESS_SAID: tuple[tuple[bytes, bytes], ...] = (
    (b"cache-control", b"no-store"),
    (
        b"content-security-policy",
        (
            f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; frame-ancestors 'none'; base-uri 'none'; "
            "form-action 'none'"
        ).encode(),
    ),
)
"""Nothing is loaded or run but the style of our one page. A page that needs more says so itself, as an answer that may
be kept does."""
_TLS: tuple[tuple[bytes, bytes], ...] = ((b"strict-transport-security", b"max-age=31536000"),)


def careful(headers: Headers, scheme: str) -> list[tuple[bytes, bytes]]:
    """The headers, with those of a careful application. What was said of caching and content stands."""
    given = list(headers)
    names = {name.lower() for name, _ in given}
    added = [*_ALWAYS, *(_TLS if scheme == "https" else ())]
    return [*given, *added, *(one for one in _UNLESS_SAID if one[0] not in names)]


def carefully(scope: Any, send: Send) -> Send:
    """Sends with these headers."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": careful(message["headers"], scope["scheme"])}
        await send(message)

    return sending
