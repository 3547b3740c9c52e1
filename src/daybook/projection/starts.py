"""What could not be started: written down by the roles, read by whoever asks how a channel is."""

from collections.abc import Mapping

from daybook.postgres.pool import Connection, Pool, reachable
from daybook.postgres.sql import beside

QUERIES = beside(__file__)

SHOWN_SECONDS = 5.0
"""How long a failure is shown after it was last written down."""


def note_failures(pool: Pool, role: str, failures: Mapping[str, str]) -> None:
    """Writes down what can't be started, for `daybook channel list`. Raises Unavailable."""
    with reachable(), pool.connection() as conn:
        conn.execute(QUERIES["note_start_failures"], (role, list(failures), list(failures.values())))


def failures(conn: Connection) -> list[tuple[str, str, str]]:
    """What could not be started and was said a moment ago: channel, role, error."""
    return conn.execute(QUERIES["start_failures"], (SHOWN_SECONDS,)).fetchall()
