"""Bulk append: the speed of COPY with the promises of a single append."""

import threading

import psycopg
import pytest

from daybook.errors import InvalidValue
from daybook.events import StockAdjusted
from daybook.log import bulk
from daybook.log.bulk import Command, append_bulk
from daybook.log.group_commit import Outcome
from daybook.log.mapper import EventMapper
from daybook.log.pending import Context, Happened, PendingEvent
from daybook.postgres.pool import pool
from tests.fixtures.logs import at_once, context, happened, opened, rows
from tests.fixtures.proxy import proxy_to


def command(command_id: str, *events: Happened, intent: int | None = None) -> Command:
    """A command as the log takes it."""
    mapper = EventMapper.__new__(EventMapper)
    pending: list[PendingEvent] = [mapper.to_stored_event(one) for one in events]
    return context(command_id, intent), pending


def places(outcomes: list[Outcome]) -> list[tuple[str, int | None, int | None]]:
    """What became of each command, and where it stands."""
    return [(one.kind, one.first, one.last) for one in outcomes]


def test_commands_get_dense_positions_in_their_order(database: str) -> None:
    with pool(database, "test") as connections, opened(database) as (log, reader):
        log.append(happened("stock/A", 1), context())

        outcomes = list(
            append_bulk(
                connections,
                [
                    command("b-1", *happened("stock/B", 1, 2)),
                    command("b-2", *happened("stock/A", 2)),
                    command("b-3", *happened("stock/B", 3), *happened("stock/C", 1)),
                ],
            )
        )

        assert places(outcomes) == [("appended", 2, 3), ("appended", 4, 4), ("appended", 5, 6)]
        assert log.append(happened("stock/A", 3), context()).first == 7
        assert [one.position for one in reader.after(0)] == [1, 2, 3, 4, 5, 6, 7]


def test_an_event_that_came_in_bulk_is_like_any_other(database: str) -> None:
    event = Happened("stock/A", 1, StockAdjusted("Gént ☃", -3), "A", "GROUP")
    who = Context.new("ada", "import", reason="spring", command_id="b-1", correlation_id="file-7", causation_id="c")
    mapper = EventMapper.__new__(EventMapper)
    with pool(database, "test") as connections, opened(database) as (log, reader):
        list(append_bulk(connections, [(who, [mapper.to_stored_event(event)])]))
        log.append([Happened("stock/B", 1, event.event, "A", "GROUP")], Context.new("ada", "import"))

        one, other = reader.after(0)

    assert (one.actor, one.source, one.reason) == ("ada", "import", "spring")
    assert (one.correlation_id, one.causation_id, one.command_id) == ("file-7", "c", "b-1")
    assert (one.event, one.type, one.sku, one.key) == (other.event, other.type, other.sku, other.key)
    texts = rows(database, "data::text")
    assert texts[0] == texts[1]
    assert one.event_id[14] == "7"


def test_a_command_that_conflicts_or_repeats_leaves_the_others_alone(database: str) -> None:
    with pool(database, "test") as connections, opened(database) as (log, reader):
        log.append(happened("stock/A", 1), context("old", 7))

        outcomes = list(
            append_bulk(
                connections,
                [
                    command("b-1", *happened("stock/B", 1)),
                    command("b-2", *happened("stock/C", 1), *happened("stock/A", 1)),
                    command("old", *happened("stock/D", 1), intent=8),
                    command("b-1", *happened("stock/E", 1)),
                    command("b-3", *happened("stock/B", 2)),
                    command("b-4", *happened("stock/B", 2)),
                ],
            )
        )

        assert places(outcomes) == [
            ("appended", 2, 2),
            ("conflict", None, None),
            ("repeated", 1, 1),
            ("repeated", 2, 2),
            ("appended", 3, 3),
            ("conflict", None, None),
        ]
        assert (outcomes[1].stream, outcomes[1].actual) == ("stock/A", 1)
        assert (outcomes[5].stream, outcomes[5].actual) == ("stock/B", 2)
        assert outcomes[2].intent == 7, "the caller compares it and finds that the id was reused"
        assert reader.of_stream("stock/C") == reader.of_stream("stock/D") == []
        assert reader.head() == 3


def test_the_same_bulk_again_appends_nothing(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "CHUNK_EVENTS", 7)  # several transactions
    commands = [command(f"b-{n}", *happened(f"stock/{n % 5}", 0, 2)) for n in range(20)]
    with pool(database, "test") as connections, opened(database) as (_, reader):
        first = list(append_bulk(connections, commands))
        again = list(append_bulk(connections, commands))

        assert [one.kind for one in first] == ["appended"] * 20
        assert [one.kind for one in again] == ["repeated"] * 20
        assert [(one.first, one.last) for one in again] == [(one.first, one.last) for one in first]
        assert [one.position for one in reader.after(0)] == list(range(1, 41))
        assert [one.version for one in reader.of_stream("stock/0")] == list(range(1, 9))


def test_bulks_and_single_commands_take_turns_and_leave_no_hole(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "CHUNK_EVENTS", 25)
    with pool(database, "test") as connections, opened(database) as (log, reader):

        def work(number: int) -> None:
            if number < 2:
                commands = [command(f"{number}-{n}", *happened("stock/shared", 0, 3)) for n in range(60)]
                assert {one.kind for one in append_bulk(connections, commands)} == {"appended"}
            else:
                for n in range(30):
                    log.record([(context(f"{number}-{n}"), happened("stock/shared", 0))])

        at_once(6, work)

        amount = 2 * 60 * 3 + 4 * 30
        there = reader.after(0)
        assert [one.position for one in there] == list(range(1, amount + 1))
        assert [one.version for one in there] == list(range(1, amount + 1))
        moments = [one.recorded_at for one in there]
        assert moments == sorted(moments)


def test_a_lost_answer_to_a_bulk_is_found_out_by_its_command_ids(database: str) -> None:
    with proxy_to(database) as proxy, pool(proxy.dsn, "test") as connections:
        list(append_bulk(connections, [command("first", *happened("stock/A", 1))]))
        proxy.drop_reply_to("COMMIT")

        outcomes = list(append_bulk(connections, [command(f"b-{n}", *happened("stock/A", 0)) for n in range(3)]))

        assert proxy.cuts == 1
        assert places(outcomes) == [("repeated", 2, 2), ("repeated", 3, 3), ("repeated", 4, 4)]
    assert len(rows(database)) == 4


def test_every_connection_of_the_pool_may_be_broken(database: str) -> None:
    with pool(database, "test", 8) as connections:
        hold = threading.Barrier(8)

        def connect(_: int) -> None:
            with connections.connection():
                hold.wait(30)

        at_once(8, connect)
        with psycopg.connect(database, autocommit=True) as conn:
            conn.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

        outcomes = list(append_bulk(connections, [command("b-1", *happened("stock/A", 1))]))

    assert places(outcomes) == [("appended", 1, 1)]


def test_a_text_that_postgres_can_not_hold_is_an_invalid_value_and_its_chunk_is_absent(database: str) -> None:
    bad = Happened("stock/B", 1, StockAdjusted("main", 1), "nul\x00", "k")
    with pool(database, "test") as connections, opened(database) as (_, reader):
        with pytest.raises(InvalidValue):
            list(append_bulk(connections, [command("b-1", *happened("stock/A", 1)), command("b-2", bad)]))

        assert reader.head() == 0
        list(append_bulk(connections, [command("b-1", *happened("stock/A", 1))]))
        assert reader.head() == 1
