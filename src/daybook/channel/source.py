"""The events that continue a checkpoint: from JetStream, which is fast, or from the log, which is always right.

Positions are dense, so what the stream hands over either continues the checkpoint or shows a gap. A gap, a silent
stream, a foreign message, a wiped stream and a NATS that is down are one case: the missing events come from the log.
"""

import asyncio

from daybook.errors import CorruptLog, Unavailable
from daybook.events import Recorded
from daybook.log import reader
from daybook.postgres.pool import AsyncConnection
from daybook.stream import cloudevents
from daybook.stream.connection import Nats
from daybook.stream.feed import Delivered, Feed
from daybook.stream.jetstream import Stream

BATCH_EVENTS_MAX = 4000
"""A backlog in large batches: a group that changed several times is read, rendered and written once for all of them."""
ASK_SECONDS_MAX = 1.0
IDLE_SECONDS = 0.5
"""How long the stream may be silent before the log itself is asked."""


class Source:
    """One reader's source. Drops what was handed over before; never returns past a gap."""

    def __init__(self, nats: Nats) -> None:
        self._nats = nats
        self._feed: Feed | None = None

    async def next(self, conn: AsyncConnection, position: int, *, wait: bool) -> list[Recorded]:
        """The events behind `position`, in order; [] when there are none now. `wait`: give them a moment to come."""
        feed = await self._open(conn, position + 1)
        if feed is None:
            events = await self._from_log(conn, position)
            if not events and wait:
                await asyncio.sleep(IDLE_SECONDS / 2)
            return events
        # An idle reader asks the log now and then, in case the relay stands still.
        delivered = await feed.take(BATCH_EVENTS_MAX, IDLE_SECONDS if wait else 0.001)
        fresh = [one for one in delivered if one.sequence > position]
        events = _continued(fresh, position)
        if events and len(events) == len(fresh):
            return events
        events = await self._from_log(conn, position)
        if events or delivered:
            await self.drop()
        return events

    async def _from_log(self, conn: AsyncConnection, position: int) -> list[Recorded]:
        return [reader.recorded(row) for row in await reader.rows_after(conn, position, BATCH_EVENTS_MAX)]

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
        """Whether the stream's last message is the log's event of its number.

        Hazard: after Postgres was restored to an earlier moment the stream goes on where the checkpoint stands, with
        events that the log has never heard of. Whoever folds them has passed the positions of the true ones.
        """
        stream = Stream(self._nats)
        # A question that is under way while the server dies is answered by nobody: the log is asked instead.
        async with asyncio.timeout(ASK_SECONDS_MAX):
            last = await stream.last_sequence()
            body = await stream.message(last) if last else None
        if last is None or last > await reader.head(conn):
            return False
        rows = await reader.rows_after(conn, last - 1, 1) if body is not None else []
        if body is None or not rows:
            return True
        return cloudevents.event_id(body) == str(rows[0][1])

    async def drop(self) -> None:
        """Lets the consumer go; the next call opens another where it is needed."""
        if self._feed is not None:
            feed, self._feed = self._feed, None
            await feed.close()


def _continued(delivered: list[Delivered], position: int) -> list[Recorded]:
    """The events up to the first message that is not the next event."""
    events: list[Recorded] = []
    for one in delivered:
        if one.sequence != position + len(events) + 1:
            break
        try:
            recorded = cloudevents.decode(one.body)
        except CorruptLog:
            break
        if recorded.position != one.sequence:
            break
        events.append(recorded)
    return events
