"""Refusals as events: at most one a minute for the same key, permission and reason, over all processes."""

import hashlib
import logging
import threading
import time

import psycopg_pool

from daybook.errors import DaybookError
from daybook.events.access import REFUSALS_KEY, AccessRefused
from daybook.log.application import Log
from daybook.log.pending import Context, NewEvent
from daybook.postgres.permission import REFUSALS

log = logging.getLogger("daybook.authentication")

TOLD_SECONDS = 60
REMEMBERED_MAX = 10_000
ACTOR = "daybook"


class Refusals:
    """Thread-safe. What is told is bounded by keys and permissions that there are, never by what a caller invents."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._told: dict[str, float] = {}
        self._lock = threading.Lock()

    def due(self, refused: AccessRefused) -> bool:
        """Whether this one is to be told now; asked again within a minute, it is not."""
        name, now = _name(refused), time.monotonic()
        with self._lock:
            if now - self._told.get(name, -TOLD_SECONDS) < TOLD_SECONDS:
                return False
            if len(self._told) >= REMEMBERED_MAX:
                self._told = {one: at for one, at in self._told.items() if now - at < TOLD_SECONDS}
            self._told[name] = now
            return True

    def tell(self, refused: AccessRefused) -> None:
        """Appends it. The command id is the same in every process in the same minute, so only one of them counts."""
        command = f"refused-{_name(refused)}-{int(time.time()) // TOLD_SECONDS}"
        context = Context.new(ACTOR, "authentication", command_id=command)
        stream = f"refusals/{refused.key or 'unknown'}"
        try:
            self._log.record([(context, [NewEvent(stream, 0, refused, None, REFUSALS_KEY)])])
        except (DaybookError, psycopg_pool.PoolTimeout, *REFUSALS):
            # The request is refused all the same; whoever runs the process learns of it here.
            log.warning("a refusal could not be told to the log: %s", refused, exc_info=True)


def _name(refused: AccessRefused) -> str:
    parts = "|".join((refused.key or "", refused.permission or "", refused.reason))
    return hashlib.sha256(parts.encode()).hexdigest()[:24]
