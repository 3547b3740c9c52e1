"""A few connections that many channels share in turn, however many there are.

Not the library's pool: after an outage that one tries again after pauses that grow to minutes. Here whoever needs a
connection tries at once, and paces itself.

Hazard: a statement that waits for another's lock holds its connection meanwhile. A few such channels would hold all of
them, and every other channel would stand. So the server gives up such a wait soon, and the channel tries again later.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import LiteralString

import psycopg
from psycopg.pq import TransactionStatus

from daybook.errors import Unavailable
from daybook.postgres.pool import AsyncConnection, connect_async

AGAIN_SECONDS = 0.25
"""How soon the next one is tried after one could not be opened: a hundred channels must not all ask a full server."""
_WAIT_SHORTLY: LiteralString = "SET lock_timeout = '2s'"


class Connections:
    """At most `size` connections, each opened when it is first needed and again after it broke."""

    def __init__(self, dsn: str, name: str, size: int, *, lazily: bool = False) -> None:
        """`lazily`: commits don't wait for the disk, for what can be computed again."""
        self._dsn = dsn
        self._name = name
        self._lazily = lazily
        self._turns = asyncio.Semaphore(size)  # fair: whoever waits comes before whoever was just served
        self._idle: list[AsyncConnection] = []
        self._refused: tuple[float, str] | None = None

    @asynccontextmanager
    async def one(self) -> AsyncIterator[AsyncConnection]:
        """A connection for a moment: waits for its turn. Raises Unavailable, and what the block raises."""
        async with self._turns:
            # The one that was used last: in quiet times most of them are never opened.
            conn = self._idle.pop() if self._idle else await self._opened()
            whole = False
            try:
                yield conn
                whole = conn.info.transaction_status == TransactionStatus.IDLE
            finally:
                if whole:
                    self._idle.append(conn)
                else:
                    # What it was at must not meet the next one's work. A statement that failed, or was cut off in a
                    # pipeline, also leaves the driver with prepared statements that the server does not have.
                    with suppress(psycopg.Error):
                        await conn.close()

    async def close(self) -> None:
        """Closes those that nobody uses."""
        while self._idle:
            await self._idle.pop().close()

    async def _opened(self) -> AsyncConnection:
        if self._refused is not None and time.monotonic() < self._refused[0] + AGAIN_SECONDS:
            raise Unavailable(self._refused[1])
        try:
            conn = await connect_async(self._dsn, self._name)
        except Unavailable as error:
            self._refused = time.monotonic(), error.message
            raise
        try:
            await conn.execute(_WAIT_SHORTLY)
            if self._lazily:
                await conn.execute("SET synchronous_commit = off")
        except BaseException:
            await conn.close()
            raise
        return conn
