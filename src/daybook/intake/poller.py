"""Asks one channel which of its orders changed, page by page, and remembers how far it came.

A page's orders are kept before the cursor moves: whoever is cut off in between asks for the page again, and what was
kept is known. A round ends with the newest change that it saw, or with the moment that the channel names, by the
channel's own clock; the next one begins some minutes before that. So no clock of ours decides what is left out.
"""

import asyncio
import logging
from datetime import datetime, timedelta
from typing import Any

from daybook.channel.orders import NotNow, OrdersIn, OrdersPage, TellsOrders
from daybook.errors import Unavailable
from daybook.intake.cursors import OrderCursor, OrderCursors
from daybook.intake.heard import HeardOrders

log = logging.getLogger("daybook.intake")

AGAIN_SECONDS_MAX = 300.0
"""A channel that can't be asked is asked again after a pause that grows to this."""


class OrderPoller:
    """Polls one channel until it is ended."""

    def __init__(
        self,
        channel: str,
        connector: Any,
        rules: OrdersIn,
        heard: HeardOrders,
        cursors: OrderCursors,
        first: datetime,
    ) -> None:
        self._channel = channel
        self._connector = connector
        self._rules = rules
        self._heard = heard
        self._cursors = cursors
        self._first = first
        self._ending = asyncio.Event()
        self.ended: asyncio.Future[None] = asyncio.ensure_future(self._run())

    def end(self) -> None:
        """Has it finish the page that is under way, and end."""
        self._ending.set()

    async def _run(self) -> None:
        pause = 1.0
        try:
            while not self._ending.is_set():
                wait = await self._step()
                pause = 1.0 if wait is not None else min(pause * 2, AGAIN_SECONDS_MAX)
                await self._rest(pause if wait is None else wait)
        finally:
            await self._connector.close()

    async def _step(self) -> float | None:
        """Asks for one page; the seconds until the next one, or None when it failed without naming any."""
        try:
            cursor = await asyncio.to_thread(self._cursors.read, self._channel, self._first)
            found = await self._ask(cursor)
            if isinstance(found, NotNow):
                await asyncio.to_thread(self._cursors.fail, self._channel, found.reason)
                return found.retry_after_seconds
            await asyncio.to_thread(self._keep, cursor, found)
            return 0.0 if found.next is not None else self._rules.every_seconds
        except Unavailable as error:
            log.warning("%s: its orders can't be kept: %s", self._channel, error, extra={"channel": self._channel})
            return None

    async def _ask(self, cursor: OrderCursor) -> OrdersPage | NotNow:
        assert isinstance(self._connector, TellsOrders)
        try:
            return await self._connector.changed_orders(cursor.since, cursor.page)
        except Exception as error:  # its own code: the other channels go on
            log.exception("%s can't be asked for its orders", self._channel, extra={"channel": self._channel})
            return NotNow(f"{type(error).__name__} in what asks for them: please report it")

    def _keep(self, cursor: OrderCursor, page: OrdersPage) -> None:
        for one in page.orders:
            self._heard.hear(self._channel, one, "poll")
        moments = (*(one.stamp for one in page.orders), cursor.newest, page.until)
        newest = max((one for one in moments if one is not None), default=None)
        if page.next is not None:
            self._cursors.move(self._channel, OrderCursor(cursor.since, newest, page.next))
            return
        since = cursor.since
        if newest is not None:
            since = max(since, newest - timedelta(seconds=self._rules.overlap_seconds))
        self._cursors.move(self._channel, OrderCursor(since, None, None))

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._ending.wait()
        except TimeoutError:
            pass
