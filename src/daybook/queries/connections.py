"""How many connections Postgres has left. Where there are none, the write side stands still with everything else."""

import msgspec

from daybook.postgres.pool import Connection, Pool, reachable
from daybook.postgres.sql import beside

QUERIES = beside(__file__)

FREE_MIN = 12
"""What a process that starts next may need: a `deliver` takes up to ten."""


class ConnectionBudget(msgspec.Struct, frozen=True):
    """What Postgres has to give, and what is given."""

    limit: int
    """For everybody but superusers."""
    used: int
    ours: int
    """Of those that are used: Daybook's, in this database."""

    @property
    def warning(self) -> str | None:
        """What to tell a person; None while there are enough."""
        if self.limit - self.used >= FREE_MIN:
            return None
        return (
            f"Postgres gives {self.limit} connections and {self.used} are in use, {self.ours} of them by Daybook here: "
            f"a process that starts may get none, and there should be {FREE_MIN} left. Raise max_connections, or end "
            "what holds the others (pg_stat_activity names them)"
        )


def read(pool: Pool) -> ConnectionBudget:
    """The budget as it is now. Raises Unavailable."""
    with reachable(), pool.connection() as conn:
        return read_with(conn)


def read_with(conn: Connection) -> ConnectionBudget:
    """The same, with a connection that is at hand."""
    row = conn.execute(QUERIES["connections"]).fetchone()
    assert row is not None
    return ConnectionBudget(*row)
