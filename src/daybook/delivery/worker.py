"""One channel's deliveries: claim lanes, send what differs, record what came of it.

Any number of workers may serve a channel. A claim is a lease that is kept alive for the worker; when it dies, another
takes its lanes after `LEASE_SECONDS`. A request whose outcome was lost counts as an attempt, so the connector looks
before it creates again. A worker has no connection and no loop of its own: see `process`.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Any

import psycopg

from daybook.channel.calls import may_send
from daybook.channel.contract import ChannelUnavailable, Connector, Manifest, Paced, Stopped, Throttled, Waiting
from daybook.delivery.breaker import Breaker
from daybook.delivery.gathering import Gathering, gathering
from daybook.delivery.held_lanes import LEASE_SECONDS, HeldLanes
from daybook.delivery.journal import Journal
from daybook.delivery.lane import Lane
from daybook.delivery.lane_results import LaneResult, LaneRow, not_attempted, problems
from daybook.delivery.lane_rows import read_work
from daybook.delivery.notices import Notices
from daybook.delivery.receipts import ReceiptQueue
from daybook.errors import Unavailable as ServerUnavailable
from daybook.ids import new_id
from daybook.postgres.connections import Connections
from daybook.postgres.pool import AsyncConnection
from daybook.postgres.sql import beside
from daybook.projection.generations import Generation

QUERIES = beside(__file__)

log = logging.getLogger("daybook.delivery")

LANES_PER_REQUEST = 4
"""Lanes claimed for each request that may be under way, so that the next one is at hand."""


class Delivery:
    """One worker of one channel. `news` is called when there may be something to claim or to record."""

    def __init__(
        self, manifest: Manifest, connector: Connector, receipts: ReceiptQueue, news: Callable[[], None]
    ) -> None:
        self._manifest = manifest
        self._connector = gathering(manifest, connector)
        self._pace = connector.pace if isinstance(connector, Paced) else None
        gathers = isinstance(self._connector, Gathering)
        places = max(manifest.in_flight_max, manifest.gather_max) if gathers else manifest.in_flight_max
        self._room = places if gathers else places * LANES_PER_REQUEST
        self._journal = Journal(manifest, receipts)
        self._news = news
        self.channel = manifest.name
        self.owner = new_id()
        self.refresh_seconds = manifest.refresh_seconds
        self.breaker = Breaker()
        self.hand = HeldLanes()
        self.enrolled = False
        """Whether the others can tell if this worker is gone or only silent. It claims nothing before."""
        self._slots = asyncio.Semaphore(places)
        self._ended: deque[LaneResult] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._recovered = False
        self._stopped: str | None = None
        self._notices = Notices(manifest.name)

    @property
    def busy(self) -> bool:
        """Whether anything is under way or not recorded yet."""
        return bool(self.hand or self._tasks or self._ended)

    @property
    def has_ended_lanes(self) -> bool:
        """Whether there is something to record."""
        return bool(self._ended)

    @property
    def room(self) -> int:
        """How many lanes may be claimed now."""
        if self.breaker.probing and self._tasks:
            return 0
        return self.breaker.lanes_allowed(self._room - len(self._tasks)) if self.enrolled else 0

    async def claim(self, conn: AsyncConnection) -> bool:
        """Starts lanes; False when there is nothing to start now."""
        limit = self.room
        if limit <= 0:
            return False
        name, asked_at = self.channel, self.hand.clock()
        cursor = await conn.execute(
            QUERIES["claim"],
            {"channel": name, "limit": limit, "owner": self.owner, "lease": LEASE_SECONDS, "hand": self.hand.names()},
        )
        claimed = await cursor.fetchall()
        if not claimed:
            return False
        lanes = [one[0] for one in claimed]
        self.hand.claimed(lanes, asked_at)
        try:
            rows, ids = await read_work(conn, self._manifest, Generation(name, claimed[0][2]), lanes)
        except BaseException:
            self.hand.recorded(lanes)  # nothing was sent: the leases run out, and the lanes are claimed anew
            raise
        work: dict[str, list[LaneRow]] = {}
        for row in rows:
            work.setdefault(row.lane, []).append(row)
        for lane, failures, _ in claimed:
            mine = work.get(lane, [])
            known = ids.get(mine[0].key, {}) if mine else {}
            task = asyncio.create_task(self._work(lane, mine, known, failures))
            self._tasks.add(task)
            task.add_done_callback(self._over)
        return len(claimed) == limit

    def _over(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        self._news()

    async def _work(self, lane: str, rows: list[LaneRow], ids: dict[str, str], failures: int) -> None:
        may_send.set(lambda: self.hand.surely(lane))  # of this task alone
        async with self._slots:
            # While it waited for its turn the channel may have gone down, or asked for a pause.
            done = LaneResult(lane, [])
            if self.breaker.lanes_allowed(1):
                try:
                    done = await Lane(self._manifest, self._connector, ids).work(lane, rows)
                except Exception:
                    log.exception("%s: lane %s can't be worked", self.channel, lane, extra={"channel": self.channel})
                    done.blocked = True
        done.failures, done.not_attempted = failures, not_attempted(rows, done)
        self._learn(done)
        self._ended.append(done)

    def _learn(self, done: LaneResult) -> None:
        """Tells the breaker how the channel is doing."""
        for problem in problems(done):
            match problem:
                case Throttled(retry_after_seconds=seconds, operation=None):
                    self.breaker.throttled(seconds)
                case ChannelUnavailable(reason=reason, retry_after_seconds=seconds):
                    self.breaker.failed(seconds, reason)
                case Throttled() | Waiting():
                    pass
        for one in done.results:
            if isinstance(one.outcome, Stopped):
                self._stopped = one.outcome.reason
                self._notices.stopped(one.outcome.reason)
            elif not isinstance(one.outcome, Throttled | ChannelUnavailable | Waiting):
                self._recovered = self.breaker.succeeded() or self._recovered
        self._notices.breaker(self.breaker)

    async def record(self, connections: Connections) -> None:
        """Writes down the lanes that have ended. What could not be written for now is tried again by the next call."""
        batch = list(self._ended)
        self._ended.clear()
        try:
            await self._pause(connections)
            await self._journal.write(connections, batch, self.owner)
        except (psycopg.OperationalError, ServerUnavailable, asyncio.CancelledError):
            self._ended.extendleft(reversed(batch))
            raise
        except Exception:
            # Not to be recorded, ever: the leases run out, and the lanes are worked anew.
            self.hand.recorded(done.lane for done in batch)
            raise
        self.hand.recorded(done.lane for done in batch)
        self._notices.refused(batch)
        async with connections.one() as conn:
            await self._tell(conn)

    async def _pause(self, connections: Connections) -> None:
        """Pauses a channel that wants no more calls, before its lanes can be claimed again."""
        if self._stopped is not None:
            await self._journal.stop(connections, self._stopped)
            self._stopped = None

    async def _tell(self, conn: AsyncConnection) -> None:
        """What this worker found out about the channel, for the others."""
        if self.breaker.changed:
            await self.breaker.tell(conn, self.channel)
        if self._recovered:
            self._recovered = False
            await conn.execute(QUERIES["wake_failed"], (self.channel,))

    def share_rates(self, workers: int) -> None:
        """So many workers call the channel now."""
        if self._pace is not None:
            self._pace.share(workers)

    def learn(self, health: Any) -> None:
        """What the others know of the channel's health, as the query `breakers` says it."""
        if self.breaker.learn(health):
            self._news()  # another worker got an answer
        self._notices.breaker(self.breaker)

    async def close(self) -> None:
        """Cuts off what is under way and closes the connector."""
        for task in self._tasks:
            task.cancel()
        await self._connector.close()
