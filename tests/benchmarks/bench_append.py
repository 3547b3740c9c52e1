"""How fast single-event commands get into the log, each with its own commit and fsync on.

Two baselines on the same server in the same run, taken in turn with ours, so that a busy neighbour slows all of them:

- raw: the cheapest append that Postgres can do, one autocommit INSERT of one row into a table of the same shape, on a
  connection of the thread's own. It gives no dense positions, checks no version and knows no command ids.
- library: the `eventsourcing` library's own recorder with its default settings.

Alone, a command pays for its position, its version and its id with a slower statement; with many threads group commit
shares that, and the disk sync, among those who wait.
"""

import multiprocessing
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

import psycopg
from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresFactory
from psycopg.conninfo import conninfo_to_dict

from daybook.embedded.postgres import PostgresServer
from daybook.embedded.servers import forget
from daybook.events import StockAdjusted
from daybook.ids import new_id
from daybook.log.application import Log
from daybook.log.pending import Context, NewEvent
from daybook.postgres.migrate import migrate
from daybook.postgres.pool import pool
from tests.benchmarks.report import Figure, arguments, report

ROUNDS = 3

Append = Callable[[], object]


@dataclass(frozen=True)
class Load:
    """So many threads in each of so many processes."""

    threads: int
    processes: int = 1

    def __str__(self) -> str:
        named = f"{self.threads} thread{'s' if self.threads > 1 else ''}"
        return named if self.processes == 1 else f"{self.processes} processes of {named}"


@contextmanager
def ours(dsn: str, threads: int) -> Iterator[Callable[[], Append]]:
    """Our log: every command to a stream of its own, with a command id of its own."""
    with pool(dsn, "bench", min(threads, 8)) as connections:
        log = Log(connections)

        def append() -> object:
            sku = new_id()
            event = NewEvent(f"stock/{sku}", 1, StockAdjusted("main", 1), sku, sku)
            return log.append([event], Context.new("bench", "bench"))

        yield lambda: append


@contextmanager
def raw(dsn: str, threads: int) -> Iterator[Callable[[], Append]]:
    """One row, one statement, one commit."""
    insert = (
        "INSERT INTO raw (event_id, stream, version, type, sku, key, recorded_at, actor, source, correlation_id,"
        " command_id, data) VALUES (%s, %s, 1, 'stock.adjusted.v1', %s, %s, clock_timestamp(), 'bench', 'bench', %s,"
        """ %s, '{"location":"main","delta":1}')"""
    )
    opened = []

    def connected() -> Append:
        connection = psycopg.connect(dsn, autocommit=True)
        opened.append(connection)

        def append() -> object:
            sku, command = new_id(), new_id()
            return connection.execute(
                insert.encode(), (new_id(), f"stock/{sku}", sku, sku, command, command), prepare=True
            )

        return append

    try:
        yield connected
    finally:
        for connection in opened:
            connection.close()


@contextmanager
def library(dsn: str, threads: int) -> Iterator[Callable[[], Append]]:
    """The library's recorder as it comes."""
    parts = conninfo_to_dict(dsn)
    factory = PostgresFactory(
        {
            "POSTGRES_DBNAME": str(parts["dbname"]),
            "POSTGRES_HOST": str(parts["host"]),
            "POSTGRES_PORT": str(parts["port"]),
            "POSTGRES_USER": str(parts["user"]),
            "POSTGRES_PASSWORD": "not-needed",
            "POSTGRES_POOL_SIZE": str(threads),
            "ORIGINATOR_ID_TYPE": "text",
        }
    )
    recorder = factory.application_recorder()

    def append() -> object:
        return recorder.insert_events([StoredEvent(f"stock/{new_id()}", 1, "topic", b'{"location":"main","delta":1}')])

    try:
        yield lambda: append
    finally:
        factory.close()


KINDS = {"ours": ours, "raw": raw, "library": library}


def measure(kind: str, dsn: str, threads: int, begin: float, seconds: float) -> list[float]:
    """How long each append took that ended between `begin` (of the wall clock) and `seconds` later."""
    taken: list[list[float]] = [[] for _ in range(threads)]
    with KINDS[kind](dsn, threads) as connect:
        appends = [connect() for _ in range(threads)]

        def work(number: int) -> None:
            mine, append = taken[number], appends[number]
            end = begin + seconds
            started = time.time()
            while started < end:
                append()
                ended = time.time()
                if begin <= ended < end:
                    mine.append(ended - started)
                started = ended

        running = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
    return [one for mine in taken for one in mine]


def run(kind: str, dsn: str, load: Load, seconds: float) -> list[float]:
    """One measurement. Warm-up runs until its begin: connections are open and statements prepared then."""
    if load.processes == 1:
        return measure(kind, dsn, load.threads, time.time() + 0.5, seconds)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(load.processes, mp_context=context) as executor:
        list(executor.map(time.sleep, [0.2] * load.processes))  # every process is there, with its imports
        begin = time.time() + 1.0
        started = [executor.submit(measure, kind, dsn, load.threads, begin, seconds) for _ in range(load.processes)]
        return [one for each in started for one in each.result()]


def measured(dsn: str, rounds: int, seconds: float) -> list[Figure]:
    """The figures, each the median of its rounds."""
    loads = [Load(1), Load(16), Load(64), Load(16, 4)]
    rates: dict[tuple[str, Load], list[float]] = {}
    times: dict[tuple[str, Load], list[float]] = {}
    for _ in range(rounds):
        for load in loads:
            for kind in ("raw", "ours", "library") if load == Load(16) else ("raw", "ours"):
                taken = run(kind, dsn, load, seconds)
                rates.setdefault((kind, load), []).append(len(taken) / seconds)
                times.setdefault((kind, load), []).extend(taken)
    rate = {key: median(found) for key, found in rates.items()}
    shares = {Load(1): 0.5, Load(64): 1.0}
    many = Load(16)
    figures = []
    for load in loads:
        ours, raw = rate["ours", load], rate["raw", load]
        share = shares.get(load)
        figures.append(Figure(f"log, {load}", ours, "commands/s", raw * share if share else None, raw))
    library = rate["library", many]
    figures.append(
        Figure(f"log against the library's recorder, {many}", rate["ours", many], "commands/s", 6 * library, library)
    )
    for load in (many, Load(64)):
        half, most = (_percentile(times["ours", load], share) for share in (50, 99))
        raw = _percentile(times["raw", load], 99)
        target = raw if load == Load(64) else None
        figures.append(Figure(f"log, {load}: half are acknowledged within", half, "ms", at_most=True))
        figures.append(
            Figure(f"log, {load}: 99 % are acknowledged within", most, "ms", target, baseline=raw, at_most=True)
        )
    return figures


def _percentile(seconds: list[float], share: int) -> float:
    """In milliseconds."""
    return quantiles(seconds, n=100)[share - 1] * 1000


@contextmanager
def server() -> Iterator[str]:
    """A durable Postgres of the benchmark's own, migrated, with the raw table beside the log."""
    with tempfile.TemporaryDirectory(prefix="daybook-bench-") as folder:
        data = Path(folder)
        data.chmod(0o711)  # the account that Postgres runs under has to get in
        with PostgresServer.start(data) as postgres:
            migrate(postgres.dsn)
            with psycopg.connect(postgres.dsn, autocommit=True) as conn:
                conn.execute("CREATE TABLE raw (LIKE events INCLUDING ALL)")
                conn.execute("CREATE SEQUENCE raw_position")
                conn.execute("ALTER TABLE raw ALTER position SET DEFAULT nextval('raw_position')")
                assert conn.execute("SHOW fsync").fetchone() == ("on",)
                assert conn.execute("SHOW synchronous_commit").fetchone() == ("on",)
            yield postgres.dsn
        forget(data)


def main() -> None:
    """Measures and prints."""
    options = arguments("How fast single-event commands get into the log").parse_args()
    with server() as dsn:
        figures = measured(dsn, 1 if options.quick else ROUNDS, 0.5 if options.quick else 3.0)
    report("append", figures, options.json)


if __name__ == "__main__":
    main()
