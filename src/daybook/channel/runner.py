"""Runs one projection: take a batch, fold it, write listings, checkpoint and due deliveries in one transaction.

Events come from JetStream. The checkpoint is in Postgres; positions are dense, so a batch either continues it or shows
a gap. A gap, a silent stream, a wiped stream and a NATS that is down are one case: the missing events are read from the
log. The stream is only the fast way.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from contextlib import suppress

import psycopg

from daybook.catalogue.reference import EMPTY, fold_reference
from daybook.channel import QUERIES
from daybook.channel.contract import Manifest
from daybook.channel.folding import Batch, Folder, ProjectionFailed
from daybook.channel.generations import Checkpoint, live
from daybook.channel.receipts import Settlement
from daybook.channel.store import Store, Superseded
from daybook.errors import CorruptLog, Unavailable
from daybook.events import ListingAccepted, ListingConfirmed, ListingRejected, Recorded
from daybook.events.envelope import REFERENCE_KEY
from daybook.log import reader
from daybook.postgres.pool import AsyncConnection, connect_async
from daybook.stream import bell, cloudevents
from daybook.stream.connection import Nats
from daybook.stream.feed import Feed
from daybook.stream.subjects import wake_delivery

log = logging.getLogger("daybook.runner")

BATCH_EVENTS_MAX = 1000
CATCH_UP_EVENTS = BATCH_EVENTS_MAX
"""A batch this large is catching up: groups are rendered once for the batch, not once for each command."""
AGAIN_GROUPS_MAX = 200
IDLE_SECONDS = 0.5
"""How long the stream may be silent before the log itself is asked."""
PAUSE_SECONDS_MIN, PAUSE_SECONDS_MAX = 0.05, 2.0
FAILED_SECONDS = 0.5
"""How soon a batch that the channel's own code failed on is tried again, at first."""


class Runner:
    """One projection's live generation. Of several by mistake, the checkpoint lets one write; the rest start over."""

    def __init__(self, manifest: Manifest, dsn: str, nats_url: str, due: Callable[[], None] | None = None) -> None:
        self._manifest = manifest
        self._dsn = dsn
        self._nats = Nats(nats_url, f"project {manifest.name}")
        self._feed: Feed | None = None
        self._due = due
        self.position = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Runs until `stop` is set. An outage is waited out; what the code itself raises is noted and tried again."""
        try:
            await self._sessions(stop)
        finally:
            await self._nats.close()

    async def _sessions(self, stop: asyncio.Event) -> None:
        pause = PAUSE_SECONDS_MIN
        while not stop.is_set():
            before = self.position
            try:
                await self._session(stop)
            except (Unavailable, Superseded, psycopg.OperationalError) as error:
                log.warning("%s starts over: %s", self._manifest.name, error or type(error).__name__)
            except Exception:
                log.exception("%s failed and starts over", self._manifest.name)
                pause = max(pause, FAILED_SECONDS)
            await self._drop_feed()
            if self.position > before:
                pause = min(pause, PAUSE_SECONDS_MIN)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause * random.uniform(0.5, 1.0)):
                    await stop.wait()
            pause = min(pause * 2, PAUSE_SECONDS_MAX)

    async def _session(self, stop: asyncio.Event) -> None:
        async with await connect_async(self._dsn, f"project {self._manifest.name}") as conn:
            await conn.execute(QUERIES["commit_lazily"])
            generation, at = await live(conn, self._manifest)
            self.position = at.position
            reference = EMPTY
            reference_position = 0
            for one in await reader.of_key(conn, REFERENCE_KEY, at.position):
                reference, reference_position = fold_reference(reference, one.event), one.position
            session = _Session(
                self._manifest, Store(conn, self._manifest, generation), Folder(self._manifest, reference)
            )
            session.at, session.reference_position = at, reference_position
            while not stop.is_set():
                try:
                    events = await self._next(conn, at.position, wait=at.reference_from is None)
                    due = await session.step(events)
                except (Unavailable, Superseded, psycopg.OperationalError):
                    raise
                except Exception as error:
                    await session.note(error)
                    raise
                at, self.position = session.at, session.at.position
                if due:
                    await self._ring()

    async def _ring(self) -> None:
        if self._due is not None:
            self._due()
        await bell.ring(self._nats, wake_delivery(self._manifest.name))

    async def _next(self, conn: AsyncConnection, position: int, *, wait: bool) -> list[Recorded]:
        """The events that continue the checkpoint; [] when there are none. Never returns past a gap."""
        feed = await self._open_feed(position + 1)
        if feed is None:
            rows = await reader.rows_after(conn, position, BATCH_EVENTS_MAX)
            if not rows and wait:
                await asyncio.sleep(IDLE_SECONDS / 2)
            return [reader.recorded(row) for row in rows]
        # An idle runner asks the log now and then, in case the relay stands still.
        delivered = await feed.take(BATCH_EVENTS_MAX, IDLE_SECONDS if wait else 0.001)
        events: list[Recorded] = []
        for one in delivered:
            if one.sequence <= position:
                continue
            if one.sequence != position + len(events) + 1:
                break
            try:
                recorded = cloudevents.decode(one.body)
            except CorruptLog:
                break
            if recorded.position != one.sequence:
                break
            events.append(recorded)
        if len(events) == len([one for one in delivered if one.sequence > position]) and events:
            return events
        # A gap, a foreign message, or silence: the log knows. The feed starts again behind what it gave.
        rows = await reader.rows_after(conn, position, BATCH_EVENTS_MAX)
        if rows or delivered:
            await self._drop_feed()
        return [reader.recorded(row) for row in rows]

    async def _open_feed(self, sequence: int) -> Feed | None:
        if self._feed is not None and self._feed.alive:
            return self._feed
        await self._drop_feed()
        try:
            if not self._nats.ready():
                return None
            feed = Feed(self._nats)
            await feed.open(sequence)
        except Unavailable:
            return None
        self._feed = feed
        return feed

    async def _drop_feed(self) -> None:
        if self._feed is not None:
            feed, self._feed = self._feed, None
            await feed.close()


class _Session:
    """One connection's worth of work: the checkpoint as it was last written, and the reference of that moment."""

    def __init__(self, manifest: Manifest, store: Store, folder: Folder) -> None:
        self._manifest = manifest
        self._store = store
        self._folder = folder
        self.at = Checkpoint(0, None)
        self.reference_position = 0

    async def step(self, events: Sequence[Recorded]) -> bool:
        """One batch of events, then one batch of groups that the reference touches. True when something came due."""
        due = False
        if events:
            due = await self._fold(events)
        if self.at.reference_from is not None:
            due = await self._again(self.at.reference_from) or due
        elif not events:
            await self._store.beat()
        return due

    async def _fold(self, events: Sequence[Recorded]) -> bool:
        # The stream hands over what has arrived, the log a page: both may end inside a command. A command is whole or
        # absent, on the channels too: a new product must not be there for a moment without its stock.
        while True:
            keys = list(dict.fromkeys(one.key for one in events if one.key != REFERENCE_KEY))
            states, listed, rest = await self._store.groups(keys, events[-1])
            if not rest:
                break
            events = [*events, *rest]
        batch = self._folder.fold(events, states, listed, each_command=len(events) < CATCH_UP_EVENTS)
        begun = "" if batch.reference_position else self.at.reference_from
        return await self._save(batch, Checkpoint(events[-1].position, begun), self._receipts(events))

    async def _again(self, key: str) -> bool:
        states, listed = await self._store.groups_after(key, AGAIN_GROUPS_MAX)
        batch = self._folder.again(states.items(), listed, self.reference_position)
        done = len(states) < AGAIN_GROUPS_MAX
        return await self._save(batch, Checkpoint(self.at.position, None if done else list(states)[-1]))

    async def _save(self, batch: Batch, now: Checkpoint, receipts: Sequence[Settlement] = ()) -> bool:
        due = await self._store.save(batch, self.at, now, receipts)
        self.at = now
        self.reference_position = batch.reference_position or self.reference_position
        return due

    def _receipts(self, events: Sequence[Recorded]) -> list[Settlement]:
        mine = self._manifest.name
        return [
            Settlement(one.position, one.key, one.event)
            for one in events
            if isinstance(one.event, ListingAccepted | ListingConfirmed | ListingRejected) and one.event.channel == mine
        ]

    async def note(self, error: Exception) -> None:
        """Keeps what went wrong where people look, also when this process dies of it."""
        where = error.details if isinstance(error, ProjectionFailed) else {}
        with suppress(psycopg.Error):
            await self._store.note_failure(
                {
                    "error": f"{type(error).__name__}: {error}",
                    "after_position": self.at.position,
                    "position": where.get("position"),
                    "sku": where.get("sku"),
                }
            )
