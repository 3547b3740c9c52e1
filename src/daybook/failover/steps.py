"""The steps of a failover, each of which may be cut off: save, remove the stream, build again, compare the channels."""

import asyncio
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import IO

import msgspec
from msgspec.structs import replace

from daybook.app import App
from daybook.channel.connection import connected
from daybook.channel.contract import Manifest
from daybook.delivery.drift import drift
from daybook.delivery.resync import Choice, distrust
from daybook.errors import BadConfiguration, Refused
from daybook.failover.kept import QUERIES, Begun, ChannelCheck, begun, keep
from daybook.failover.parting import Parting, find
from daybook.log import reader
from daybook.postgres.pool import AsyncConnection, connect_async, fetch
from daybook.postgres.sessions import timeline_of
from daybook.projection.beyond import found_beyond
from daybook.stream import state as stream_state
from daybook.stream import witness
from daybook.stream.connection import Nats
from daybook.stream.copy import lines, made
from daybook.stream.feed import Delivered
from daybook.stream.jetstream import Stream


class FailoverNeeds(msgspec.Struct, frozen=True):
    """What there is to do."""

    parting: Parting
    begun: Begun | None
    """The failover that was cut off, or that was saved just now."""
    resumed: bool
    older: str | None = None
    """Why this server must be taken for an old primary; None when it need not."""


async def look(app: App, file: Path | None, now: datetime) -> FailoverNeeds:
    """Compares the log with the stream. With a file, writes into it what the log lacks, before anything is changed.

    Raises InvalidValue for a file that is there already, and Unavailable.
    """
    nats = Nats(app.settings.require_nats(), "failover")
    await nats.open()
    try:
        async with await connect_async(app.settings.require_postgres(), "failover") as conn:
            older = await _older(conn, Stream(nats))
            before = await begun(conn)
            if before is not None and before.reset:
                parting = Parting(head=await reader.head(conn), last=await Stream(nats).last_sequence())
                return FailoverNeeds(parting, before, resumed=True, older=older)
            if file is None:
                return FailoverNeeds(await find(conn, nats), before, resumed=before is not None, older=older)
            parting, saved = await _saved(conn, nats, file, before)
    finally:
        await nats.close()
    if parting.first is None:
        # Removed, and filled again already: the try that did so was cut off before it could say so.
        state = None if before is None else replace(before, reset=True)
        return FailoverNeeds(parting, state, resumed=before is not None, older=older)
    state = before
    if saved or state is None:
        state = _begun(parting, file, now)
        await asyncio.to_thread(keep, app.pool, state)
    return FailoverNeeds(parting, state, resumed=not saved, older=older)


async def _older(conn: AsyncConnection, stream: Stream) -> str | None:
    info, own = await stream.info(), timeline_of(conn)
    seen = None if info is None else witness.parsed(info.metadata)
    if seen is None or not own.before(seen):
        return None
    return f"this server is at timeline {own.number}, and the stream was filled from timeline {seen.number}"


async def _saved(conn: AsyncConnection, nats: Nats, file: Path, before: Begun | None) -> tuple[Parting, bool]:
    """The parting, and whether it was written into the file; not when an earlier try has done so."""
    if before is not None and await asyncio.to_thread(Path(before.file).exists):
        parting = await find(conn, nats)
        if (parting.first, parting.last) == (before.first, before.last):
            return parting, False
    out: list[IO[bytes]] = []
    with ExitStack() as stack:

        def write(page: Sequence[Delivered]) -> None:
            if not out:
                out.append(stack.enter_context(made(file)))
            out[0].write(lines(page))

        parting = await find(conn, nats, write)
        for one in out:
            _sync(one)
    return parting, bool(out)


def _sync(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _begun(parting: Parting, file: Path, now: datetime) -> Begun:
    assert parting.first is not None and parting.last is not None
    return Begun(
        at=now,
        file=str(file.resolve()),
        first=parting.first,
        last=parting.last,
        lost=len(parting.lost),
        keys=parting.keys,
        by_hand=parting.by_hand,
    )


def remove_stream(app: App, state: Begun | None) -> Begun | None:
    """Removes the stream, which the relay then fills again from the log. Raises Unavailable."""

    async def remove() -> None:
        nats = Nats(app.settings.require_nats(), "failover")
        await nats.open()
        try:
            async with await connect_async(app.settings.require_postgres(), "failover") as conn:
                await Stream(nats).delete()
                await stream_state.forget_foreign(conn)
        finally:
            await nats.close()

    asyncio.run(remove())
    return _kept(app, None if state is None else replace(state, reset=True))


def accept_server(app: App) -> None:
    """This server is the right one, whatever timeline was seen elsewhere: its log takes appends again."""
    with app.pool.connection() as conn:
        conn.execute(QUERIES["accept_server"])


def rebuild_beyond(app: App, state: Begun, rebuild: Callable[[str], object]) -> Begun:
    """Builds again what has folded events that the log does not have."""

    async def look_beyond() -> list[str]:
        async with await connect_async(app.settings.require_postgres(), "failover") as conn:
            return await found_beyond(conn)

    known = {one.name for one in app.registry.all()}
    wrong = [name for name in asyncio.run(look_beyond()) if name in known]
    for name in wrong:
        rebuild(name)
    done = replace(state, rebuilt=[*(state.rebuilt or []), *wrong])
    keep(app.pool, done)
    return done


def compare_channels(app: App, state: Begun, on_channel: Callable[[str], None]) -> Begun:
    """Reads back what each channel shows of the products concerned; what differs is due again."""
    for manifest in concerned(app, state.keys):
        done = {one.channel: one for one in state.checked}
        if manifest.name in done and done[manifest.name].why_not is None:
            continue
        on_channel(manifest.name)
        done[manifest.name] = _compare(app, manifest, state.keys)
        state = replace(state, checked=list(done.values()))
        keep(app.pool, state)
    return state


def concerned(app: App, keys: list[str]) -> list[Manifest]:
    """The channels that were told something of these product groups, what is under way included."""
    told = {name for (name,) in fetch(app.pool, QUERIES["channels_of"], (keys,))}
    return [one for one in app.registry.all() if one.connector is not None and one.name in told]


def _compare(app: App, manifest: Manifest, keys: list[str]) -> ChannelCheck:
    name, choice = manifest.name, Choice(keys=tuple(keys))

    async def main() -> ChannelCheck:
        connector = connected(app.registry, app.settings, name)
        try:
            found = await drift(app.pool, manifest, connector, choice)
        finally:
            await connector.close()
        if found.left_out:
            # Hazard: the new primary may lack what came of a call, though it has its receipt; and a runner may have
            # folded lost events. What is due now may so come to be confirmed unsent, while the channel shows what was
            # lost. What can't be compared is sent again unseen.
            await asyncio.to_thread(distrust, app.pool, manifest, keys)
        return ChannelCheck(
            channel=name,
            compared=found.compared,
            facets=found.facets,
            left_out=found.left_out,
            why_not=found.stopped,
        )

    try:
        return asyncio.run(main())
    except (BadConfiguration, Refused) as error:
        return ChannelCheck(channel=name, why_not=error.message)


def finish(app: App) -> None:
    """Forgets the failover: everything is done, or a person was told what is left."""
    keep(app.pool, None)


def _kept(app: App, state: Begun | None) -> Begun | None:
    if state is not None:
        keep(app.pool, state)
    return state
