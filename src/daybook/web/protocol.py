"""What HTTP asks of every route and the framework does not do: HEAD, and an end for a body that is too large."""

import asyncio
from typing import Any

from litestar import Litestar
from litestar.types import Message, Receive, Send

from daybook import limits
from daybook.web import key_limits
from daybook.web.response_headers import carefully

TOO_LARGE = 413
DRAIN_SECONDS = 5.0
DRAIN_BYTES = 2 * limits.BODY.most
"""What is left unread when the connection ends makes the system take back an answer that was not read yet."""


class Api(Litestar):
    """The application, with what holds for all of its routes."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request. HEAD gives what GET gives, without the body."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        send = carefully(scope, _ending_uploads(receive, send))
        if scope["method"] == "HEAD":
            scope, send = {**scope, "method": "GET"}, _without_body(send)
        try:
            await super().__call__(scope, receive, send)
        finally:
            key_limits.end(self, scope)


def _without_body(send: Send) -> Send:
    async def headers_only(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return headers_only


def _ending_uploads(receive: Receive, send: Send) -> Send:
    """Reads on for a moment before it says that a body is too large, so that a client that only then reads hears it.

    Then the connection ends: a server that kept it would read an endless body for ever.
    """

    async def closing(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == TOO_LARGE:
            await _drain(receive)
            message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
        await send(message)

    return closing


async def _drain(receive: Receive) -> None:
    read = 0
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            while read < DRAIN_BYTES:
                message = await receive()
                read += len(message.get("body", b""))  # type: ignore[arg-type]
                if message["type"] != "http.request" or not message.get("more_body"):
                    return
    except TimeoutError:
        return
