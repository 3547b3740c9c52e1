"""Roles of the database: each process does its work as one, and none of them can touch what is recorded."""

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from daybook.errors import BadConfiguration, NotPermitted
from daybook.postgres import roles
from daybook.postgres.migrate import LINES, migrate, migrations_of
from daybook.postgres.sql import load
from tests.architecture.code import SOURCE
from tests.fixtures.commandline import Daybook
from tests.fixtures.logs import context, happened, opened
from tests.fixtures.servers import ServerPair

DENIED = (psycopg.errors.InsufficientPrivilege,)
TAMPERING = {
    "update an event": "UPDATE events SET actor = 'nobody'",
    "update the head to an earlier one by deleting": "DELETE FROM head",
    "delete an event": "DELETE FROM events",
    "truncate the log": "TRUNCATE events",
    "drop the log": "DROP TABLE events",
    "alter the log": "ALTER TABLE events ADD COLUMN odd text",
    "switch the trigger off": "ALTER TABLE events DISABLE TRIGGER events_append_only",
    "drop the trigger": "DROP TRIGGER events_append_only ON events",
    "pretend to be a replica": "SET session_replication_role = replica",
    "run a program": "COPY events TO PROGRAM 'cat'",
    "write a file": "COPY events TO '/tmp/daybook-events'",
    "make a table": "CREATE TABLE events_of_mine (position bigint)",
    "replace a function": "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE sql AS ''",
    "make itself mightier": "ALTER ROLE CURRENT_USER SUPERUSER",
    "become the owner": "SET ROLE postgres",
    "edit what was migrated": "UPDATE migrations SET sha256 = ''",
}


def as_role(dsn: str, role: str) -> str:
    """The same database for a role. The server lets in whoever can enter its folder."""
    return dsn.replace("//postgres@", f"//{roles.name_of(role)}@")


@pytest.fixture
def with_roles(database: str) -> Iterator[str]:
    """A database whose log has an event, and whose roles may do their work."""
    roles.make_roles(database)
    with opened(database) as (log, _):
        log.append(happened("stock/A-1", 1), context())
    yield database


@pytest.mark.parametrize("role", roles.ROLES)
def test_no_role_can_tamper_with_the_log(with_roles: str, role: str) -> None:
    done = []
    with psycopg.connect(as_role(with_roles, role), autocommit=True) as conn:
        for what, statement in TAMPERING.items():
            try:
                conn.execute(statement.encode())
                done.append(what)
            except DENIED:
                continue
    assert done == []


def test_only_who_appends_may_add_an_event_or_move_the_head(with_roles: str) -> None:
    for role in sorted(set(roles.ROLES) - {"append", "deliver", "clock"}):
        with psycopg.connect(as_role(with_roles, role), autocommit=True) as conn:
            for statement in ("INSERT INTO events SELECT * FROM events", "UPDATE head SET position = 7"):
                with pytest.raises(DENIED):
                    conn.execute(statement.encode())
            assert conn.execute("SELECT position FROM head").fetchone() == (1,)


def test_the_reading_roles_can_write_nothing_at_all(with_roles: str) -> None:
    for role in ("audit", "read"):
        with psycopg.connect(as_role(with_roles, role), autocommit=True) as conn:
            tables = conn.execute(
                "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            )
            may = "SELECT has_table_privilege(%s, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')"
            writable = [name for (name,) in tables.fetchall() if conn.execute(may, (name,)).fetchone() == (True,)]
        assert writable == []


def test_every_table_of_the_migrations_is_let_to_somebody(database: str) -> None:
    """A migration that makes a table says in its line's grants.sql who may do what with it."""
    granted = "".join(
        (migrations_of(package) / "grants.sql").read_text()
        for _, package in LINES
        if (migrations_of(package) / "grants.sql").exists()
    )
    with psycopg.connect(database) as conn:
        tables = conn.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
        unsaid = [name for (name,) in tables.fetchall() if name not in granted]
    assert unsaid == []


FOLDING = tuple(
    f"projection/{name}" for name in ("due", "generations", "leases", "parking", "store", "versions", "beyond")
)


@pytest.mark.parametrize(
    ("role", "rooms"),
    [
        ("clock", ("log", "clock", "policy", "projection/leases")),
        (
            "append",
            (
                "log",
                "clock",
                *FOLDING,
                "delivery/rejected",
                "delivery/resync",
                "delivery/erasable",
                "intake",
                "queries",
            ),
        ),
        ("relay", ("stream/state",)),
        ("project", ("projection", "stream/state")),
        ("deliver", ("delivery", "log", "projection/starts")),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_a_role_may_write_what_the_queries_of_its_process_write(
    with_roles: str, role: str, rooms: tuple[str, ...]
) -> None:
    files = [
        file for room in rooms for file in sorted(SOURCE.glob(f"{room}.sql")) + sorted(SOURCE.glob(f"{room}/*.sql"))
    ]
    wanted = {
        right
        for file in files
        for name, query in load(file).items()
        if name not in OF_THE_OWNER and (role, file.stem) != ("deliver", "erasable")
        for right in needs(query)
    }
    assert wanted
    with psycopg.connect(as_role(with_roles, role)) as conn:
        may = "SELECT has_table_privilege(%(table)s, %(verb)s) OR has_any_column_privilege(%(table)s, %(verb)s)"
        lacking = [
            f"{verb} {table}"
            for verb, table in sorted(wanted)
            if conn.execute(may if verb != "DELETE" else WHOLE, {"verb": verb, "table": table}).fetchone() != (True,)
        ]
    assert lacking == []


OF_THE_OWNER = {"forget_projection", "want_differences", "reconsider_differences", "differences"}
"""A rebuild, and the removal of a projection."""
WHOLE = "SELECT has_table_privilege(%(table)s, %(verb)s)"
_WRITES = re.compile(r"\b(INSERT INTO|UPDATE|DELETE FROM|COPY)\s+([a-z_]+)\b(?!\s*\()?")


def needs(query: str) -> set[tuple[str, str]]:
    """The rights on tables of the migrations that a statement needs beside reading."""
    text = re.sub(r"--[^\n]*", "", query)
    text = re.sub(r"FOR (NO KEY )?UPDATE|DO UPDATE SET|CURRENT_UPDATE", "", text)
    found = {(verb.split()[0].replace("COPY", "INSERT"), table) for verb, table in _WRITES.findall(text)}
    for table in re.findall(r"INSERT INTO\s+([a-z_]+)[^;]*?ON CONFLICT[^;]*?DO UPDATE", query):
        found.add(("UPDATE", table))
    return {(verb, table) for verb, table in found if table not in ("differences",)}


def test_making_the_roles_again_changes_nothing_and_takes_back_what_was_given_by_hand(with_roles: str) -> None:
    rights = (
        "SELECT oid::regclass::text, relacl::text FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1"
    )
    with psycopg.connect(with_roles, autocommit=True) as conn:
        before = conn.execute(rights).fetchall()
        conn.execute("GRANT TRUNCATE ON events TO daybook_append")
        assert roles.make_roles(with_roles) == []
        assert conn.execute(rights).fetchall() == before


def test_a_role_that_was_made_mightier_by_hand_is_refused_with_its_name(with_roles: str) -> None:
    with psycopg.connect(with_roles, autocommit=True) as conn:
        conn.execute("ALTER ROLE daybook_read CREATEDB")
        try:
            with pytest.raises(BadConfiguration, match="the role daybook_read is there and may do more than its work"):
                roles.make_roles(with_roles)
        finally:
            conn.execute("ALTER ROLE daybook_read NOCREATEDB")


def test_migrate_makes_them_and_shows_the_sql_first_with_no_password_in_it(database: str, tmp_path: Path) -> None:
    (tmp_path / "append").write_text("p'w \\ #/?@%é\n")
    daybook = Daybook({"DAYBOOK_POSTGRES": database, "DAYBOOK_NATS": "nats://127.0.0.1:1"})

    shown = daybook("migrate", "--roles", "--passwords", str(tmp_path), "--dry-run")
    made = daybook("migrate", "--roles", "--passwords", str(tmp_path), "--json")

    assert (
        shown.code == 0 and "GRANT INSERT ON events TO daybook_append, daybook_deliver, daybook_clock;" in shown.stdout
    )
    assert "p'w" not in shown.stdout and "SCRAM" not in shown.stdout and "'********'" in shown.stdout
    assert made.code == 0, made.stderr
    with psycopg.connect(database) as conn:
        (kept,) = conn.execute("SELECT rolpassword FROM pg_authid WHERE rolname = 'daybook_append'").fetchone() or ("",)
    assert kept.startswith("SCRAM-SHA-256$")


def test_an_upgrade_lets_roles_that_are_there_do_what_the_new_version_needs(with_roles: str) -> None:
    with psycopg.connect(with_roles, autocommit=True) as conn:
        conn.execute("REVOKE INSERT ON events FROM daybook_append")
    assert roles.renew(with_roles)
    with psycopg.connect(as_role(with_roles, "append")) as conn:
        assert conn.execute("SELECT has_table_privilege('events', 'INSERT')").fetchone() == (True,)


def test_an_owner_that_is_no_superuser_lets_roles_that_others_made_and_is_told_what_making_them_needs(
    servers: ServerPair,
) -> None:
    dsn = servers.postgres.dsn
    migrate(dsn)
    with pytest.raises(NotPermitted, match="CREATEROLE"):
        roles.make_roles(dsn)
    with psycopg.connect(servers.postgres.dsn_of("daybook"), autocommit=True) as conn:
        assert conn.execute("SELECT rolsuper FROM pg_roles WHERE rolname = 'daybook'").fetchone() == (False,)
        for name in roles.NAMES:
            conn.execute(f"CREATE ROLE {name} LOGIN".encode())
    assert roles.make_roles(dsn) == []
    with psycopg.connect(servers.postgres.dsn_as("daybook_append")) as conn:
        assert conn.execute("SELECT has_table_privilege('events', 'INSERT')").fetchone() == (True,)
