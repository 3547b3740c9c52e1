"""Runs one projection live: whoever holds its lease takes a batch, folds it, and writes listings, checkpoint and due
deliveries in one transaction.

Start it on as many machines as you like. The lease says who works; its token and the checkpoint, both checked in the
transaction that writes, make sure that nobody else does, however long a former owner was paused.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from contextlib import suppress

import psycopg

from daybook.channel import QUERIES, leases
from daybook.channel.contract import Manifest
from daybook.channel.generations import live
from daybook.channel.leases import RENEW_SECONDS, Lease
from daybook.channel.session import Session
from daybook.channel.source import Source
from daybook.channel.store import Superseded
from daybook.errors import Unavailable
from daybook.ids import new_id
from daybook.postgres.pool import AsyncConnection, connect_async
from daybook.stream import bell
from daybook.stream.connection import Nats, heed_cancellation
from daybook.stream.subjects import wake_delivery

log = logging.getLogger("daybook.runner")

PAUSE_SECONDS_MIN, PAUSE_SECONDS_MAX = 0.05, 2.0
FAILED_SECONDS = 0.5
"""How soon it is tried again, at first, after something went wrong that nobody foresaw."""
STANDBY_SECONDS = 0.5
"""How often a runner that has to wait asks for the lease."""


class Runner:
    """One projection's live generation."""

    def __init__(self, manifest: Manifest, dsn: str, nats_url: str, due: Callable[[], None] | None = None) -> None:
        self._manifest = manifest
        self._dsn = dsn
        self._nats = Nats(nats_url, f"project {manifest.name}")
        self._source = Source(self._nats)
        self._due = due
        self._owner = new_id()
        self.position = 0
        self.leading = False
        """Whether this runner holds the lease."""

    async def run(self, stop: asyncio.Event) -> None:
        """Runs until `stop` is set. An outage is waited out; what the code itself raises is noted and tried again."""
        pause = PAUSE_SECONDS_MIN
        try:
            while not stop.is_set():
                before = self.position
                try:
                    await self._session(stop)
                except (Unavailable, Superseded, psycopg.OperationalError) as error:
                    log.warning("%s starts over: %s", self._manifest.name, error or type(error).__name__)
                except Exception:
                    log.exception("%s failed and starts over", self._manifest.name)
                    pause = max(pause, FAILED_SECONDS)
                self.leading = False
                await self._source.drop()
                if self.position > before:
                    pause = min(pause, PAUSE_SECONDS_MIN)
                await _wait(stop, pause * random.uniform(0.5, 1.0))
                pause = min(pause * 2, PAUSE_SECONDS_MAX)
        finally:
            await self._nats.close()

    async def _session(self, stop: asyncio.Event) -> None:
        async with await connect_async(self._dsn, f"project {self._manifest.name}") as conn:
            lease = await self._lease(conn, stop)
            if lease is None:
                return
            # The lease is waited for on the disk, what it protects is not: see the query.
            await conn.execute(QUERIES["commit_lazily"])
            generation, at = await live(conn, self._manifest)
            session = await Session.open(conn, self._manifest, generation, at, defer=True, lease=lease)
            self.leading, self.position = True, at.position
            try:
                await self._work(conn, session, lease, stop)
            finally:
                with suppress(psycopg.Error):
                    await leases.release(conn, lease)

    async def _lease(self, conn: AsyncConnection, stop: asyncio.Event) -> Lease | None:
        """The projection's lease, as soon as it is to be had; None when told to stop before."""
        while not stop.is_set():
            lease = await leases.acquire(conn, f"project:{self._manifest.name}", self._owner)
            if lease is not None:
                return lease
            await _wait(stop, STANDBY_SECONDS)
        return None

    async def _work(self, conn: AsyncConnection, session: Session, lease: Lease, stop: asyncio.Event) -> None:
        renewed = time.monotonic()
        while not stop.is_set():
            heed_cancellation()
            if time.monotonic() - renewed > RENEW_SECONDS:
                if not await leases.renew(conn, lease):
                    raise Superseded("another runner has the lease")
                renewed = time.monotonic()
            try:
                idle = session.at.reference_from is None
                events = await self._source.next(conn, session.position, wait=idle)
                due = await session.step(events)
            except (Unavailable, Superseded, psycopg.OperationalError):
                raise
            except Exception as error:
                await session.note(error)
                raise
            self.position = session.at.position
            if due:
                await self._ring()

    async def _ring(self) -> None:
        if self._due is not None:
            self._due()
        await bell.ring(self._nats, wake_delivery(self._manifest.name))


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
