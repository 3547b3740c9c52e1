"""Receipts of all of a process's channels, into the log: those that wait at the same time go in one append.

Each append takes the log's one lock and waits for the disk. A hundred channels that are told of one change would each
do so at the same moment, and whoever wants to write something would stand behind them.
"""

import asyncio
from collections.abc import Callable, Sequence

from daybook.errors import Unavailable
from daybook.log.application import Log
from daybook.log.pending import Appended, Context, NewEvent

Commands = Sequence[tuple[Context, Sequence[NewEvent]]]
COMMANDS_MAX = 1000
"""In one append; what a group of commands costs others is the time for which it holds the lock."""


class ReceiptQueue:
    """One append at a time; what comes meanwhile goes together in the next."""

    def __init__(self, log: Log, appended: Callable[[], None] | None = None) -> None:
        self._log = log
        self._appended = appended
        self._waiting: list[tuple[Commands, asyncio.Future[list[Appended]]]] = []
        self._task: asyncio.Task[None] | None = None

    async def record(self, commands: Commands) -> list[Appended]:
        """Appends the commands. Safe to repeat. Raises Unavailable, and whatever these commands are refused for."""
        future: asyncio.Future[list[Appended]] = asyncio.get_running_loop().create_future()
        self._waiting.append((commands, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())
        return await future

    async def _work(self) -> None:
        while self._waiting:
            together = [self._waiting.pop(0)]
            size = len(together[0][0])
            while self._waiting and size + len(self._waiting[0][0]) <= COMMANDS_MAX:
                size += len(self._waiting[0][0])
                together.append(self._waiting.pop(0))
            await self._append(together)

    async def _append(self, together: Sequence[tuple[Commands, "asyncio.Future[list[Appended]]"]]) -> None:
        every = [one for commands, _ in together for one in commands]
        try:
            appended = await asyncio.to_thread(self._log.record, every)
        except Exception as error:
            if len(together) > 1 and not isinstance(error, Unavailable):
                for one in together:  # what one channel is refused for is no other's trouble
                    await self._append([one])
                return
            for _, future in together:
                if not future.done():
                    future.set_exception(error)
            return
        if self._appended is not None:
            self._appended()
        for commands, future in together:
            mine, appended = appended[: len(commands)], appended[len(commands) :]
            if not future.done():
                future.set_result(mine)
