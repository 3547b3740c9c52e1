"""How fast a catalogue comes in: icecat's products where they are there, else the demo catalogue.

The baseline appends, in the same run and with as many threads, the same number of commands of one event each straight
through the log: no reading, no decision, no reader of files.
"""

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg

from daybook.app import App
from daybook.channel.registry import Registry
from daybook.config import Settings
from daybook.demo.catalogue import generate
from daybook.embedded.postgres import PostgresServer
from daybook.embedded.servers import Servers, forget
from daybook.events import ProductDiscontinued
from daybook.exporting.catalogue import export
from daybook.importing import akeneo, jsonl
from daybook.importing.ingest import WORKERS, ingest
from daybook.importing.rows import Entry, Row
from daybook.log.pending import Context, NewEvent
from daybook.postgres.migrate import migrate
from tests.benchmarks.report import Figure, arguments, report
from tests.fixtures.shared import ICECAT

TARGET = 300.0


def main() -> None:
    """Measures and prints."""
    options = arguments("How fast a catalogue comes in").parse_args()
    with _server() as server:
        figures = _measured(server, 100 if options.quick else None)
    report("import", figures, options.json)


def _measured(server: PostgresServer, demo: int | None) -> list[Figure]:
    name = "icecat"
    with _app(server, "imported") as app:
        if demo is None and ICECAT is not None:
            folder = ICECAT
            first, again = (_taken(app, lambda: akeneo.read(folder)) for _ in range(2))
        else:
            name = "demo"
            first, again = (_taken(app, lambda: _demo(demo or 1239)) for _ in range(2))
        products = first[1]
        begun = time.perf_counter()
        lines = list(export(app.reader))
        exported = products / (time.perf_counter() - begun)
        with tempfile.NamedTemporaryFile(suffix=".jsonl") as file:
            file.writelines(lines)
            file.flush()
            with _app(server, "from_jsonl") as other:
                from_jsonl = _taken(other, lambda: jsonl.read(file.name))
    with _app(server, "baseline") as app:
        baseline = _appended(app, products)
    return [
        Figure(f"import of {name}", first[0], "products/s", TARGET, baseline),
        Figure("the same again, nothing new", again[0], "products/s", None, baseline),
        Figure("import of its export", from_jsonl[0], "products/s", TARGET, baseline),
        Figure("export", exported, "products/s"),
        Figure("raw commands of one event", baseline, "commands/s"),
        Figure("products, models included", products, ""),
    ]


def _taken(app: App, read: Callable[[], Iterable[Entry]]) -> tuple[float, int]:
    """Products a second of the whole import, checking the files and definitions included; and how many products."""
    begun = time.perf_counter()
    done = ingest(app.book, read(), actor="bench", source="bench")
    seconds = time.perf_counter() - begun
    assert done.ok, list(done.lines())
    products = done.counts["product"].total
    return products / seconds, products


def _demo(products: int) -> Iterator[Row]:
    return (Row(file="demo", line=line, record=record) for line, record in enumerate(generate(products), 1))


def _appended(app: App, commands: int) -> float:
    def append(number: int) -> None:
        sku = f"RAW-{number}"
        event = NewEvent(f"product/{sku}", 1, ProductDiscontinued(), sku, sku)
        app.log.append([event], Context.new("bench", "bench"))

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(append, range(-WORKERS * 4, 0)))
        begun = time.perf_counter()
        list(pool.map(append, range(commands)))
        return commands / (time.perf_counter() - begun)


@contextmanager
def _server() -> Iterator[PostgresServer]:
    with tempfile.TemporaryDirectory(prefix="daybook-bench-") as folder:
        data = Path(folder)
        data.chmod(0o711)  # the account that Postgres runs under has to get in
        with Servers.start(data, nats="nats://not-needed") as servers:
            assert servers.postgres is not None
            yield servers.postgres
        forget(data)


@contextmanager
def _app(server: PostgresServer, name: str) -> Iterator[App]:
    with psycopg.connect(server.dsn_of("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    dsn = server.dsn_of(name)
    migrate(dsn)
    with App(Settings(data=Path(), postgres=dsn), Registry([])) as app:
        yield app


if __name__ == "__main__":
    main()
