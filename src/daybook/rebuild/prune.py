"""The generations of a projection, and dropping those that nobody needs."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Literal

import msgspec

from daybook.errors import NotFound, Refused
from daybook.ids import new_id
from daybook.postgres.pool import AsyncConnection
from daybook.projection import due, leases, versions
from daybook.projection.generations import Generation
from daybook.rebuild import QUERIES

KEEP = 1
"""Generations that are kept for a rollback."""

OnPrune = Callable[[list[int]], Awaitable[None]]
"""Told of the generations before the first of them is dropped: what it raises leaves all of them."""

State = Literal["building", "ready", "live", "kept", "reading"]


class GenerationView(msgspec.Struct, frozen=True, kw_only=True):
    """One generation at a glance."""

    generation: int
    state: State
    code_version: int
    position: int
    created_at: datetime
    kept_at: datetime | None
    origin: str | None
    """The folder of code that is not installed."""
    code: str | None


async def generations(conn: AsyncConnection, projection: str) -> list[GenerationView]:
    """All generations, by number."""
    rows = await (await conn.execute(QUERIES["generations"], (projection,))).fetchall()
    return [
        GenerationView(
            generation=number,
            state="live" if is_live else state,
            code_version=version,
            position=position,
            created_at=created,
            kept_at=kept,
            origin=origin,
            code=code,
        )
        for number, state, version, position, created, kept, origin, code, _, is_live in rows
    ]


async def drop(conn: AsyncConnection, generation: Generation) -> None:
    """Drops a generation that is not live, with all that it has. One transaction; idempotent."""
    names = (generation.projection, generation.number)
    async with conn.transaction():
        row = await (await conn.execute(QUERIES["lock_projection"], (generation.projection,))).fetchone()
        if row is not None and row[0] == generation.number:
            raise _is_live(generation)
        await conn.execute("SET LOCAL client_min_messages = warning")
        await conn.execute(generation.composed(QUERIES["drop_tables"]))
        await versions.drop(conn, generation)
        for query in ("drop_ranges", "drop_parked", "drop_generation"):
            await conn.execute(QUERIES[query], names)


async def prune(
    conn: AsyncConnection,
    projection: str,
    keep: int = KEEP,
    only: int | None = None,
    on_prune: OnPrune | None = None,
) -> list[int]:
    """Drops kept generations but the `keep` newest, and what an abandoned rebuild left; returns their numbers.

    `only`: this one, whatever it is; Refused for the live one. The caller has the rebuild's lease, so nobody is at work
    on one that is being built. What was built for reading, or has a plan that may be applied, stays until it is named.
    """
    found = await generations(conn, projection)
    if only is not None:
        if only not in [one.generation for one in found]:
            raise NotFound(f"{projection} has no generation {only}; `channel generations` lists them")
        if [one.state for one in found if one.generation == only] == ["live"]:
            raise _is_live(Generation(projection, only))
        if on_prune is not None:
            await on_prune([only])
        await drop(conn, Generation(projection, only))
        return [only]
    kept = sorted(
        (one for one in found if one.state == "kept"),
        key=lambda one: (one.kept_at or one.created_at, one.generation),
        reverse=True,
    )
    gone = sorted(one.generation for one in [*kept[keep:], *(one for one in found if one.state == "building")])
    if gone and on_prune is not None:
        await on_prune(gone)
    for number in gone:
        await drop(conn, Generation(projection, number))
    return gone


async def forget(conn: AsyncConnection, projection: str, on_prune: OnPrune | None = None) -> list[int]:
    """Drops all generations of a channel that was removed, and its deliveries; returns the generations' numbers.

    Added again it begins anew: the log has its receipts. The journal of requests stays. The caller has the rebuild's
    lease. Raises Refused while somebody still works for the channel.
    """
    lease = await leases.acquire(conn, f"project:{projection}", new_id())
    try:
        if lease is None or await due.workers_alive(conn, projection):
            raise Refused(f"{projection} is still at work: wait some seconds until its roles have let go of it")
        found = [one.generation for one in await generations(conn, projection)]
        if found and on_prune is not None:
            await on_prune(found)
        async with conn.transaction():
            await conn.execute("SET LOCAL client_min_messages = warning")
            for number in found:
                await conn.execute(Generation(projection, number).composed(QUERIES["drop_tables"]))
                await versions.drop(conn, Generation(projection, number))
            await due.forget(conn, projection)
    finally:
        if lease is not None:
            await leases.release(conn, lease)
    return found


def _is_live(generation: Generation) -> Refused:
    return Refused(f"generation {generation.number} of {generation.projection} is live")
