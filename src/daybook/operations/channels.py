"""Pausing, retrying, sending again and switching a channel: first recorded with who does it, then done.

What is refused is refused before it is recorded. Who is cut off in between finds the event, and does the same again.
A switch is one transaction, and is recorded right before its commit.
"""

import asyncio
from collections.abc import Callable

import msgspec

from daybook import limits
from daybook.app import App
from daybook.channel.contract import Connector, ReadsBack
from daybook.delivery import drift as drifting
from daybook.delivery import resync as resyncing
from daybook.delivery import retry as retrying
from daybook.delivery.drift import Drift, DriftProgress
from daybook.delivery.resync import Choice, Resynced
from daybook.delivery.retry import Retried, RetryChoice
from daybook.events import (
    ChannelPaused,
    ChannelPruned,
    ChannelResumed,
    ChannelResynced,
    ChannelRetried,
    ChannelSwitched,
    OperationEvent,
)
from daybook.events.envelope import CHANNEL_KEY
from daybook.ids import new_id
from daybook.log.pending import Context, NewEvent
from daybook.postgres.pool import connect_async
from daybook.queries.channels import Channels
from daybook.rebuild import prune as pruning
from daybook.rebuild import run as rebuilds
from daybook.rebuild.switch import OnSwitch, Switched
from daybook.values import check_limit


class Paused(msgspec.Struct, frozen=True):
    """Whether deliveries wait."""

    channel: str
    paused: bool


def pause(app: App, name: str, context: Context) -> Paused:
    """Holds the channel's deliveries. One that is paused by a person stays so, and nothing is recorded."""
    channels = Channels(app.pool, app.registry)
    status = channels.status(name)
    if not status.paused or status.paused_because is not None:
        _record(app, ChannelPaused(name=name), context)
        channels.pause(name, True)
    return Paused(name, True)


def resume(app: App, name: str, context: Context) -> Paused:
    """Lets the channel's deliveries go, also when it had asked for no more calls itself."""
    channels = Channels(app.pool, app.registry)
    if channels.status(name).paused:
        _record(app, ChannelResumed(name=name), context)
        channels.pause(name, False)
    return Paused(name, False)


def retry(app: App, name: str, choice: RetryChoice, context: Context) -> Retried:
    """Tries again what stands still. Nothing is recorded where nothing does."""
    dsn, manifest = app.settings.require_postgres(), app.registry.get(name)
    check_limit(limits.NAMED, len(choice.keys) + len(choice.skus), "skus")
    found = retrying.standing(dsn, app.pool, manifest, choice)
    if found.groups or found.facets:
        _record(app, retried(name, choice, groups=found.groups, facets=found.facets), context)
    return retrying.retry(dsn, app.pool, manifest, choice)


def resync(app: App, name: str, choice: Choice, context: Context, *, dry_run: bool = False) -> Resynced:
    """Sends again what the channel acknowledged. Nothing is recorded of a dry run, and where nothing was chosen."""
    manifest = app.registry.get(name)
    check_limit(limits.NAMED, len(choice.skus) + len(choice.keys), "skus")
    counted = resyncing.resync(app.pool, manifest, choice, dry_run=True)
    if dry_run:
        return counted
    if counted.facets:
        _record(app, resynced(name, choice, facets=counted.facets), context)
    return resyncing.resync(app.pool, manifest, choice)


async def drift(
    app: App,
    name: str,
    connector: Connector,
    choice: Choice,
    context: Context,
    *,
    dry_run: bool = False,
    on_progress: Callable[[DriftProgress], None] = lambda progress: None,
) -> Drift:
    """Reads the channel, and sends again what it shows differently. Nothing is recorded of a dry run."""
    manifest = app.registry.get(name)
    check_limit(limits.NAMED, len(choice.skus) + len(choice.keys), "skus")
    if isinstance(connector, ReadsBack) and not dry_run:  # one that can't be read is refused below
        counted = await asyncio.to_thread(resyncing.resync, app.pool, manifest, choice, dry_run=True)
        if counted.facets:
            await asyncio.to_thread(_record, app, resynced(name, choice, drift_only=True), context)
    return await drifting.drift(app.pool, manifest, connector, choice, dry_run=dry_run, on_progress=on_progress)


def apply(app: App, name: str, number: int | None, context: Context) -> Switched:
    """Makes a generation that is ready or kept the live one: the newest ready one when none is named."""
    dsn = app.settings.require_postgres()
    return asyncio.run(rebuilds.apply(dsn, app.registry.get(name), number, recorded_as(app, context)))


def rollback(app: App, name: str, context: Context) -> Switched:
    """Makes the newest generation that was kept live again."""
    dsn = app.settings.require_postgres()
    return asyncio.run(rebuilds.rollback(dsn, app.registry.get(name), recorded_as(app, context)))


def prune(app: App, name: str, keep: int, only: int | None, context: Context) -> list[int]:
    """Drops old generations and returns their numbers; of a channel that was removed, all of them."""
    manifest, dsn = app.registry.get_even_removed(name), app.settings.require_postgres()
    went = name in app.registry.removed()

    async def on_prune(numbers: list[int]) -> None:
        await asyncio.to_thread(_record, app, ChannelPruned(name=name, generations=tuple(numbers)), context)

    async def work() -> list[int]:
        async with rebuilds.exclusively(dsn, manifest.name), await connect_async(dsn, "prune") as conn:
            if went and only is None:
                return await pruning.forget(conn, manifest.name, on_prune)
            return await pruning.prune(conn, manifest.name, keep, only, on_prune)

    return asyncio.run(work())


def recorded_as(app: App, context: Context) -> OnSwitch:
    """Records a switch, of a rebuild too, as somebody's."""

    async def on_switch(done: Switched) -> None:
        event = ChannelSwitched(name=done.projection, generation=done.live, before=done.before, facets=done.facets)
        await asyncio.to_thread(_record, app, event, context)

    return on_switch


def retried(name: str, choice: RetryChoice, *, groups: int, facets: int) -> ChannelRetried:
    """What is recorded of a retry."""
    return ChannelRetried(
        name=name,
        keys=choice.keys,
        skus=choice.skus,
        code=choice.code,
        rejected=choice.rejected,
        groups=groups,
        facets=facets,
    )


def resynced(name: str, choice: Choice, *, drift_only: bool = False, facets: int | None = None) -> ChannelResynced:
    """What is recorded of sending again."""
    return ChannelResynced(
        name=name,
        skus=choice.skus,
        since=choice.since,
        locale=choice.locale,
        keys=choice.keys,
        drift_only=drift_only,
        facets=facets,
    )


def _record(app: App, event: OperationEvent, context: Context) -> None:
    context = msgspec.structs.replace(context, command_id=new_id())  # each one counts, also of one request
    app.log.record([(context, [NewEvent(f"projection/{event.name}", 0, event, None, f"{CHANNEL_KEY}{event.name}")])])
