"""Publishes event n of the log as message n of the stream, and resumes from what the stream itself says.

There is no relay state. After a start, and after any error, the relay asks the stream for its last sequence and goes on
with the next position: so a lost tail, a wiped stream, a lost answer and a second relay are all the same case. How the
stream is doing is kept in Postgres for people; the relay never reads that.
"""

import asyncio
import logging
import random
import time
from collections.abc import Sequence

import psycopg

from daybook.errors import DaybookError, StreamAhead, Unavailable
from daybook.limits import MESSAGE_BYTES_MAX
from daybook.log import reader
from daybook.postgres.pool import AsyncConnection, connect_async
from daybook.postgres.sessions import learn, timeline_of
from daybook.relay.mending import Mending
from daybook.stream import cloudevents, state, witness
from daybook.stream.bell import Listener
from daybook.stream.connection import Nats, heed_cancellation
from daybook.stream.jetstream import (
    BATCH_MESSAGES_MAX,
    LostTheFence,
    Message,
    MessageTooLarge,
    Stream,
    StreamInfo,
    StreamRefused,
)
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
        self._mending = Mending()
        self._progressed = False
        self._missing = False
        self._publishing = False
        self._said = ""
        self.published = 0
        """The last sequence that this relay knows to be in the stream."""

    async def run(self, stop: asyncio.Event) -> None:
        """Publishes until `stop` is set. Raises StreamAhead when the stream has what the log has not."""
        pause = PAUSE_SECONDS_MIN
        try:
            while not stop.is_set():
                self._progressed = False
                try:
                    async with await connect_async(self._dsn, "relay") as conn:
                        await self._told(conn, stop)
                except (Unavailable, LostTheFence, StreamRefused, MessageTooLarge, psycopg.OperationalError) as error:
                    self._log(error)
                    pause = PAUSE_SECONDS_MIN if self._progressed else min(pause * 2, PAUSE_SECONDS_MAX)
                    await _wait(stop, pause * random.uniform(0.5, 1.0))
        finally:
            await self._nats.close()

    def _log(self, error: Exception) -> None:
        """The same again and again is said once."""
        level = logging.DEBUG if str(error) == self._said else logging.WARNING
        log.log(level, "the relay starts over: %s", error)
        self._said = str(error)

    async def _told(self, conn: AsyncConnection, stop: asyncio.Event) -> None:
        """A session. What ends it is kept where people look."""
        try:
            await self._session(conn, stop)
        except (Unavailable, LostTheFence, StreamRefused, MessageTooLarge, StreamAhead) as error:
            if isinstance(error, MessageTooLarge):
                await self._nats.close()  # a limit that was raised is told to a new connection
            if not self._publishing:
                self._mending.forget()  # the server could not even be asked: that is an outage, and ends by itself
            await state.keep_trouble(conn, "missing" if self._missing else "stuck", error.message, self.published)
            raise

    async def _session(self, conn: AsyncConnection, stop: asyncio.Event) -> None:
        self._missing = self._publishing = False
        if not self._nats.connected:
            await self._nats.close()
            await self._nats.open()
            await self._bell.listen(self._nats, wake_log())
            self._warn_of_small_messages()
        self.published = await self._resume(conn)
        looked = 0.0
        while not stop.is_set():
            heed_cancellation()
            rows = await reader.page_after(conn, self.published, BATCH_MESSAGES_MAX)
            if rows:
                messages = [Message(subject(row[4], row[6]), cloudevents.encode(row)) for row in rows]
                self.published = await self._publish(messages)
            due = time.monotonic() - looked > LOOK_SECONDS
            if due:
                looked = time.monotonic()
                await state.keep_published(conn, self.published)
            if rows:
                continue
            await self._bell.wait(POLL_SECONDS)
            if not self._nats.connected:
                raise Unavailable("the connection to NATS broke")
            if due:
                await self._look(conn)

    async def _look(self, conn: AsyncConnection) -> None:
        info = await self._stream.info()
        if info is None or info.last != self.published:
            raise LostTheFence("the stream is not where this relay left it: it was removed or cut")
        await self._testify(conn, info)

    async def _publish(self, messages: Sequence[Message]) -> int:
        self._publishing = True
        try:
            last = await self._stream.publish(messages, self.published)
        except DaybookError as error:
            self._mending.failed(self.published, error)
            raise
        self._publishing, self._progressed = False, True
        return last

    def _warn_of_small_messages(self) -> None:
        if not self._stream.takes_every_event:
            log.warning(
                "the NATS server takes messages of at most %d bytes, and an event may need %d: set max_payload to that "
                "or more in its configuration, or the stream stops at the first event that is larger",
                self._nats.client.max_payload,
                MESSAGE_BYTES_MAX,
            )

    async def _resume(self, conn: AsyncConnection) -> int:
        info = await self._stream.info()
        head = await reader.head(conn)  # asked last: what another relay published meanwhile is in the log before
        self._missing = info is None
        if info is None:
            return await self._make(conn, head)
        await self._testify(conn, info)
        if info.last > head:
            await state.keep_foreign(conn, head + 1, state.beyond(head))
            raise StreamAhead(
                f"the stream is at sequence {info.last}, the log at position {head}: a standby was promoted that "
                "lacked the newest events, the log was restored to an earlier moment, this is another log's stream, or "
                f"somebody else published to it. Nothing is published until {state.FAILOVER}",
                stream=info.last,
                log=head,
            )
        await self._check_same(conn, info.last)
        await self._testify(conn, info, adopt=True)
        if self._mending.due(info.last):
            await self._stream.delete()
            return await self._make(conn, head)
        await self._keep_replicas(conn, info.replicas)
        await state.keep_sizes(conn, info.bytes_max, self._nats.client.max_payload)
        return info.last

    async def _testify(self, conn: AsyncConnection, info: StreamInfo, *, adopt: bool = False) -> None:
        """Writes on the stream which primary this is, before anything is published from it: see `stream.witness`.

        Raises psycopg.OperationalError on an old one. `adopt`: the stream is this log's, whichever cluster filled it.
        """
        seen, own = witness.parsed(info.metadata), timeline_of(conn)
        if seen is not None and own.before(seen):
            learn(seen)
            await conn.execute("SELECT 1")  # which refuses by itself now
        news = seen is None or seen.system != own.system if adopt else seen is not None and seen.before(own)
        if own.number and news:
            try:
                await self._stream.write_metadata(witness.spelled(own))
            except Unavailable as error:  # a user that may not: then the stream is no witness, and all else goes on
                self._log(error)

    async def _keep_replicas(self, conn: AsyncConnection, found: int) -> None:
        """On as many servers as the settings say; as it is when they say nothing, which the next stream then gets too.

        A cluster that can't, as one of its servers is away, is told and goes on with what it has.
        """
        wanted = self._nats.servers.replicas
        if wanted is not None and wanted != found:
            try:
                await self._stream.replicate(wanted)
                log.warning("the stream is now kept on %d servers, after %d", wanted, found)
                found = wanted
            except Unavailable as error:
                self._log(error)
        await state.keep_replicas(conn, found)

    async def _make(self, conn: AsyncConnection, head: int) -> int:
        first = max(1, head - REPLAYED_EVENTS_MAX + 1)
        self._missing, self.published = True, first - 1
        replicas = self._nats.servers.replicas or await state.replicas(conn)
        size = await self._stream.create(first, replicas, witness.spelled(timeline_of(conn)))
        self._missing = False
        log.warning("made the stream, to begin with position %d, of at most %d MiB", first, size // 2**20)
        await state.keep_sizes(conn, size, self._nats.client.max_payload)
        await state.keep_replicas(conn, replicas)
        await state.forget_foreign(conn)
        return first - 1

    async def _check_same(self, conn: AsyncConnection, last: int) -> None:
        """The stream's last message must be the log's event of that position: else the two have parted."""
        message = await self._stream.stored(last) if last else None
        rows = await reader.rows_after(conn, last - 1, 1) if message is not None else []
        if message is None or not rows:
            return
        wrong = cloudevents.difference(message.body, message.subject, rows[0])
        if wrong is not None:
            await state.keep_foreign(conn, last, wrong)
            raise StreamAhead(
                f"message {last} of the stream {wrong}: the log and the stream have parted (a promoted standby that "
                "lacked events, a restored log, or somebody else published to it). Nothing is published until "
                f"{state.FAILOVER}",
                stream=last,
            )


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        pass
