"""The clock: makes due what was planned, each once, in the order of (moment, position), also after it was down.

Which time it is Postgres says, never before the log's last event, so a clock that is set back brings nothing twice and
nothing out of order. What falls due, and what that changed, is one append: after a kill the log says what was done.
"""

import logging
import time

import psycopg

from daybook.clock import pending
from daybook.clock.lease import SoleLease
from daybook.clock.pending import DueSchedule
from daybook.commands.book import Book, Command
from daybook.commands.schedules import MakeDue
from daybook.errors import DaybookError
from daybook.log.pending import Context
from daybook.postgres.pool import Pool

log = logging.getLogger("daybook.clock")

SOURCE = "clock"
POLL_SECONDS = 0.05
"""How late something may be that was planned for at once."""
IDLE_SECONDS = 0.5
"""How often it looks whether another clock, which has the lease, fell silent."""
PAUSE_SECONDS_MAX = 2.0
BATCH = 100
SOON_SECONDS, SOON_MAX = 2.0, 500
"""What will be due within this is read before."""


class Clock:
    """One clock. Several may run: one of them holds the lease, the others wait."""

    def __init__(self, pool: Pool, book: Book) -> None:
        self._pool = pool
        self._book = book
        self._lease = SoleLease(pool)
        self._pause = POLL_SECONDS
        self._said = ""
        self._prepared = 0.0

    def tick(self) -> float:
        """Makes due what is due; after so many seconds to look again. What passes by itself is not raised."""
        try:
            seconds = self._look()
            self._pause, self._said = POLL_SECONDS, ""
            return seconds
        except (DaybookError, psycopg.Error) as error:
            level = logging.DEBUG if str(error) == self._said else logging.WARNING
            log.log(level, "the clock starts over: %s", error)
            self._said = str(error)
            self._pause = min(self._pause * 2, PAUSE_SECONDS_MAX)
            return self._pause

    def _look(self) -> float:
        if not self._lease.hold():
            return IDLE_SECONDS
        pending.catch_up(self._pool)
        found = pending.due(self._pool, BATCH)
        if not found:
            return self._ahead()
        began = time.monotonic()
        streams = dict.fromkeys(stream for one in found for stream in one.streams())
        done = self._book.carry_out_in_order([_command(one) for one in found], streams, self._lease.fence)
        log.debug("%d made due in %.1f ms", done, (time.monotonic() - began) * 1000)
        return 0.0

    def _ahead(self) -> float:
        """Until the next one is due. What will be due soon is loaded now, when there is time."""
        ahead = pending.next_seconds(self._pool)
        if ahead is None:
            return POLL_SECONDS
        now = time.monotonic()
        if ahead < SOON_SECONDS and now - self._prepared > SOON_SECONDS / 4:
            self._prepared = now
            self._book.load(dict.fromkeys(pending.soon(self._pool, SOON_SECONDS, SOON_MAX)))
            return 0.001
        return min(max(ahead, 0.001), POLL_SECONDS)

    def stop(self) -> None:
        """Lets another clock take over at once."""
        try:
            self._lease.release()
        except (DaybookError, psycopg.Error):
            log.debug("the clock's lease was not released", exc_info=True)


def _command(one: DueSchedule) -> tuple[Command, Context]:
    """As who planned it, for the reason that was given then, caused by the event that planned it."""
    context = Context(
        actor=one.actor,
        source=SOURCE,
        reason=one.reason,
        command_id=f"due:{one.schedule}:{one.position}",
        correlation_id=one.correlation_id,
        causation_id=one.event_id,
        access=one.access,
    )
    return MakeDue(schedule=one.schedule, due_at=one.due_at), context
