"""Makes another generation the live one, in one transaction: before its commit nothing has happened, after it all has.

The order of locks is that of `channel.store`: the projection, generations by number, lanes by name, deliveries.
"""

from collections.abc import Awaitable, Callable, Sequence

import msgspec

from daybook.channel.contract import Manifest
from daybook.errors import Refused, Unavailable
from daybook.events import EventDiscarded, ListingEvent, Recorded
from daybook.events.envelope import REFERENCE_KEY
from daybook.log import reader
from daybook.postgres.pool import AsyncConnection
from daybook.projection import due
from daybook.projection.beyond import true_position
from daybook.projection.folding import Batch, Folder, Owners
from daybook.projection.generations import Checkpoint, Generation, hold
from daybook.projection.leases import Lease
from daybook.projection.reading import Reading, decoded
from daybook.projection.receipts import Settlement
from daybook.projection.store import Store, Superseded
from daybook.rebuild import QUERIES
from daybook.rebuild.follow import follow

INSIDE_EVENTS_MAX = 1000
"""Events that are folded while everybody waits; when there are more, the generation follows the log again first."""
TRIES_MAX = 50


class Switched(msgspec.Struct, frozen=True, kw_only=True):
    """What a switch did."""

    projection: str
    live: int
    before: int
    position: int
    """The checkpoint that the new live generation goes on from."""
    facets: int
    """Facets for which the channel should show something else than before: no other was touched."""


OnSwitch = Callable[[Switched], Awaitable[None]]
"""Told of a switch inside of its transaction, right before the commit: what it raises undoes the switch."""


class _NotYet(Exception):
    """The log went on, more than should be folded while everybody waits."""


async def switch(
    conn: AsyncConnection, manifest: Manifest, to: Generation, lease: Lease, on_switch: OnSwitch | None = None
) -> Switched:
    """Makes `to` the live generation and brings the deliveries to the differences, and to nothing else.

    The live runner and the workers go on; they see the switch at its commit. Raises Refused when it is live already,
    Superseded when another rebuild has the lease, Unavailable when the log outruns it.
    """
    for _ in range(TRIES_MAX):
        await follow(conn, manifest, to, lease)
        try:
            return await _try_switch(conn, manifest, to, lease, on_switch)
        except _NotYet:
            continue
    raise Unavailable(f"{manifest.name} is too busy for a switch just now: try again")


async def _try_switch(
    conn: AsyncConnection, manifest: Manifest, to: Generation, lease: Lease, on_switch: OnSwitch | None = None
) -> Switched:
    async with conn.transaction():
        if not await (await conn.execute(QUERIES["holds_lease"], (lease.name, lease.token))).fetchone():
            raise Superseded(f"another rebuild of {manifest.name} has taken over")
        row = await (await conn.execute(QUERIES["lock_projection"], (manifest.name,))).fetchone()
        assert row is not None
        live = Generation(manifest.name, row[0])
        if live == to:
            raise Refused(f"generation {to.number} of {manifest.name} is the live one already")
        held = {one: await hold(conn, one) for one in sorted((live, to), key=lambda one: one.number)}
        new, before = held[to], await true_position(conn, live)
        position = max(new.position, before)
        if new.position < before:
            await _bring_forward(conn, manifest, to, new, before)
        receipts = await _receipts(conn, manifest, before, new.position)
        facets = await due.want_differences(conn, manifest, to, position, receipts) if manifest.connector else 0
        await conn.execute(QUERIES["become_kept"], (manifest.name, live.number))
        await conn.execute(QUERIES["become_live"], (manifest.name, to.number))
        await conn.execute(QUERIES["set_live"], {"to": to.number, "projection": manifest.name, "was": live.number})
        done = Switched(projection=manifest.name, live=to.number, before=live.number, position=position, facets=facets)
        if on_switch is not None:
            await on_switch(done)
    return done


async def _bring_forward(
    conn: AsyncConnection, manifest: Manifest, to: Generation, new: Checkpoint, position: int
) -> None:
    """Folds the few events that the live generation has and this one has not."""
    rows = await reader.rows_after(conn, new.position, INSIDE_EVENTS_MAX + 1, position)
    events = Reading(manifest).of(decoded(rows, Reading(manifest).takes))
    # A changed definition may touch every group, and a discard has one folded from its beginning: work for `follow`.
    told = any(one.key == REFERENCE_KEY or isinstance(one.event, EventDiscarded) for one in events)
    if len(rows) > INSIDE_EVENTS_MAX or told:
        raise _NotYet
    if events:
        reference, _ = await reader.reference_at(conn, new.position)
        store = Store(conn, manifest, to, deliver=False)
        groups = await store.groups(list(dict.fromkeys(one.key for one in events)), events[-1])
        parked = await store.parked()

        def fold(taken: Owners) -> Batch:
            return Folder(manifest, reference).fold(
                events, groups.states, groups.listed, each_command=True, parked=parked, taken=taken
            )

        await store.write(await store.with_owners(fold, groups.listed))
    await conn.execute(
        QUERIES["set_position"], {"position": position, "projection": manifest.name, "generation": to.number}
    )


async def _receipts(conn: AsyncConnection, manifest: Manifest, after: int, upto: int) -> list[Settlement]:
    """Receipts that the live generation's runner has not read yet: the new one's goes on behind them."""
    if upto <= after or manifest.connector is None:
        return []
    found = await (await conn.execute(QUERIES["receipts_between"], (after, upto))).fetchall()
    events: Sequence[Recorded] = [reader.recorded(row) for row in found]
    return [
        Settlement(one.position, one.recorded_at, one.key, one.event)
        for one in events
        if isinstance(one.event, ListingEvent) and one.event.channel == manifest.name
    ]
