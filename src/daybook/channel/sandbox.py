"""What every marketplace sandbox shares: a loopback server, a script of faults, and a memory of what it received.

A sandbox's own module has the marketplace's routes and rules. Faults are switched on the object, or from another
process by `PUT /_sandbox/faults`; `GET /_sandbox/shown[/SKU]` and `GET /_sandbox/received` let a person look.
"""

import asyncio
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

import msgspec
from aiohttp import web

from daybook.channel.contract import Payload

RECEIVED_KEPT_MAX = 100_000


class Faults(msgspec.Struct, kw_only=True):
    """Switches. All off: the marketplace on a good day."""

    outage: bool = False
    """Connections are cut without an answer."""
    html_503: bool = False
    """A proxy's HTML page with status 503 instead of the API."""
    throttle_next: int = 0
    """So many requests are answered 429."""
    drop_answer_next: int = 0
    """So many requests are carried out, then the connection is cut before the answer."""
    slow_seconds: float = 0.0
    """Each answer is late by this much."""
    hang: bool = False
    """Requests are taken and neither carried out nor answered until this is off again, or the caller gives up."""
    expire_tokens: bool = False
    """All tokens that were given out are refused from now on; new ones are good. Switches itself off."""
    fail_members: bool = False
    """In a request of many every second member fails, in the marketplace's own words; the request succeeds."""
    keep_pending: bool = False
    """What was accepted is never finished: submissions hang."""


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """One request as it came in, and what it was answered."""

    at: float
    """time.time() on arrival."""
    method: str
    path: str
    query: dict[str, str]
    body: Any
    status: int | None


class SandboxServer:
    """Runs an aiohttp application on the loopback interface. Subclass it, fill `routes`, implement `shown`."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.received: deque[Received] = deque(maxlen=RECEIVED_KEPT_MAX)
        self.url = ""
        self._runner: web.AppRunner | None = None
        self._arrived = asyncio.Condition()

    def routes(self) -> list[web.RouteDef]:
        """The marketplace's own routes."""
        raise NotImplementedError

    def shown(self) -> Mapping[str, Payload]:
        """What buyers see now, by SKU."""
        raise NotImplementedError

    def throttled(self) -> web.Response:
        """The marketplace's own answer to a request that came too fast."""
        return web.json_response({"error": "too many requests"}, status=429, headers={"Retry-After": "1"})

    def expire_tokens(self) -> None:
        """Forgets every token that was given out. For marketplaces that give out none there is nothing to do."""

    async def start(self, port: int = 0) -> str:
        """Listens on 127.0.0.1 and returns the base URL; 0 picks a free port. The same port can be taken again."""
        app = web.Application(middlewares=[self._middleware], client_max_size=32 * 1024 * 1024)
        app.add_routes(
            [
                web.get("/_sandbox/shown", self._get_shown),
                web.get("/_sandbox/shown/{sku}", self._get_shown),
                web.get("/_sandbox/received", self._get_received),
                web.get("/_sandbox/faults", self._get_faults),
                web.put("/_sandbox/faults", self._put_faults),
                *self.routes(),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port, reuse_address=True)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self.url

    async def stop(self) -> None:
        """Stops listening; what the marketplace knows is kept for a later `start`."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def wait_received(self, count: int, timeout: float = 10.0) -> None:
        """Returns once `count` requests have been answered in all; TimeoutError after `timeout` seconds."""
        async with asyncio.timeout(timeout), self._arrived:
            await self._arrived.wait_for(lambda: len(self.received) >= count)

    @web.middleware
    async def _middleware(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if request.path.startswith("/_sandbox/"):
            answer: web.StreamResponse = await handler(request)
            return answer
        at, status = time.time(), None
        raw = await request.read()
        try:
            response = await self._answer(request, handler)
            status = response.status
            return response
        finally:
            self.received.append(
                Received(
                    at=at,
                    method=request.method,
                    path=request.path,
                    query=dict(request.query),
                    body=_decoded(raw),
                    status=status,
                )
            )
            async with self._arrived:
                self._arrived.notify_all()

    async def _answer(self, request: web.Request, handler: Any) -> web.StreamResponse:
        faults = self.faults
        if faults.outage:
            return self._cut(request)
        if faults.html_503:
            return web.Response(
                status=503, text="<html><body>Service unavailable</body></html>", content_type="text/html"
            )
        if faults.throttle_next > 0:
            faults.throttle_next -= 1
            return self.throttled()
        if faults.expire_tokens:
            faults.expire_tokens = False
            self.expire_tokens()
        await self._hang(request)
        if faults.slow_seconds:
            await asyncio.sleep(faults.slow_seconds)
        response: web.StreamResponse = await handler(request)
        if faults.drop_answer_next > 0:
            faults.drop_answer_next -= 1
            return self._cut(request)
        return response

    async def _hang(self, request: web.Request) -> None:
        # The switch is a plain field, which another process may set as well: it is looked at, not waited for.
        while self.faults.hang and request.transport is not None and not request.transport.is_closing():  # noqa: ASYNC110
            await asyncio.sleep(0.02)

    @staticmethod
    def _cut(request: web.Request) -> web.Response:
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)

    async def _get_shown(self, request: web.Request) -> web.Response:
        shown = self.shown()
        sku = request.match_info.get("sku")
        if sku is None:
            return _json(dict(shown))
        return _json(shown[sku]) if sku in shown else web.json_response({"error": f"{sku} is not shown"}, status=404)

    async def _get_received(self, request: web.Request) -> web.Response:
        return _json(list(self.received)[-int(request.query.get("last", "100")) :])

    async def _get_faults(self, _: web.Request) -> web.Response:
        return _json(self.faults)

    async def _put_faults(self, request: web.Request) -> web.Response:
        self.faults = msgspec.json.decode(await request.read(), type=Faults)
        return _json(self.faults)


def _json(value: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")


def _decoded(raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw) if raw else None
    except msgspec.DecodeError:
        return raw.decode("utf-8", "replace")
