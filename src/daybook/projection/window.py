"""The newest events, read once for all projections of a process.

A projection that follows live finds there what it has not folded yet. One that is behind reads the log by itself until
it gets there, and holds nobody back.

Hazard: after a failover the new primary may have given the same positions to other events. What was read from one
server is for those who write to the same one, and is not there for anybody else.
"""

from collections import deque
from collections.abc import Sequence
from itertools import islice

from daybook.events import Recorded
from daybook.limits import PAGE_BYTES_MAX
from daybook.postgres.sessions import Timeline
from daybook.projection.reading import Passed

EVENTS_MAX = 4000
UNTOLD = Timeline(0, 0)
BYTES_MAX = 2 * PAGE_BYTES_MAX
"""Of the events as they are stored, but for one page more."""


class Window:
    """Events without a gap, up to `end`. None at all before it was begun."""

    def __init__(self) -> None:
        self._events: deque[Recorded | Passed] = deque()
        self._pages: deque[tuple[int, int]] = deque()
        """How many events were added together, and their bytes."""
        self._bytes = 0
        self.end: int | None = None
        self._server = UNTOLD

    def begin(self, position: int, server: Timeline = UNTOLD) -> None:
        """Behind this position from now on, with nothing in it; filled from this server's log."""
        self.close()
        self.end, self._server = position, server

    def close(self) -> None:
        """There is nothing to be found here until it is begun again."""
        self._events.clear()
        self._pages.clear()
        self._bytes, self.end = 0, None

    def add(self, events: Sequence[Recorded | Passed], size: int) -> None:
        """What follows `end`, and its bytes. The oldest go."""
        self._events.extend(events)
        self._pages.append((len(events), size))
        self._bytes += size
        self.end = events[-1].position
        while len(self._pages) > 1 and (len(self._events) > EVENTS_MAX or self._bytes > BYTES_MAX):
            number, gone = self._pages.popleft()
            self._bytes -= gone
            for _ in range(number):
                self._events.popleft()

    def is_full_behind(self, position: int) -> bool:
        """Whether so much follows a position that more would drive it out before it is used."""
        unread = (self.end or 0) - position
        size, left = 0, unread
        for number, taken in reversed(self._pages):
            if left <= 0:
                break
            size, left = size + taken, left - number
        return unread > EVENTS_MAX // 2 or size > BYTES_MAX // 2

    def after(self, position: int, limit: int, server: Timeline = UNTOLD) -> list[Recorded | Passed] | None:
        """What follows a position, in order; None when only the log has it, or it is another server's."""
        if self.end is None or server != self._server:
            return None
        first = self.end - len(self._events)
        if position < first:
            return None
        return list(islice(self._events, position - first, position - first + limit)) if position < self.end else []
