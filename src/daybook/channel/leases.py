"""Leases in Postgres: one owner at a time for a name, taken over when it falls silent, fenced by a rising token.

The server's clock decides, so machines need not agree on the time. A lease says who should work; the token, checked in
the very transaction that writes, makes sure that nobody else does.
"""

import msgspec

from daybook.channel import QUERIES
from daybook.postgres.pool import AsyncConnection

LEASE_SECONDS = 3.0
"""How long a lease outlives its owner: another takes over within this and a poll."""
RENEW_SECONDS = 1.0


class Lease(msgspec.Struct, frozen=True):
    """What its owner holds: the token goes into every write."""

    name: str
    owner: str
    token: int


async def acquire(conn: AsyncConnection, name: str, owner: str) -> Lease | None:
    """The lease, when nobody holds it or its holder fell silent; None when somebody does."""
    row = await (await conn.execute(QUERIES["acquire_lease"], (name, owner, LEASE_SECONDS, owner))).fetchone()
    return None if row is None else Lease(name, owner, row[0])


async def renew(conn: AsyncConnection, lease: Lease) -> bool:
    """Holds it for another `LEASE_SECONDS`; False when somebody else has it by now."""
    cursor = await conn.execute(QUERIES["renew_lease"], (LEASE_SECONDS, lease.name, lease.token))
    return cursor.rowcount == 1


async def release(conn: AsyncConnection, lease: Lease) -> None:
    """Lets it go at once, so that the next owner need not wait."""
    await conn.execute(QUERIES["release_lease"], (lease.name, lease.token))
