"""One projection, run live: whoever holds its lease takes a batch, folds it, and writes listings, checkpoint and due
deliveries in one transaction.

Start it on as many machines as you like. The lease says who works; its token and the checkpoint, both checked in the
transaction that writes, make sure that nobody else does, however long a former owner was paused. A runner has no
connection and no loop of its own: see `process`.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress

import psycopg

from daybook.channel.contract import Manifest
from daybook.errors import Unavailable
from daybook.ids import new_id
from daybook.postgres.connections import Connections
from daybook.postgres.pool import AsyncConnection
from daybook.postgres.sessions import timeline_of
from daybook.postgres.turns import Turns
from daybook.projection import leases
from daybook.projection.beyond import CheckpointBeyond
from daybook.projection.generations import Generation, live
from daybook.projection.leases import Lease
from daybook.projection.session import DEFERRED_SECONDS_MAX, Session
from daybook.projection.source import BATCH_EVENTS_MAX
from daybook.projection.store import Superseded, note_failure
from daybook.projection.window import UNTOLD, Window

log = logging.getLogger("daybook.runner")

AWAY_SECONDS_MIN, AWAY_SECONDS_MAX = 0.5, 2.0
"""How long the lease is left to others after something went wrong that nobody foresaw."""
SUPERSEDED_SECONDS = 0.05
TIMER_SECONDS = 0.01
"""More than a timer is ever early."""


class Runner:
    """One projection's live generation. `due` is called when deliveries came due, `moved` after each batch."""

    def __init__(
        self,
        manifest: Manifest,
        connections: Connections,
        window: Window,
        due: Callable[[str], None],
        moved: Callable[[], None],
    ) -> None:
        self._manifest = manifest
        self._connections = connections
        self._window = window
        self._due = due
        self._moved = moved
        self._session: Session | None = None
        self.owner = new_id()
        self.lease: Lease | None = None
        self.asks_from = 0.0
        """When it may ask for the lease."""
        self.generation: Generation | None = None
        """The one that it works on, while it does."""
        self.position = 0
        self._server = UNTOLD
        """With which the session was opened."""
        self._away = AWAY_SECONDS_MIN
        self._comes_back = 0.0
        """When a timer starts it, in the loop's time."""
        self.turns = Turns(f"{manifest.name}'s projection", self._turn, lambda: None)
        self._ending = False
        self._fields = {"channel": manifest.name}
        """Of its lines in the log."""
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def lease_name(self) -> str:
        """What its lease is called."""
        return f"project:{self._manifest.name}"

    @property
    def leading(self) -> bool:
        """Whether it holds the lease and works."""
        return self.lease is not None and self._session is not None

    @property
    def wants_lease(self) -> bool:
        """Whether it is to be asked for, or held for longer."""
        return not self._ending and time.monotonic() >= self.asks_from

    def given(self, lease: Lease | None) -> None:
        """What came of asking for the lease."""
        if lease != self.lease:
            if self.lease is not None:
                log.warning("%s starts over: another runner had the lease", self._manifest.name, extra=self._fields)
            self.lease = lease
            self.start_over()

    def start_over(self) -> None:
        """What it knows of the generation is read again before it goes on."""
        self._session, self.generation = None, None
        self.turns.start()

    def end(self) -> None:
        """Has it let the lease go after the batch that is under way, and end."""
        if not self._ending:
            self._ending = True
            self.turns.start()

    async def close(self) -> None:
        """Cuts it off."""
        await self.turns.cancel()
        if not self.ended.done():
            self.ended.set_result(None)

    async def _turn(self) -> bool:
        """One batch. True when there is more to do."""
        if self._ending:
            await self._end()
            return False
        lease = self.lease
        if lease is None or self._can_wait():
            return False
        try:
            async with self._connections.one() as conn:
                more, due = await self._guarded(conn, lease)
        except Superseded as error:
            log.warning("%s starts over: %s", self._manifest.name, error, extra=self._fields)
            await asyncio.sleep(SUPERSEDED_SECONDS)
            return self.lease is not None
        if due:
            self._due(self._manifest.name)
        self._moved()
        return more

    def _can_wait(self) -> bool:
        """Whether nothing has to be written now, so that no connection is needed."""
        if self._session is None:
            return False
        events = self._window.after(self._session.position, BATCH_EVENTS_MAX, self._server)
        if events is None or not self._session.can_wait(events):
            return False
        self._come_back()
        return True

    def _come_back(self) -> None:
        """Has what was put off written in a moment, by one timer however often it is said."""
        loop = asyncio.get_running_loop()
        if self._session is not None and self._session.put_off and loop.time() > self._comes_back - TIMER_SECONDS:
            self._comes_back = loop.time() + DEFERRED_SECONDS_MAX + TIMER_SECONDS
            loop.call_at(self._comes_back, self.turns.start)

    async def _guarded(self, conn: AsyncConnection, lease: Lease) -> tuple[bool, bool]:
        """A step. What goes wrong is written down, and the next one begins from what is written."""
        try:
            return await self._step(conn, lease)
        except (Unavailable, Superseded, psycopg.OperationalError):
            self._session, self.generation = None, None
            raise
        except Exception as error:
            if self._session is not None:
                await self._session.note(error)
            self._session, self.generation = None, None
            await self._leave(conn, lease)
            if isinstance(error, CheckpointBeyond):
                log.warning("%s starts over: %s", self._manifest.name, error, extra=self._fields)
            else:
                log.exception("%s failed and starts over", self._manifest.name, extra=self._fields)
            return False, False

    async def _step(self, conn: AsyncConnection, lease: Lease) -> tuple[bool, bool]:
        """(whether there is more to do, whether something came due)"""
        if self._server != timeline_of(conn):
            # Another server: what was put off and not written yet may rest on events that its log does not have.
            self._session, self._server = None, timeline_of(conn)
        session = self._session = self._session or await self._open(conn, lease)
        session.use(conn)
        events = self._window.after(session.position, BATCH_EVENTS_MAX, self._server)
        if events is not None:
            behind, due = False, await session.step(events)
        else:
            found = await session.reading.after(conn, session.position, BATCH_EVENTS_MAX)
            behind, due = found.more, await session.step(found.events, found.upto)
        self.position, self._away = session.at.position, AWAY_SECONDS_MIN
        self._come_back()
        behind = behind or (self._window.end or 0) > session.position
        return behind or session.at.reference_from is not None, due

    async def _open(self, conn: AsyncConnection, lease: Lease) -> Session:
        generation, at = await live(conn, self._manifest)
        try:
            session = await Session.open(conn, self._manifest, generation, at, defer=True, lease=lease)
        except CheckpointBeyond as error:
            await note_failure(conn, generation, {"error": error.message, "after_position": at.position})
            raise
        self.generation, self.position = generation, at.position
        log.info("%s runs here from position %d on", self._manifest.name, at.position, extra=self._fields)
        return session

    async def _leave(self, conn: AsyncConnection, lease: Lease) -> None:
        """Leaves the lease to others for a moment: where they run, it may work."""
        self.lease, self.asks_from = None, time.monotonic() + self._away
        self._away = min(self._away * 2, AWAY_SECONDS_MAX)
        with suppress(psycopg.Error):
            await leases.release(conn, lease)

    async def _end(self) -> None:
        lease, self.lease, self._session, self.generation = self.lease, None, None, None
        if lease is not None:
            with suppress(psycopg.Error, Unavailable):
                async with self._connections.one() as conn:
                    await leases.release(conn, lease)
        if not self.ended.done():
            self.ended.set_result(None)
