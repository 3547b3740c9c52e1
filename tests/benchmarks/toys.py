"""Channels without a marketplace's peculiarities, their roles and their marketplaces, each in a process of its own.

What is measured with them is the engine: the connector sends one small request, the marketplace keeps what it got.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from daybook.app import App
from daybook.channel.contract import Manifest, Payload, StockRule
from daybook.channel.registry import Registry
from daybook.config import Settings
from daybook.delivery.process import DeliveryProcess
from daybook.projection.process import ProjectionProcess
from daybook.relay.relay import Relay
from daybook.stream.bell import Ringer
from daybook.stream.subjects import wake_log
from tests.fixtures.channels import toy

ROOT = Path(__file__).resolve().parents[2]
IN_FLIGHT = 32
TROUBLED = ("toy", "toy2", "toy3")


def toys(number: int) -> list[Manifest]:
    """So many channels that show the same products: toy, toy2, toy3, ..."""
    stock = StockRule("stock", "price", lambda payload: int(payload["stock"]))
    first = msgspec.structs.replace(toy(in_flight_max=IN_FLIGHT), stock=stock)
    return [msgspec.structs.replace(first, name=f"toy{n}" if n > 1 else "toy") for n in range(1, number + 1)]


class Market:
    """Any number of marketplaces on one port, by path; keeps when each SKU's facets came in last."""

    def __init__(self, per_second: float | None, trouble: bool = False, burst: float = 10) -> None:
        self._trouble = trouble
        self._rate, self._burst = per_second, burst
        self._left, self._at = burst, time.monotonic()
        self.writes = 0
        self.refused = 0
        self.first = self.last = 0.0
        self.stocks: dict[str, dict[str, float]] = {}
        """SKU -> channel -> when it was told that there are none left."""

    async def serve(self) -> str:
        """Listens; the base URL."""
        app = web.Application()
        app.add_routes([web.route("*", "/{channel}/offers/{sku}", self._write), web.get("/seen", self._seen)])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    async def _write(self, request: web.Request) -> web.Response:
        now = time.time()
        body: dict[str, Payload] = msgspec.json.decode(await request.read() or b"{}")
        if self._rate is not None and not self._taken():
            self.refused += 1
            return web.json_response({}, status=429, headers={"Retry-After": "1"})
        self.writes += 1
        self.first, self.last = self.first or now, now
        sku, channel = request.match_info["sku"], request.match_info["channel"]
        if self._trouble and channel in TROUBLED:
            return await self._troubled(request, channel)
        if body.get("stock", {}).get("stock") == 0:
            self.stocks.setdefault(sku, {}).setdefault(channel, now)
        return web.Response(body=b'{"id":"id-%s"}' % sku.encode(), content_type="application/json")

    @staticmethod
    async def _troubled(request: web.Request, channel: str) -> web.Response:
        """The first is off, the second slow, the third throttles."""
        if channel == TROUBLED[0] and request.transport is not None:
            request.transport.abort()
        if channel == TROUBLED[1]:
            await asyncio.sleep(1.0)
            return web.Response(body=b'{"id":"late"}', content_type="application/json")
        return web.json_response({}, status=429, headers={"Retry-After": "1"})

    def _taken(self) -> bool:
        now = time.monotonic()
        self._left = min(self._burst, self._left + (now - self._at) * (self._rate or 0))
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True

    async def _seen(self, _: web.Request) -> web.Response:
        told = {name: getattr(self, name) for name in ("writes", "refused", "first", "last", "stocks")}
        return web.Response(body=msgspec.json.encode(told), content_type="application/json")


async def _role(given: Mapping[str, Any]) -> None:
    if given["role"] == "market":
        print(await Market(given["per_second"], given["trouble"]).serve(), flush=True)
        await asyncio.Event().wait()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    dsn, nats = given["dsn"], given["nats"]
    if given["role"] == "relay":
        await Relay(dsn, nats).run(stop)
        return
    manifests = toys(given["channels"])
    ringer = Ringer(nats, wake_log())
    with App(Settings(data=Path("/nowhere"), postgres=dsn, nats=nats), Registry(manifests)) as app:
        if given["role"] == "project":
            projections = ProjectionProcess(dsn, nats)
            for manifest in manifests:
                projections.add(manifest)
            await projections.run(stop)
        else:
            deliveries = DeliveryProcess(dsn, nats, app.log, ringer.ring)
            for manifest in manifests:
                assert manifest.connector is not None
                told = {"url": f"{given['url']}/{manifest.name}", **given["settings"]}
                deliveries.add(manifest, manifest.connect(told))
            await deliveries.run(stop)
    ringer.close()


@contextmanager
def role(**given: Any) -> Iterator["subprocess.Popen[str]"]:
    """A process of one role; it is told to stop at the end."""
    command = [sys.executable, "-m", "tests.benchmarks.toys", msgspec.json.encode(given).decode()]
    env = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGCONT)
            process.kill() if given["role"] == "market" else process.terminate()


@contextmanager
def market(per_second: float | None = None, trouble: bool = False) -> Iterator[str]:
    """The marketplaces; their base URL. `trouble`: three of five are off, slow and throttling."""
    with role(role="market", per_second=per_second, trouble=trouble) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()


if __name__ == "__main__":
    asyncio.run(_role(json.loads(sys.argv[1])))
