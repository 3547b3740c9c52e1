"""Brings one channel to the state that it should show: claim lanes, send what differs, record what came of it.

Any number of workers may serve a channel. A claim is a lease that the worker keeps alive; when it dies, another takes
its lanes after `LEASE_SECONDS`. A request whose outcome was lost counts as an attempt, so the connector looks before it
creates again.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from contextlib import suppress

import psycopg

from daybook.channel import QUERIES
from daybook.channel.breaker import Breaker
from daybook.channel.contract import Connector, Manifest, Stopped, Throttled, Unavailable, Waiting
from daybook.channel.gathering import Gathering, gathering
from daybook.channel.generations import Generation
from daybook.channel.journal import Journal
from daybook.channel.lane import Done, Lane, Row, problems, untried
from daybook.channel.pacing import Pace
from daybook.channel.work import read_work
from daybook.errors import Unavailable as ServerUnavailable
from daybook.ids import new_id
from daybook.log.application import Log
from daybook.postgres.pool import AsyncConnection, connect_async
from daybook.stream.bell import Listener
from daybook.stream.connection import Nats, heed_cancellation
from daybook.stream.subjects import wake_delivery

log = logging.getLogger("daybook.delivery")

LEASE_SECONDS = 5.0
POLL_SECONDS = 0.25
"""How late a lane may start when the bell was missed."""
STOP_SECONDS_MAX = 10.0
"""How long a worker that was told to stop waits for a Postgres that is away, to record what it has sent."""
REFRESH_LOOK_SECONDS = 60.0
REFRESH_ROWS_MAX = 5000
"""Brought again in one look: a whole catalogue that was filled in one night is refreshed over some hours."""
LANES_PER_REQUEST = 4
"""Lanes claimed for each request that may be under way, so that the next one is at hand."""


class Delivery:
    """One worker of one channel."""

    def __init__(
        self,
        manifest: Manifest,
        connector: Connector,
        dsn: str,
        nats_url: str,
        book: Log,
        appended: Callable[[], None] | None = None,
    ) -> None:
        self._manifest = manifest
        self._connector = gathering(manifest, connector)
        self._pace: Pace | None = getattr(connector, "pace", None)
        gathers = isinstance(self._connector, Gathering)
        places = max(manifest.in_flight_max, manifest.gather_max) if gathers else manifest.in_flight_max
        self._room = places if gathers else places * LANES_PER_REQUEST
        self._dsn = dsn
        self._nats = Nats(nats_url, f"deliver {manifest.name}")
        self._journal = Journal(manifest, book)
        self._appended = appended
        self._owner = new_id()
        self._bell = Listener()
        self._heard: object = None
        """The client that the bell hangs on."""
        self._breaker = Breaker()
        self._slots = asyncio.Semaphore(places)
        self._ended: asyncio.Queue[Done] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._hand: set[str] = set()
        """Lanes that this worker claimed and has not recorded yet."""
        self._recovered = False
        self._stopped: str | None = None
        self._refreshed = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Delivers until `stop` is set; then finishes and records what is under way.

        Requests outlive an outage of Postgres: what they came to is recorded once it is back. To forget it would mean
        to send it again.
        """
        try:
            await self._sessions(stop)
        finally:
            for task in self._tasks:
                task.cancel()
            await self._connector.close()
            await self._nats.close()

    async def _sessions(self, stop: asyncio.Event) -> None:
        told_to_stop = 0.0
        while not stop.is_set() or (self._hand and time.monotonic() < told_to_stop + STOP_SECONDS_MAX):
            try:
                async with asyncio.TaskGroup() as group:
                    ended = asyncio.Event()
                    group.create_task(self._claims(stop, ended))
                    group.create_task(self._records(ended))
                    group.create_task(self._leases(ended))
            except* (psycopg.OperationalError, ServerUnavailable) as errors:
                log.warning("%s: the delivery starts over: %s", self._manifest.name, errors.exceptions[0])
            except* Exception:
                log.exception("%s: the delivery failed and starts over", self._manifest.name)
            if stop.is_set() and not told_to_stop:
                told_to_stop = time.monotonic()
            if not stop.is_set() or self._hand:
                await asyncio.sleep(random.uniform(0.1, 0.5))

    async def _claims(self, stop: asyncio.Event, ended: asyncio.Event) -> None:
        async with await connect_async(self._dsn, f"deliver {self._manifest.name}") as conn:
            try:
                # After an outage: first what this worker still holds, so that it is not sent again.
                await self._ended.join()
                while not stop.is_set():
                    await self._listen()
                    heed_cancellation()
                    if not await self._claim(conn):
                        # A lane that becomes free of its backoff rings no bell: the poll finds it.
                        await self._bell.wait(min(POLL_SECONDS, self._breaker.wait_seconds() or POLL_SECONDS))
                if self._tasks:
                    await asyncio.wait(self._tasks)
                await self._ended.join()
            finally:
                ended.set()

    async def _listen(self) -> None:
        if self._nats.ready() and self._heard is not self._nats.client:
            with suppress(ServerUnavailable):
                await self._bell.listen(self._nats, wake_delivery(self._manifest.name))
                self._heard = self._nats.client

    async def _claim(self, conn: AsyncConnection) -> bool:
        """Starts lanes; False when there is nothing to start now."""
        room = self._room - len(self._tasks)
        limit = self._breaker.lanes_allowed(room)
        if self._breaker.probing and self._tasks:
            limit = 0
        if limit <= 0:
            return False
        name = self._manifest.name
        cursor = await conn.execute(
            QUERIES["claim"],
            {"channel": name, "limit": limit, "owner": self._owner, "lease": LEASE_SECONDS, "hand": list(self._hand)},
        )
        claimed = await cursor.fetchall()
        if not claimed:
            return False
        rows, ids = await read_work(conn, self._manifest, Generation(name, claimed[0][2]), [one[0] for one in claimed])
        work: dict[str, list[Row]] = {}
        for row in rows:
            work.setdefault(row.lane, []).append(row)
        for lane, failures, _ in claimed:
            mine = work.get(lane, [])
            known = ids.get(mine[0].key, {}) if mine else {}
            task = asyncio.create_task(self._work(lane, mine, known, failures))
            self._hand.add(lane)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return len(claimed) == limit

    async def _work(self, lane: str, rows: list[Row], ids: dict[str, str], failures: int) -> None:
        async with self._slots:
            # While it waited for its turn the channel may have gone down, or asked for a pause.
            done = Done(lane, [])
            if self._breaker.lanes_allowed(1):
                try:
                    done = await Lane(self._manifest, self._connector, ids).work(lane, rows)
                except Exception:
                    log.exception("%s: lane %s can't be worked", self._manifest.name, lane)
                    done.blocked = True
        done.failures, done.untried = failures, untried(rows, done)
        self._learn(done)
        await self._ended.put(done)

    def _learn(self, done: Done) -> None:
        """Tells the breaker how the channel is doing."""
        for problem in problems(done):
            match problem:
                case Throttled(retry_after_seconds=seconds, operation=None):
                    self._breaker.throttled(seconds)
                case Unavailable(reason=reason, retry_after_seconds=seconds):
                    self._breaker.failed(seconds, reason)
                case Throttled() | Waiting():
                    pass
        for one in done.results:
            if isinstance(one.outcome, Stopped):
                self._stopped = one.outcome.reason
            elif not isinstance(one.outcome, Throttled | Unavailable | Waiting):
                self._recovered = self._breaker.succeeded() or self._recovered

    async def _records(self, ended: asyncio.Event) -> None:
        async with await connect_async(self._dsn, f"record {self._manifest.name}") as conn:
            # What it loses the receipts bring back, and those go through the log's own connections.
            await conn.execute(QUERIES["commit_lazily"])
            while not (ended.is_set() and self._ended.empty()):
                try:
                    async with asyncio.timeout(POLL_SECONDS):
                        batch = [await self._ended.get()]
                except TimeoutError:
                    continue
                while not self._ended.empty():
                    batch.append(self._ended.get_nowait())
                try:
                    if await self._journal.write(conn, batch, self._owner) and self._appended is not None:
                        self._appended()
                except (psycopg.OperationalError, ServerUnavailable, asyncio.CancelledError):
                    for done in batch:
                        self._ended.put_nowait(done)
                    raise
                except Exception:
                    # Not to be recorded, ever: the leases run out, and the lanes are worked anew.
                    self._hand.difference_update(done.lane for done in batch)
                    raise
                else:
                    self._hand.difference_update(done.lane for done in batch)
                finally:
                    for _ in batch:
                        self._ended.task_done()
                await self._tell(conn)
                self._bell.ring()

    async def _tell(self, conn: AsyncConnection) -> None:
        """What this worker found out about the channel, for the others and for people."""
        name = self._manifest.name
        if self._stopped is not None:
            await conn.execute(QUERIES["stopped"], (self._stopped.replace("\x00", "")[:1000], name))
            self._stopped = None
        if self._breaker.changed:
            await self._breaker.share(conn, name)
        if self._recovered:
            self._recovered = False
            await conn.execute(QUERIES["wake_failed"], (name,))

    async def _leases(self, ended: asyncio.Event) -> None:
        """Keeps this worker's claims alive while it is."""
        async with await connect_async(self._dsn, f"leases {self._manifest.name}") as conn:
            await self._keep(conn)
            while not ended.is_set():
                with suppress(TimeoutError):
                    async with asyncio.timeout(LEASE_SECONDS / 3):
                        await ended.wait()
                await self._keep(conn)
            await conn.execute(QUERIES["not_alive"], (self._manifest.name, self._owner))

    async def _keep(self, conn: AsyncConnection) -> None:
        name = self._manifest.name
        me = {"channel": name, "owner": self._owner, "lease": LEASE_SECONDS}
        workers = await (await conn.execute(QUERIES["alive"], me)).fetchone()
        if self._pace is not None and workers is not None:
            self._pace.share(workers[0])
        if await self._breaker.share(conn, name):
            self._bell.ring()  # another worker got an answer
        seconds = self._manifest.refresh_seconds
        if seconds is not None and time.monotonic() > self._refreshed + REFRESH_LOOK_SECONDS:
            self._refreshed = time.monotonic()
            await conn.execute(QUERIES["refresh"], {"channel": name, "seconds": seconds, "limit": REFRESH_ROWS_MAX})
        if self._hand:
            await conn.execute(
                QUERIES["keep_leases"],
                {
                    "channel": self._manifest.name,
                    "owner": self._owner,
                    "lease": LEASE_SECONDS,
                    "hand": list(self._hand),
                },
            )
