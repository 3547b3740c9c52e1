"""Connections that many channels share: what went wrong on one is nobody else's trouble."""

import asyncio
from contextlib import suppress

import psycopg
import pytest

from daybook.postgres.connections import Connections
from daybook.postgres.pool import AsyncConnection, pipeline

QUERY = "SELECT %s::int + 1"


async def backend(connections: Connections) -> int:
    async with connections.one() as conn:
        return conn.info.backend_pid


async def failing(conn: AsyncConnection) -> None:
    async with pipeline(conn):
        await conn.execute("SELECT 1 / 0")
        await conn.execute(QUERY, (1,), prepare=True)


async def cut_off(conn: AsyncConnection) -> None:
    await conn.execute(QUERY, (1,), prepare=True)
    raise asyncio.CancelledError


@pytest.mark.parametrize("trouble", [failing, cut_off])
async def test_a_connection_on_which_something_failed_is_not_used_again(database: str, trouble: object) -> None:
    connections = Connections(database, "test", 1)
    before = await backend(connections)
    assert await backend(connections) == before, "what went well is used again"

    with suppress(psycopg.Error, asyncio.CancelledError):
        async with connections.one() as conn:
            await trouble(conn)  # type: ignore[operator]

    assert await backend(connections) != before
    async with connections.one() as conn:
        row = await (await conn.execute(QUERY, (1,), prepare=True)).fetchone()
    assert row == (2,)
    await connections.close()
