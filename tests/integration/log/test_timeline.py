"""The server's timeline beside the head: an append keeps it, and a server that was told of a newer one takes none."""

from collections.abc import Callable, Iterator

import psycopg
import pytest

from daybook.errors import Unavailable
from daybook.log import group_commit
from daybook.log.application import Log
from daybook.postgres import roles
from daybook.postgres.pool import pool
from tests.fixtures.logs import context, happened, opened

Say = Callable[[str], tuple[object, ...]]


@pytest.fixture
def say(database: str) -> Iterator[Say]:
    with psycopg.connect(database, autocommit=True) as conn:

        def answer(statement: str) -> tuple[object, ...]:
            cursor = conn.execute(statement.encode())
            return (cursor.fetchone() or ()) if cursor.description else ()

        yield answer


def test_an_append_writes_the_timeline_of_its_server_beside_the_head(database: str, say: Say) -> None:
    with opened(database) as (log, _):
        log.append(happened("stock/A-1", 1), context())
    assert say("SELECT position, timeline, system FROM head") == (
        1,
        *say("SELECT timeline_id, system_identifier FROM pg_control_checkpoint(), pg_control_system()"),
    )


def test_a_server_that_was_told_of_a_newer_timeline_takes_no_append(
    database: str, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "ATTEMPTS_MAX", 2)
    with opened(database) as (log, _):
        log.append(happened("stock/A-1", 1), context())
    assert say("SELECT fence_server(9)") == (True,)
    with pool(database, "test") as connections:
        connections.wait()
        log = Log(connections)
        for many in (1, 3):
            with pytest.raises(Unavailable, match="timeline 9 has begun elsewhere"):
                log.append(happened(f"stock/B-{many}", many), context())
        with pytest.raises(Unavailable, match="timeline 9 has begun elsewhere"):
            list(log.bulk([(context(), happened("stock/C-1", 1))]))
    with pytest.raises(psycopg.errors.CannotConnectNow):
        say("UPDATE head SET position = 7")
    assert say("SELECT position, (SELECT count(*) FROM events) FROM head") == (1, 1)


def test_a_server_is_fenced_by_a_newer_timeline_only_and_by_who_may_append(database: str, say: Say) -> None:
    roles.make_roles(database)
    assert say("SELECT fence_server(1)") == (False,)
    for role in roles.ROLES:
        with psycopg.connect(database.replace("//postgres@", f"//{roles.name_of(role)}@"), autocommit=True) as conn:
            if role in ("append", "deliver", "clock"):
                assert conn.execute("SELECT fence_server(2)").fetchone() == (True,)
            else:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    conn.execute("SELECT fence_server(3)")
    assert say("SELECT timeline FROM head") == (2,)


def test_a_log_that_was_restored_into_another_cluster_goes_on_there(database: str, say: Say) -> None:
    say("UPDATE head SET system = 1, timeline = 9")
    with opened(database) as (log, _):
        log.append(happened("stock/A-1", 1), context())
    assert say("SELECT position, timeline, system > 1 FROM head") == (1, 1, True)
