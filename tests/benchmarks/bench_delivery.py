"""What the delivery does: how fast it drains, how well it keeps a limit, how soon five channels are out of stock.

Every role is a process of its own, and so are the marketplaces, on the same cores. Baseline of the drain: one HTTP
client that does nothing but send the same requests, as many at once.
"""

import asyncio
import signal
import statistics
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import psycopg

from daybook.app import App
from daybook.channel.registry import Registry
from daybook.commands import CountStock, DefineAttribute, DescribeProduct
from daybook.commands.describe import Price
from daybook.config import Settings
from daybook.embedded.nats import NatsServer
from daybook.embedded.postgres import PostgresServer
from daybook.events import AttributeChange, AttributeDefined, PriceChanged
from daybook.log.pending import Context, NewEvent
from daybook.postgres.migrate import migrate
from daybook.stream.bell import Ringer
from daybook.stream.subjects import wake_log
from daybook.values import Money
from tests.benchmarks.bench_append import measure
from tests.benchmarks.bench_pipeline import servers
from tests.benchmarks.report import Figure, arguments, report
from tests.benchmarks.toys import IN_FLIGHT, market, role, toys

WORKERS = 2
DRAIN_CALLS_MIN = 1000.0
LIMIT_PER_SECOND = 200.0
FLIP_PER_SECOND = 50
FLIP_P50_MS_MAX, FLIP_P99_MS_MAX = 100.0, 500.0
CHANNELS = (0, 5, 20)


class Site:
    """A migrated database on the servers of the run, a stream of its own, and the program's write side."""

    def __init__(self, postgres: PostgresServer, nats: NatsServer, channels: int) -> None:
        self.dsn, self.nats = postgres.dsn, nats.url
        self.channels = channels
        self.ringer = Ringer(nats.url, wake_log())
        settings = Settings(data=Path("/nowhere"), postgres=postgres.dsn, nats=nats.url)
        self.app = App(settings, Registry(toys(max(1, channels))), self.ringer.ring)

    def close(self) -> None:
        self.ringer.close()
        self.app.close()

    def fill(self, products: int) -> list[str]:
        """So many products on every channel."""
        skus = [f"P{n:05}" for n in range(products)]
        say = self.app.book.carry_out
        say(DefineAttribute(attribute=AttributeDefined(code="name", type="text")), Context.new("b", "b"))

        def make(some: Sequence[str]) -> None:
            for sku in some:
                name = AttributeChange(attribute="name", value=f"thing {sku}")
                price = Price(amount="5.00", currency="EUR")
                listed = {"toy": True}
                made = DescribeProduct(
                    sku=sku, kind="product", attributes=(name,), prices=(price,), stock={"main": 5}, channels=listed
                )
                say(made, Context.new("b", "b"))

        threads = [threading.Thread(target=make, args=(skus[n::8],)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return skus

    def reprice(self, skus: Sequence[str], cents: int) -> None:
        """Another price for each, in bulk."""
        price = PriceChanged("default", Money(cents, "EUR"))
        commands = [(Context.new("b", "b"), [NewEvent(f"product/{sku}", 0, price, sku, sku)]) for sku in skus]
        assert all(not isinstance(one, Exception) for one in self.app.log.bulk(commands))
        self.ringer.ring()

    def wait(self, condition: str, seconds: float = 180.0) -> None:
        """Until the SQL condition holds."""
        deadline = time.monotonic() + seconds
        with psycopg.connect(self.dsn, autocommit=True) as conn:
            while time.monotonic() < deadline:
                row = conn.execute(f"SELECT {condition}".encode()).fetchone()
                if row is not None and row[0]:
                    return
                time.sleep(0.02)
        raise TimeoutError(f"never came true: {condition}")

    def level(self) -> None:
        """Until every channel has everything."""
        self.wait(
            f"(SELECT count(*) = {self.channels} FROM generations WHERE position = (SELECT position FROM head))"
            " AND NOT EXISTS (SELECT 1 FROM deliveries WHERE state = 'due')"
        )

    def pause(self, paused: bool) -> None:
        with psycopg.connect(self.dsn, autocommit=True) as conn:
            conn.execute("UPDATE projections SET paused = %s", (paused,))


@contextmanager
def site(channels: int) -> Iterator[Site]:
    """Servers of its own, a relay and the projections."""
    with servers() as (_, postgres, nats):
        migrate(postgres.dsn)
        made = Site(postgres, nats, channels)
        given = {"dsn": postgres.dsn, "nats": nats.url, "channels": channels}
        try:
            with role(role="relay", **given), role(role="project", **given):
                yield made
        finally:
            made.close()


def seen(url: str) -> dict[str, Any]:
    """What the marketplaces got."""
    with urllib.request.urlopen(f"{url}/seen") as answer:
        found: dict[str, Any] = msgspec.json.decode(answer.read())
    return found


def drain(products: int, per_second: float | None) -> tuple[float, int, float]:
    """(calls a second, throttled, calls a second of a bare client) for a price change of every product."""
    settings = {"per_second": str(per_second)} if per_second else {}
    with site(1) as here, ExitStack() as running:
        skus = here.fill(products)
        with market() as unlimited:
            given = {"dsn": here.dsn, "nats": here.nats, "channels": 1}
            with role(role="deliver", url=unlimited, settings={}, **given):
                here.level()
            bare = asyncio.run(bare_client(unlimited, skus)) if per_second is None else 0.0
        here.pause(True)
        url = running.enter_context(market(per_second))
        for _ in range(WORKERS):
            running.enter_context(role(role="deliver", url=url, settings=settings, **given))
        here.wait(f"(SELECT count(*) = {WORKERS} FROM delivery_workers WHERE alive_until > clock_timestamp())")
        time.sleep(2.0)  # every worker has counted the others
        here.reprice(skus, 777)
        here.wait("(SELECT position FROM generations) = (SELECT position FROM head)")
        here.pause(False)
        here.level()
        found = seen(url)
        return (found["writes"] - 1) / (found["last"] - found["first"]), found["refused"], bare


async def bare_client(url: str, skus: Sequence[str]) -> float:
    """The same requests by a client that keeps nothing, knows nothing and never looks back."""
    queue = list(skus)
    async with aiohttp.ClientSession() as session:

        async def send() -> None:
            while queue:
                sku = queue.pop()
                async with session.patch(f"{url}/toy/offers/{sku}", json={"price": {"price": 776}}) as answer:
                    await answer.read()

        begun = time.perf_counter()
        await asyncio.gather(*(send() for _ in range(IN_FLIGHT)))
        return len(skus) / (time.perf_counter() - begun)


def flips(seconds: int, trouble: bool = False) -> tuple[list[float], list[float]]:
    """Milliseconds from the commit of "none left" until the last of five marketplaces was told, at a steady rate; and
    until the last of two was told that have no trouble, while with `trouble` the other three are off, slow and
    throttling."""
    given: dict[str, Any]
    with site(5) as here, ExitStack() as running:
        skus = here.fill(FLIP_PER_SECOND * seconds)
        given = {"dsn": here.dsn, "nats": here.nats, "channels": 5, "settings": {}}
        if trouble:  # everything is listed there before the bad day
            with market() as well, role(role="deliver", url=well, **given):
                here.level()
        url = running.enter_context(market(trouble=trouble))
        with role(role="deliver", url=url, **given):
            here.level()
            here.wait("(SELECT count(*) = 5 FROM delivery_workers WHERE alive_until > clock_timestamp())")
            time.sleep(2.0)  # every worker hears its bell
            committed = {}
            begun = time.monotonic()
            for n, sku in enumerate(skus):
                time.sleep(max(0.0, begun + n / FLIP_PER_SECOND - time.monotonic()))
                here.app.book.carry_out(CountStock(sku=sku, quantity=0), Context.new("warehouse", "b"))
                committed[sku] = time.time()
            healthy = " AND channel IN ('toy4', 'toy5')" if trouble else ""
            here.wait(
                "(SELECT count(*) = 5 FROM generations WHERE position >= (SELECT max(position) FROM events"
                f" WHERE actor = 'warehouse')) AND NOT EXISTS (SELECT 1 FROM deliveries WHERE state = 'due'{healthy})"
            )
            told = seen(url)["stocks"]
    assert all(len(told[sku]) == (2 if trouble else 5) for sku in skus)
    two = [max(told[sku]["toy4"], told[sku]["toy5"]) for sku in skus]
    return (
        [(max(told[sku].values()) - at) * 1000 for sku, at in committed.items()],
        [(last - at) * 1000 for last, at in zip(two, committed.values(), strict=True)],
    )


def appends(seconds: float) -> dict[int, float]:
    """Appends a second by 16 threads, by number of channels, whose roles have their connections and leases and stand
    still, as if they ran on other machines: what is measured is what they cost the writer, not the cores."""
    rates: dict[int, list[float]] = {channels: [] for channels in CHANNELS}
    for _ in range(3):
        for channels in CHANNELS:
            with servers() as (_, postgres, nats), ExitStack() as running:
                migrate(postgres.dsn)
                given = {"dsn": postgres.dsn, "nats": nats.url, "channels": channels}
                processes: list[subprocess.Popen[str]] = []
                if channels:
                    url = running.enter_context(market())
                    deliver = role(role="deliver", url=url, settings={}, **given)
                    processes = [running.enter_context(role(role="project", **given)), running.enter_context(deliver)]
                    here = Site(postgres, nats, channels)
                    here.level()
                    here.close()
                for process in processes:
                    process.send_signal(signal.SIGSTOP)
                rates[channels].append(len(measure("ours", postgres.dsn, 16, time.time() + 0.5, seconds)) / seconds)
                for process in processes:
                    process.send_signal(signal.SIGCONT)
    return {channels: statistics.median(found) for channels, found in rates.items()}


def main() -> None:
    """Measures and prints."""
    options = arguments("How the delivery drains, paces and flips").parse_args()
    quick = options.quick
    rate, _, bare = drain(200 if quick else 6000, None)
    paced, refused, _ = drain(200 if quick else 3000, LIMIT_PER_SECOND)
    times, well = flips(2 if quick else 15)
    _, beside = flips(2 if quick else 15, trouble=True)
    written = appends(0.5 if quick else 3.0)
    centiles = statistics.quantiles(times, n=100)
    figures = [
        Figure(f"drain, {WORKERS} workers, no limit", rate, "calls/s", DRAIN_CALLS_MIN, bare),
        Figure("drain at a limit", paced, "calls/s", 0.95 * LIMIT_PER_SECOND, LIMIT_PER_SECOND),
        Figure("throttled meanwhile", refused, "", 0, at_most=True),
        Figure("out of stock on all of 5 channels, half within", centiles[49], "ms", FLIP_P50_MS_MAX, at_most=True),
        Figure("out of stock on all of 5 channels, 99 % within", centiles[98], "ms", FLIP_P99_MS_MAX, at_most=True),
    ]
    for share in (50, 99):
        alone, troubled = (statistics.quantiles(found, n=100)[share - 1] for found in (well, beside))
        name = f"two channels, {share} % within, while three others are off, slow and throttled"
        figures.append(Figure(name, troubled, "ms", None, alone, at_most=True))
    for channels in CHANNELS[1:]:
        none = written[0]
        figures.append(Figure(f"appends with {channels} channels", written[channels], "/s", 0.95 * none, none))
    report("delivery", figures, options.json)


if __name__ == "__main__":
    main()
