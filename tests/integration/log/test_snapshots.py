"""Snapshots: a long stream is loaded from its newest one, and the state is what reading everything would give."""

from collections.abc import Iterator

import psycopg
import pytest

from daybook.events import Event, StockCounted, StockReceived
from daybook.log.application import Log
from daybook.log.pending import Context, NewEvent
from daybook.log.snapshots import INTERVAL_EVENTS, Fold
from daybook.postgres.pool import Pool, pool
from daybook.stock.state import Stock, evolve

FOLDS = {"stock": Fold(evolve, Stock, 1)}
STREAM = "stock/SKU-1"


@pytest.fixture
def connections(database: str) -> Iterator[Pool]:
    with pool(database, "test") as found:
        yield found


def receive(log: Log, number: int, after: int = 0) -> None:
    for version in range(after + 1, after + number + 1):
        log.append(
            [NewEvent(STREAM, version, StockReceived("main", version), "SKU-1", "SKU-1")], Context.new("me", "test")
        )


def snapshot(database: str) -> tuple[int, str] | None:
    with psycopg.connect(database) as conn:
        return conn.execute("SELECT version, type FROM snapshots WHERE stream = %s", (STREAM,)).fetchone()


def folded(database: str, log: Log, counted: list[Event]) -> tuple[Stock | None, int]:
    def counting(stock: Stock | None, event: Event) -> Stock | None:
        counted.append(event)
        return evolve(stock, event)

    return log.load(STREAM, counting)


def test_a_snapshot_is_taken_each_time_a_stream_passes_the_interval(database: str, connections: Pool) -> None:
    log = Log(connections, FOLDS)
    receive(log, INTERVAL_EVENTS - 1)
    assert snapshot(database) is None
    receive(log, 1, after=INTERVAL_EVENTS - 1)
    assert snapshot(database) == (INTERVAL_EVENTS, "stock.snapshot.v1")


def test_a_cold_load_reads_only_the_events_since_the_snapshot(database: str, connections: Pool) -> None:
    receive(Log(connections, FOLDS), INTERVAL_EVENTS + 7)
    counted: list[Event] = []
    state, version = folded(database, Log(connections, FOLDS), counted)
    everything, same = Log(connections).load(STREAM, evolve)
    assert (state, version) == (everything, same)
    assert len(counted) == 7


def test_a_snapshot_of_an_older_fold_is_ignored_and_replaced(database: str, connections: Pool) -> None:
    receive(Log(connections, FOLDS), INTERVAL_EVENTS)
    newer = {"stock": Fold(evolve, Stock, 2)}
    counted: list[Event] = []
    folded(database, Log(connections, newer), counted)
    assert len(counted) == INTERVAL_EVENTS
    receive(Log(connections, newer), INTERVAL_EVENTS, after=INTERVAL_EVENTS)
    assert snapshot(database) == (2 * INTERVAL_EVENTS, "stock.snapshot.v2")


def test_an_append_stands_when_no_snapshot_can_be_taken(database: str, connections: Pool) -> None:
    log = Log(connections, FOLDS)
    receive(log, INTERVAL_EVENTS - 1)
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("DROP TABLE snapshots")
    cold = Log(connections)
    receive(log, 1, after=INTERVAL_EVENTS - 1)
    assert cold.load(STREAM, evolve)[1] == INTERVAL_EVENTS


def test_a_dropped_snapshot_changes_nothing_but_the_time_it_takes(database: str, connections: Pool) -> None:
    log = Log(connections, FOLDS)
    receive(log, INTERVAL_EVENTS + 1)
    log.append(
        [NewEvent(STREAM, INTERVAL_EVENTS + 2, StockCounted("main", 3), "SKU-1", "SKU-1")], Context.new("me", "test")
    )
    before = Log(connections, FOLDS).load(STREAM, evolve)
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("DELETE FROM snapshots")
    assert Log(connections, FOLDS).load(STREAM, evolve) == before == (Stock({"main": 3}), INTERVAL_EVENTS + 2)
