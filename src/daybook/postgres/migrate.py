"""Numbered .sql migrations, in lines: each component owns a folder `migrations/` and its numbers.

A migration runs once, in its own transaction, in the order (line order, number). Its sha256 is kept: a merged file
that was edited afterwards is refused. Two processes that migrate at once take turns, one migration at a time, on an
advisory lock that ends with the transaction.
"""

import hashlib
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import LiteralString

from daybook.errors import BadConfiguration
from daybook.postgres.pool import Connection, connect

LINES: tuple[tuple[str, str], ...] = (
    ("log", "daybook.log"),
    ("access", "daybook.authentication"),
    ("channel", "daybook.projection"),
    ("delivery", "daybook.delivery"),
    ("clock", "daybook.clock"),
    ("policy", "daybook.policy"),
    ("stream", "daybook.stream"),
    ("people", "daybook.people"),
    ("keys", "daybook.people.keys"),
    ("intake", "daybook.intake"),
    ("inbox", "daybook.inbox"),
)
"""(line, package that holds its `migrations` folder), in the order in which they depend on one another."""
KEYS: tuple[tuple[str, str], ...] = (("keys", "daybook.people.keys"),)
"""Those of a database that holds people's keys and nothing else."""

_LOCK = 0x6461796B  # 'dayk'
_TAKE_TURN: LiteralString = "SELECT pg_advisory_xact_lock(%s)"
_TABLE: LiteralString = """
CREATE TABLE IF NOT EXISTS migrations (
    line text NOT NULL, number int NOT NULL, name text NOT NULL, sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp(), PRIMARY KEY (line, number))"""


def migrations_of(package: str) -> Path:
    """The folder of a line."""
    return Path(str(resources.files(package))) / "migrations"


def files(package: str) -> list[Path]:
    """The line's migrations in order."""
    folder = migrations_of(package)
    found = sorted(folder.glob("[0-9][0-9][0-9][0-9]_*.sql"))
    numbers = [int(path.name[:4]) for path in found]
    if numbers != list(range(1, len(numbers) + 1)):
        raise BadConfiguration(f"{folder}: migrations must be numbered 0001, 0002, ... without a hole; found {numbers}")
    return found


def migrate(dsn: str, lines: Sequence[tuple[str, str]] | None = None) -> list[str]:
    """Applies what is missing of all lines, or of these, and returns the names. Idempotent; many may do so at once."""
    with connect(dsn, "migrate") as conn:
        with conn.transaction():
            conn.execute(_TAKE_TURN, (_LOCK,))
            conn.execute(_TABLE)
        return [
            f"{line}/{path.name}"
            for line, package in lines or LINES
            for path in files(package)
            if _apply(conn, line, path)
        ]


def _apply(conn: Connection, line: str, path: Path) -> bool:
    """Applies one migration, unless it was before. Raises BadConfiguration when it was edited since."""
    number, body = int(path.name[:4]), path.read_bytes()
    digest = hashlib.sha256(body).hexdigest()
    with conn.transaction():
        conn.execute(_TAKE_TURN, (_LOCK,))
        known = conn.execute(
            "SELECT name, sha256 FROM migrations WHERE line = %s AND number = %s", (line, number)
        ).fetchone()
        if known is not None:
            if known[1] != digest:
                raise BadConfiguration(
                    f"{line}/{path.name} was edited after it was applied as {known[0]}: "
                    "restore the file and write a new migration instead"
                )
            return False
        conn.execute(body, prepare=False)
        conn.execute(
            "INSERT INTO migrations (line, number, name, sha256) VALUES (%s, %s, %s, %s)",
            (line, number, path.name, digest),
        )
    return True
