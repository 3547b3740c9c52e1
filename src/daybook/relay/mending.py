"""When the relay may remove the stream to fill it again: a server that stores nothing any more has no other cure.

It loses nothing: the relay has just compared the stream's end with the log, and the log has all of it. It costs time,
and the consumers that other systems keep on the stream, so it comes late, and seldom.
"""

import logging
import time

from daybook.errors import DaybookError, Unavailable
from daybook.stream.jetstream import StreamRefused

log = logging.getLogger("daybook.relay")

STUCK_SECONDS = 30.0
"""So long must nothing have been stored, while the server answers every question about the stream."""
PAUSE_SECONDS = 600.0
"""Between two tries: what did not help then, as the disk is full of something else, does not help now."""


class Mending:
    """Watches whether the stream stands still at one sequence."""

    def __init__(self) -> None:
        self._stuck: tuple[int, float] | None = None
        """At which sequence, and since when."""
        self._reason = ""
        self._mended: float | None = None

    def forget(self) -> None:
        """What was seen says nothing about the stream."""
        self._stuck = None

    def failed(self, sequence: int, error: DaybookError) -> None:
        """Nothing could be stored behind this sequence."""
        if not isinstance(error, Unavailable | StreamRefused):
            self._stuck = None  # a lost fence, an event too large, a foreign stream: a new stream would be no better
        elif self._stuck is None or self._stuck[0] != sequence:
            self._stuck = sequence, time.monotonic()
        self._reason = error.message

    def due(self, sequence: int) -> bool:
        """Whether the stream, which answers and ends with this sequence, is to be removed now."""
        now = time.monotonic()
        if self._stuck is None or self._stuck[0] != sequence:
            return False
        if now - self._stuck[1] < STUCK_SECONDS or (self._mended is not None and now - self._mended < PAUSE_SECONDS):
            return False
        log.warning(
            "the stream has stored nothing for %.0f s (%s) and holds nothing that the log lacks: it is made anew",
            now - self._stuck[1],
            self._reason,
        )
        self._mended, self._stuck = now, None
        return True
