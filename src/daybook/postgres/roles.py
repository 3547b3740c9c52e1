"""Roles of the database: each process works as one that may do what it needs, and none of them owns a table.

Who owns no table can't alter or drop it, nor switch off the trigger that keeps the log as it is. What each may do is in
`migrations/grants.sql` of each line, as SQL.
"""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from psycopg import errors, sql

from daybook.errors import BadConfiguration, NotPermitted
from daybook.postgres.migrate import LINES, migrations_of
from daybook.postgres.pool import Connection, connect
from daybook.postgres.sql import beside

log = logging.getLogger("daybook.postgres")

QUERIES = beside(__file__)
ROLES: Mapping[str, str] = {
    "append": "the API and the intake: commands into the log, questions, and looking after channels",
    "relay": "from the log to the stream",
    "project": "folds the log into listings, and says what is due",
    "deliver": "brings channels to what their listings show, and appends their receipts",
    "clock": "makes due what was planned, and appends what comes of it",
    "audit": "reads everything: `daybook log verify`",
    "read": "reads everything, changes nothing: for people with SQL",
}
"""What each is for. The database knows it as `daybook_<name>`."""
OF_PROCESS: Mapping[str, str] = {
    "api": "append",
    "relay": "relay",
    "project": "project",
    "deliver": "deliver",
    "intake": "append",
    "clock": "clock",
}
"""The role that each `daybook run` works as."""
NAMES = tuple(f"daybook_{role}" for role in ROLES)
_ATTRIBUTES = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"


def name_of(role: str) -> str:
    """What the database calls a role of ROLES."""
    return f"daybook_{role}"


Lines = Sequence[tuple[str, str]]
"""As `migrate` has them: of the book's own database, or of the one that holds people's keys."""


def statements(dsn: str, passwords: Mapping[str, str] | None = None, lines: Lines = LINES) -> list[str]:
    """The SQL that `make_roles` runs, in order, with every password masked. Changes nothing."""
    with connect(dsn, "roles") as conn:
        return [shown for shown, _ in _plan(conn, passwords or {}, lines)]


def make_roles(dsn: str, passwords: Mapping[str, str] | None = None, lines: Lines = LINES) -> list[str]:
    """Makes the roles that are missing, lets each do what it needs and no more; returns the names of the new ones.

    `passwords` is by role; a role without one can't log in where a password is asked for. The database must have been
    migrated. Idempotent; all of it or nothing. Raises NotPermitted when the present role may not.
    """
    with connect(dsn, "roles") as conn:
        plan, new = _plan(conn, passwords or {}, lines), _missing(conn)
        try:
            with conn.transaction():
                for _, statement in plan:
                    conn.execute(statement, prepare=False)
        except errors.InsufficientPrivilege as error:
            raise NotPermitted(
                f"the roles can't be made: {error.diag.message_primary}. Let the owner of the database do it, who "
                "needs CREATEROLE for roles that are missing, or make them yourself first: `daybook migrate --roles "
                "--dry-run` shows the SQL",
                field="DAYBOOK_POSTGRES",
            ) from error
    return new


def renew(dsn: str, lines: Lines = LINES) -> bool:
    """Lets the roles do what this version needs, where they were made before. False where there are none."""
    with connect(dsn, "roles") as conn:
        if _missing(conn):
            return False
    make_roles(dsn, lines=lines)
    return True


def _missing(conn: Connection) -> list[str]:
    there = {row[0] for row in conn.execute(QUERIES["roles"], (list(NAMES),)).fetchall()}
    return [name for name in NAMES if name not in there]


def _plan(conn: Connection, passwords: Mapping[str, str], lines: Lines) -> list[tuple[str, bytes]]:
    """Each statement as it is shown, and as it is run."""
    rows = conn.execute(QUERIES["roles"], (list(NAMES),)).fetchall()
    mighty = [name for name, may_too_much in rows if may_too_much]
    if mighty:
        raise BadConfiguration(
            f"the role {mighty[0]} is there and may do more than its work: take SUPERUSER, CREATEROLE, CREATEDB, "
            "REPLICATION and BYPASSRLS from it first",
            role=mighty[0],
        )
    unknown = sorted(set(passwords) - set(ROLES))
    if unknown:
        raise BadConfiguration(f"there is no role {unknown[0]!r}: they are {', '.join(ROLES)}", role=unknown[0])
    texts: list[sql.Composable] = [
        sql.SQL(f"CREATE ROLE {{}} {_ATTRIBUTES}").format(sql.Identifier(name)) for name in _missing(conn)
    ]
    everyone = sql.SQL(", ").join(map(sql.Identifier, NAMES))
    database = sql.Identifier(conn.info.dbname)
    texts += [
        sql.SQL(QUERIES[name]).format(roles=everyone, database=database) for name in ("reset", "connect", "enter")
    ]
    plan = [(text.as_string(conn), text.as_bytes(conn)) for text in texts]
    for _, package in lines:
        grants: Path = migrations_of(package) / "grants.sql"
        if grants.exists():
            plan.append((grants.read_text(encoding="utf-8"), grants.read_bytes()))
    if lines is LINES:
        plan.append((QUERIES["open_generations"], QUERIES["open_generations"].encode()))
    return plan + [_password(conn, name_of(role), password) for role, password in passwords.items()]


def _password(conn: Connection, role: str, password: str) -> tuple[str, bytes]:
    """Only what can check the password is sent, so that it stands in no log of the server."""
    verifier = conn.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    statement = sql.SQL("ALTER ROLE {} PASSWORD {}")
    shown = statement.format(sql.Identifier(role), sql.Literal("********")).as_string(conn)
    return shown, statement.format(sql.Identifier(role), sql.Literal(verifier)).as_bytes(conn)
