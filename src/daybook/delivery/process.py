"""All channels that one process delivers to, on a handful of connections and tasks, however many channels there are.

- One connection keeps alive what is held: a statement for all workers, one for all lanes. Nobody else may use it, and
  it waits for nobody's lock, so that no other work can come before a renewal. What should go wrong all the same each
  lane notices by its own clock: see `held_lanes`.
- A few connections claim, and a few record: each for one channel for a moment, in turn.
- A channel costs a task only while it has something to do. While all are quiet, one statement now and then asks for all
  of them what is due.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

import psycopg

from daybook.channel.contract import Connector, Manifest
from daybook.delivery.care import Care
from daybook.delivery.held_lanes import LEASE_SECONDS
from daybook.delivery.receipts import ReceiptQueue
from daybook.delivery.worker import Delivery
from daybook.errors import Unavailable
from daybook.log.application import Log
from daybook.postgres.connections import Connections
from daybook.postgres.pool import AsyncConnection, connect_async, pipeline
from daybook.postgres.sql import beside
from daybook.postgres.turns import Turns
from daybook.stream.bell import Listeners
from daybook.stream.connection import Nats, heed_cancellation
from daybook.stream.subjects import wake_delivery

QUERIES = beside(__file__)

log = logging.getLogger("daybook.delivery")

POLL_SECONDS = 1.0
"""How late a lane may start when its bell was missed. One that waits for its time is known of, and starts on time."""
DEAF_POLL_SECONDS = 0.25
"""The same while there is no NATS to hear a bell through."""
STOP_SECONDS_MAX = 10.0
"""How long a worker that was told to stop waits for a Postgres that is away, to record what it has sent."""
CLAIM_CONNECTIONS, RECORD_CONNECTIONS = 3, 3


class ChannelAtWork:
    """A channel that the process delivers to, until `ended` is done."""

    def __init__(self, process: "DeliveryProcess", manifest: Manifest, connector: Connector) -> None:
        self._process = process
        self.delivery = Delivery(manifest, connector, process.receipts, self._news)
        name = manifest.name
        self.claims = Turns(f"{name}: a claim", self._claim, process.wake)
        self.records = Turns(f"{name}: a record", self._record, process.wake)
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.ending_since: float | None = None

    def end(self) -> None:
        """No more is claimed; it has ended once what is under way is recorded."""
        if self.ending_since is None:
            self.ending_since = time.monotonic()
            self._process.wake()

    def _news(self) -> None:
        if self.delivery.has_ended_lanes:
            self.records.start()
        self._process.ring(self.delivery.channel)

    async def _claim(self) -> bool:
        if self.ending_since is not None or self.delivery.room <= 0:
            return False
        async with self._process.claiming.one() as conn:
            return await self.delivery.claim(conn)

    async def _record(self) -> bool:
        if self.delivery.has_ended_lanes:
            await self.delivery.record(self._process.recording)
            self._process.ring(self.delivery.channel)
        return self.delivery.has_ended_lanes

    @property
    def over(self) -> bool:
        """Whether it has ended, in good order or because Postgres stays away."""
        if self.ending_since is None:
            return False
        late = time.monotonic() > self.ending_since + STOP_SECONDS_MAX
        return late or not (self.delivery.busy or self.claims.running or self.records.running)


class DeliveryProcess:
    """Delivers to the channels that are added, until they are ended. Runs once."""

    def __init__(self, dsn: str, nats_url: str, book: Log, appended: Callable[[], None] | None = None) -> None:
        self._dsn = dsn
        self._nats = Nats(nats_url, "deliver")
        self.receipts = ReceiptQueue(book, appended)
        self.claiming = Connections(dsn, "deliver", CLAIM_CONNECTIONS)
        # What a record loses the receipts bring back, and those go through the log's own connections.
        self.recording = Connections(dsn, "record", RECORD_CONNECTIONS, lazily=True)
        self._channels: dict[str, ChannelAtWork] = {}
        self._bells = Listeners()
        self._heard: object = None
        """The client that the bells hang on."""
        self._renew = asyncio.Event()
        self._care = Care(self.recording)

    def add(self, manifest: Manifest, connector: Connector) -> ChannelAtWork:
        """Begins to deliver to a channel, which must not be at work."""
        one = self._channels[manifest.name] = ChannelAtWork(self, manifest, connector)
        self._renew.set()
        return one

    def ring(self, channel: str) -> None:
        """There may be something to claim for this channel."""
        self._bells.ring(channel)

    def wake(self) -> None:
        """Something changed that the process has to look at."""
        self._bells.wake()

    async def run(self, stop: asyncio.Event) -> None:
        """Runs until `stop` is set; then finishes and records what is under way.

        Requests outlive an outage of Postgres: what they came to is recorded once it is back. To forget it would mean
        to send it again.
        """
        tasks = [asyncio.create_task(one) for one in (self._claims(), self._leases(), self._cares())]
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
            for one in list(self._channels.values()):
                one.end()
            if stop.is_set():
                await asyncio.wait([one.ended for one in self._channels.values()] or [stopping])
        finally:
            for task in (stopping, *tasks):
                task.cancel()
            await asyncio.gather(stopping, *tasks, return_exceptions=True)
            await self._let_go(self._channels.values())
            await self.claiming.close()
            await self.recording.close()
            await self._nats.close()
        for task in tasks:
            if not task.cancelled() and (error := task.exception()):
                raise error

    async def _claims(self) -> None:
        next_look = 0.0
        while True:
            await self._listen()
            heed_cancellation()
            rung = await self._bells.wait(max(0.0, next_look - time.monotonic()))
            await self._end()
            for name in rung & self._channels.keys():
                self._channels[name].claims.start()
            if time.monotonic() < next_look:
                continue
            try:
                next_look = time.monotonic() + await self._look()
            except Exception as error:
                if not isinstance(error, psycopg.OperationalError | Unavailable):
                    log.exception("looking for what is due failed and is tried again")
                else:
                    log.warning("it can't be seen what is due, which is tried again: %s", error)
                next_look = time.monotonic() + random.uniform(0.1, 0.5)

    async def _look(self) -> float:
        """Starts the channels that have something due; how many seconds until one may have."""
        poll = POLL_SECONDS if self._nats.connected else DEAF_POLL_SECONDS
        waits = [poll]
        asked: dict[str, ChannelAtWork] = {}
        for name, one in self._channels.items():
            if one.delivery.room > 0 and one.ending_since is None:
                asked[name] = one
            elif (pause := one.delivery.breaker.wait_seconds()) > 0:
                waits.append(pause)
        if not asked:
            return min(waits)
        async with self.claiming.one() as conn:
            rows = await (
                await conn.execute(QUERIES["due"], {"channels": list(asked), "within": poll, "lease": LEASE_SECONDS})
            ).fetchall()
        for name, due, seconds in rows:
            if due:
                asked[name].claims.start()
            if seconds is not None:
                waits.append(seconds)
        return max(0.0, min(waits))

    async def _listen(self) -> None:
        if self._nats.ready() and self._heard is not self._nats.client:
            with suppress(Unavailable):
                await self._bells.listen(self._nats, wake_delivery("*"))
                self._heard = self._nats.client

    async def _end(self) -> None:
        """Lets the channels go that have ended."""
        over = [one for one in self._channels.values() if one.over]
        for one in over:
            del self._channels[one.delivery.channel]
        if not over:
            return
        try:
            async with self.recording.one() as conn:
                await conn.execute(QUERIES["not_alive"], _names(over))
        except (psycopg.Error, Unavailable) as error:
            log.warning("a worker ends without a good-bye: %s", error)
        await self._let_go(over)

    async def _let_go(self, channels: Iterable[ChannelAtWork]) -> None:
        for one in channels:
            await one.claims.cancel()
            await one.records.cancel()
            await one.delivery.close()
            if not one.ended.done():
                one.ended.set_result(None)

    async def _leases(self) -> None:
        """Keeps the workers and their claims alive while the process is."""
        while True:
            try:
                async with await connect_async(self._dsn, "leases") as conn:
                    await conn.execute(QUERIES["wait_for_nobody"])
                    while True:
                        self._renew.clear()
                        if self._channels:
                            await self._keep(conn)
                        with suppress(TimeoutError):
                            async with asyncio.timeout(LEASE_SECONDS / 3):
                                await self._renew.wait()
            except (psycopg.OperationalError, Unavailable) as error:
                log.warning("leases can't be renewed, which is tried again: %s", error)
            except Exception:
                log.exception("the renewal of leases failed and is tried again")
            await asyncio.sleep(random.uniform(0.1, 0.5))

    async def _keep(self, conn: AsyncConnection) -> None:
        here = dict(self._channels)
        await self._keep_lanes(conn, here)
        names = _names(here.values())
        async with pipeline(conn):
            alive = await conn.execute(QUERIES["alive"], names | {"lease": LEASE_SECONDS})
            health = await conn.execute(QUERIES["breakers"], {"channels": names["channels"]})
        for name, workers in await alive.fetchall():
            one = here[name].delivery
            one.share_rates(workers)
            if not one.enrolled:
                one.enrolled = True
                self.ring(name)
        for name, *row in await health.fetchall():
            here[name].delivery.learn(row)

    async def _keep_lanes(self, conn: AsyncConnection, here: Mapping[str, ChannelAtWork]) -> None:
        hands = {name: (one.delivery.hand.names(), one.delivery.hand.clock()) for name, one in here.items()}
        asked = [(name, here[name].delivery.owner, lane) for name, (lanes, _) in hands.items() for lane in lanes]
        if not asked:
            return
        channels, owners, lanes = (list(column) for column in zip(*asked, strict=True))
        given = {"channels": channels, "owners": owners, "lanes": lanes, "lease": LEASE_SECONDS}
        owned_by: dict[str, dict[str, bool]] = {}
        for name, lane, kept in await (await conn.execute(QUERIES["keep_leases"], given)).fetchall():
            owned_by.setdefault(name, {})[lane] = kept
        for name, (mine, asked_at) in hands.items():
            owned = owned_by.get(name, {})
            here[name].delivery.hand.renewed(mine, [lane for lane, kept in owned.items() if kept], owned, asked_at)

    async def _cares(self) -> None:
        while True:
            await asyncio.sleep(LEASE_SECONDS / 3)
            try:
                for name in await self._care.look([one.delivery for one in self._channels.values()]):
                    self.ring(name)
            except (psycopg.OperationalError, Unavailable) as error:
                log.warning("what was left in doubt can't be looked at, which is tried again: %s", error)
            except Exception:
                log.exception("looking after what was left in doubt failed and is tried again")


def _names(channels: Iterable[ChannelAtWork]) -> dict[str, list[str]]:
    here = list(channels)
    return {"channels": [one.delivery.channel for one in here], "owners": [one.delivery.owner for one in here]}
