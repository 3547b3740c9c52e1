"""Reads the inbox's stream from where Postgres says, hands pages on, and lets go of what was decided on.

One process takes; the others wait until its connection to Postgres is gone. There are no acknowledgements: a consumer
with them would hand later messages out before earlier ones after a crash.
"""

import asyncio
import logging
from contextlib import suppress
from datetime import datetime

import msgspec

from daybook.errors import DaybookError, Unavailable
from daybook.inbox.store import InboxStore
from daybook.inbox.taker import Answered, InboxTaker
from daybook.postgres.pool import connect_async, reachable
from daybook.stream.connection import Nats
from daybook.stream.feed import Feed
from daybook.stream.inbox import InboxStream

log = logging.getLogger("daybook.inbox")

PAGE = 500
LISTENED_SECONDS = 1.0
AGAIN_SECONDS = 1.0
OPENED_SECONDS = 0.2
"""How often it is looked whether NATS is there."""
PURGE_EVERY = 10_000
TURN = 0x64617969  # 'dayi'


class InboxReader:
    """The work of the role `intake` for the inbox. Outages of Postgres and NATS are waited out."""

    def __init__(self, dsn: str, nats_url: str, store: InboxStore, taker: InboxTaker) -> None:
        self._dsn = dsn
        self._nats = Nats(nats_url, "intake")
        self._inbox = InboxStream(self._nats)
        self._store = store
        self._taker = taker
        self._purged = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set; the page that is under way is finished."""
        try:
            while not stop.is_set():
                try:
                    await self._take_turn(stop)
                except DaybookError as error:
                    log.warning("the inbox is not read at present: %s", error)
                    await _pause(stop, AGAIN_SECONDS)
        finally:
            await self._nats.close()
            await asyncio.to_thread(self._taker.close)

    async def _take_turn(self, stop: asyncio.Event) -> None:
        async with await connect_async(self._dsn, "inbox") as conn:
            while not stop.is_set():
                with reachable():
                    mine = await (await conn.execute("SELECT pg_try_advisory_lock(%s)", (TURN,))).fetchone()
                if mine == (True,):
                    break
                await _pause(stop, AGAIN_SECONDS)
            while not self._nats.ready() and not stop.is_set():  # it opens by itself, and again after a break
                await _pause(stop, OPENED_SECONDS)
            if stop.is_set():
                return
            made, first = await self._stream()
            feed = await self._inbox.open(first)
            try:
                while not stop.is_set() and feed.alive:
                    with reachable():
                        await conn.execute("SELECT 1")  # the turn ends with the connection
                    await self._read(feed, made)
            finally:
                await feed.close()

    async def _read(self, feed: Feed, made: datetime) -> None:
        page = await feed.take(PAGE, LISTENED_SECONDS)
        if page:
            answers = await asyncio.to_thread(self._taker.take, page)
            last = page[-1].sequence
            await asyncio.to_thread(self._store.move, made, last)
            await self._answer(answers)
            await self._let_go(last)
        else:
            _, last = await asyncio.to_thread(self._store.position)
            await asyncio.to_thread(self._store.move, made, last)

    async def _answer(self, answers: list[Answered]) -> None:
        for subject, answer in answers:
            with suppress(Unavailable):  # who sent it may send it again: it is known then
                await self._inbox.answer(subject, msgspec.json.encode(answer))

    async def _let_go(self, last: int) -> None:
        """What was decided on makes room, now and then."""
        if last - self._purged < PURGE_EVERY:
            return
        self._purged = last
        with suppress(Unavailable):
            await self._inbox.purge(last)
        await asyncio.to_thread(self._store.forget)

    async def _stream(self) -> tuple[datetime, int]:
        """When the stream was made, and from which message on it is to be read. It is made when it is not there."""
        made, last = await self._inbox.info()
        before, position = await asyncio.to_thread(self._store.position)
        if before == made and position <= last:
            return made, position + 1
        if before is not None:
            log.warning(
                "the inbox's stream is another one than before: it is read from its beginning, each message once"
            )
        await asyncio.to_thread(self._store.move, made, 0)
        return made, 1


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
