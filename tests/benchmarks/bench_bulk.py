"""Bulk append against raw binary COPY of the same rows into a table of the same shape with the same indexes."""

import datetime
import random
import statistics
import time
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
from eventsourcing.persistence import JSONTranscoder

from daybook.embedded.postgres import PostgresServer
from daybook.events import AttributeChange, AttributesChanged, Event, PriceChanged, StockCounted
from daybook.log import QUERIES
from daybook.log.application import Log
from daybook.log.bulk import append_bulk
from daybook.log.mapper import EventMapper
from daybook.log.pending import Context, NewEvent, PendingEvent
from daybook.postgres.pool import pool
from daybook.values import Money
from tests.benchmarks.databases import database, server
from tests.benchmarks.report import Figure, arguments, report

ROUNDS = 3
EVENTS = 200_000
TEXT = "A chair of solid oak, oiled by hand, that four grown people have stood on at the same time without a sound."
TYPES = (
    "int8", "int8", "timestamptz", "uuid", "text", "text", "text", "text", "text", "text", "text", "text", "text",
    "text", "int8", "json",
)  # fmt: skip
Commands = list[tuple[Context, list[NewEvent]]]


def commands(events: int, seed: int, products: int) -> Iterator[tuple[Context, list[NewEvent]]]:
    """What a catalogue's days are made of, in about so many events: prices and stock, texts, sometimes all together.

    Products are drawn evenly, so every index is written all over; versions are whatever comes next.
    """
    chance = random.Random(seed)
    made = 0
    while made < events:
        sku = f"SKU-{chance.randrange(products):07d}"
        said: list[tuple[str, Event]] = [
            ("product", PriceChanged("default", Money(chance.randrange(100, 99999), "EUR")))
        ]
        kind = chance.random()
        if kind < 0.5:
            said = [("stock", StockCounted("main", chance.randrange(500)))]
        elif kind > 0.9:
            text = AttributeChange(attribute="description", value=TEXT, locale="en-GB")
            said += [("product", AttributesChanged((text,))), ("stock", StockCounted("main", 3))]
        context = Context.new("erp", "import:erp", correlation_id=f"night-{made // 1000}")
        yield context, [NewEvent(f"{noun}/{sku}", 0, event, sku, sku) for noun, event in said]
        made += len(said)


def pending(given: Commands) -> list[tuple[Context, list[PendingEvent]]]:
    """The same, encoded."""
    mapper = EventMapper(JSONTranscoder())
    return [(context, [mapper.to_stored_event(one) for one in happened]) for context, happened in given]


def main() -> None:
    """Measures and prints."""
    options = arguments("Bulk append against raw COPY").parse_args()
    events = 20_000 if options.quick else EVENTS
    given = list(commands(events, 1, events // 8))
    encoded = pending(given)
    rates: dict[str, list[float]] = {"raw": [], "append_bulk": [], "Log.bulk": []}
    with server() as on:
        for number in range(ROUNDS):
            names = list(rates)
            for name in names[number:] + names[:number]:  # in another order each time
                rates[name].append(_measured(on, name, given, encoded))
    raw = statistics.median(rates["raw"])
    bulk, encoding = statistics.median(rates["append_bulk"]), statistics.median(rates["Log.bulk"])
    figures = [
        Figure("raw binary COPY, one transaction", raw, "events/s"),
        Figure("append_bulk", bulk, "events/s", 0.6 * raw, raw),
        Figure("Log.bulk, which encodes as well", encoding, "events/s", None, raw),
        Figure("append_bulk, of raw COPY", bulk / raw * 100, "%", 60),
    ]
    report("bulk", figures, options.json)


def _measured(
    on: PostgresServer, name: str, given: Commands, encoded: list[tuple[Context, list[PendingEvent]]]
) -> float:
    """Events a second, into an empty log of a database of its own."""
    events = sum(len(one) for _, one in given)
    with database(on, "bulk") as dsn, pool(dsn, "bench", 2) as connections:
        with connections.connection() as conn:
            if name == "raw":
                return events / _copied(conn, encoded)
        begun = time.perf_counter()
        done = (
            sum(one.kind == "appended" for one in append_bulk(connections, encoded))
            if name == "append_bulk"
            else sum(not isinstance(one, Exception) for one in Log(connections).bulk(given))
        )
        seconds = time.perf_counter() - begun
        assert done == len(given)
        return events / seconds


def _copied(conn: psycopg.Connection[Any], encoded: list[tuple[Context, list[PendingEvent]]]) -> float:
    rows = list(_rows(encoded))
    conn.execute("CREATE TABLE raw (LIKE events INCLUDING ALL)")
    begun = time.perf_counter()
    statement = QUERIES["copy_in"].replace("events", "raw")
    with conn.transaction(), conn.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(TYPES)
        for row in rows:
            copy.write_row(row)
    return time.perf_counter() - begun


def _rows(encoded: list[tuple[Context, list[PendingEvent]]]) -> Iterator[Sequence[Any]]:
    at = datetime.datetime.now(datetime.UTC)
    versions: dict[str, int] = {}
    position = 0
    for context, events in encoded:
        for one in events:
            position += 1
            stream = str(one.originator_id)
            versions[stream] = versions.get(stream, 0) + 1
            yield (
                position, versions[stream], at, uuid.uuid4(), stream, one.topic, one.sku, one.key, context.actor, None,
                context.source, context.correlation_id, None, context.command_id, None, one.state.decode(),
            )  # fmt: skip


if __name__ == "__main__":
    main()
