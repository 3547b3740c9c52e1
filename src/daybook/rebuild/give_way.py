"""A rebuild's worker lets what runs live go first, and its own page after that."""

import time

from daybook.postgres.pool import Connection
from daybook.postgres.sql import beside

QUERIES = beside(__file__)

BEHIND_SECONDS_MAX = 0.02
"""A live runner that has not folded an event of this age is behind."""
SHARE_MAX = 3
"""So many times as long as the work took, the worker waits at most: a runner may have a backlog of hours."""
LOOK_SECONDS = 0.005


class GiveWay:
    """Waits between two pieces of work while something that runs live is behind. `waited`: seconds so far."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._began = time.monotonic()
        self.waited = 0.0
        self.busy = False
        """Whether somebody was behind after the last piece."""

    def wait(self) -> None:
        """Call it after each piece of work."""
        ended = time.monotonic()
        latest = ended + SHARE_MAX * (ended - self._began)
        behind = self.busy = self._behind()
        while behind and time.monotonic() < latest:
            time.sleep(LOOK_SECONDS)
            behind = self._behind()
        self._began = time.monotonic()
        self.waited += self._began - ended

    def _behind(self) -> bool:
        row = self._conn.execute(QUERIES["behind"], {"seconds": BEHIND_SECONDS_MAX}, prepare=True).fetchone()
        assert row is not None
        return bool(row[0])
