"""Many webhook endpoints on one `project` and one `deliver`: their cost idle, and how soon all are told of a change.

Every role is a process of its own, as in production. One more process is all of the endpoints. Beside it, in the same
run: the rate of appends before the two roles were started, which is the rate with no endpoint at all.
"""

import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from aiohttp import web

from daybook.app import App
from daybook.channel.registry import installed
from daybook.commands import AddChannel, ChangePrice, DefineAttribute, DescribeProduct
from daybook.commands.describe import Price
from daybook.config import Settings
from daybook.embedded.nats import NatsServer
from daybook.embedded.postgres import PostgresServer
from daybook.events import AttributeChange, AttributeDefined
from daybook.log.pending import Context
from daybook.postgres.migrate import migrate
from daybook.stream.bell import Ringer
from daybook.stream.subjects import wake_log
from tests.benchmarks.bench_pipeline import cpu, servers
from tests.benchmarks.databases import Cpu, value
from tests.benchmarks.report import Figure, arguments, report

ENDPOINTS, QUICK_ENDPOINTS = (5, 20, 100), (5,)
SECRET = "whsec_" + b64encode(b"a secret of the benchmark's own").decode()
SKU, OTHER = "told", "untold"
CHANGES = 5
SECONDS, QUICK_SECONDS = 10.0, 2.0
SETTLE_SECONDS = 5.0
WAIT_SECONDS_MAX = 180.0
CONNECTIONS_MAX = 20
IDLE_PERCENT_MAX = 10.0
RATE_SHARE_MIN = 0.95


class Endpoints:
    """All endpoints on one port, by path: when each was told which price of the SKU first."""

    def __init__(self) -> None:
        self.told: dict[str, dict[str, float]] = {}

    async def serve(self) -> str:
        """Listens; the base URL."""
        app = web.Application()
        app.add_routes([web.post("/{name}", self._take), web.get("/", self._seen)])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    async def _take(self, request: web.Request) -> web.Response:
        now, data = time.time(), (await request.json())["data"]
        if "price" in data:
            price = json.dumps(data["price"], sort_keys=True)
            self.told.setdefault(price, {}).setdefault(request.match_info["name"], now)
        return web.Response(status=204)

    async def _seen(self, _: web.Request) -> web.Response:
        return web.json_response(self.told)


async def _endpoints() -> None:
    print(await Endpoints().serve(), flush=True)
    await asyncio.Event().wait()


@contextmanager
def receivers() -> Iterator[str]:
    """The endpoints in a process of their own; their base URL."""
    command = [sys.executable, "-m", "tests.benchmarks.bench_endpoints", "--receivers"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


@contextmanager
def role(name: str, data: Path, postgres: PostgresServer, nats: NatsServer, channels: list[str]) -> Iterator[int]:
    """A process of the program, ended in good order; its id."""
    env = {name: text for name, text in os.environ.items() if not name.startswith("DAYBOOK_")}
    env |= {"DAYBOOK_POSTGRES": postgres.dsn, "DAYBOOK_NATS": nats.url, "DAYBOOK_DATA": str(data)}
    given = {"SECRET": SECRET, "ALLOW_PRIVATE": "true", "ALLOW_HTTP": "true"}
    env |= {f"DAYBOOK_CHANNEL_{channel.upper()}_{key}": one for channel in channels for key, one in given.items()}
    with (data / "roles.log").open("ab") as log:
        one = subprocess.Popen([sys.executable, "-m", "daybook", "run", name], env=env, stdout=log, stderr=log)
    try:
        yield one.pid
    finally:
        one.terminate()
        with suppress(subprocess.TimeoutExpired):
            one.wait(30)
        one.kill()


def append_rate(app: App, seconds: float) -> float:
    """Appends a second of one writer, on a product that no endpoint is told of."""
    done, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        price = ChangePrice(sku=OTHER, amount=f"{1 + done % 5000}.{done % 7}0", currency="EUR")
        app.book.carry_out(price, Context.new("bench", "bench"))
        done += 1
    return done / (time.perf_counter() - started)


def prepare(app: App, url: str, channels: list[str]) -> None:
    """The endpoints, and a product on all of them."""

    def say(*commands: Any) -> None:
        for one in commands:
            app.book.carry_out(one, Context.new("bench", "bench"))

    say(DefineAttribute(attribute=AttributeDefined(code="name", type="text")))
    for name in channels:
        say(AddChannel(name=name, kind="webhook", settings={"url": f"{url}/{name}"}))
    for sku, on in ((SKU, channels), (OTHER, [])):
        say(
            DescribeProduct(
                sku=sku,
                kind="product",
                attributes=(AttributeChange(attribute="name", value="a thing"),),
                prices=(Price(amount="1.00", currency="EUR"),),
                stock={"main": 5},
                channels=dict.fromkeys(on, True),
            )
        )


def told(url: str, number: int, seen: set[str]) -> list[float]:
    """When each endpoint was told of the newest price, which is none of those seen before."""
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while time.monotonic() < deadline:
        with urlopen(url) as answer:
            every: dict[str, dict[str, float]] = json.load(answer)
        for price in every.keys() - seen:
            if len(every[price]) == number:
                seen.add(price)
                return sorted(every[price].values())
        time.sleep(0.05)
    raise TimeoutError(f"not all of {number} endpoints were told: {[len(one) for one in every.values()]}")


def sessions(dsn: str) -> int:
    """Connections to the server, this question's among them."""
    return value(dsn, "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")


def used(seconds: float, *clocks: Callable[[], float]) -> list[float]:
    """Percent of a core that each used meanwhile."""
    before = [clock() for clock in clocks]
    time.sleep(seconds)
    return [(clock() - was) / seconds * 100 for clock, was in zip(clocks, before, strict=True)]


def measure(number: int, seconds: float) -> Iterator[Figure]:
    """One run with so many endpoints."""
    channels = [f"endpoint{n}" for n in range(number)]
    with servers() as (data, postgres, nats), receivers() as url:
        migrate(postgres.dsn)
        ringer = Ringer(nats.url, wake_log())
        settings = Settings(data=data, postgres=postgres.dsn, nats=nats.url)
        place = (data, postgres, nats, channels)
        with App(settings, installed(), ringer.ring) as app, role("relay", *place):
            prepare(app, url, channels)
            append_rate(app, 1.0)
            none, before = append_rate(app, seconds), sessions(postgres.dsn)
            with role("project", *place) as project, role("deliver", *place) as deliver:
                seen: set[str] = set()
                told(url, number, seen)
                time.sleep(SETTLE_SECONDS)
                yield Figure(
                    f"{number}: connections of project and deliver",
                    sessions(postgres.dsn) - before,
                    "",
                    CONNECTIONS_MAX,
                    at_most=True,
                )
                server = Cpu(postgres)
                idle = used(seconds, lambda: cpu(project), lambda: cpu(deliver), server.seconds)
                both = idle[0] + idle[1]
                yield Figure(
                    f"{number}: idle, project and deliver", both, "% of a core", IDLE_PERCENT_MAX, at_most=True
                )
                yield Figure(f"{number}: idle, Postgres", idle[2], "% of a core")
                ends = []
                for change in range(CHANGES):
                    price = ChangePrice(sku=SKU, amount=f"{change + 2}.00", currency="EUR")
                    app.book.carry_out(price, Context.new("bench", "bench"))
                    at = time.time()
                    ends.append([1000 * (one - at) for one in told(url, number, seen)])
                    time.sleep(1.0)
                for which, place_in in (("first", 0), ("middle", number // 2), ("last", -1)):
                    middle = statistics.median(one[place_in] for one in ends)
                    yield Figure(f"{number}: a change told to the {which} endpoint", middle, "ms")
                beside = append_rate(app, seconds)
                yield Figure(f"{number}: appends of one writer, on the same two cores", beside, "appends/s")
                for one in (project, deliver):
                    os.kill(one, signal.SIGSTOP)
                apart = append_rate(app, seconds)
                for one in (project, deliver):
                    os.kill(one, signal.SIGCONT)
                what = f"{number}: the same while both stand still, as on other machines"
                yield Figure(what, apart, "appends/s", none * RATE_SHARE_MIN, baseline=none)
        ringer.close()


def main() -> None:
    """Measures and prints."""
    parser = arguments("Many webhook endpoints")
    parser.add_argument("--endpoints", type=int, action="append", help="how many, instead of 5, 20 and 100")
    parser.add_argument("--receivers", action="store_true", help="(inside) be the endpoints")
    given = parser.parse_args()
    if given.receivers:
        asyncio.run(_endpoints())
        return
    numbers = given.endpoints or (QUICK_ENDPOINTS if given.quick else ENDPOINTS)
    seconds = QUICK_SECONDS if given.quick else SECONDS
    report("endpoints", [one for number in numbers for one in measure(number, seconds)], given.json)


if __name__ == "__main__":
    main()
