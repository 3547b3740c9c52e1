"""Work that is done again whenever there is a reason to, on connections that are shared: without a task meanwhile."""

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from typing import Any

import psycopg

from daybook.errors import Unavailable

log = logging.getLogger("daybook.turns")

AGAIN_SECONDS_MIN, AGAIN_SECONDS_MAX = 0.1, 2.0
FAILED_SECONDS = 0.5
"""How soon it is tried again, at first, after something went wrong that nobody foresaw."""


class Turns:
    """One kind of work of one channel: at most one task at a time, and pauses that grow while it fails."""

    def __init__(self, name: str, turn: Callable[[], Coroutine[Any, Any, bool]], over: Callable[[], None]) -> None:
        self._name = name
        self._turn = turn
        self._over = over
        self._task: asyncio.Task[None] | None = None
        self._again = False
        self._context = copy_context()
        """Whoever made it is at work, for the lines in the log, and not whoever says that there is something to do."""

    @property
    def running(self) -> bool:
        """Whether it is at it."""
        return self._task is not None and not self._task.done()

    def start(self) -> None:
        """Has it done, and once more if it is under way and may have missed the reason."""
        self._again = True
        if not self.running:
            self._task = asyncio.create_task(self._work(), name=self._name, context=self._context.copy())
            self._task.add_done_callback(lambda _: self._over())

    async def cancel(self) -> None:
        """Cuts it off."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _work(self) -> None:
        pause = AGAIN_SECONDS_MIN
        while self._again:
            self._again = False
            try:
                self._again = await self._turn() or self._again
                pause = AGAIN_SECONDS_MIN
                continue
            except (psycopg.OperationalError, Unavailable) as error:
                log.warning("%s is tried again: %s", self._name, error or type(error).__name__)
            except Exception:
                log.exception("%s failed and is tried again", self._name)
                pause = max(pause, FAILED_SECONDS)
            self._again = True
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(pause * 2, AGAIN_SECONDS_MAX)
