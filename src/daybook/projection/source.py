"""The events that continue a checkpoint: from JetStream, which is fast, or from the log, which is always right.

Positions are dense, so what the stream hands over either continues the checkpoint or shows a gap. A gap, a silent
stream, a foreign message, a wiped stream and a NATS that is down are one case: the missing events come from the log.

Hazard: whoever reaches the NATS server may publish, and a stream may be another book's. Nothing is handed on because
the stream says so: a batch is compared, in one statement, with what the log holds under the same positions.
"""

import asyncio
import logging
import time
from collections.abc import Sequence
from typing import Any

from daybook.errors import CorruptLog, Unavailable
from daybook.events import Recorded
from daybook.log import reader
from daybook.log.digest import digest, digest_of_log
from daybook.postgres.pool import AsyncConnection
from daybook.projection.reading import Passed, Takes, decoded
from daybook.stream import cloudevents, state
from daybook.stream.connection import Nats
from daybook.stream.feed import Delivered, Feed
from daybook.stream.jetstream import Stream
from daybook.stream.subjects import subject

log = logging.getLogger("daybook.source")

BATCH_EVENTS_MAX = 4000
"""A backlog in large batches: a group that changed several times is read, rendered and written once for all of them."""
ASK_SECONDS_MAX = 1.0
IDLE_SECONDS = 0.5
"""How long the stream may be silent before the log itself is asked."""


SAID_AFTER_SECONDS = 3.0
"""A connection that is just being made is nothing to tell."""


class Source:
    """One reader's source. Drops what was handed over before; never returns past a gap, nor what the log has not."""

    def __init__(self, nats: Nats) -> None:
        self._nats = nats
        self._feed: Feed | None = None
        self.bytes = 0
        """Of the bodies that were handed over last."""
        self._without_since: float | None = None
        """Since when there has been no stream to read."""
        self._told_without = False

    async def next(
        self, conn: AsyncConnection, position: int, *, wait: bool, takes: Takes = lambda type_, key: True
    ) -> list[Recorded | Passed]:
        """The events behind `position`, in order; [] when there are none now. `wait`: give them a moment to come.

        Only those that are taken are decoded.
        """
        feed = await self._open(conn, position + 1)
        self._note(feed is not None)
        if feed is None:
            rows = await self._from_log(conn, position)
            if not rows and wait:
                await asyncio.sleep(IDLE_SECONDS / 2)
            return self._decoded(rows, takes)
        # An idle reader asks the log now and then, in case the relay stands still.
        delivered = await feed.take(BATCH_EVENTS_MAX, IDLE_SECONDS if wait else 0.001)
        fresh = [one for one in delivered if one.sequence > position]
        rows = _continued(fresh, position)
        if not rows or len(rows) != len(fresh) or not await _is_in_the_log(conn, position, rows):
            rows = await self._from_log(conn, position)
            await _tell_foreign(conn, fresh, position, rows)
            if rows or delivered:
                await self.drop()
        return self._decoded(rows, takes)

    def _decoded(self, rows: Sequence[Any], takes: Takes) -> list[Recorded | Passed]:
        self.bytes = sum(len(row[-1]) for row in rows)
        return decoded(rows, takes)

    def _note(self, streaming: bool) -> None:
        """Tells once that there is no stream, when it lasts, and once that it is back."""
        if streaming:
            if self._told_without:
                log.info("the stream is read again")
            self._without_since, self._told_without = None, False
            return
        self._without_since = self._without_since or time.monotonic()
        if not self._told_without and time.monotonic() - self._without_since > SAID_AFTER_SECONDS:
            self._told_without = True
            log.warning("the stream can't be read: the log is asked instead, which costs Postgres more")

    async def _from_log(self, conn: AsyncConnection, position: int) -> list[Any]:
        return await reader.page_after(conn, position, BATCH_EVENTS_MAX)

    async def _open(self, conn: AsyncConnection, sequence: int) -> Feed | None:
        if self._feed is not None and self._feed.alive:
            return self._feed
        await self.drop()
        try:
            if not self._nats.ready() or not await self._follows_the_log(conn):
                return None
            feed = Feed(self._nats)
            await feed.open(sequence)
        except (Unavailable, TimeoutError):
            return None
        self._feed = feed
        return feed

    async def _follows_the_log(self, conn: AsyncConnection) -> bool:
        """Whether the stream's last message is the log's event of its number: else all of it may be another book's."""
        stream = Stream(self._nats)
        # A question that is under way while the server dies is answered by nobody: the log is asked instead.
        async with asyncio.timeout(ASK_SECONDS_MAX):
            last = await stream.last_sequence()
            message = await stream.stored(last) if last else None
        if last is None:
            return False
        head = await reader.head(conn)
        if last > head:
            await _keep_foreign(conn, head + 1, state.beyond(head))
            return False
        rows = await reader.rows_after(conn, last - 1, 1) if message is not None else []
        if message is None or not rows:
            return True
        return await _same(conn, last, message.body, message.subject, rows[0])

    async def drop(self) -> None:
        """Lets the consumer go; the next call opens another where it is needed."""
        if self._feed is not None:
            feed, self._feed = self._feed, None
            await feed.close()


def _continued(delivered: Sequence[Delivered], position: int) -> list[tuple[Any, ...]]:
    """The events, as rows, up to the first message that is not the next event."""
    rows: list[tuple[Any, ...]] = []
    for one in delivered:
        if one.sequence != position + len(rows) + 1:
            break
        try:
            row = cloudevents.row(one.body)
        except CorruptLog:
            break
        if row[0] != one.sequence or one.subject != subject(row[4], row[6]):
            break
        rows.append(row)
    return rows


async def _is_in_the_log(conn: AsyncConnection, position: int, rows: Sequence[tuple[Any, ...]]) -> bool:
    said = digest(rows)
    return said is not None and said == await digest_of_log(conn, position, position + len(rows))


async def _tell_foreign(conn: AsyncConnection, fresh: Sequence[Delivered], position: int, rows: Sequence[Any]) -> None:
    """Keeps the first message that is not the event of its number where people look."""
    for one in fresh:
        behind = one.sequence - position - 1
        if behind >= len(rows):
            head = await reader.head(conn)
            if one.sequence > head:
                await _keep_foreign(conn, one.sequence, state.beyond(head))
            return
        if not await _same(conn, one.sequence, one.body, one.subject, rows[behind]):
            return


async def _same(conn: AsyncConnection, sequence: int, body: bytes, under: str, row: Sequence[Any]) -> bool:
    wrong = cloudevents.difference(body, under, row)
    if wrong is not None:
        await _keep_foreign(conn, sequence, wrong)
    return wrong is None


async def _keep_foreign(conn: AsyncConnection, sequence: int, wrong: str) -> None:
    if await state.keep_foreign(conn, sequence, wrong):
        log.warning("message %d of the stream %s: the log was asked instead", sequence, wrong)
