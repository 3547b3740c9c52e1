"""All projections that one process runs, on a handful of connections and tasks, however many projections there are.

One statement asks for their leases and holds them; the events are read once for all; a projection costs a task only
while there is something to fold for it.
"""

import asyncio
import logging
import random
import time
from contextlib import suppress

import psycopg

from daybook.channel.contract import Manifest, Reads
from daybook.errors import Unavailable
from daybook.log import reader
from daybook.postgres.connections import Connections
from daybook.postgres.pool import AsyncConnection, connect_async
from daybook.postgres.sessions import timeline_of
from daybook.projection import leases
from daybook.projection.leases import RENEW_SECONDS
from daybook.projection.reading import any_takes
from daybook.projection.runner import Runner
from daybook.projection.source import Source
from daybook.projection.store import beat_all
from daybook.projection.window import Window
from daybook.stream import bell
from daybook.stream.connection import Nats, heed_cancellation
from daybook.stream.subjects import wake_delivery

log = logging.getLogger("daybook.runner")

CONNECTIONS = 3
"""At least two, so that one projection that waits for a lock holds up no other."""
STANDBY_SECONDS = 0.5
"""How often a lease that somebody else holds is asked for."""
BEAT_SECONDS = 2.0
"""How often it is said of the projections that they live and have nothing to do."""
STOP_SECONDS_MAX = 10.0


class ProjectionProcess:
    """Runs the projections that are added, until they are ended. Runs once."""

    def __init__(self, dsn: str, nats_url: str) -> None:
        self._dsn = dsn
        self._nats = Nats(nats_url, "project")
        self._source = Source(self._nats)
        self._window = Window()
        self._by_reads: dict[Reads, Manifest] = {}
        self._takes = any_takes(())
        """What is decoded: another one whenever a projection comes that reads something else."""
        # Listings, checkpoint and due deliveries are of one transaction: when Postgres dies before it is on the disk,
        # all of it is computed again from the log. A claim waits for the disk, and with it goes everything that was
        # committed before: so nothing is ever sent for a row that could be lost.
        self._connections = Connections(dsn, "project", CONNECTIONS, lazily=True)
        self._runners: dict[str, Runner] = {}
        self._added = asyncio.Event()
        self._moved = asyncio.Event()
        self._ringing: set[str] = set()
        self._ring = asyncio.Event()

    def add(self, manifest: Manifest) -> Runner:
        """Begins to run a projection, which must not be running here."""
        one = Runner(manifest, self._connections, self._window, self._came_due, self._moved.set)
        self._runners[manifest.name] = one
        if manifest.reads not in self._by_reads:
            self._by_reads[manifest.reads] = manifest
            self._takes = any_takes(self._by_reads.values())
            self._window.close()  # in it is only what the others read

        def gone(_: "asyncio.Future[None]") -> None:
            if self._runners.get(manifest.name) is one:
                del self._runners[manifest.name]

        one.ended.add_done_callback(gone)
        self._added.set()
        return one

    async def run(self, stop: asyncio.Event) -> None:
        """Runs until `stop` is set, then lets every projection finish its batch. An outage is waited out."""
        tasks = [asyncio.create_task(one) for one in (self._leases(), self._reads(), self._rings())]
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
            ending = list(self._runners.values())
            for one in ending:
                one.end()
            if ending and stop.is_set():
                await asyncio.wait([one.ended for one in ending], timeout=STOP_SECONDS_MAX)
        finally:
            for task in (stopping, *tasks):
                task.cancel()
            await asyncio.gather(stopping, *tasks, return_exceptions=True)
            for one in list(self._runners.values()):
                await one.close()
            await self._source.drop()
            await self._connections.close()
            await self._nats.close()
        for task in tasks:
            if not task.cancelled() and (error := task.exception()):
                raise error

    async def _leases(self) -> None:
        """Asks for leases, and holds those that it has."""
        while True:
            try:
                async with await connect_async(self._dsn, "leases") as conn:
                    await conn.execute("SET lock_timeout = '500ms'")  # it waits for nobody: see the delivery's leases
                    renewed = beaten = 0.0
                    while True:
                        self._added.clear()
                        now = time.monotonic()
                        hold = now - renewed > RENEW_SECONDS
                        renewed = now if hold else renewed
                        await self._take(conn, hold)
                        if now - beaten > BEAT_SECONDS:
                            beaten = now
                            idle = [one.generation for one in self._runners.values() if not one.turns.running]
                            await beat_all(conn, [one for one in idle if one is not None])
                        with suppress(TimeoutError):
                            async with asyncio.timeout(STANDBY_SECONDS):
                                await self._added.wait()
            except (psycopg.OperationalError, Unavailable) as error:
                log.warning("leases can't be asked for, which is tried again: %s", error)
            except Exception:
                log.exception("asking for leases failed and is tried again")
            await asyncio.sleep(random.uniform(0.05, 0.25))

    async def _take(self, conn: AsyncConnection, hold: bool) -> None:
        asked = [one for one in self._runners.values() if one.wants_lease and (hold or one.lease is None)]
        if asked:
            had = await leases.take(conn, {one.lease_name: one.owner for one in asked})
            for one in asked:
                if one.wants_lease:
                    one.given(had.get(one.lease_name))

    async def _reads(self) -> None:
        """Reads the events behind the newest checkpoint, once for all."""
        while True:
            try:
                async with await connect_async(self._dsn, "feed") as conn:
                    while True:
                        heed_cancellation()
                        await self._read(conn)
            except (psycopg.OperationalError, Unavailable) as error:
                log.warning("the events can't be read, which is tried again: %s", error)
            except Exception:
                log.exception("reading the events failed and is tried again")
            # Who answers when it is back may have another log: every checkpoint is compared with it again.
            self._window.close()
            await self._source.drop()
            for one in self._runners.values():
                one.start_over()
            await asyncio.sleep(random.uniform(0.05, 0.25))

    async def _read(self, conn: AsyncConnection) -> None:
        leading = [one.position for one in self._runners.values() if one.leading]
        self._moved.clear()
        if not leading:
            self._window.close()
            with suppress(TimeoutError):
                async with asyncio.timeout(STANDBY_SECONDS):
                    await self._moved.wait()
            return
        first = max(leading)
        if self._window.end is None or self._window.end < first:
            await self._source.drop()
            self._window.begin(min(first, await reader.head(conn)), timeline_of(conn))
            self._start_all()  # the others may not have what is before it
        end = self._window.end or 0
        if self._window.is_full_behind(first):
            # Nobody comes after.
            with suppress(TimeoutError):
                async with asyncio.timeout(STANDBY_SECONDS):
                    await self._moved.wait()
            return
        takes = self._takes
        events = await self._source.next(conn, end, wait=True, takes=takes)
        if takes is not self._takes:
            # Hazard: a projection that was added meanwhile may read what was passed over for the others.
            self._window.close()
        elif events:
            self._window.add(events, self._source.bytes)
            self._start_all()

    def _start_all(self) -> None:
        for one in self._runners.values():
            if one.lease is not None:
                one.turns.start()

    def _came_due(self, channel: str) -> None:
        self._ringing.add(channel)
        self._ring.set()

    async def _rings(self) -> None:
        """Tells the delivery what came due."""
        while True:
            await self._ring.wait()
            self._ring.clear()
            ringing, self._ringing = self._ringing, set()
            for channel in ringing:
                await bell.ring(self._nats, wake_delivery(channel))
            heed_cancellation()
