"""`daybook failover` at the command line: what was lost, a question, the steps, and what is left to a person."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import typer

from daybook.app import App
from daybook.errors import NotFound, Refused, Unavailable
from daybook.failover import steps
from daybook.failover.kept import Begun, ChannelCheck
from daybook.failover.parting import LostEvent
from daybook.terminal.channel import rebuild as rebuilding
from daybook.terminal.options import CommonOptions
from daybook.terminal.render import answer, line, note, stacked
from daybook.terminal.tables import table

if TYPE_CHECKING:
    from rich.console import Console

LOST_TOLD_MAX = 1000
"""Of the lost events in the answer; all of them are in the file."""


class FailoverDone(msgspec.Struct, frozen=True, kw_only=True):
    """What was found and what was done; what would be, for a dry run."""

    dry_run: bool
    resumed: bool
    """Whether an earlier try was cut off, and this one went on."""
    log: int
    """The log's last position."""
    stream: int | None
    """The stream's last sequence."""
    first: int | None
    """The first message that the log lacks; None for none."""
    lost: int
    events: list[LostEvent]
    unread: list[int]
    """Messages that are no events."""
    file: str | None
    """Where the lost events are kept."""
    rebuilt: list[str]
    channels: list[ChannelCheck]
    by_hand: list[str]
    """SKUs that a channel may show although the log says nothing of it."""
    accepted: bool
    """Whether this server was said to be the right one."""


def failover(
    common: CommonOptions, app: App, file: Path | None, *, dry_run: bool, yes: bool, restored: bool
) -> FailoverDone:
    """Leads through a failover. Raises Refused on an old primary, Unavailable, and InvalidValue for the file."""
    now = datetime.now(UTC)
    try:
        found = asyncio.run(steps.look(app, None, now))
    except NotFound:
        raise Refused("there is no stream to compare with: the relay makes one and fills it from the log") from None
    if found.older is not None and not restored:
        raise Refused(
            f"{found.older}: it is the old primary. Let DAYBOOK_POSTGRES name the new one. If this server was restored "
            "on purpose, and is the right one, stop every role first, then run `daybook failover --restored`"
        )
    if dry_run or (found.parting.first is None and found.begun is None and not restored):
        return _done(app, found, found.begun, dry_run=dry_run)
    if not yes:
        _ask(common, found, restored)
    if not (found.begun is not None and found.begun.reset):
        name = f"lost-events-{now:%Y%m%dT%H%M%SZ}-{found.parting.first}-{found.parting.last}.jsonl"
        found = msgspec.structs.replace(asyncio.run(steps.look(app, file or Path(name), now)), resumed=found.resumed)
    state = found.begun
    if restored:
        steps.accept_server(app)
    if (state is not None and not state.reset) or (state is None and restored):
        note(common, "removing the stream: the relay fills it again from the log")
        state = steps.remove_stream(app, state)
    if state is None:
        return _done(app, found, None, dry_run=False, accepted=restored)
    if state.rebuilt is None:
        state = steps.rebuild_beyond(app, state, lambda name: _rebuild(common, app, name))
    state = steps.compare_channels(app, state, lambda name: note(common, f"comparing what {name} shows"))
    steps.finish(app)
    return _done(app, found, state, dry_run=False, accepted=restored)


def tell(common: CommonOptions, done: FailoverDone) -> None:
    """Prints it. Raises Unavailable, after that, when a channel could not be compared."""
    answer(common, done, shown(done))
    missed = [one for one in done.channels if one.why_not is not None]
    if missed and not done.dry_run:
        steps_left = "; ".join(f"daybook channel resync {one.channel} --drift-only" for one in missed)
        raise Unavailable(f"not every channel could be compared. When it can be: {steps_left}")


def _ask(common: CommonOptions, found: steps.FailoverNeeds, restored: bool) -> None:
    lost = len(found.parting.lost)
    said = (
        f"{lost} events that the log lacks are saved, then the stream is removed"
        if lost
        else "The stream is removed"
        if restored
        else "The failover that was cut off goes on"
    )
    if common.json:
        raise Refused(f"{said}: --yes if that is meant, --dry-run to see them")
    typer.confirm(f"{said}. Go on?", abort=True, err=True)


def _rebuild(common: CommonOptions, app: App, name: str) -> None:
    rebuilding.rebuild(common, app, name, apply=True, workers=None, fresh=True, at=None, from_code=None)


def _done(
    app: App, found: steps.FailoverNeeds, state: Begun | None, *, dry_run: bool, accepted: bool = False
) -> FailoverDone:
    parting = found.parting
    channels = list(state.checked) if state is not None else []
    if dry_run and not channels:
        keys = state.keys if state is not None else parting.keys
        channels = [ChannelCheck(channel=one.name) for one in steps.concerned(app, keys)]
    return FailoverDone(
        dry_run=dry_run,
        resumed=found.resumed,
        log=parting.head,
        stream=parting.last,
        first=parting.first if state is None else state.first,
        lost=len(parting.lost) if state is None else state.lost,
        events=parting.lost[:LOST_TOLD_MAX],
        unread=parting.unread[:LOST_TOLD_MAX],
        file=None if state is None else state.file,
        rebuilt=[] if state is None else state.rebuilt or [],
        channels=channels,
        by_hand=parting.by_hand if state is None else state.by_hand,
        accepted=accepted,
    )


def shown(done: FailoverDone) -> Callable[[Console], None]:
    """For a person."""
    if done.first is None:
        said = "the log takes appends again, and the relay fills a new stream" if done.accepted else "nothing to do"
        return line(f"{said}: the stream has nothing that the log, at position {done.log}, lacks")
    would = "would be" if done.dry_run else "were"
    parts = []
    if done.events:
        parts.append(
            table(
                ("message", "recorded", "event", "SKU", "actor", "reason", "sent again at"),
                [
                    (one.sequence, one.recorded_at, one.type, one.sku or one.stream, one.actor, one.reason, one.again)
                    for one in done.events
                ],
            )
        )
    parts.append(line(f"{done.lost} events from message {done.first} on are not in the log"))
    if done.unread:
        parts.append(line(f"{len(done.unread)} messages are no events: somebody else published them"))
    if done.file is not None:
        parts.append(line(f"they are kept in {done.file}"))
    parts.append(line(f"the stream {would} removed; the relay fills it again from the log"))
    parts += [line(f"{name} had folded what the log does not have: it was built again") for name in done.rebuilt]
    for one in done.channels:
        parts.append(line(_channel(one, done.dry_run)))
    if done.by_hand:
        parts.append(line(f"a channel may show these, of which the log says nothing: {', '.join(done.by_hand)}"))
    if done.lost:
        parts.append(line("enter again what should hold; the file has who sent each change, and why"))
    return stacked(*parts)


def _channel(one: ChannelCheck, dry_run: bool) -> str:
    if dry_run:
        return f"{one.channel} would be compared with the log, where it shows the products concerned"
    if one.why_not is not None:
        return f"{one.channel} was not compared: {one.why_not}"
    left = f", {one.left_out} SKUs are under way or rejected, and sent again" if one.left_out else ""
    return f"{one.channel}: {one.compared} SKUs compared, {one.facets} facets differ and are sent again{left}"
