"""Can this program serve? Whether the database is there and has the shape that this code was written for."""

from collections.abc import Sequence

from daybook.postgres.migrate import LINES, files
from daybook.postgres.pool import Pool, reachable

WAIT_SECONDS = 3.0
"""A probe that waits longer than its asker is of no use."""


def missing_migrations(pool: Pool, lines: Sequence[tuple[str, str]] | None = None) -> list[str]:
    """The migrations that this database lacks, in order; empty when it is up to date. Raises Unavailable."""
    wanted = [f"{line}/{path.name}" for line, package in lines or LINES for path in files(package)]
    with reachable(), pool.connection(timeout=WAIT_SECONDS) as conn:
        row = conn.execute("SELECT to_regclass('migrations') IS NOT NULL").fetchone()
        if row is None or not row[0]:
            return wanted
        applied = {f"{line}/{name}" for line, name in conn.execute("SELECT line, name FROM migrations")}
    return [name for name in wanted if name not in applied]
