"""What is looked after for all of a process's channels: doubts, what grew old, what no rule foresaw, a clock set back.

One channel after the other, so that a statement that waits for a lock holds up no other channel for long.
"""

import logging
import time
from collections.abc import Sequence

import psycopg

from daybook.delivery.held_lanes import LEASE_SECONDS, now
from daybook.delivery.worker import Delivery
from daybook.postgres.connections import Connections
from daybook.postgres.pool import AsyncConnection, pipeline
from daybook.postgres.sql import beside

QUERIES = beside(__file__)

log = logging.getLogger("daybook.delivery")

REFRESH_LOOK_SECONDS = 60.0
REFRESH_ROWS_MAX = 5000
"""Brought again in one look: a whole catalogue that was filled in one night is refreshed over some hours."""
SWEEP_SECONDS = 30.0
"""How often it looks for what no rule foresaw: it reads all of a channel's deliveries."""
DOUBTS_MAX = 500
"""Lanes in doubt that are settled in one look."""
CLOCK_SECONDS_MAX = 2.0
"""Postgres's clock may fall so far behind this machine's without being set."""


class Care:
    """Looks after the channels that it is asked to, each as often as it needs."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._swept: dict[str, float] = {}
        self._refreshed: dict[str, float] = {}
        self._clock: float | None = None
        """Postgres's clock at this machine's zero, when it was looked at last."""

    async def look(self, workers: Sequence[Delivery]) -> set[str]:
        """The channels that have something to do by now. Raises what stands in the way of a look at all of them."""
        if not workers:
            return set()
        woken: set[str] = set()
        async with self._connections.one() as conn:
            woken |= await self._clock_was_set_back(conn, workers)
            woken |= await self._doubts(conn, workers)
        for one in workers:
            try:
                woken |= await self._of(one)
            except psycopg.OperationalError as error:
                text = "%s can't be looked after, which is tried again: %s"
                log.warning(text, one.channel, error, extra={"channel": one.channel})
        return woken

    async def _doubts(self, conn: AsyncConnection, workers: Sequence[Delivery]) -> set[str]:
        """What stopped workers left in doubt."""
        hand = [(one.channel, lane) for one in workers for lane in one.hand.names()]
        channels = [one.channel for one in workers]
        given = {
            "channels": channels,
            "owners": [one.owner for one in workers],
            "hand_channels": [channel for channel, _ in hand],
            "hand_lanes": [lane for _, lane in hand],
        }
        async with pipeline(conn):
            await conn.execute(QUERIES["own_up"], given)
            await conn.execute(QUERIES["forget_dead"], {"channels": channels, "lease": LEASE_SECONDS})
            ended = await conn.execute(QUERIES["end_doubts"], {"channels": channels, "limit": DOUBTS_MAX})
        anew = [channel for (channel,) in await ended.fetchall()]
        for channel in set(anew):
            text = "%s: %d facets are brought anew: their worker was stopped"
            log.warning(text, channel, anew.count(channel), extra={"channel": channel})
        return set(anew)

    async def _of(self, one: Delivery) -> set[str]:
        """What grew old in a channel, and what no rule foresaw."""
        name, at = one.channel, time.monotonic()
        if one.refresh_seconds is not None and at > self._refreshed.get(name, 0.0) + REFRESH_LOOK_SECONDS:
            self._refreshed[name] = at
            given = {"channel": name, "seconds": one.refresh_seconds, "limit": REFRESH_ROWS_MAX}
            async with self._connections.one() as conn:
                await conn.execute(QUERIES["refresh"], given)
        if at <= self._swept.get(name, 0.0) + SWEEP_SECONDS:
            return set()
        self._swept[name] = at
        async with self._connections.one() as conn:
            swept = (await conn.execute(QUERIES["sweep"], {"channel": name})).rowcount
        if swept > 0:
            text = "%s: %d facets are brought anew: a receipt is not in the log, or their time was never to come"
            log.warning(text, name, swept, extra={"channel": name})
        return {name} if swept > 0 else set()

    async def _clock_was_set_back(self, conn: AsyncConnection, workers: Sequence[Delivery]) -> set[str]:
        """Wakes what waits, when Postgres's clock was set back: else it would wait that much longer."""
        asked = now()
        row = await (await conn.execute(QUERIES["clock"])).fetchone()
        assert row is not None
        clock, behind_the_log = row[0] - asked, row[1]
        was, self._clock = self._clock, clock
        back = behind_the_log if was is None else was - clock
        if back is None or back < CLOCK_SECONDS_MAX:
            return set()
        channels = [one.channel for one in workers]
        log.warning("Postgres's clock was set back by %.0f s: what waits for a time is tried now", back)
        await conn.execute(QUERIES["wake_waiting"], {"channels": channels})
        return set(channels)
