"""The stream as a witness: it knows the newest primary of the log, when neither Postgres nor this process can.

The relay writes into the stream's metadata from which primary it publishes, before the first event of it. Whoever
appends or sends to channels reads that before the first connection to Postgres, and every second. So a process that
begins beside an old primary, and reaches no other, is told.
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Iterator, Mapping

from daybook.errors import Unavailable
from daybook.postgres.sessions import Timeline, learn
from daybook.stream.connection import Nats
from daybook.stream.jetstream import Stream

log = logging.getLogger("daybook.stream")

LOOK_SECONDS = 1.0
FIRST_SECONDS_MAX = 5.0
"""A process does not wait longer for a NATS that does not answer: then it knows what Postgres says, and no more."""
SYSTEM, NUMBER = "daybook-system", "daybook-timeline"


def spelled(seen: Timeline) -> dict[str, str]:
    """As it stands in the stream's metadata."""
    return {SYSTEM: str(seen.system), NUMBER: str(seen.number)}


def parsed(metadata: Mapping[str, str]) -> Timeline | None:
    """What stands in the stream's metadata; None for nothing, or nothing that makes sense."""
    try:
        return Timeline(int(metadata[SYSTEM]), int(metadata[NUMBER]))
    except (KeyError, ValueError):
        return None


class _Watch:
    """Looks again and again, on a loop of its own in a thread of its own."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._stop = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self.looked = threading.Event()
        """Set once the stream was asked, whether it answered or not."""
        self._thread = threading.Thread(target=self._run, name="daybook-witness", daemon=True)
        self._thread.start()

    def close(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(timeout=5)

    def _run(self) -> None:
        with contextlib.closing(self._loop) as loop:
            loop.run_until_complete(self._look())

    async def _look(self) -> None:
        nats = Nats(self._url, "witness")
        stream = Stream(nats)
        try:
            while not self._stop.is_set():
                try:
                    if not nats.connected and not nats.returning:
                        await nats.open()
                    if nats.connected and (info := await stream.info()) is not None and (seen := parsed(info.metadata)):
                        learn(seen)
                except Unavailable as error:
                    log.debug("the stream can't be asked which primary is the newest: %s", error)
                finally:
                    self.looked.set()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._stop.wait()
        finally:
            await nats.close()


@contextlib.contextmanager
def witnessed(url: str | None) -> Iterator[None]:
    """Inside, sessions know what the stream knows; it was asked once before the block begins. None: nobody is asked."""
    if url is None:
        yield
        return
    watch = _Watch(url)
    try:
        watch.looked.wait(FIRST_SECONDS_MAX)
        yield
    finally:
        watch.close()
