"""Connections. One place decides time zone, application name and what an unreachable server looks like.

Hazard: a pooler in transaction mode (PgBouncer, and what clouds put in front of a server) hands each transaction
another session. What one client set or prepared then holds for another client, and its locks stay. Daybook keeps
connections of its own and needs a session to be a session: a pooler is recognised, and refused in words.
"""

import select
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Any, LiteralString

import psycopg
import psycopg_pool
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow
from psycopg_pool.base import AttemptWithBackoff

from daybook.errors import BadConfiguration, InvalidValue, Unavailable
from daybook.postgres.sessions import AsyncPostgresSession, PostgresSession

Parameters = Sequence[Any] | Mapping[str, Any]
"""What a statement is given: in order, or by name."""

CONNECT_TIMEOUT_SECONDS = 10
WHY_SECONDS_MAX = 2
"""For finding out why there is no connection; the least that libpq allows."""
PAUSE_SECONDS_MAX = 1.0
"""Between two tries of the pool: whoever waits wants to know soon that the server is back."""
Connection = psycopg.Connection[TupleRow]
AsyncConnection = psycopg.AsyncConnection[TupleRow]


def _ended(conn: Connection) -> bool:
    """Whether the server closed the connection. On an idle one nothing else is to be read, but for a rare notice."""
    watch = select.poll()
    watch.register(conn.fileno(), select.POLLIN)
    return bool(watch.poll(0))


class _Steadily(AttemptWithBackoff):
    """Tries again after pauses that stay short."""

    def update_delay(self, now: float) -> None:
        super().update_delay(now)
        self.delay = min(self.delay, PAUSE_SECONDS_MAX)


class Pool(psycopg_pool.ConnectionPool[PostgresSession]):
    """A pool that knows why it has no connection to give, and that goes on trying to have one."""

    def __init__(self, dsn: str, **options: Any) -> None:
        self._dsn = dsn
        super().__init__(dsn, connection_class=PostgresSession, **options)

    def _add_connection(self, attempt: AttemptWithBackoff | None, growing: bool = False) -> None:
        # The pool's own pauses grow to minutes. Rests on a private method of psycopg-pool 3.3.
        super()._add_connection(attempt or _Steadily(timeout=self.reconnect_timeout), growing)

    def getconn(self, timeout: float | None = None) -> PostgresSession:
        """A connection. Raises PoolTimeout with the reason, and BadConfiguration when waiting can't help."""
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        try:
            while (conn := super().getconn(deadline - time.monotonic())).outdated or _ended(conn):
                # The pool's own `check` pauses for a second after each that it finds broken, and after a restart of the
                # server all of them are.
                conn.close()
                self.putconn(conn)
        except psycopg_pool.PoolTimeout as error:
            raise psycopg_pool.PoolTimeout(f"{error}: {self._reason()}") from error
        return conn

    def _reason(self) -> str:
        try:
            connect(self._dsn, "pool", WHY_SECONDS_MAX).close()
        except Unavailable as error:
            return error.message
        return f"all {self.max_size} connections are in use"


def _kwargs(name: str, timeout: int | None = None) -> dict[str, Any]:
    own = {} if timeout is None else {"connect_timeout": timeout}
    return {"autocommit": True, "application_name": f"daybook {name}", "client_encoding": "UTF8", **own}


def check_dsn(dsn: str) -> None:
    """Raises BadConfiguration for a connection string that makes no sense, with nothing of what it holds."""
    try:
        conninfo_to_dict(dsn)
    except psycopg.ProgrammingError:
        raise BadConfiguration(
            "DAYBOOK_POSTGRES can't be read: give postgresql://user:password@host:port/database with what is special "
            "in the password percent-encoded, or host=… user=… password='…' with quotes around one that has spaces",
            field="DAYBOOK_POSTGRES",
        ) from None


def pool(dsn: str, name: str, size: int = 8, kept: int = 0) -> Pool:
    """A pool of autocommit connections in UTC, opened on first use but for those that are `kept` open.

    A connection that the server closed is replaced before it is handed out. Asking the server each time would cost
    every statement a round trip: what breaks unseen, `fetch` tries again.
    """
    check_dsn(dsn)
    return Pool(
        dsn,
        min_size=kept,
        max_size=size,
        kwargs=_kwargs(name),
        open=True,
        name=name,
        timeout=CONNECT_TIMEOUT_SECONDS,
    )


async def connect_async(dsn: str, name: str) -> AsyncConnection:
    """One autocommit connection in UTC for a worker loop. Raises Unavailable, and BadConfiguration for a pooler."""
    check_dsn(dsn)
    try:
        return await AsyncPostgresSession.connect(dsn, **_kwargs(name))
    except psycopg.OperationalError as error:
        raise Unavailable(f"Postgres can't be reached: {error}") from error


def connect(dsn: str, name: str, timeout: int | None = None) -> Connection:
    """One autocommit connection in UTC. Raises Unavailable, and BadConfiguration for a pooler."""
    check_dsn(dsn)
    try:
        return PostgresSession.connect(dsn, **_kwargs(name, timeout))
    except psycopg.OperationalError as error:
        raise Unavailable(f"Postgres can't be reached: {error}") from error


@contextmanager
def reachable() -> Iterator[None]:
    """Turns a lost or refused connection inside the block into Unavailable; everything else passes."""
    try:
        yield
    except (psycopg.OperationalError, psycopg_pool.PoolTimeout) as error:
        raise Unavailable(f"Postgres can't be reached: {error}") from error


def fetch(pool: Pool, query: LiteralString, parameters: Parameters = ()) -> list[Any]:
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


def _fetch(pool: Pool, query: LiteralString, parameters: Parameters) -> list[Any]:
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
