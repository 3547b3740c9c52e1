"""Appending: dense positions in the order of commits, each command whole or absent, conflicts that fail alone."""

import random
import threading
from collections import Counter
from datetime import datetime, timedelta

import psycopg
import pytest

from daybook.errors import CommandIdReused, InvalidValue, Unavailable, VersionConflict
from daybook.events import StockAdjusted, StockCounted
from daybook.log.pending import Appended, Context, NewEvent
from daybook.log.reader import Reader
from daybook.postgres.pool import connect
from daybook.stock.state import Stock, evolve
from tests.fixtures.logs import at_once, context, happened, opened, rows
from tests.fixtures.waiting import until


def test_a_command_gets_the_next_positions_and_its_streams_the_next_versions(database: str) -> None:
    with opened(database) as (log, _):
        one = log.append(happened("stock/A", 1, 2), context())
        other = log.append([*happened("stock/A", 3), *happened("stock/B", 1)], context())

    assert (one.first, one.last, other.first, other.last) == (1, 2, 3, 4)
    assert rows(database, "position, stream, version") == [
        (1, "stock/A", 1),
        (2, "stock/A", 2),
        (3, "stock/A", 3),
        (4, "stock/B", 1),
    ]


@pytest.mark.parametrize("version", [1, 2, 4, 5, 100])
def test_a_wrong_expected_version_is_a_conflict_that_burns_no_position(database: str, version: int) -> None:
    with opened(database) as (log, reader):
        log.append(happened("stock/A", 1, 2), context())

        with pytest.raises(VersionConflict, match="stock/A is at version 2") as caught:
            log.append(happened("stock/A", version), context())

        assert "decide again" in caught.value.message
        assert reader.head() == 2
        assert log.append(happened("stock/A", 3), context()).first == 3


def test_versions_of_one_command_must_follow_one_another(database: str) -> None:
    with opened(database) as (log, reader):
        for versions in ([1, 3], [1, 1], [2, 3], [1, 2, 4]):
            events = [happened("stock/A", version)[0] for version in versions]
            with pytest.raises(VersionConflict):
                log.append(events, context())
        assert reader.head() == 0


def test_a_command_with_one_conflicting_stream_is_absent_as_a_whole(database: str) -> None:
    with opened(database) as (log, reader):
        log.append(happened("stock/A", 1), context())

        with pytest.raises(VersionConflict, match="stock/A"):
            log.append([*happened("stock/B", 1, 2), *happened("stock/A", 1)], context())

        assert reader.of_stream("stock/B") == []
        assert reader.head() == 1


@pytest.mark.long
def test_sixteen_threads_of_two_processes_leave_no_hole_and_no_double_and_a_tail_skips_nothing(database: str) -> None:
    threads, commands = 16, 25
    acknowledged: list[tuple[str, Appended, int]] = []
    conflicts = Counter[str]()
    done = threading.Event()
    seen: list[int] = []

    def tail(reader: Reader) -> None:
        position = 0
        while True:
            ended = done.is_set()  # asked before the read: what was committed until then must be in it
            page = reader.after(position)
            seen.extend(one.position for one in page)
            position = seen[-1] if seen else 0
            if ended and not page:
                return

    with opened(database) as (first, reader), opened(database) as (second, other_reader):

        def work(number: int) -> None:
            log = first if number % 2 else second
            chance = random.Random(number)
            for step in range(commands):
                streams = chance.sample(
                    ["stock/A", "stock/B", "stock/C", f"stock/own-{number}"], chance.choice([1, 1, 2])
                )
                command = context(f"{number}-{step}")
                while True:
                    amount = chance.randint(1, 3)
                    events = [
                        one for stream in streams for one in happened(stream, log.load(stream, evolve)[1] + 1, amount)
                    ]
                    try:
                        acknowledged.append((command.command_id, log.append(events, command), len(events)))
                        break
                    except VersionConflict:
                        conflicts[command.command_id] += 1

        tailing = threading.Thread(target=tail, args=(other_reader,))
        tailing.start()
        try:
            at_once(threads, work)
        finally:
            done.set()
            tailing.join(30)
        head = reader.head()

    there = rows(database)
    assert [position for position, *_ in there] == list(range(1, head + 1)) == seen
    assert len(acknowledged) == threads * commands and head == sum(amount for *_, amount in acknowledged)
    assert conflicts, "without conflicts this test shows little"
    by_command = {name: [int(str(row[0])) for row in there if row[3] == name] for name, *_ in acknowledged}
    for name, appended, amount in acknowledged:
        assert by_command[name] == list(range(appended.first, appended.last + 1))
        assert len(by_command[name]) == amount and not appended.repeated
    versions: dict[object, list[object]] = {}
    for _, stream, version, _ in there:
        versions.setdefault(stream, []).append(version)
    assert all(found == list(range(1, len(found) + 1)) for found in versions.values())


def test_commands_that_share_a_transaction_succeed_conflict_and_repeat_each_for_itself(database: str) -> None:
    with opened(database) as (log, reader), psycopg.connect(database) as blocker:
        log.append(happened("stock/old", 1), context("first", 7))
        blocker.execute("SELECT position FROM head FOR UPDATE")  # whoever appends now waits, and the others behind it
        results: dict[str, object] = {}

        def run(name: str, events: list[NewEvent], command: Context) -> None:
            try:
                results[name] = log.append(events, command)
            except Exception as error:
                results[name] = error

        bad = NewEvent("stock/bad", 1, StockCounted("main", 1), "nul\x00", "k")
        work = {
            "leader": (happened("stock/lead", 1), context()),
            "good": (happened("stock/new", 1, 2), context()),
            "conflict": (happened("stock/old", 9), context()),
            "repeated": (happened("stock/x", 1), context("first", 7)),
            "reused": (happened("stock/y", 1), context("first", 8)),
            "bad": ([bad], context()),
            "also good": (happened("stock/old", 2), context()),
        }
        threads = [threading.Thread(target=run, args=(name, *what)) for name, what in work.items()]
        threads[0].start()
        until(lambda: _waits_for_the_head(database), "the leader waits for the head's lock")
        for thread in threads[1:]:
            thread.start()
        queue = log.recorder._commits  # type: ignore[attr-defined]
        until(lambda: len(queue._queue) == len(threads) - 1, "all others are in the queue")
        blocker.rollback()
        for thread in threads:
            thread.join(30)
        head = reader.head()

    assert isinstance(results["conflict"], VersionConflict)
    assert isinstance(results["reused"], CommandIdReused)
    assert isinstance(results["bad"], InvalidValue)
    repeated = results["repeated"]
    assert isinstance(repeated, Appended) and repeated.repeated and repeated.first == 1
    appended = [results[name] for name in ("leader", "good", "also good")]
    places = [place for one in appended if isinstance(one, Appended) for place in range(one.first, one.last + 1)]
    assert sorted(places) == [2, 3, 4, 5]
    assert head == 5


def _waits_for_the_head(dsn: str) -> bool:
    with psycopg.connect(dsn) as conn:
        row = conn.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        ).fetchone()
    return row is not None and row[0] > 0


def test_a_command_id_that_comes_again_changes_nothing_and_returns_the_first_result(database: str) -> None:
    with opened(database) as (log, reader):
        first = log.append(happened("stock/A", 1, 2), context("c-1", 5))
        # The retry decided anew, and would not even fit any more.
        again = log.append(happened("stock/A", 1), context("c-1", 5))

        assert (again.first, again.last, again.recorded_at) == (first.first, first.last, first.recorded_at)
        assert again.repeated and not first.repeated
        assert log.carried_out(context("c-1", 5)) == again
        assert log.carried_out(context("c-2")) is None
        assert reader.head() == 2


def test_a_command_id_from_eight_threads_at_once_is_carried_out_once(database: str) -> None:
    with opened(database) as (log, reader), opened(database) as (other, _):
        results = at_once(
            8, lambda number: (log if number % 2 else other).append(happened(f"stock/{number}", 1), context("c-1", 5))
        )

        assert {(one.first, one.last) for one in results} == {(1, 1)}
        assert sorted(one.repeated for one in results) == [False] + [True] * 7
        assert reader.head() == 1


def test_a_command_id_with_another_intent_is_refused_and_says_where_the_first_is(database: str) -> None:
    with opened(database) as (log, reader):
        log.append(happened("stock/A", 1), context("c-1", 5))

        with pytest.raises(CommandIdReused, match="at position 1") as caught:
            log.append(happened("stock/A", 2), context("c-1", 6))
        assert caught.value.details == {"command_id": "c-1", "position": 1}
        with pytest.raises(CommandIdReused, match="at position 1"):
            log.carried_out(context("c-1", 6))
        with pytest.raises(CommandIdReused):
            log.append(happened("stock/A", 2), context("c-1"))
        assert reader.head() == 1


def test_a_command_never_equals_a_receipt_that_has_its_id(database: str) -> None:
    with opened(database) as (log, reader):
        log.record([(context("r-1"), happened("listing/A", 0))])

        with pytest.raises(CommandIdReused, match="at position 1"):
            log.append(happened("stock/A", 1), context("r-1", 6))
        (bulk,) = log.bulk([(context("r-1", 6), happened("stock/A", 1))])
        assert isinstance(bulk, CommandIdReused)
        assert log.record([(context("r-1"), happened("listing/A", 0))])[0].repeated
        assert reader.head() == 1


def test_receipts_go_behind_whatever_their_stream_holds(database: str) -> None:
    with opened(database) as (log, reader):
        log.append(happened("listing/A", 1, 2), context())

        results = log.record(
            [
                (context("r-1"), happened("listing/A", 0, 2)),
                (context("r-2"), happened("listing/B", 0)),
                (context("r-3"), happened("listing/A", 0)),
                (context("r-1"), happened("listing/A", 0, 2)),
            ]
        )

        assert [one.version for one in reader.of_stream("listing/A")] == [1, 2, 3, 4, 5]
        assert [one.version for one in reader.of_stream("listing/B")] == [1]
        assert [one.repeated for one in results] == [False, False, False, True]
        assert (results[0].first, results[0].last) == (results[3].first, results[3].last)
        assert log.record([(context("r-2"), happened("listing/B", 0))])[0].repeated
        assert reader.head() == 6


def test_receipts_from_many_threads_to_one_stream_never_conflict(database: str) -> None:
    with opened(database) as (log, reader):
        at_once(8, lambda number: log.record([(context(f"{number}-{i}"), happened("listing/A", 0)) for i in range(20)]))

        assert [one.version for one in reader.of_stream("listing/A")] == list(range(1, 161))


def test_more_commands_than_fit_into_one_transaction_are_all_recorded_in_order(database: str) -> None:
    with opened(database) as (log, reader):
        results = log.record([(context(f"r-{n}"), happened(f"listing/{n % 700}", 0)) for n in range(1400)])

        assert sorted(one.first for one in results) == list(range(1, 1401))
        for n in range(700):
            assert results[n].first < results[n + 700].first, "commands for one stream keep their order"
        assert reader.head() == 1400


def test_recorded_at_never_goes_back_even_when_the_clock_does(database: str) -> None:
    with opened(database) as (log, reader):
        before = log.append(happened("stock/A", 1), context())
        with psycopg.connect(database) as conn:  # the last event was recorded before the clock was set back an hour
            conn.execute("UPDATE head SET recorded_at = recorded_at + interval '1 hour'")
        after = log.append(happened("stock/A", 2), context())
        last = log.append(happened("stock/A", 3), context())

        assert after.recorded_at == last.recorded_at == before.recorded_at + timedelta(hours=1)
        moments = [one.recorded_at for one in reader.after(0)]
        assert moments == sorted(moments)


def test_the_position_at_a_moment_is_the_last_one_recorded_by_then(database: str) -> None:
    tick = timedelta(microseconds=1)
    with opened(database) as (log, reader):
        assert reader.position_at(datetime.fromisoformat("2999-01-01T00:00:00+00:00")) == 0
        moments = [log.append(happened("stock/A", n * 2 - 1, 2), context()).recorded_at for n in range(1, 6)]

        for number, moment in enumerate(moments, 1):
            latest = max(n for n, one in enumerate(moments, 1) if one <= moment)
            assert reader.position_at(moment) == latest * 2
            assert reader.position_at(moment - tick) == 2 * sum(one < moment for one in moments[:number])
        assert reader.position_at(moments[-1] + timedelta(days=400_000)) == 10
        assert reader.position_at(datetime.fromisoformat("0001-01-01T00:00:00+00:00")) == 0


def test_the_exact_text_of_a_body_comes_back_and_every_column_with_it(database: str) -> None:
    command = Context.new(
        "ada", "http", reason="spring “sale”", command_id="c-1", correlation_id="campaign", causation_id="order-9"
    )
    with opened(database) as (log, reader):
        log.append([NewEvent("stock/A", 1, StockCounted("Gént ☃", 3), "A", "GROUP")], command)

        (one,) = reader.after(0)

    assert (one.position, one.stream, one.version, one.type) == (1, "stock/A", 1, "stock.counted.v1")
    assert (one.sku, one.key) == ("A", "GROUP")
    assert (one.actor, one.reason, one.source) == ("ada", "spring “sale”", "http")
    assert (one.correlation_id, one.causation_id, one.command_id) == ("campaign", "order-9", "c-1")
    assert one.event == StockCounted("Gént ☃", 3)
    assert one.recorded_at.utcoffset() == timedelta(0)
    assert rows(database, "data::text") == [('{"location":"Gént ☃","quantity":3}',)]


def test_a_command_that_names_no_correlation_is_its_own(database: str) -> None:
    with opened(database) as (log, reader):
        log.append(happened("stock/A", 1), context("c-1"))

        (one,) = reader.after(0)

    assert (one.correlation_id, one.causation_id, one.reason) == ("c-1", None, None)


def test_event_ids_are_unique_and_rise_from_millisecond_to_millisecond(database: str) -> None:
    with opened(database) as (log, reader):
        for version in range(1, 20):
            log.append(happened("stock/A", version), context())
        ids = [one.event_id for one in reader.after(0)]

    milliseconds = [one[:13] for one in ids]
    assert milliseconds == sorted(milliseconds) and len(set(ids)) == len(ids)
    assert all(one[14] == "7" for one in ids)


@pytest.mark.parametrize("text", ["nul\x00", "surrogate\udcff"])
def test_a_text_that_postgres_can_not_hold_is_an_invalid_value_and_nothing_is_recorded(
    database: str, text: str
) -> None:
    with opened(database) as (log, reader):
        with pytest.raises(InvalidValue):
            log.append(happened("stock/A", 1), Context.new(text, "test"))

        with pytest.raises(InvalidValue):
            reader.of_stream(text)
        with pytest.raises(InvalidValue):
            log.carried_out(context(text))
        assert reader.head() == 0
        assert log.append(happened("stock/A", 1), context()).first == 1


def test_a_loaded_state_is_never_older_than_the_call_whoever_appended(database: str) -> None:
    with opened(database) as (one, _), opened(database) as (other, _):
        assert one.load("stock/A", evolve) == (None, 0)
        for version in range(1, 6):
            (one if version % 2 else other).append(
                [NewEvent("stock/A", version, StockAdjusted("main", 1), "A", "A")], context()
            )
            assert one.load("stock/A", evolve) == other.load("stock/A", evolve) == (Stock({"main": version}), version)


def test_loading_from_many_threads_while_others_append_gives_whole_states(database: str) -> None:
    with opened(database) as (log, _):

        def work(number: int) -> None:
            for _ in range(25):
                if number % 2:
                    log.record([(context(), [NewEvent("stock/A", 0, StockAdjusted("main", 1), "A", "A")])])
                else:
                    state, version = log.load("stock/A", evolve)
                    assert (state.quantities["main"] if state else 0) == version

        at_once(8, work)

        assert log.load("stock/A", evolve) == (Stock({"main": 100}), 100)


def test_an_unreachable_postgres_is_unavailable_and_not_an_error_of_a_library(database: str) -> None:
    with pytest.raises(Unavailable, match="Postgres can't be reached"):
        connect(database.replace("test_", "gone_"), "test")


def test_a_log_with_a_closed_pool_says_unavailable(database: str) -> None:
    with opened(database) as (log, reader):
        pass
    with pytest.raises(Unavailable, match="same command id"):
        log.append(happened("stock/A", 1), context())
    with pytest.raises(Unavailable):
        reader.head()
