"""Turns at streams, among the threads of one process: rivals that lost once stand in line and do not all try at once.

A turn is a courtesy and no guard: what holds is the expected version in the log, which other processes respect as well.
"""

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from zlib import crc32

LINES = 1024
"""Streams share a line by chance. Who waits for a stranger waits for one append."""
RIVALLED_SECONDS = 1.0
"""So long after somebody lost at a stream, those who come to it stand in line from the start."""


class StreamTurns:
    """Thread-safe."""

    def __init__(self) -> None:
        self._lines = [threading.Lock() for _ in range(LINES)]
        self._lost_at = [0.0] * LINES

    def lost(self, streams: Iterable[str]) -> None:
        """Somebody else was faster at one of these."""
        now = time.monotonic()
        for line in _lines_of(streams):
            self._lost_at[line] = now

    def rivalled(self, streams: Iterable[str]) -> bool:
        """Whether there is a line at one of these."""
        since = time.monotonic() - RIVALLED_SECONDS
        return any(self._lost_at[line] > since for line in _lines_of(streams))

    @contextmanager
    def at(self, streams: Iterable[str], deadline: float) -> Iterator[None]:
        """Holds the turn at all of these streams; after the deadline (of the monotonic clock) it goes on without.

        Taken in the order of the lines, so that two who want the same two never wait for each other.
        """
        with ExitStack() as held:
            for line in sorted(_lines_of(streams)):
                if self._lines[line].acquire(timeout=max(0.0, deadline - time.monotonic())):
                    held.callback(self._lines[line].release)
            yield


def _lines_of(streams: Iterable[str]) -> set[int]:
    return {crc32(stream.encode()) % LINES for stream in streams}
