"""Connections. One place decides time zone, application name and what an unreachable server looks like."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Any, LiteralString

import psycopg
import psycopg_pool
from psycopg.rows import TupleRow

from daybook.errors import InvalidValue, Unavailable

CONNECT_TIMEOUT_SECONDS = 10
Connection = psycopg.Connection[TupleRow]
AsyncConnection = psycopg.AsyncConnection[TupleRow]
Pool = psycopg_pool.ConnectionPool[Connection]

_OPTIONS = "-c timezone=UTC -c client_encoding=UTF8"


def _kwargs(name: str) -> dict[str, object]:
    return {
        "autocommit": True,
        "application_name": f"daybook {name}",
        "connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "options": _OPTIONS,
    }


def pool(dsn: str, name: str, size: int = 8) -> Pool:
    """A pool of autocommit connections in UTC, opened on first use.

    Connections are not tried before each use, which would cost every statement a round trip: see `fetch`.
    """
    return psycopg_pool.ConnectionPool(
        dsn,
        min_size=0,
        max_size=size,
        kwargs=_kwargs(name),
        open=True,
        name=name,
        timeout=CONNECT_TIMEOUT_SECONDS,
    )


async def connect_async(dsn: str, name: str) -> AsyncConnection:
    """One autocommit connection in UTC for a worker loop. Raises Unavailable."""
    try:
        return await psycopg.AsyncConnection.connect(dsn, **_kwargs(name))  # type: ignore[arg-type]
    except psycopg.OperationalError as error:
        raise Unavailable(f"Postgres can't be reached: {error}") from error


def connect(dsn: str, name: str) -> Connection:
    """One autocommit connection in UTC. Raises Unavailable."""
    try:
        return psycopg.connect(dsn, **_kwargs(name))  # type: ignore[arg-type]
    except psycopg.OperationalError as error:
        raise Unavailable(f"Postgres can't be reached: {error}") from error


@contextmanager
def reachable() -> Iterator[None]:
    """Turns a lost or refused connection inside the block into Unavailable; everything else passes."""
    try:
        yield
    except (psycopg.OperationalError, psycopg_pool.PoolTimeout) as error:
        raise Unavailable(f"Postgres can't be reached: {error}") from error


def fetch(pool: Pool, query: LiteralString, parameters: Sequence[Any] = ()) -> list[Any]:
    """Runs one reading statement and returns its rows. Raises Unavailable, and InvalidValue for a text with a NUL.

    After a restart of the server every idle connection of the pool is broken. When one turns out to be, all are tried
    and the statement is run again, so that nobody above notices more than the delay. Reading twice is harmless.
    """
    with reachable():
        try:
            return _fetch(pool, query, parameters)
        except psycopg.OperationalError:
            pool.check()
            return _fetch(pool, query, parameters)
        except (psycopg.DataError, UnicodeError) as error:
            raise InvalidValue("text", f"holds something that Postgres can't: {error}") from error


def _fetch(pool: Pool, query: LiteralString, parameters: Sequence[Any]) -> list[Any]:
    with pool.connection() as conn:
        return conn.execute(query, parameters, prepare=True).fetchall()


class _Burst(psycopg.AsyncPipeline):
    """A pipeline that hands its statements to libpq at once and lets it send them together at the sync."""

    _syncing = False

    def _enqueue_sync(self) -> None:
        self._syncing = True
        super()._enqueue_sync()

    def _communicate_gen(self) -> Any:
        if not self._syncing:
            while self.command_queue:
                self.command_queue.popleft()()
            return
        self._syncing = False
        yield from super()._communicate_gen()


def pipeline(conn: AsyncConnection) -> AbstractAsyncContextManager[psycopg.AsyncPipeline]:
    """Statements inside are sent together: one trip, and outside of a transaction one transaction for all of them.

    An error comes up when the block ends, or when an answer is asked for. Ask for answers behind the block.

    psycopg's own pipeline asks the event loop and the kernel once for each statement, in case an answer has come; with
    fifteen small statements that was two thirds of a runner's time. Here nothing is sent before the answers are asked
    for or the block ends. Meant for a handful of statements with small answers: what the server sends meanwhile waits
    in its own buffers. Rests on two private methods of psycopg 3.3; a test fails when they are no longer called.
    """
    if conn._pipeline is None:
        conn._pipeline = _Burst(conn)
    return conn.pipeline()
