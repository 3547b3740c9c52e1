"""What a log's size costs: appends and reads at its end, empty and with millions of events; bytes for each event.

`--indexes` measures instead what each index costs an append: see decision 12.
"""

import asyncio
import random
import statistics
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from daybook.embedded.postgres import PostgresServer
from daybook.events import StockCounted
from daybook.log import reader
from daybook.log.application import Log
from daybook.log.pending import Context, NewEvent
from daybook.log.reader import Reader
from daybook.postgres.pool import connect_async, pool
from tests.benchmarks.bench_bulk import commands
from tests.benchmarks.databases import Cpu, database, run, server, value
from tests.benchmarks.report import Figure, arguments, report

THREADS = 16
ROUNDS = 3
SECONDS = 4.0
TAIL_EVENTS = 1000
ACTIVE = 20_000
"""Products that change on a day. Drawn from all instead, nearly every append touches index pages of its own."""
INDEXES = ("events_by_correlation", "events_by_actor", "events_by_type", "events_by_key")
"""Those that only questions need; without the others an append has to read the whole log to check itself."""


def main() -> None:
    """Measures and prints."""
    parser = arguments("What a log's size costs")
    parser.add_argument("--events", type=int, default=1_000_000, metavar="N", help="how many events the full log has")
    parser.add_argument("--indexes", action="store_true", help="what each index costs an append, instead")
    options = parser.parse_args()
    events = 20_000 if options.quick else options.events
    with server() as on:
        if options.indexes:
            report("log indexes", _indexes(on, events, 1.0 if options.quick else SECONDS), options.json)
        else:
            report("log size", _size(on, events, 1.0 if options.quick else SECONDS), options.json)


def _size(on: PostgresServer, events: int, seconds: float) -> list[Figure]:
    products = max(100, events // 8)
    with database(on, "filled") as full:
        filled = _fill(full, events, products)
        names = ("empty", "full", "empty, all products", "full, all products")
        rates: dict[str, list[float]] = {name: [] for name in names}
        tails: dict[str, list[float]] = {"empty": [], "full": []}
        for number in range(ROUNDS):
            with database(on, f"empty_{number}") as empty:
                _fill(empty, TAIL_EVENTS * 2, products)
                for name, dsn in (("empty", empty), ("full", full)):  # in turns: who else is busy hits both
                    # The first time that a page is touched after a checkpoint it goes into the WAL as a whole.
                    rates[f"{name}, all products"].append(_append(dsn, products, seconds).rate)
                    _append(dsn, min(ACTIVE, products), seconds * 2)
                    rates[name].append(_append(dsn, min(ACTIVE, products), seconds).rate)
                    tails[name].append(_tail(dsn))
        count = value(full, "SELECT position FROM head")
        table, indexes = (value(full, f"SELECT pg_{what}_size('events')") for what in ("table", "indexes"))
        moment = _position_at(full)
        each = [(name, value(full, f"SELECT pg_relation_size('{name}')") / count) for name in _index_names(full)]
    empty_rate, full_rate, empty_all, full_all = (statistics.median(rates[name]) for name in names)
    empty_tail, full_tail = statistics.median(tails["empty"]), statistics.median(tails["full"])
    return [
        Figure("events in the full log", count, ""),
        Figure("filling it with bulk append", filled, "events/s"),
        Figure(
            f"single appends, {THREADS} threads, {ACTIVE:,} products", full_rate, "/s", 0.8 * empty_rate, empty_rate
        ),
        Figure("the same on all products, after a checkpoint", full_all, "/s", None, empty_all),
        Figure(f"tail read of {TAIL_EVENTS}, full log", full_tail, "ms", 1.25 * empty_tail, empty_tail, at_most=True),
        Figure("position_at, full log", moment, "ms"),
        Figure("table", table / count, "bytes/event"),
        Figure("all indexes", indexes / count, "bytes/event"),
        *(Figure(name, size, "bytes/event") for name, size in each),
    ]


def _fill(dsn: str, events: int, products: int) -> float:
    """So many events, settled as a log is that did not grow within an hour; events a second."""
    begun = time.perf_counter()
    with pool(dsn, "bench", 2) as connections:
        for one in Log(connections).bulk(commands(events, 7, products)):
            assert not isinstance(one, Exception), one
    rate = events / (time.perf_counter() - begun)
    run(dsn, "VACUUM (ANALYZE) events", "CHECKPOINT")
    return rate


class _Appended:
    def __init__(self, amount: int, seconds: float, cpu: float, wal: int) -> None:
        self.rate = amount / seconds
        self.cpu = cpu / amount * 1e6
        self.wal = wal / amount


def _append(dsn: str, products: int, seconds: float, on: PostgresServer | None = None) -> _Appended:
    """Single-event commands from many threads, each behind what its stream holds."""
    begin, stop = threading.Barrier(THREADS + 1), threading.Event()
    counts = [0] * THREADS

    def work(log: Log, number: int) -> None:
        chance = random.Random(number)
        begin.wait()
        while not stop.is_set():
            sku = f"SKU-{chance.randrange(products):07d}"
            event = NewEvent(f"stock/{sku}", 0, StockCounted("main", 5), sku, sku)
            log.record([(Context.new("erp", "http"), [event])])
            counts[number] += 1

    with pool(dsn, "bench", THREADS) as connections:
        log = Log(connections)
        threads = [threading.Thread(target=work, args=(log, number)) for number in range(THREADS)]
        for thread in threads:
            thread.start()
        wal = value(dsn, "SELECT pg_current_wal_insert_lsn() - '0/0'")
        cpu = Cpu(on) if on else None
        begin.wait()
        begun = time.perf_counter()
        stop.wait(seconds)
        stop.set()
        for thread in threads:
            thread.join()
        took = time.perf_counter() - begun
        used = cpu.seconds() if cpu else 0.0
        wal = value(dsn, "SELECT pg_current_wal_insert_lsn() - '0/0'") - wal
    return _Appended(sum(counts), took, used, wal)


def _tail(dsn: str) -> float:
    """Milliseconds for the newest events, as the relay reads them; the median of many."""

    async def main() -> float:
        async with await connect_async(dsn, "bench") as conn:
            head = await reader.head(conn)
            return await _median(lambda: reader.rows_after(conn, head - TAIL_EVENTS, TAIL_EVENTS))

    return asyncio.run(main())


async def _median(ask: Callable[[], object], times: int = 50) -> float:
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        found = await ask()  # type: ignore[misc]
        assert len(found) == TAIL_EVENTS
        taken.append((time.perf_counter() - begun) * 1000)
    return statistics.median(taken)


def _position_at(dsn: str) -> float:
    """Milliseconds to find the position of a moment in the log's life; the median of many."""
    chance = random.Random(3)
    with pool(dsn, "bench", 1) as connections:
        log = Reader(connections)
        first, last = log.after(0, 1)[0].recorded_at, log.last(1)[0].recorded_at
        taken = []
        for _ in range(200):
            moment = first + timedelta(seconds=chance.random() * (last - first).total_seconds())
            begun = time.perf_counter()
            assert log.position_at(moment) > 0
            taken.append((time.perf_counter() - begun) * 1000)
        assert log.position_at(datetime.now(UTC)) == log.head()
    return statistics.median(taken)


def _index_names(dsn: str) -> list[str]:
    with pool(dsn, "bench", 1) as connections, connections.connection() as conn:
        rows = conn.execute("SELECT indexname FROM pg_indexes WHERE tablename = 'events' ORDER BY indexname").fetchall()
    return [str(row[0]) for row in rows]


def _indexes(on: PostgresServer, events: int, seconds: float) -> list[Figure]:
    """Each index dropped in turn, from copies of one full log; the figures with all of them are the baselines."""
    products = max(100, events // 8)
    found: dict[str, list[tuple[float, float, float, float]]] = {name: [] for name in ("none", *INDEXES)}
    with database(on, "filled") as full:
        _fill(full, events, products)
        for number in range(ROUNDS):
            names = list(found)
            for name in names[number:] + names[:number]:  # in another order each time
                with database(on, "copied", "filled") as dsn:
                    if name != "none":
                        run(dsn, f"DROP INDEX {name}", "CHECKPOINT")
                    single = _append(dsn, products, seconds, on)
                    found[name].append(
                        (single.rate, single.cpu, single.wal, _bulk_cpu(on, dsn, events // 20, products))
                    )
    medians = {name: [statistics.median(column) for column in zip(*rows, strict=True)] for name, rows in found.items()}
    units = ("appends/s", "µs of server CPU an append", "bytes of WAL an append", "µs of server CPU an event in bulk")
    return [
        Figure("all" if name == "none" else f"without {name}", one, unit, None, None if name == "none" else everything)
        for number, unit in enumerate(units)
        for name, row in medians.items()
        for one, everything in [(row[number], medians["none"][number])]
    ]


def _bulk_cpu(on: PostgresServer, dsn: str, events: int, products: int) -> float:
    given = list(commands(events, 9, products))
    with pool(dsn, "bench", 2) as connections:
        connections.wait()
        with connections.connection() as conn:
            conn.execute("SELECT 1")
        cpu = Cpu(on)
        for one in Log(connections).bulk(given):
            assert not isinstance(one, Exception), one
        return cpu.seconds() / sum(len(one) for _, one in given) * 1e6


if __name__ == "__main__":
    main()
