"""A connection pooler in front of Postgres is recognised and refused in words, before it can mix sessions up."""

import asyncio
from collections.abc import Callable, Iterator

import psycopg
import pytest

from daybook.errors import BadConfiguration, Unavailable
from daybook.postgres import pool as module
from daybook.postgres.migrate import migrate
from daybook.postgres.pool import connect, connect_async, fetch, pool
from tests.fixtures.commandline import Daybook
from tests.fixtures.pooler import Pooler, pooler_to

WORDS = "a connection pooler, such as PgBouncer, stands between Daybook and Postgres.*DAYBOOK_POSTGRES"


@pytest.fixture
def pooler(database: str) -> Iterator[Pooler]:
    with pooler_to(database) as running:
        yield running


def test_the_pooler_of_these_tests_hands_each_transaction_another_session(pooler: Pooler) -> None:
    with psycopg.connect(pooler.dsn, autocommit=True) as conn:
        sessions = {conn.execute("SELECT pg_backend_pid()", prepare=False).fetchone() for _ in range(6)}
        with conn.transaction():
            inside = {conn.execute("SELECT pg_backend_pid()", prepare=False).fetchone() for _ in range(6)}
    assert (len(sessions), len(inside)) == (3, 1)
    with pytest.raises(psycopg.OperationalError, match="unsupported startup parameter: options"):
        psycopg.connect(pooler.dsn, options="-c timezone=UTC")


def asked_through_a_pool(dsn: str) -> None:
    with pool(dsn, "test", 2) as connections:
        fetch(connections, "SELECT 1")


def asked_once(dsn: str) -> None:
    connect(dsn, "test")


def asked_by_a_worker(dsn: str) -> None:
    asyncio.run(connect_async(dsn, "test"))


@pytest.mark.parametrize(
    "use", [asked_once, asked_by_a_worker, asked_through_a_pool, migrate], ids=lambda one: one.__name__
)
def test_whoever_connects_through_a_pooler_is_told_what_is_wrong_and_what_to_do(
    pooler: Pooler, use: Callable[[str], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CONNECT_TIMEOUT_SECONDS", 2)
    with pytest.raises(BadConfiguration, match=WORDS):
        use(pooler.dsn)


def test_a_command_says_so_and_ends_as_for_any_setting_that_makes_no_sense(pooler: Pooler) -> None:
    answer = Daybook({"DAYBOOK_POSTGRES": pooler.dsn, "DAYBOOK_NATS": "nats://127.0.0.1:1"})("migrate")
    assert answer.code == 7
    assert "a connection pooler" in answer.stderr and "Traceback" not in answer.stderr


def test_a_migration_holds_its_lock_no_longer_than_its_transaction(empty_database: str) -> None:
    migrate(empty_database)
    with connect(empty_database, "test") as conn:
        with conn.transaction():
            conn.execute("SELECT pg_advisory_xact_lock(%s)", (0x6461796B,))
        migrate(empty_database)
        locks = conn.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchone()
    assert locks == (0,)


def test_a_pool_without_a_connection_says_why(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONNECT_TIMEOUT_SECONDS", 1)
    used_up = pytest.raises(Unavailable, match="all 1 connections are in use")
    with pool(database, "test", 1) as connections, connections.connection(), used_up:
        fetch(connections, "SELECT 1")
    nobody = pytest.raises(Unavailable, match="Connection refused")
    with pool("postgresql://nobody@127.0.0.1:1/none", "test", 1) as connections, nobody:
        fetch(connections, "SELECT 1")


def test_every_connection_speaks_of_time_in_utc(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(f"ALTER DATABASE {conn.info.dbname} SET timezone = 'Europe/Amsterdam'".encode())
    with pool(database, "test", 2) as connections:
        assert fetch(connections, "SHOW timezone") == [("UTC",)]
    with connect(database, "test") as one:
        assert one.execute("SHOW timezone").fetchone() == ("UTC",)
