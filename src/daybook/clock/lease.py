"""Who is the clock, or runs a policy: one at a time, by the leases of the projections, fenced in every append."""

import time

from daybook.errors import Unavailable
from daybook.ids import new_id
from daybook.postgres.pool import Connection, Pool, fetch
from daybook.postgres.sql import beside
from daybook.projection.leases import LEASE_SECONDS, RENEW_SECONDS
from daybook.projection.leases import QUERIES as LEASES

QUERIES = beside(__file__)
NAME = "@clock"


class Overtaken(Unavailable):
    """Another process has taken over."""


class SoleLease:
    """The lease of this process, held while `hold` is called again and again."""

    def __init__(self, pool: Pool, name: str = NAME) -> None:
        self._pool = pool
        self._name = name
        self._owner = new_id()
        self._token: int | None = None
        self._renewed = 0.0

    def hold(self) -> bool:
        """Whether this process is the clock. Raises Unavailable."""
        now = time.monotonic()
        if self._token is not None and now - self._renewed < RENEW_SECONDS:
            return True
        given = {"name": self._name, "owner": self._owner, "lease": LEASE_SECONDS}
        rows = fetch(self._pool, LEASES["acquire_lease"], given)
        self._token = int(rows[0][0]) if rows else None
        self._renewed = now
        return self._token is not None

    def fence(self, conn: Connection) -> None:
        """In the transaction of an append: raises Overtaken unless the lease is still this process's."""
        if conn.execute(QUERIES["holds"], (self._name, self._token)).fetchone() is None:
            self._token = None
            raise Overtaken(f"another process has taken over {self._name}: this one waits")

    def release(self) -> None:
        """Lets it go, so that the next clock need not wait."""
        if self._token is not None:
            with self._pool.connection() as conn:
                conn.execute(LEASES["release_lease"], (self._name, self._token))
            self._token = None
