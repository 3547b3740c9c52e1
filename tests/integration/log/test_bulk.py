"""Bulk append: the promises of a single append, for hundreds of thousands of events.

`python -m tests.integration.log.test_bulk DSN COMMANDS` is a process that appends so, to be killed.
"""

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg
import pytest

from daybook.errors import CommandIdReused, DaybookError, InvalidValue, VersionConflict
from daybook.events import Event, ProductDiscontinued, StockCounted
from daybook.log import bulk
from daybook.log.application import Log
from daybook.log.pending import Appended, Context, NewEvent
from daybook.postgres.migrate import migrate
from tests.fixtures.logs import at_once, context, happened, opened, rows
from tests.fixtures.proxy import proxy_to
from tests.fixtures.servers import ServerPair
from tests.fixtures.waiting import until

Commands = list[tuple[Context, Sequence[NewEvent]]]
CHUNK = 10


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "CHUNK_EVENTS", CHUNK)


@pytest.fixture
def log(database: str) -> Iterator[Log]:
    with opened(database) as (found, _):
        yield found


def places(results: Sequence[Appended | DaybookError]) -> list[tuple[int, int, bool] | str]:
    """(first, last, repeated) of what stands, the code of what does not."""
    return [(one.first, one.last, one.repeated) if isinstance(one, Appended) else one.code for one in results]


def one_each(number: int, name: str = "c", events: int = 1) -> Commands:
    return [(context(f"{name}-{n}"), happened(f"stock/{name}-{n}", 1, events)) for n in range(number)]


def test_a_bulk_append_leaves_the_same_rows_as_single_appends(database: str, log: Log) -> None:
    who = Context(
        actor="ada", source="test", command_id="c", reason="why", correlation_id="o", causation_id="b", command_hash=7,
        access="dbk_a/gr_b",
    )  # fmt: skip
    plain = Context(actor="ada", source="test", command_id="d")
    events = [
        NewEvent("product/A", 1, ProductDiscontinued(), "A", "P"),
        NewEvent("stock/A", 1, StockCounted("main", 4), None, "P"),
    ]
    later = [NewEvent("product/A", 2, ProductDiscontinued(), "A", "P")]
    columns = "stream, version, type, sku, key, actor, reason, source, correlation_id, causation_id, intent, access"
    columns += ", data::text"
    log.append(events, who)
    log.append(later, plain)
    moved = [NewEvent(f"x{one.originator_id}", *_rest(one)) for one in [*events, *later]]

    renamed = Context(
        actor="ada", source="test", command_id="c2", reason="why", correlation_id="o", causation_id="b", command_hash=7,
        access="dbk_a/gr_b",
    )  # fmt: skip
    results = list(log.bulk([(renamed, moved[:2]), (Context(actor="ada", source="test", command_id="d2"), moved[2:])]))

    assert places(results) == [(4, 5, False), (6, 6, False)]
    found = rows(database, columns)
    single, many = found[:3], [(str(row[0])[1:], *row[1:]) for row in found[3:]]
    assert [row[8] for row in many] == ["o", "o", "d2"], "without another, the command's own id is its correlation"
    assert many[:2] == single[:2]
    assert many[2][:8] + many[2][9:] == single[2][:8] + single[2][9:]
    ids, times = zip(*rows(database, "event_id, recorded_at"), strict=True)
    assert len(set(ids)) == 6 and {one.version for one in ids} == {7}
    assert list(times) == sorted(times) and isinstance(results[0], Appended) and results[0].recorded_at == times[3]


def _rest(one: NewEvent) -> tuple[int, Event, str | None, str]:
    return one.originator_version, one.event, one.sku, one.key


def test_positions_are_dense_across_chunks_and_commands_stay_whole(database: str, log: Log) -> None:
    sizes = [random.Random(4).randint(1, 7) for _ in range(40)]
    results = list(log.bulk((context(f"c{n}"), happened(f"stock/{n}", 1, size)) for n, size in enumerate(sizes)))
    expected, at = [], 0
    for size in sizes:
        expected.append((at + 1, at + size, False))
        at += size
    assert places(results) == expected
    assert [row[0] for row in rows(database)] == list(range(1, at + 1))


def test_a_command_that_is_larger_than_a_chunk_is_whole(database: str, log: Log) -> None:
    assert places(list(log.bulk([(context(), happened("stock/A", 1, CHUNK * 3 + 1))]))) == [(1, CHUNK * 3 + 1, False)]


def test_commands_build_on_those_before_them_within_a_chunk_and_across(database: str, log: Log) -> None:
    log.append(happened("stock/A", 1, 2), context())
    results = list(log.bulk((context(), happened("stock/A", 3 + n * 2, 2)) for n in range(17)))
    assert places(results)[-1] == (35, 36, False)
    assert [row[2] for row in rows(database)] == list(range(1, 37))


def test_a_conflict_fails_alone_wherever_in_a_chunk_it_stands(database: str, log: Log) -> None:
    commands: Commands = [(context(), happened("stock/A", 1))]
    expected: list[int | str] = [1]
    for number in range(30):
        # Every third rests on a version that never was, or on one that somebody took.
        wrong = number % 3 == 0
        commands.append(
            (context(), happened("stock/A", (1, 99)[number % 2] if wrong else len(expected_rows(expected)) + 1))
        )
        expected.append("version_conflict" if wrong else len(expected_rows(expected)) + 1)
    results = list(log.bulk(commands))
    assert [one if isinstance(one, str) else one[0] for one in places(results)] == expected
    assert [row[2] for row in rows(database)] == list(range(1, 22))
    conflict = results[1]
    assert isinstance(conflict, VersionConflict) and "stock/A is at version 1" in conflict.message


def expected_rows(expected: Sequence[int | str]) -> list[int]:
    return [one for one in expected if isinstance(one, int)]


def test_a_command_that_conflicts_in_one_of_its_streams_leaves_nothing_in_the_others(database: str, log: Log) -> None:
    torn = [*happened("stock/A", 1), *happened("stock/B", 1), *happened("stock/B", 3), *happened("stock/C", 1)]
    results = list(
        log.bulk(
            [(context("torn"), torn), (context("a"), happened("stock/A", 1)), (context("b"), happened("stock/B", 1))]
        )
    )
    assert places(results) == ["version_conflict", (1, 1, False), (2, 2, False)]
    assert "stock/B is at version 0" in str(results[0])
    assert [row[3] for row in rows(database)] == ["a", "b"]


def test_version_0_means_after_whatever_is_there(database: str, log: Log) -> None:
    log.append(happened("stock/A", 1), context())
    list(log.bulk((context(), happened("stock/A", 0, 3)) for _ in range(8)))
    assert [row[2] for row in rows(database)] == list(range(1, 26))


def test_a_repeated_id_gives_the_first_result_within_a_chunk_across_chunks_and_across_calls(
    database: str, log: Log
) -> None:
    before = log.append(happened("stock/A", 1, 2), context("before"))
    again = [(context("before"), happened("stock/A", 1, 2))]
    first: Commands = [(context("x"), happened("stock/X", 1, 3))]
    filler = one_each(CHUNK)
    results = list(log.bulk([*again, *first, *first, *filler, *first, *filler[-1:]]))
    done = places(results)
    assert done[:3] == [(before.first, before.last, True), (3, 5, False), (3, 5, True)]
    assert done[-2:] == [(3, 5, True), (15, 15, True)]
    assert isinstance(results[0], Appended) and results[0].recorded_at == before.recorded_at
    assert [one[2] for one in places(list(log.bulk([*first, *filler]))) if isinstance(one, tuple)] == [True] * 11
    assert len(rows(database)) == 15


def test_an_id_of_another_command_is_told_and_leaves_the_others_alone(database: str, log: Log) -> None:
    log.append(happened("stock/A", 1), context("before", 1))
    results = list(
        log.bulk(
            [
                (context("before", 2), happened("stock/A", 2)),
                (context("new", 3), happened("stock/A", 2)),
                (context("new", 4), happened("stock/A", 3)),
                (context("last", 5), happened("stock/A", 3)),
            ]
        )
    )
    assert places(results) == ["command_id_reused", (2, 2, False), "command_id_reused", (3, 3, False)]
    assert isinstance(results[2], CommandIdReused)


@pytest.mark.parametrize("seed", range(4))
def test_any_commands_end_as_they_would_have_ended_one_by_one(database: str, log: Log, seed: int) -> None:
    chance = random.Random(seed)
    single: list[Appended | DaybookError] = []
    later: Commands = []
    at = {f"stock/{name}": 0 for name in "ABCD"}
    for number in range(120):
        name = f"c-{chance.randrange(number + 1)}" if chance.random() < 0.3 else f"c-{number}"
        streams = chance.sample(sorted(at), chance.choice((1, 1, 2, 3)))
        events = [
            one
            for stream in streams
            for one in happened(
                stream,
                chance.choice((0, at[stream] + 1, at[stream] + 1, at[stream] + 1, at[stream], at[stream] + 2)),
                chance.randint(1, 3),
            )
        ]
        try:
            done = log.append(events, context(name, intent := int(chance.random() < 0.2)))
        except (VersionConflict, CommandIdReused) as error:
            single.append(error)
        else:
            single.append(done)
            if not done.repeated:
                for one in events:
                    at[one.originator_id] += 1
        moved = [NewEvent(f"bulk-{one.originator_id}", *_rest(one)) for one in events]
        later.append((context(f"bulk-{name}", intent), moved))
    head = len(rows(database))

    many = list(log.bulk(later))

    expected = [one if isinstance(one, str) else (one[0] + head, one[1] + head, one[2]) for one in places(single)]
    assert places(many) == expected
    assert {one if isinstance(one, str) else one[2] for one in expected} >= {False, True, "version_conflict"}
    found = rows(database, "stream, version, command_id")
    assert [(f"bulk-{stream}", version, f"bulk-{name}") for stream, version, name in found[:head]] == found[head:]


def test_what_was_yielded_stands_when_the_input_fails(database: str, log: Log) -> None:
    def commands() -> Iterator[tuple[Context, Sequence[NewEvent]]]:
        yield from one_each(CHUNK * 2 + 3)
        raise RuntimeError("the file ends in the middle")

    results = log.bulk(commands())
    assert len([next(results) for _ in range(CHUNK * 2)]) == CHUNK * 2
    with pytest.raises(RuntimeError, match="the file ends"):
        next(results)
    assert len(rows(database)) == CHUNK * 2


@pytest.mark.parametrize("text", ["a\0b", "a\ud800b"], ids=["nul", "surrogate"])
def test_a_command_that_postgres_cant_hold_is_named_and_nothing_before_it_is_lost(
    database: str, log: Log, text: str
) -> None:
    commands = one_each(7)
    commands[4] = (Context(actor=text, source="test", command_id="bad"), commands[4][1])
    with pytest.raises(InvalidValue, match="bad holds something"):
        list(log.bulk(commands))
    assert [row[3] for row in rows(database)] == ["c-0", "c-1", "c-2", "c-3"]


def test_a_command_without_events_is_named_and_nothing_before_it_is_lost(database: str, log: Log) -> None:
    with pytest.raises(InvalidValue, match="empty has no event"):
        list(log.bulk([*one_each(3), (context("empty"), []), *one_each(3, "d")]))
    assert len(rows(database)) == 3


def test_nothing_to_append_is_no_error(log: Log) -> None:
    assert list(log.bulk([])) == []


def test_ordinary_writers_get_their_turns_and_no_reader_skips_an_event(database: str, log: Log) -> None:
    stop, ended = threading.Event(), threading.Event()
    seen: list[int] = []
    singles: list[int] = []

    def tail() -> None:
        with psycopg.connect(database, autocommit=True) as conn:
            while not ended.is_set() or not _at_head(conn, seen):
                last = seen[-1] if seen else 0
                found = conn.execute("SELECT position FROM events WHERE position > %s ORDER BY position", (last,))
                seen.extend(row[0] for row in found.fetchall())

    def write(number: int) -> None:
        if number == 0:
            try:
                results = places(list(log.bulk([*one_each(300, "bulk", 3), *one_each(300, "rival", 1)])))
                assert len(results) == 600
            finally:
                stop.set()
            return
        version = 0
        while not stop.is_set():
            singles.append(log.append(happened(f"stock/w{number}", version + 1, 2), context()).last)
            version += 2
            rival = (version // 2) % 300
            with contextlib.suppress(VersionConflict):
                log.append(happened(f"stock/rival-{rival}", 1), context())

    reading = threading.Thread(target=tail)
    reading.start()
    try:
        at_once(5, write)
    finally:
        ended.set()
        reading.join(20)
    head = len(rows(database))
    assert seen == list(range(1, head + 1))
    bulk_at = [int(str(row[0])) for row in rows(database) if str(row[3]).startswith("bulk-")]
    assert any(bulk_at[0] < one < bulk_at[-1] for one in singles), "single appends came in between"
    assert len(bulk_at) == 900
    there = [row[1] for row in rows(database) if str(row[1]).startswith("stock/rival-")]
    assert len(there) == len(set(there)) == 300, "one of two rivals won"


def _at_head(conn: psycopg.Connection, seen: Sequence[int]) -> bool:
    row = conn.execute("SELECT position FROM head").fetchone()
    return row is not None and row[0] == (seen[-1] if seen else 0)


def test_an_answer_lost_between_commit_and_reply_is_a_success_once(database: str) -> None:
    with proxy_to(database) as proxy, opened(proxy.dsn) as (log, _):
        list(log.bulk(one_each(1, "warm")))
        proxy.drop_reply_to("COMMIT")
        results = list(log.bulk(one_each(CHUNK * 2)))
        assert proxy.cuts == 1
    assert [one[:2] for one in places(results)] == [(n, n) for n in range(2, CHUNK * 2 + 2)]
    assert len(rows(database)) == CHUNK * 2 + 1


STOP_AT = """
CREATE FUNCTION stop_here() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.position = 23 THEN PERFORM pg_advisory_xact_lock(4711); END IF; RETURN NEW;
END $$;
CREATE TRIGGER stop_here BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION stop_here();
"""


def test_killed_in_the_middle_of_a_copy_and_repeated_each_command_is_there_once(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(STOP_AT)
        conn.execute("SELECT pg_advisory_lock(4711)")
        dying = appender(database, 40)
        until(lambda: _waits(database), "the process is in the middle of its third chunk's COPY")
        dying.send_signal(signal.SIGKILL)
        dying.wait(20)
        assert len(rows(database)) == CHUNK * 2, "two chunks are whole, the third is absent"
    again = appender(database, 40)
    assert again.wait(30) == 0
    assert [(row[0], row[3]) for row in rows(database)] == [(n + 1, f"c-{n}") for n in range(40)]


def _waits(dsn: str) -> bool:
    with psycopg.connect(dsn) as conn:
        row = conn.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND wait_event = 'advisory'"
            " AND datname = current_database()"
        ).fetchone()
    return row is not None and row[0] > 0


def appender(dsn: str, commands: int) -> "subprocess.Popen[bytes]":
    root = Path(__file__).parents[3]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.integration.log.test_bulk", dsn, str(commands)],
        cwd=root,
        env={**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{root / 'src'}"},
    )


@pytest.mark.long
def test_postgres_killed_in_the_middle_costs_a_pause_and_nothing_else(servers: ServerPair) -> None:
    dsn = servers.postgres.dsn
    migrate(dsn)
    results: list[Appended | DaybookError] = []

    def append() -> None:
        with opened(dsn, 4) as (log, _):
            # A pool full of connections that will all be broken: the retry must not try them one after the other.
            at_once(4, lambda n: log.append(happened(f"stock/warm{n}", 1), context()))
            results.extend(log.bulk(one_each(CHUNK * 10)))

    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(STOP_AT)
        conn.execute("SELECT pg_advisory_lock(4711)")
        working = threading.Thread(target=append)
        working.start()
        until(lambda: _waits(dsn), "the append is in the middle of a COPY")
        servers.postgres.kill()
    servers.postgres.restart()
    working.join(60)
    assert [one for one in places(results) if isinstance(one, str)] == []
    found = rows(dsn)
    assert [row[0] for row in found] == list(range(1, CHUNK * 10 + 5))
    assert len({row[3] for row in found}) == len(found)


if __name__ == "__main__":
    bulk.CHUNK_EVENTS = CHUNK
    with opened(sys.argv[1], 1) as (_log, _reader):
        assert all(isinstance(one, Appended) for one in _log.bulk(one_each(int(sys.argv[2]))))
