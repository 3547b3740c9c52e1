"""Publishes event n of the log as message n of the stream, and resumes from what the stream itself says.

There is no relay state. After a start, and after any error, the relay asks the stream for its last sequence and goes on
with the next position: so a lost tail, a wiped stream, a lost answer and a second relay are all the same case.
"""

import asyncio
import logging
import random
import time

import psycopg

from daybook.errors import StreamAhead, Unavailable
from daybook.log import reader
from daybook.postgres.pool import AsyncConnection, connect_async
from daybook.stream import cloudevents
from daybook.stream.bell import Listener
from daybook.stream.connection import Nats, heed_cancellation
from daybook.stream.jetstream import BATCH_MESSAGES_MAX, LostTheFence, Message, Stream
from daybook.stream.subjects import subject, wake_log

log = logging.getLogger("daybook.relay")

POLL_SECONDS = 0.1
"""How late an event may be when the bell was missed."""
LOOK_SECONDS = 1.0
"""How often an idle relay looks whether the stream is still as it left it; a busy one is told by the fence."""
PAUSE_SECONDS_MIN, PAUSE_SECONDS_MAX = 0.05, 2.0
REPLAYED_EVENTS_MAX = 200_000
"""A new stream begins so many events before the head; older ones are read from Postgres by whoever still needs them."""


class Relay:
    """One relay. Several may run: the fence lets one through at a time, the others only waste work."""

    def __init__(self, dsn: str, nats_url: str) -> None:
        self._dsn = dsn
        self._nats = Nats(nats_url, "relay")
        self._stream = Stream(self._nats)
        self._bell = Listener()
        self._progressed = False
        self.published = 0
        """The last sequence that this relay knows to be in the stream."""

    async def run(self, stop: asyncio.Event) -> None:
        """Publishes until `stop` is set. Raises StreamAhead when the stream has what the log has not."""
        pause = PAUSE_SECONDS_MIN
        try:
            while not stop.is_set():
                self._progressed = False
                try:
                    await self._session(stop)
                except (Unavailable, LostTheFence, psycopg.OperationalError) as error:
                    log.warning("the relay starts over: %s", error)
                    pause = PAUSE_SECONDS_MIN if self._progressed else min(pause * 2, PAUSE_SECONDS_MAX)
                    await _wait(stop, pause * random.uniform(0.5, 1.0))
        finally:
            await self._nats.close()

    async def _session(self, stop: asyncio.Event) -> None:
        if not self._nats.connected:
            await self._nats.close()
            await self._nats.open()
            await self._bell.listen(self._nats, wake_log())
        async with await connect_async(self._dsn, "relay") as conn:
            self.published = await self._resume(conn)
            looked = time.monotonic()
            while not stop.is_set():
                heed_cancellation()
                rows = await reader.rows_after(conn, self.published, BATCH_MESSAGES_MAX)
                if rows:
                    messages = [Message(subject(row[4], row[6]), cloudevents.encode(row)) for row in rows]
                    self.published = await self._stream.publish(messages, self.published)
                    self._progressed = True
                    continue
                await self._bell.wait(POLL_SECONDS)
                if not self._nats.connected:
                    raise Unavailable("the connection to NATS broke")
                if time.monotonic() - looked > LOOK_SECONDS:
                    looked = time.monotonic()
                    if await self._stream.last_sequence() != self.published:
                        raise LostTheFence("the stream is not where this relay left it: it was removed or cut")

    async def _resume(self, conn: AsyncConnection) -> int:
        head = await reader.head(conn)
        last = await self._stream.last_sequence()
        if last is None:
            first = max(1, head - REPLAYED_EVENTS_MAX + 1)
            log.warning("there is no stream: making it, to begin with position %d", first)
            await self._stream.create(first)
            return first - 1
        if last > head:
            raise StreamAhead(
                f"the stream is at sequence {last}, the log at position {head}: the log was restored to an earlier "
                "moment, or this is another log's stream. Nothing is published until `daybook stream reset` removes "
                "the stream; then it is filled again from the log",
                stream=last,
                log=head,
            )
        await self._check_same(conn, last)
        return last

    async def _check_same(self, conn: AsyncConnection, last: int) -> None:
        """The stream's last message must be the log's event of that position: else the two have parted."""
        body = await self._stream.message(last) if last else None
        rows = await reader.rows_after(conn, last - 1, 1) if body is not None else []
        if body is None or not rows:
            return
        there = cloudevents.event_id(body)
        if there != rows[0][1]:
            raise StreamAhead(
                f"message {last} of the stream is event {there}, but position {last} of the log is event {rows[0][1]}: "
                "they have parted (a restored log, or a foreign writer). Run `daybook stream reset`",
                stream=last,
            )


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        pass
