"""Keeps in Postgres how the stream is, as whoever works on it finds out. `queries.stream_state` reads it for people."""

from typing import Literal

from daybook.postgres.pool import AsyncConnection
from daybook.postgres.sql import beside

Trouble = Literal["missing", "stuck"]
QUERIES = beside(__file__)
REASON_LENGTH_MAX = 1000
FAILOVER = (
    "`daybook failover` has kept what the log lacks, said whose changes these are, and removed the stream; then the "
    "relay fills it again from the log"
)
"""What ends a stream that holds what the log lacks: goes on from `until`."""


async def keep_sizes(conn: AsyncConnection, bytes_max: int, message_bytes: int) -> None:
    """Keeps how large the stream may grow, and a message may be."""
    await conn.execute(QUERIES["sizes"], {"stream": bytes_max, "message": message_bytes})


async def keep_replicas(conn: AsyncConnection, replicas: int) -> None:
    """Keeps on how many servers the stream is, so that one that is made anew is on as many."""
    await conn.execute(QUERIES["keep_replicas"], {"replicas": replicas})


async def replicas(conn: AsyncConnection) -> int:
    """On how many servers the stream was when it was last seen."""
    row = await (await conn.execute(QUERIES["replicas"])).fetchone()
    return 1 if row is None else int(row[0])


async def keep_published(conn: AsyncConnection, position: int) -> None:
    """Keeps how far the stream is. Ends a trouble."""
    await conn.execute(QUERIES["published"], {"position": position})


async def keep_trouble(conn: AsyncConnection, trouble: Trouble, reason: str, position: int) -> None:
    """Keeps why nothing is published behind this position, and since when."""
    given = {"position": position, "trouble": trouble, "reason": reason[:REASON_LENGTH_MAX]}
    await conn.execute(QUERIES["trouble"], given)


async def keep_foreign(conn: AsyncConnection, sequence: int, reason: str) -> bool:
    """Keeps that a message is not the log's event of its number, unless one is kept already. True when it was kept."""
    kept = await conn.execute(QUERIES["foreign"], {"sequence": sequence, "reason": reason[:REASON_LENGTH_MAX]})
    return kept.rowcount == 1


def beyond(head: int) -> str:
    """What is wrong with a message behind the log's end, in words that go on from `message 7 of the stream`."""
    return f"is beyond the log, which ends at position {head}"


async def forget_foreign(conn: AsyncConnection) -> None:
    """Forgets foreign messages: the stream is a new one."""
    await conn.execute(QUERIES["made"])
