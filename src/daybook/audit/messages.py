"""Compares what JetStream holds with the log: message n must be event n."""

from collections.abc import Sequence
from typing import Any

from daybook.audit.findings import Progress, Wrong
from daybook.errors import Unavailable
from daybook.log import reader
from daybook.postgres.pool import AsyncConnection
from daybook.stream import cloudevents
from daybook.stream.connection import Nats
from daybook.stream.feed import Delivered, Feed
from daybook.stream.jetstream import Stream

PAGE_MESSAGES = 2000
SILENCE_SECONDS = 3.0
KEEP = (
    "The log or the stream was changed behind Daybook's back, and which of them can't be told from here: keep both "
    "before anything is mended, the stream with `daybook stream save FILE`, the log with a dump of Postgres. Once it "
    "is sure that the log is right, `daybook stream reset` fills the stream again from it"
)
AHEAD = (
    "What the log lacks may be nowhere else. After a promotion, or a restore of Postgres, `daybook failover` keeps it, "
    "says whose changes these are, and has the stream filled again from the log; when neither took place, keep the "
    "stream with `daybook stream save FILE` first, and find out who wrote to it"
)


async def compare(conn: AsyncConnection, nats_url: str, head: int, progress: Progress) -> int | None:
    """Compares every message up to the head and returns how many; None when there is no stream.

    A stream may begin later than the log (older messages age out) and end earlier (the relay is on its way). Raises
    Wrong, and Unavailable when NATS does not answer.
    """
    nats = Nats(nats_url, "verify")
    await nats.open()
    try:
        stream = Stream(nats)
        last = await stream.last_sequence()
        if last is None:
            return None
        if last > head and last > await reader.head(conn):
            raise Wrong(f"the stream is at sequence {last}, the log only at position {head}. {AHEAD}", head + 1)
        return await _Comparison(conn, stream, min(last, head)).run(nats, progress)
    finally:
        await nats.close()


class _Comparison:
    def __init__(self, conn: AsyncConnection, stream: Stream, last: int) -> None:
        self._conn = conn
        self._stream = stream
        self._last = last
        self._at = 0
        """The last sequence that was compared; 0 before the first."""
        self._compared = 0

    async def run(self, nats: Nats, progress: Progress) -> int:
        if self._last == 0:
            return 0
        feed = Feed(nats)
        await feed.open(1)
        try:
            while self._at < self._last:
                delivered = await feed.take(PAGE_MESSAGES, SILENCE_SECONDS)
                if not delivered:
                    await self._silent(feed)
                    break
                await self._page(delivered)
                progress("messages", min(self._at, self._last), self._last)
        finally:
            await feed.close()
        return self._compared

    async def _silent(self, feed: Feed) -> None:
        """Returns when the stream is empty: new, or aged out, it has a last sequence but no message."""
        if not feed.alive or await self._stream.message(self._last) is not None:
            raise Unavailable(f"the stream fell silent at sequence {self._at} of {self._last}: run the check again")
        if self._at:
            raise Wrong(f"sequence {self._at + 1} is missing in the stream. {KEEP}", self._at + 1)

    async def _page(self, delivered: Sequence[Delivered]) -> None:
        first, last = delivered[0].sequence, delivered[-1].sequence
        found = await reader.rows_after(self._conn, first - 1, last - first + 1, last)
        rows = {row[0]: row for row in found}
        for one in delivered:
            # When the one before is gone as well, the stream's beginning has moved past us: that is no hole.
            if self._at and one.sequence != self._at + 1 and await self._stream.message(self._at) is not None:
                raise Wrong(f"sequence {self._at + 1} is missing in the stream. {KEEP}", self._at + 1)
            _check(one, rows[one.sequence])
            self._at = one.sequence
            self._compared += 1
            if self._at >= self._last:
                return


def _check(one: Delivered, row: Sequence[Any]) -> None:
    wrong = cloudevents.difference(one.body, one.subject, row)
    if wrong is not None:
        raise Wrong(f"message {one.sequence} of the stream {wrong}. {KEEP}", row[0], row[2])
