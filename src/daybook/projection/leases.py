"""Leases in Postgres: one owner at a time for a name, taken over when it falls silent, fenced by a rising token.

The server's clock decides, so machines need not agree on the time. A lease says who should work; the token, checked in
the very transaction that writes, makes sure that nobody else does.
"""

from collections.abc import Mapping

import msgspec

from daybook.postgres.pool import AsyncConnection
from daybook.postgres.sql import beside

QUERIES = beside(__file__)

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
    given = {"name": name, "owner": owner, "lease": LEASE_SECONDS}
    row = await (await conn.execute(QUERIES["acquire_lease"], given)).fetchone()
    return None if row is None else Lease(name, owner, row[0])


async def take(conn: AsyncConnection, owners: Mapping[str, str]) -> dict[str, Lease]:
    """Many leases in one statement, by name: those that were free, and those that these owners have, for longer."""
    names = sorted(owners)  # two that take the same ones must not wait for each other
    given = (LEASE_SECONDS, names, [owners[name] for name in names])
    rows = await (await conn.execute(QUERIES["take_leases"], given)).fetchall()
    return {name: Lease(name, owners[name], token) for name, token in rows}


async def renew(conn: AsyncConnection, lease: Lease) -> bool:
    """Holds it for another `LEASE_SECONDS`; False when somebody else has it by now."""
    given = {"lease": LEASE_SECONDS, "name": lease.name, "token": lease.token}
    cursor = await conn.execute(QUERIES["renew_lease"], given)
    return cursor.rowcount == 1


async def release(conn: AsyncConnection, lease: Lease) -> None:
    """Lets it go at once, so that the next owner need not wait."""
    await conn.execute(QUERIES["release_lease"], (lease.name, lease.token))
