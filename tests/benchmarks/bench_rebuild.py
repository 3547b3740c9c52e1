"""A projection rebuilt from the log: into a filled, indexed generation, level with the log, with its plan.

The history is made by a seeded generator: products with names, descriptions, prices, stock and a channel's switch, then
changes of all of these. Beside it, in the same run: the same events copied out of Postgres and thrown away, and the
`eventsourcing` library's own ProjectionRunner on a sample with the same fold.
"""

import asyncio
import contextlib
import random
import resource
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

import psutil
import psycopg

from daybook.channel.registry import installed
from daybook.embedded.postgres import PostgresServer
from daybook.events import (
    AttributeChange,
    AttributesChanged,
    Event,
    GtinAssigned,
    PriceChanged,
    ProductCreated,
    ProductListed,
    StockCounted,
)
from daybook.events.codec import NAMES, encode
from daybook.log.bulk import append_bulk
from daybook.log.pending import Context, PendingEvent
from daybook.postgres.pool import pool
from daybook.rebuild.code import Code, package_of
from daybook.rebuild.progress import RebuildProgress
from daybook.rebuild.run import RebuildOptions, rebuild
from daybook.values import parse_money
from tests.benchmarks import library_projection
from tests.benchmarks.databases import database, run, server
from tests.benchmarks.report import Figure, arguments, report

EVENTS, QUICK_EVENTS = 1_000_000, 50_000
EVENTS_PER_PRODUCT = 10
SAMPLE_EVENTS, QUICK_SAMPLE_EVENTS = 20_000, 1_000
RATE_MIN, SHARE_MIN, TIMES_MIN = 100_000, 0.35, 100
MEMORY_MIB_MAX = 1024
MEASURED = "bol"
COLUMNS = (
    "position, event_id, stream, version, type, sku, key, recorded_at, actor, reason, source, correlation_id, "
    "causation_id, command_id, data"
)


def main() -> None:
    """Measures and prints."""
    parser = arguments("A projection rebuilt from history")
    parser.add_argument("--events", type=int, help="length of the history")
    parser.add_argument("--workers", type=int, help="processes; one for each core when not given")
    parser.add_argument("--sample", type=int, help="events for the library's runner; 0 leaves it out")
    options = parser.parse_args()
    sample = (QUICK_SAMPLE_EVENTS if options.quick else SAMPLE_EVENTS) if options.sample is None else options.sample
    events = options.events or (QUICK_EVENTS if options.quick else EVENTS)
    with server() as on, database(on, "history") as dsn:
        fill(dsn, events)
        run(dsn, "VACUUM (ANALYZE) events", "CHECKPOINT")
        found = list(measured(dsn, on, events, options.workers, min(sample, events)))
    report("rebuild", found, options.json)


def fill(dsn: str, events: int, channels: Sequence[str] = (MEASURED,), per_product: int = EVENTS_PER_PRODUCT) -> None:
    """Appends the history, in an order in which no two neighbours are of one product."""
    with pool(dsn, "bench", 2) as connections:
        for outcome in append_bulk(connections, commands(events, channels=channels, per_product=per_product)):
            assert outcome.kind == "appended", outcome


def commands(
    events: int, seed: int = 1, channels: Sequence[str] = (MEASURED,), per_product: int = EVENTS_PER_PRODUCT
) -> Iterator[tuple[Context, list[PendingEvent]]]:
    """Commands of exactly so many events in all: every product is created first and listed on these channels."""
    chance = random.Random(seed)
    products = max(1, events // per_product)
    made = 0
    for number in range(products):
        some = list(_born(number, channels))[: events - made]
        made += len(some)
        yield Context.new("erp", "import:bench"), [_pending(number, one) for one in some]
    while made < events:
        number = chance.randrange(products)
        made += 1
        yield Context.new("erp", "import:bench"), [_pending(number, _change(chance))]


def sampled(events: int) -> list[PendingEvent]:
    """A shorter history of the same kind, with the versions that the library wants to be given."""
    versions: Counter[str] = Counter()
    made = []
    for _, some in commands(events):
        for one in some:
            versions[str(one.originator_id)] += 1
            made.append(replace(one, originator_version=versions[str(one.originator_id)]))
    return made


def _born(number: int, channels: Sequence[str]) -> Iterator[Event]:
    sku = f"SKU-{number:07d}"
    yield ProductCreated(sku=sku, key=sku, family="bags")
    texts = {"name": f"Backpack {number}", "brand": "Acme", "description": "A bag of waxed cotton. " * 4}
    yield AttributesChanged(tuple(AttributeChange(attribute=code, value=text) for code, text in texts.items()))
    yield GtinAssigned(f"{number:013d}")
    yield PriceChanged("default", parse_money(f"{10 + number % 90}.95", "EUR"))
    yield StockCounted("main", number % 40)
    for channel in channels:
        yield ProductListed(channel)


def _change(chance: random.Random) -> Event:
    kind = chance.random()
    if kind < 0.5:
        return StockCounted("main", chance.randrange(500))
    if kind < 0.85:
        return PriceChanged("default", parse_money(f"{chance.randrange(5, 400)}.50", "EUR"))
    return AttributesChanged((AttributeChange(attribute="name", value=f"Backpack {chance.randrange(10**6)}"),))


def _pending(number: int, event: Event) -> PendingEvent:
    sku = f"SKU-{number:07d}"
    stream = f"stock/{sku}" if isinstance(event, StockCounted) else f"product/{sku}"
    return PendingEvent(
        originator_id=stream, originator_version=0, topic=NAMES[type(event)], state=encode(event), sku=sku, key=sku
    )


def measured(dsn: str, on: PostgresServer, events: int, workers: int | None, sample: int) -> Iterator[Figure]:
    """The rebuild, and what the same machine does without it."""
    raw, blocks = events / copied_out(dsn, rows=True), events / copied_out(dsn, rows=False)
    code = Code(installed().get(MEASURED))
    marks: dict[str, float] = {}

    def told(progress: RebuildProgress) -> None:
        marks.setdefault(progress.phase, time.perf_counter())

    before, served_before = _children_seconds(), _served(on)
    with Memory() as memory:
        begun = time.perf_counter()
        done = asyncio.run(rebuild(dsn, code, package_of(code.manifest), RebuildOptions(workers=workers), told))
        ended = time.perf_counter()
    filled = marks["follow"] - begun
    rate = events / filled
    yield Figure("events into a filled, indexed generation", rate, "events/s", RATE_MIN, raw)
    yield Figure("share of raw COPY out, rows in the order of the fold", 100 * rate / raw, "%", 100 * SHARE_MIN)
    yield Figure("share of raw COPY out, blocks of bytes in no order", 100 * rate / blocks, "%")
    yield Figure("of it: without the indexes", events / (marks["index"] - begun), "events/s")
    yield Figure("indexes and statistics", marks["follow"] - marks["index"], "s")
    yield Figure("level and planned", ended - begun, "s")
    yield Figure("processor time of the workers", 1e6 * (_children_seconds() - before) / events, "µs/event")
    yield Figure("processor time of Postgres", 1e6 * (_served(on) - served_before) / events, "µs/event")
    yield Figure("groups", _count(dsn, f"states_{MEASURED}_{done.generation}"), "groups")
    if not sample:
        return
    library = sample / library_projection.seconds(dsn, sampled(sample), code.manifest)
    yield Figure("times the library's runner", rate / library, "times", TIMES_MIN, None)
    yield Figure("the library's runner", library, "events/s")
    yield Figure("memory, all processes of the rebuild", memory.mib, "MiB", MEMORY_MIB_MAX, at_most=True)


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _served(on: PostgresServer) -> float:
    """Seconds that the server's processes which ended have used: a rebuild leaves no connection behind."""
    used = psutil.Process(on.pid).cpu_times()
    return used.children_user + used.children_system


def copied_out(dsn: str, rows: bool) -> float:
    """Seconds for one connection to copy every event out and throw it away: as rows, group by group and in order, which
    is what a fold needs at the least; or as blocks of bytes that nobody looks into."""
    order = " ORDER BY key, position" if rows else ""
    with psycopg.connect(dsn) as conn, conn.cursor() as cursor:
        begun = time.perf_counter()
        with cursor.copy(f"COPY (SELECT {COLUMNS} FROM events{order}) TO STDOUT (FORMAT BINARY)".encode()) as copy:
            for _ in copy.rows() if rows else copy:
                pass
        return time.perf_counter() - begun


def _count(dsn: str, table: str) -> int:
    with psycopg.connect(dsn) as conn:
        row = conn.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
    assert row is not None
    return int(row[0])


class Memory:
    """The most that this process and the workers it started held at once, in MiB of resident memory."""

    def __init__(self) -> None:
        self.mib = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> "Memory":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        me = psutil.Process()
        while not self._ended.wait(0.1):
            held = 0
            for process in (me, *(one for one in me.children() if "python" in one.name())):
                with contextlib.suppress(psutil.NoSuchProcess):
                    held += process.memory_info().rss
            self.mib = max(self.mib, held / 2**20)


if __name__ == "__main__":
    main()
