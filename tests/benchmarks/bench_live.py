"""Projections that run live: how fast they fold a backlog of the stream, and how soon a single change is listed.

The backlog is the seeded history of the rebuild's benchmark: products that are created, then changes of all of them. It
waits in JetStream when the role `project` is started, as after an outage. Beside it, in the same run: the same messages
fetched and thrown away, the same fetched and decoded, and the rows that come of it written by COPY.
"""

import asyncio
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psycopg

from daybook.app import App
from daybook.channel.registry import installed
from daybook.commands import ChangePrice
from daybook.config import Settings
from daybook.embedded.nats import NatsServer as NatsServer
from daybook.embedded.postgres import PostgresServer
from daybook.log.pending import Context
from daybook.postgres.migrate import migrate
from daybook.rebuild.code import Code, package_of
from daybook.rebuild.run import RebuildOptions, rebuild
from daybook.relay.relay import Relay
from daybook.stream import cloudevents
from daybook.stream.bell import Ringer
from daybook.stream.connection import Nats
from daybook.stream.feed import Delivered, Feed
from daybook.stream.subjects import wake_log
from tests.benchmarks import bench_rebuild
from tests.benchmarks.bench_pipeline import cpu, percentile, raw_commit, servers
from tests.benchmarks.databases import Cpu, run, value
from tests.benchmarks.report import Figure, arguments, report

CHANNELS = ("webshop", "amazon", "bol", "google", "shopify")
MEASURED, REBUILT = "webshop", "bol"
EVENTS, QUICK_EVENTS = 100_000, 10_000
EVENTS_PER_PRODUCT = 20
"""Half of the backlog creates products, half changes them."""
RATE_MIN = 10_000.0
CHANGES_PER_SECOND = 200
SECONDS, QUICK_SECONDS = 20.0, 3.0
WARM_SECONDS = 2.0
WAIT_SECONDS_MAX = 180.0
P50_MS_MAX, P99_MS_MAX = 10.0, 50.0


class Eye:
    """Watches checkpoints: when was each position in the listings of which projection?"""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._seen: dict[str, list[tuple[int, float]]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def close(self) -> None:
        """Ends the watch."""
        self._stop.set()
        self._thread.join()

    def of(self, name: str) -> list[tuple[int, float]]:
        """(position, moment it was seen first), in order."""
        return self._seen.get(name, [])

    def wait(self, names: Sequence[str], position: int) -> None:
        """Returns once all of these have reached the position."""
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while not all(self.of(name) and self.of(name)[-1][0] >= position for name in names):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{ {name: self.of(name)[-1:] for name in names} } of {position}")
            time.sleep(0.01)

    def _watch(self) -> None:
        question = (
            "SELECT g.projection, g.position FROM generations g JOIN projections p ON p.name = g.projection "
            "WHERE p.live = g.generation"
        )
        with psycopg.connect(self._dsn, autocommit=True) as conn:
            while not self._stop.wait(0.002):
                for name, position in conn.execute(question, prepare=True).fetchall():
                    seen = self._seen.setdefault(name, [])
                    if not seen or position > seen[-1][0]:
                        seen.append((position, time.time()))


@contextmanager
def watched(dsn: str) -> Iterator[Eye]:
    """An eye that is closed at the end."""
    eye = Eye(dsn)
    try:
        yield eye
    finally:
        eye.close()


class Place:
    """The servers of a run, and the program's roles on them."""

    def __init__(self, data: Path, postgres: PostgresServer, nats: NatsServer) -> None:
        self.data, self.postgres, self.nats = data, postgres, nats
        self.dsn = postgres.dsn_of("daybook")  # CHECKPOINT is for a superuser

    @contextmanager
    def process(self, *command: str) -> Iterator[int]:
        """A process of the program, ended in good order; its id."""
        env = {name: text for name, text in os.environ.items() if not name.startswith("DAYBOOK_")}
        env |= {"DAYBOOK_POSTGRES": self.dsn, "DAYBOOK_NATS": self.nats.url, "DAYBOOK_DATA": str(self.data)}
        with (self.data / "roles.log").open("ab") as log:
            one = subprocess.Popen([sys.executable, "-m", *command], env=env, stdout=log, stderr=log)
        try:
            yield one.pid
        finally:
            one.terminate()
            one.wait(30)

    def project(self, *names: str) -> AbstractContextManager[int]:
        """The role that runs these projections."""
        return self.process("daybook", "run", "project", *(word for name in names for word in ("--only", name)))

    def reset(self) -> None:
        """No projection has ever run."""
        with psycopg.connect(self.dsn, autocommit=True) as conn:
            rows = conn.execute(
                "SELECT tablename FROM pg_tables WHERE tablename ~ '^(states|listings|versions)_'"
            ).fetchall()
            for (name,) in rows:
                conn.execute(f"DROP TABLE {name}".encode())
        run(self.dsn, "TRUNCATE projections, generations, deliveries, lanes, leases", "CHECKPOINT")


async def into_the_stream(place: Place, events: int) -> None:
    """Brings the log into the stream."""
    relay, stop = Relay(place.dsn, place.nats.url), asyncio.Event()
    running = asyncio.create_task(relay.run(stop))
    while relay.published < events and not running.done():  # noqa: ASYNC110 - it has no signal to wait for
        await asyncio.sleep(0.01)
    stop.set()
    await running


async def fetched(url: str, events: int, use: Callable[[Delivered], object]) -> float:
    """Events a second of a reader that hands each message to `use`."""
    nats = Nats(url, "bench")
    await nats.open()
    feed, taken = Feed(nats), 0
    started = time.perf_counter()
    await feed.open(1)
    while taken < events:
        for one in await feed.take(1000, 5.0):
            use(one)
            taken += 1
    seconds = time.perf_counter() - started
    await feed.close()
    await nats.close()
    return events / seconds


def copied(dsn: str) -> float:
    """Rows a second of the measured channel's listings into a table without indexes."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(f"CREATE TABLE bare (LIKE listings_{MEASURED}_1)".encode())
        with conn.cursor() as cursor:
            with cursor.copy(f"COPY listings_{MEASURED}_1 TO STDOUT (FORMAT BINARY)".encode()) as out:
                blocks = [bytes(block) for block in out]
            started = time.perf_counter()
            with cursor.copy("COPY bare FROM STDIN (FORMAT BINARY)") as into:
                for block in blocks:
                    into.write(block)
            seconds = time.perf_counter() - started
        rows = value(dsn, "SELECT count(*) FROM bare")
        conn.execute("DROP TABLE bare")
    return rows / seconds


def backlog(place: Place, names: Sequence[str], events: int, fetch: float) -> list[Figure]:
    """The role is started on a full stream; timed from the first checkpoint, so that starting Python does not count."""
    place.reset()
    with watched(place.dsn) as eye:
        server = Cpu(place.postgres)
        with place.project(*names) as pid:
            eye.wait(names, events)
            used, served = cpu(pid), server.seconds()
        traces = [[one for one in eye.of(name) if one[0] > 0] for name in names]
    first = min(trace[0][1] for trace in traces)
    first_events = sum(trace[0][0] for trace in traces if trace[0][1] == first)
    last = max(trace[-1][1] for trace in traces)
    kind = "one channel" if len(names) == 1 else f"{len(names)} channels"
    total = (len(names) * events - first_events) / (last - first)
    found = [Figure(f"backlog, {kind}: events folded", total, "events/s", RATE_MIN, fetch)]
    if len(names) > 1:
        slowest = max(zip(traces, names, strict=True), key=lambda one: one[0][-1][1])
        rate = (events - slowest[0][0][0]) / (slowest[0][-1][1] - first)
        found.append(Figure(f"the slowest of them ({slowest[1]})", rate, "events/s"))
    else:
        (trace,) = traces
        middle = next(one for one in trace if one[0] >= events // 2)
        found += [
            Figure("of it: while products are created", _rate(trace[0], middle), "events/s"),
            Figure("of it: while they change", _rate(middle, trace[-1]), "events/s"),
        ]
    each = 1e6 / (len(names) * events)
    return [
        *found,
        Figure(f"processor time of the runner, {kind}", used * each, "µs/event"),
        Figure(f"processor time of Postgres, {kind}", served * each, "µs/event"),
    ]


def _rate(begin: tuple[int, float], end: tuple[int, float]) -> float:
    return (end[0] - begin[0]) / max(1e-9, end[1] - begin[1])


def latency(place: Place, seconds: float, products: int, what: str, commit: float) -> list[Figure]:
    """Milliseconds from an append's return to the commit that lists it, at a steady rate."""
    ringer = Ringer(place.nats.url, wake_log())
    settings = Settings(data=place.data, postgres=place.dsn, nats=place.nats.url)
    with (
        App(settings, appended=ringer.ring) as app,
        watched(place.dsn) as eye,
        place.process("daybook", "run", "relay"),
        place.project(MEASURED),
    ):
        # Its listings stand at the head since the backlog: only a change that comes through shows that both roles run.
        eye.wait([MEASURED], changed(app, 1 / CHANGES_PER_SECOND, products)[-1][0])
        done = changed(app, WARM_SECONDS + seconds, products)
        eye.wait([MEASURED], done[-1][0])
    ringer.close()
    times, seen = [], iter(eye.of(MEASURED))
    position, moment = next(seen)
    for last, committed in done[int(WARM_SECONDS * CHANGES_PER_SECOND) :]:
        while position < last:
            position, moment = next(seen)
        times.append(max(0.0, moment - committed) * 1000)
    measured = done[int(WARM_SECONDS * CHANGES_PER_SECOND) :]
    rate = (len(measured) - 1) / (measured[-1][1] - measured[0][1])
    return [
        Figure(f"changes a second, {what}", rate, "/s"),
        Figure(f"append -> listed, {what}, p50", percentile(times, 50), "ms", P50_MS_MAX, commit, at_most=True),
        Figure(f"append -> listed, {what}, p99", percentile(times, 99), "ms", P99_MS_MAX, at_most=True),
    ]


def changed(app: App, seconds: float, products: int) -> list[tuple[int, float]]:
    """(position, moment of the append's return) of changes at a steady rate, of products at random."""
    done: list[tuple[int, float]] = []
    chance = random.Random(app.reader.head())  # another one each time: a price that stands already is no event
    started = time.monotonic()
    for n in range(int(seconds * CHANGES_PER_SECOND)):
        time.sleep(max(0.0, started + n / CHANGES_PER_SECOND - time.monotonic()))
        change = ChangePrice(
            sku=f"SKU-{chance.randrange(products):07d}", amount=f"{400 + n // 100}.{n % 100:02d}", currency="EUR"
        )
        result = app.book.carry_out(change, Context.new("bench", "bench"))
        assert result.last is not None
        done.append((result.last, time.time()))
    return done


def rebuild_for_ever(dsn: str) -> None:
    """(inside) Rebuilds a channel again and again until it is ended."""
    code = Code(installed().get(REBUILT))
    while True:
        asyncio.run(rebuild(dsn, code, package_of(code.manifest), RebuildOptions(fresh=True)))


def measure(events: int, seconds: float) -> Iterator[Figure]:
    """One run."""
    products = events // EVENTS_PER_PRODUCT
    with servers() as (data, postgres, nats):
        place = Place(data, postgres, nats)
        migrate(place.dsn)
        commit = percentile(raw_commit(place.dsn), 50)
        bench_rebuild.fill(place.dsn, events, CHANNELS, EVENTS_PER_PRODUCT)
        run(place.dsn, "VACUUM (ANALYZE) events", "CHECKPOINT")
        asyncio.run(into_the_stream(place, events))
        fetch = asyncio.run(fetched(nats.url, events, lambda one: None))
        decode = asyncio.run(fetched(nats.url, events, lambda one: cloudevents.decode(one.body)))
        yield from backlog(place, [MEASURED], events, fetch)
        copy = copied(place.dsn)
        yield from backlog(place, CHANNELS, events, fetch)
        yield Figure("baseline: messages fetched", fetch, "events/s")
        yield Figure("baseline: messages fetched and decoded", decode, "events/s")
        yield Figure("baseline: listings written by COPY", copy, "rows/s")
        yield from latency(place, seconds, products, "alone", commit)
        with place.process("tests.benchmarks.bench_live", "--rebuilding"):
            yield from latency(place, seconds, products, "beside a rebuild", commit)


def main() -> None:
    """Measures and prints."""
    parser = arguments("Projections that run live")
    parser.add_argument("--events", type=int, help="length of the backlog")
    parser.add_argument("--rebuilding", action="store_true", help="(inside) be the rebuild")
    given = parser.parse_args()
    if given.rebuilding:
        rebuild_for_ever(os.environ["DAYBOOK_POSTGRES"])
        return
    events = given.events or (QUICK_EVENTS if given.quick else EVENTS)
    report("live", list(measure(events, QUICK_SECONDS if given.quick else SECONDS)), given.json)


if __name__ == "__main__":
    main()
