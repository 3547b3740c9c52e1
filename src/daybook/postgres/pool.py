"""Connections. One place decides time zone, application name and what an unreachable server looks like."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import psycopg_pool
from psycopg.rows import TupleRow

from daybook.errors import Unavailable

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
    """A pool of autocommit connections in UTC, opened on first use. Broken ones are replaced when checked out."""
    return psycopg_pool.ConnectionPool(
        dsn,
        min_size=0,
        max_size=size,
        kwargs=_kwargs(name),
        check=psycopg_pool.ConnectionPool.check_connection,
        open=True,
        name=name,
        timeout=CONNECT_TIMEOUT_SECONDS * 2,
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
