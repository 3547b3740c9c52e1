"""When a channel is left alone: it asked for it (throttle), or it does not answer (outage).

Each worker has a breaker in memory, which acts at once, and all of a channel's workers have one in Postgres: what one
of them finds out holds for the others, and for one that starts later.
"""

import random
import time
from collections.abc import Sequence
from typing import Any

from daybook.postgres.pool import AsyncConnection
from daybook.postgres.sql import beside
from daybook.postgres.text import storable

QUERIES = beside(__file__)

FAILURES_TO_OPEN = 3
PROBE_SECONDS_MIN, PROBE_SECONDS_MAX = 0.25, 30.0
THROTTLE_SECONDS = 1.0


class Breaker:
    """Closed: everything may be sent. Open: one lane now and then, to see whether the channel is back.

    After a pause that the channel asked for one lane goes first as well: thirty at once would only be refused again,
    and each of them costs the other channels of this process time.
    """

    def __init__(self) -> None:
        self.failures = 0
        self.reason: str | None = None
        self._until = 0.0
        self._quiet_until = 0.0
        self._throttled = False
        self.changed = False
        """The others do not know yet."""
        self._seen: object = None

    def lanes_allowed(self, wanted: int) -> int:
        """How many lanes may be started now."""
        now = time.monotonic()
        if now < self._quiet_until or now < self._until:
            return 0
        return min(wanted, 1) if self.probing else wanted

    @property
    def open(self) -> bool:
        """Whether the channel counts as down."""
        return self.failures >= FAILURES_TO_OPEN

    @property
    def probing(self) -> bool:
        """Whether one lane has to show first that the channel takes requests."""
        return self.open or self._throttled

    def wait_seconds(self) -> float:
        """How long until something may be sent again."""
        return max(0.0, max(self._quiet_until, self._until) - time.monotonic())

    def succeeded(self) -> bool:
        """The channel answered. True when it had counted as down: what waits may go at once."""
        was_open = self.open
        self._throttled = False
        self.changed = self.changed or self.failures > 0
        self.failures = 0
        self.reason = None
        self._until = 0.0
        return was_open

    def failed(self, retry_after: float | None, reason: str = "") -> None:
        """The channel did not answer. Requests that were under way when the breaker opened tell nothing new."""
        if time.monotonic() < self._until:
            return
        self.failures += 1
        self.reason = reason
        if self.open:
            step = min(PROBE_SECONDS_MAX, PROBE_SECONDS_MIN * 2 ** min(self.failures - FAILURES_TO_OPEN, 20))
            self._until = time.monotonic() + (retry_after or step * random.uniform(0.8, 1.2))
            self.changed = True

    def throttled(self, retry_after: float | None) -> None:
        """The channel asked for a pause. Not a failure."""
        self._throttled = True
        self._quiet_until = max(self._quiet_until, time.monotonic() + (retry_after or THROTTLE_SECONDS))
        self.changed = True

    async def tell(self, conn: AsyncConnection, channel: str) -> None:
        """Tells the other workers what this one found out.

        The last to write is right: a channel is back when any worker got an answer, and down when any got none.
        """
        self.changed = False
        now = time.monotonic()
        known = {
            "channel": channel,
            "failures": self.failures,
            "open": max(0.0, self._until - now),
            "quiet": max(0.0, self._quiet_until - now),
            "reason": self.reason and storable(self.reason, 1000),
        }
        cursor = await conn.execute(QUERIES["put_breaker"], known)
        row = await cursor.fetchone()
        self._seen = row[0] if row else None

    def learn(self, row: Sequence[Any]) -> bool:
        """Takes over what the others wrote, unless this one knows something newer. True: the channel is back."""
        if self.changed or row[0] == self._seen:
            return False
        was_open = self.open
        self._seen, self.failures, until, quiet, self.reason = row
        self._until, self._quiet_until = (time.monotonic() + seconds for seconds in (until, quiet))
        return was_open and not self.open
