"""When a grant was last used with a key: noted in memory for each request, and in Postgres at most once a minute."""

import logging
import threading
import time
from datetime import datetime

import psycopg_pool

from daybook.authentication import QUERIES
from daybook.errors import DaybookError
from daybook.postgres.permission import REFUSALS
from daybook.postgres.pool import Pool, fetch, reachable

log = logging.getLogger("daybook.authentication")

NOTED_SECONDS = 60.0


class Uses:
    """Thread-safe."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._noted: dict[tuple[str, str], float] = {}
        self._due: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def note(self, key: str, grant: str) -> None:
        """Remembers a use, to be written with the next look."""
        now, use = time.monotonic(), (key, grant)
        if now - self._noted.get(use, -NOTED_SECONDS) >= NOTED_SECONDS:
            self._noted[use] = now
            with self._lock:
                self._due.add(use)

    def flush(self) -> None:
        """Writes what is due. What can't be written is lost: it decides nothing."""
        with self._lock:
            due, self._due = sorted(self._due), set()
        if not due:
            return
        try:
            with reachable(), self._pool.connection() as conn:
                conn.execute(QUERIES["note_uses"], ([key for key, _ in due], [grant for _, grant in due]))
        except (DaybookError, psycopg_pool.PoolTimeout, *REFUSALS):
            log.warning("when keys were used could not be noted", exc_info=True)

    def last(self) -> dict[tuple[str, str], datetime]:
        """(key, grant) -> when it was last used, to the minute."""
        return {(key, grant): at for key, grant, at in fetch(self._pool, QUERIES["uses"])}
