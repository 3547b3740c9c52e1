"""Parked groups: what a projection's own code could not fold or render, and how it comes back.

`retry` folds a group again from its beginning, with the code as it is now. `discard` first records, as an event and
with a reason, that this projection leaves the failing event out; so a rebuild and a look at the past do so as well.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from daybook.channel.contract import Manifest
from daybook.errors import NotFound, Refused
from daybook.events import EventDiscarded
from daybook.log import reader
from daybook.log.application import Log
from daybook.log.pending import Context, NewEvent
from daybook.postgres.pool import AsyncConnection, connect_async
from daybook.postgres.sql import beside
from daybook.projection.folding import Batch, Folder, Owners
from daybook.projection.generations import Generation, hold
from daybook.projection.generations import live as live_generation
from daybook.projection.store import Store

QUERIES = beside(__file__)


class ParkedGroup(msgspec.Struct, frozen=True, kw_only=True):
    """A group that stands still, the event on which it failed, and why."""

    key: str
    position: int
    event_id: str | None
    type: str | None
    sku: str | None
    error: str
    place: str
    """File, line and function where it was raised."""
    events: int
    """How many of its events were left for later, the failing one included."""
    parked_at: datetime


async def parked(dsn: str, manifest: Manifest) -> list[ParkedGroup]:
    """The live generation's parked groups, in the order in which they were parked."""
    async with await connect_async(dsn, "parked") as conn:
        generation, _ = await live_generation(conn, manifest)
        return await _parked(conn, generation)


async def retry(dsn: str, manifest: Manifest, keys: Sequence[str] = ()) -> list[str]:
    """Folds these parked groups (or all) again from the log and returns those that came back.

    One transaction for each group; the runner starts over and misses nothing. A group that fails again stays parked.
    """
    back: list[str] = []
    async with await connect_async(dsn, "retry") as conn:
        generation, _ = await live_generation(conn, manifest)
        for key in await _chosen(conn, generation, keys):
            if await _again(conn, manifest, generation, key):
                back.append(key)
    return back


async def chosen(dsn: str, manifest: Manifest, keys: Sequence[str] = ()) -> Sequence[str]:
    """The parked groups that `retry` would fold again. Raises NotFound for a key that is not parked."""
    async with await connect_async(dsn, "parked") as conn:
        generation, _ = await live_generation(conn, manifest)
        return await _chosen(conn, generation, keys)


async def discard(dsn: str, manifest: Manifest, log: Log, key: str, context: Context) -> list[str]:
    """Leaves the event out on which the group failed, for `context.reason`, and folds the group again."""
    if not context.reason:
        raise Refused("a reason is needed: it is recorded with the event that is left out", field="reason")
    async with await connect_async(dsn, "discard") as conn:
        generation, _ = await live_generation(conn, manifest)
        found = [one for one in await _parked(conn, generation) if one.key == key]
    if not found:
        raise NotFound(f"{manifest.name} has no parked group {key}; `channel parked` lists them", key=key)
    if found[0].event_id is None:
        raise Refused(
            f"{key} failed when it was rendered for a change of the reference: there is no event to leave out"
        )
    event = EventDiscarded(projection=manifest.name, position=found[0].position, reason=context.reason)
    log.record([(context, [NewEvent(f"projection/{manifest.name}", 0, event, None, key)])])
    try:
        return await retry(dsn, manifest, [key])
    except NotFound:
        return [key]  # the runner has read of it already, and brought the group back itself


async def _chosen(conn: AsyncConnection, generation: Generation, keys: Sequence[str]) -> Sequence[str]:
    there = [one.key for one in await _parked(conn, generation)]
    for key in keys:
        if key not in there:
            raise NotFound(f"{generation.projection} has no parked group {key}; `channel parked` lists them", key=key)
    return keys or there


async def _parked(conn: AsyncConnection, generation: Generation) -> list[ParkedGroup]:
    names = (generation.projection, generation.number)
    rows = await (await conn.execute(QUERIES["parked"], names)).fetchall()
    return [msgspec.convert(dict(zip(ParkedGroup.__struct_fields__, row, strict=True)), ParkedGroup) for row in rows]


async def _again(conn: AsyncConnection, manifest: Manifest, generation: Generation, key: str) -> bool:
    async with conn.transaction():
        at = await hold(conn, generation)
        reference, _ = await reader.reference_at(conn, at.position)
        events = await reader.of_key(conn, key, at.position)
        # A discard that was recorded a moment ago may lie behind the checkpoint; it counts all the same.
        later = [one for one in await reader.of_key(conn, key, reader.LAST) if one.position > at.position]
        events += [one for one in later if isinstance(one.event, EventDiscarded)]
        store = Store(conn, manifest, generation)
        listed = (await store.groups([key], events[-1])).listed
        # From its beginning means that its history is told again, too.
        again = manifest.keeps_history
        shown = {} if again else listed

        def fold(taken: Owners) -> Batch:
            return Folder(manifest, reference).fold(events, {}, shown, each_command=again, taken=taken)

        batch = await store.with_owners(fold, shown)
        if batch.parked:
            return False
        batch.unparked = {key}
        await store.write(batch)
        return True
