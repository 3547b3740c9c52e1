"""What a person asks the log with psql alone: functions, a view, and an index behind each question."""

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from daybook.events import (
    Event,
    MediaRemoved,
    PriceChanged,
    PriceRemoved,
    ProductCreated,
    ProductDiscontinued,
    StockCounted,
)
from daybook.log.application import Log
from daybook.log.pending import Context, NewEvent
from daybook.values import Money
from tests.fixtures.logs import opened


@pytest.fixture
def log(database: str) -> Iterator[Log]:
    with opened(database) as (found, _):
        yield found


def asked(dsn: str, question: str, *parameters: object) -> list[Any]:
    with psycopg.connect(dsn) as conn:
        conn.execute("SET timezone = 'UTC'")
        return conn.execute(question.encode(), parameters).fetchall()


def say(log: Log, sku: str, *events: Event, actor: str = "ada", reason: str | None = None, source: str = "cli") -> None:
    stock = all(isinstance(one, StockCounted) for one in events)
    stream = f"{'stock' if stock else 'product'}/{sku}"
    log.record([(Context.new(actor, source, reason=reason), [NewEvent(stream, 0, one, sku, sku) for one in events])])


def euro(minor: int, price_list: str = "default") -> PriceChanged:
    return PriceChanged(price_list, Money(minor, "EUR"))


def test_a_products_history_is_its_two_streams_in_order_with_who_and_why(database: str, log: Log) -> None:
    say(log, "A", ProductCreated(sku="A", key="A"))
    say(log, "A-2", ProductCreated(sku="A-2", key="A-2"))
    say(log, "A", StockCounted("main", 4), actor="wms", source="http")
    say(log, "A", ProductDiscontinued(), reason="out of season")

    found = asked(database, "SELECT * FROM product_history('A')")

    assert [(row[0], row[2], row[3], row[4], row[5]) for row in found] == [
        (1, "product.created.v1", "ada", None, "cli"),
        (3, "stock.counted.v1", "wms", None, "http"),
        (4, "product.discontinued.v1", "ada", "out of season", "cli"),
    ]
    assert found[1][6] == {"location": "main", "quantity": 4}
    assert asked(database, "SELECT * FROM product_history('B')") == []
    assert asked(database, "SELECT * FROM product_history('')") == []


def test_a_price_history_names_each_price_with_the_one_before_it_in_its_list_and_currency(
    database: str, log: Log
) -> None:
    say(log, "A", euro(1000), PriceChanged("default", Money(1100, "USD")), euro(900, "outlet"))
    say(log, "A", euro(1200), actor="erp", reason="inflation")
    say(log, "A", PriceRemoved("outlet", "EUR"))
    say(log, "A", euro(800, "outlet"), PriceChanged("default", Money(-5, "USD")))
    say(log, "B", euro(1))

    found = asked(
        database,
        "SELECT recorded_position, price_list, currency, minor_units, minor_units_before, actor, reason"
        " FROM price_history('A')",
    )

    assert found == [
        (1, "default", "EUR", 1000, None, "ada", None),
        (2, "default", "USD", 1100, None, "ada", None),
        (3, "outlet", "EUR", 900, None, "ada", None),
        (4, "default", "EUR", 1200, 1000, "erp", "inflation"),
        (6, "outlet", "EUR", 800, 900, "ada", None),
        (7, "default", "USD", -5, 1100, "ada", None),
    ]


def test_who_changed_what_today_begins_at_midnight_of_the_session(database: str, log: Log) -> None:
    say(log, "A", euro(1), euro(2))
    say(log, "B", euro(1))
    say(log, "B", StockCounted("main", 1), actor="wms", source="http")
    with psycopg.connect(database) as conn:
        conn.execute("SET session_replication_role = replica")
        conn.execute("ALTER TABLE events DISABLE TRIGGER events_append_only")
        midnight = "date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'"
        conn.execute(
            f"UPDATE events SET recorded_at = {midnight} - interval '1 microsecond' WHERE position = 1".encode()
        )
        conn.execute(f"UPDATE events SET recorded_at = {midnight} WHERE position = 2".encode())

    found = asked(database, "SELECT actor, source, what, events, products FROM changed_today ORDER BY actor, what")

    assert found == [("ada", "cli", "product.price_changed", 2, 2), ("wms", "http", "stock.counted", 1, 1)]


def test_an_empty_log_answers_every_question_with_nothing(database: str) -> None:
    for question in ("product_history('A')", "price_history('A')", "changed_today"):
        assert asked(database, f"SELECT * FROM {question}") == []
    assert asked(database, "SELECT position_at(now())") == [(0,)]


def test_position_at_is_the_last_position_of_the_moment(database: str, log: Log) -> None:
    for number in range(9):
        say(log, "A", MediaRemoved(str(number)))
    times = [row[0] for row in asked(database, "SELECT recorded_at FROM events ORDER BY position")]
    for number, at in enumerate(times, 1):
        same = max(n for n, other in enumerate(times, 1) if other == at)
        assert asked(database, "SELECT position_at(%s)", at) == [(same,)], number
        before = max((n for n, other in enumerate(times, 1) if other < at), default=0)
        assert asked(database, "SELECT position_at(%s - interval '1 microsecond')", at) == [(before,)]
    assert asked(database, "SELECT position_at('infinity'), position_at('-infinity')") == [(9, 0)]


QUESTIONS = {
    "a group's history": ("events_by_key", "SELECT * FROM events WHERE key = 'SKU-7' ORDER BY position"),
    "a stream": ("events_stream_version_key", "SELECT * FROM events WHERE stream = 'stock/SKU-7' ORDER BY version"),
    "an import": ("events_by_correlation", "SELECT * FROM events WHERE correlation_id = 'c-7' ORDER BY position"),
    "a command": ("events_by_command", "SELECT * FROM events WHERE command_id = 'c-7'"),
    "a person since": (
        "events_by_actor", "SELECT * FROM events WHERE actor = 'p-7' AND recorded_at > now() - interval '1 hour'",
    ),
    "a kind": ("events_by_type", "SELECT * FROM events WHERE type = 'product.removed.v1' ORDER BY position LIMIT 9"),
    "how many products a group has": (
        "events_products_of_key", "SELECT count(*) FROM events WHERE key = 'SKU-7' AND type = 'product.created.v1'",
    ),
    "the tail": ("events_pkey", "SELECT * FROM events WHERE position > 2990 ORDER BY position LIMIT 100"),
    "a product": ("events_stream_version_key", "SELECT * FROM product_history('SKU-7')"),
    "its prices": ("events_stream_version_key", "SELECT * FROM price_history('SKU-7')"),
}  # fmt: skip


def test_every_question_is_answered_by_an_index_and_every_index_answers_one(database: str, log: Log) -> None:
    commands = []
    for number in range(3000):
        sku = f"SKU-{number // 2 % 300}"
        noun, event = (("stock", StockCounted("main", 1)), ("product", euro(number)))[number % 2]
        who = Context(actor=f"p-{number % 97}", source="cli", command_id=f"c-{number}")
        commands.append((who, [NewEvent(f"{noun}/{sku}", 0, event, sku, sku)]))
    assert len(list(log.bulk(commands))) == 3000
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("VACUUM (ANALYZE) events")
    used = set()
    for name, (index, question) in QUESTIONS.items():
        plan = json.dumps(asked(database, f"EXPLAIN (FORMAT JSON) {question}")[0][0])
        assert index in plan and "Seq Scan" not in plan, (name, plan)
        used.add(index)
    assert used == {row[0] for row in asked(database, "SELECT indexname FROM pg_indexes WHERE tablename = 'events'")}


def test_functions_and_views_say_what_they_are_for(database: str) -> None:
    for what in (
        "'product_history(text)'::regprocedure",
        "'price_history(text)'::regprocedure",
        "'changed_today'::regclass",
    ):
        assert asked(database, f"SELECT obj_description({what})")[0][0], what
