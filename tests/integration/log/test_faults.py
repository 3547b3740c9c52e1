"""What the log promises when something breaks: connections, processes, the server, an operator with psql."""

import os
import random
import subprocess
import sys
import threading
from pathlib import Path

import psycopg
import pytest
from psycopg import errors

from daybook.errors import Unavailable
from daybook.log.application import Log
from daybook.log.pending import Appended
from daybook.postgres.migrate import migrate
from tests.fixtures.logs import context, happened, opened, rows
from tests.fixtures.proxy import proxy_to
from tests.fixtures.servers import ServerPair
from tests.fixtures.waiting import until


def test_a_connection_that_breaks_between_commit_and_answer_is_a_success_for_the_caller_once(database: str) -> None:
    with proxy_to(database) as proxy, opened(proxy.dsn) as (log, reader):
        log.append(happened("stock/A", 1), context())
        proxy.drop_reply_to("command-lost-answer")

        appended = log.append(happened("stock/A", 2, 2), context("command-lost-answer"))

        assert proxy.cuts == 1
        assert (appended.first, appended.last) == (2, 3)
        assert reader.head() == 3
    assert [row[3] for row in rows(database)].count("command-lost-answer") == 2


def test_a_lost_answer_for_a_batch_gives_each_of_its_commands_its_own_place(database: str) -> None:
    with proxy_to(database) as proxy, opened(proxy.dsn) as (log, _):
        proxy.drop_reply_to("batch-3")

        results = log.record([(context(f"batch-{n}"), happened(f"listing/{n}", 0)) for n in range(6)])

        assert proxy.cuts == 1
        assert [one.first for one in results] == [1, 2, 3, 4, 5, 6]
    assert [row[3] for row in rows(database)] == [f"batch-{n}" for n in range(6)]


def test_a_connection_that_breaks_before_the_request_arrives_is_tried_again(database: str) -> None:
    with proxy_to(database) as proxy, opened(proxy.dsn) as (log, _):
        proxy.drop_request("command-lost-request")

        appended = log.append(happened("stock/A", 1), context("command-lost-request"))

        assert proxy.cuts == 1
        assert (appended.first, appended.repeated) == (1, False)
    assert len(rows(database)) == 1


@pytest.mark.parametrize("role", ["waiting", "handed", "leading"])
def test_ctrl_c_in_one_thread_does_not_wedge_the_others(database: str, role: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.fixtures.interrupted", database, role],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONPATH": "src"},
        check=False,
    )

    assert (done.stdout.split(), done.returncode) == (["interrupted", "done"], 0), done.stderr
    there = rows(database)
    assert [row[0] for row in there] == list(range(1, len(there) + 1))
    names = [str(row[3]) for row in there]
    assert sorted(name for name in names if name.startswith("other")) == ["other-0", "other-1", "other-2"]
    assert not [name for name in names if name.startswith("mine")], "what was interrupted in the queue was never sent"


@pytest.mark.long
def test_postgres_killed_in_the_middle_of_a_burst_loses_nothing_acknowledged_and_doubles_nothing(
    servers: ServerPair,
) -> None:
    threads, commands = 8, 40
    migrate(servers.postgres.dsn)
    acknowledged: dict[str, Appended] = {}
    trouble: list[str] = []
    failures: list[BaseException] = []

    def work(log: Log, number: int) -> None:
        chance = random.Random(number)
        try:
            for step in range(commands):
                name, amount = f"{number}-{step}", chance.randint(1, 3)
                while name not in acknowledged:
                    try:
                        acknowledged[name] = log.append(happened(f"stock/{name}", 1, amount), context(name))
                    except Unavailable as error:
                        trouble.append(str(error))
        except BaseException as error:
            failures.append(error)

    with opened(servers.postgres.dsn, threads) as (log, reader):
        burst = [threading.Thread(target=work, args=(log, number)) for number in range(threads)]
        for thread in burst:
            thread.start()
        for share in (4, 2):
            enough = threads * commands // share
            until(lambda enough=enough: len(acknowledged) > enough or failures, "part of the burst is in")  # type: ignore[misc]
            servers.postgres.kill()
            before = dict(acknowledged)
            servers.postgres.restart()
            there = {row[3]: 0 for row in rows(servers.postgres.dsn)}
            assert set(before) <= set(there), "acknowledged before the crash, and gone after it"
        for thread in burst:
            thread.join(60)
        assert not failures and not any(thread.is_alive() for thread in burst)
        head = reader.head()

    found = rows(servers.postgres.dsn)
    assert [row[0] for row in found] == list(range(1, head + 1))
    for name, appended in acknowledged.items():
        places = [row[0] for row in found if row[3] == name]
        assert places == list(range(appended.first, appended.last + 1)), name
    assert len({row[3] for row in found}) == threads * commands


CHANGES = {
    "update": "UPDATE events SET actor = 'mallory'",
    "update of no row": "UPDATE events SET actor = 'mallory' WHERE false",
    "delete": "DELETE FROM events",
    "truncate": "TRUNCATE events",
    "truncate cascade": "TRUNCATE events CASCADE",
    "merge": "MERGE INTO events e USING (SELECT 1 AS position) n ON e.position = n.position"
    " WHEN MATCHED THEN UPDATE SET actor = 'mallory'",
    "merge delete": "MERGE INTO events e USING (SELECT 1 AS position) n ON e.position = n.position"
    " WHEN MATCHED THEN DELETE",
    "upsert": "INSERT INTO events SELECT * FROM events WHERE position = 1"
    " ON CONFLICT (position) DO UPDATE SET actor = 'mallory'",
    "update through a query": "WITH x AS (UPDATE events SET actor = 'mallory' RETURNING 1) SELECT * FROM x",
}


@pytest.mark.parametrize("role", ["origin", "replica"])
def test_the_log_is_append_only_also_for_a_superuser_in_a_replication_session(database: str, role: str) -> None:
    with opened(database) as (log, _):
        log.append(happened("stock/A", 1), context())
    before = rows(database, "*")

    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(f"SET session_replication_role = {role}".encode())
        assert conn.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() == (True,)
        for name, statement in CHANGES.items():
            with pytest.raises(errors.InsufficientPrivilege, match="append-only") as caught:
                conn.execute(statement.encode())
            assert caught.value.diag.message_hint == "Record a new event that corrects the old one.", name

    assert rows(database, "*") == before


def test_a_second_head_and_a_doubled_position_or_version_are_refused_by_the_database(database: str) -> None:
    with opened(database) as (log, _):
        log.append(happened("stock/A", 1), context())
    copy = "INSERT INTO events SELECT {} , event_id, stream, {}, type, sku, key, recorded_at, actor, reason, source,"
    copy += " correlation_id, causation_id, command_id, intent, data FROM events"
    with psycopg.connect(database, autocommit=True) as conn:
        for statement in (
            copy.format("position", "version + 1"),
            copy.format("position + 1", "version"),
            "INSERT INTO head (position, recorded_at) VALUES (7, now())",
        ):
            with pytest.raises(errors.UniqueViolation):
                conn.execute(statement.encode())


def test_a_long_reader_and_an_index_being_built_do_not_hold_up_appends(database: str) -> None:
    with opened(database) as (log, reader), psycopg.connect(database) as long_reader:
        log.append(happened("stock/A", 1), context())
        long_reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        long_reader.execute("SELECT count(*) FROM events")

        def build() -> None:
            with psycopg.connect(database, autocommit=True) as conn:
                conn.execute("CREATE INDEX CONCURRENTLY by_actor ON events (actor)")

        building = threading.Thread(target=build)
        building.start()
        until(lambda: _builds(database), "the index build waits for the long reader")

        for version in range(2, 12):
            log.append(happened("stock/A", version), context())

        assert reader.head() == 11
        assert _builds(database), "the build and the reader were there all the while"
        assert long_reader.execute("SELECT count(*) FROM events").fetchone() == (1,)
        long_reader.rollback()
        building.join(30)
        assert not building.is_alive()


def _builds(dsn: str) -> bool:
    with psycopg.connect(dsn) as conn:
        row = conn.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX CONCURRENTLY%' AND state = 'active'"
            " AND datname = current_database() AND wait_event_type = 'Lock'"
        ).fetchone()
    return row is not None and row[0] > 0
