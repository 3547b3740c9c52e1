"""Times never go back along positions, whatever the server's clock does; and a clock that was set is told."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.audit.verify import verify
from daybook.errors import VersionConflict
from daybook.log.application import Log
from daybook.queries import clock
from daybook.queries.moment import resolve
from tests.fixtures.clocks import movable_clock, set_clock
from tests.fixtures.commandline import Daybook
from tests.fixtures.examples import examples
from tests.fixtures.logs import at_once, context, happened, opened, pool_of, rows


def conflict(log: Log) -> None:
    with pytest.raises(VersionConflict):
        log.append(happened("stock/A", 10_000), context())


def half_a_conflict(log: Log) -> None:
    """Several writers share a transaction, and one of them conflicts: the long way round."""

    def work(number: int) -> None:
        if number == 0:
            conflict(log)
        else:
            log.append(happened(f"stock/N{number}", 0), context())

    at_once(4, work)


WAYS: dict[str, Callable[[Log], object]] = {
    "one event": lambda log: log.append(happened("stock/A", 0), context()),
    "several events": lambda log: log.append(happened("stock/A", 0, 3), context()),
    "receipts": lambda log: log.record([(context(), happened("stock/B", 0)), (context(), happened("stock/C", 0, 2))]),
    "bulk": lambda log: list(log.bulk([(context(), happened("stock/D", 0, 2)), (context(), happened("stock/E", 0))])),
    "a conflict": conflict,
    "a conflict beside others": half_a_conflict,
}
HOURS = st.sampled_from([-86_400.0, -3600.0, -1.0, -0.001, 0.0, 0.001, 5.0, 3600.0, 86_400.0])


def empty(dsn: str) -> None:
    with psycopg.connect(dsn) as conn:
        conn.execute("ALTER TABLE events DISABLE TRIGGER events_append_only")
        conn.execute("TRUNCATE events, snapshots")
        conn.execute("ALTER TABLE events ENABLE ALWAYS TRIGGER events_append_only")
        conn.execute("UPDATE head SET position = 0, recorded_at = '-infinity'")


@pytest.fixture
def moved(database: str) -> str:
    movable_clock(database)
    return database


@examples(few=6, many=300)
@given(steps=st.lists(st.tuples(HOURS, st.sampled_from(sorted(WAYS))), min_size=2, max_size=10))
def test_times_never_go_back_along_positions_whatever_the_clock_does(
    moved: str, steps: list[tuple[float, str]]
) -> None:
    empty(moved)
    with opened(moved) as (log, _):
        for seconds, way in steps:
            set_clock(moved, seconds)
            WAYS[way](log)
    times = [row[0] for row in rows(moved, "recorded_at")]
    assert times == sorted(times)  # type: ignore[type-var]
    assert asyncio.run(verify(moved, None)).problem is None


def test_now_is_the_end_of_the_log_also_while_the_clock_is_behind_it(moved: str) -> None:
    with opened(moved) as (log, reader):
        log.append(happened("stock/A", 0), context())
        set_clock(moved, -3600)
        log.append(happened("stock/A", 0, 2), context())
        shown = datetime.now(UTC) - timedelta(hours=1)
        assert resolve(reader, at=shown).position == 3
        assert resolve(reader, at=datetime.now(UTC) + timedelta(days=1)).position == 3
        assert resolve(reader, at=shown - timedelta(hours=1)).position == 0, "what was before any event"


def test_a_clock_that_was_set_back_is_told_until_it_has_caught_up(moved: str) -> None:
    daybook = Daybook({"DAYBOOK_POSTGRES": moved})
    with opened(moved) as (log, _):
        assert clock.set_back(pool_of(log)) is None, "an empty log"
        log.append(happened("stock/A", 0), context())
        assert clock.set_back(pool_of(log)) is None
        set_clock(moved, -3600)
        told = clock.set_back(pool_of(log))
        assert told is not None and told.startswith("Postgres's clock is 60 min behind the log's last event")
        for command in (("channel", "list"), ("log", "verify", "--no-stream")):
            answer = daybook(*command)
            assert answer.code == 0
            assert "Postgres's clock is 60 min behind" in answer.stderr
        set_clock(moved, 0)
        assert clock.set_back(pool_of(log)) is None
