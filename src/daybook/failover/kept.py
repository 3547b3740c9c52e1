"""How far a failover came, kept in Postgres: the same command again goes on where it was cut off."""

from datetime import datetime

import msgspec

from daybook.postgres.pool import AsyncConnection, Pool
from daybook.postgres.sql import beside

QUERIES = beside(__file__)


class ChannelCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What a channel shows of the products concerned, beside what the log says."""

    channel: str
    compared: int = 0
    """SKUs that were read."""
    facets: int = 0
    """Facets that differ: they are sent again."""
    left_out: int = 0
    """SKUs of which something is under way, rejected or just changed: the channel gets them, or has refused them."""
    why_not: str | None = None
    """Why it could not be compared."""


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """A failover that is under way."""

    at: datetime
    file: str
    first: int
    last: int
    lost: int
    keys: list[str]
    by_hand: list[str]
    reset: bool = False
    """Whether the stream was removed."""
    rebuilt: list[str] | None = None
    """Projections that were built again; None before it was looked."""
    checked: list[ChannelCheck] = []


async def begun(conn: AsyncConnection) -> Begun | None:
    """The failover that was cut off; None when there is none."""
    row = await (await conn.execute(QUERIES["failover"])).fetchone()
    return None if row is None or row[0] is None else msgspec.json.decode(row[0], type=Begun)


def keep(pool: Pool, state: Begun | None) -> None:
    """Keeps how far it came; None: it is done."""
    with pool.connection() as conn:
        conn.execute(QUERIES["keep_failover"], (None if state is None else msgspec.json.encode(state).decode(),))
