"""Sending again and comparing, at the command line: a question before a whole channel, progress, what differs."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence

import typer

from daybook.app import App
from daybook.channel.connection import connected
from daybook.delivery.drift import Drift, DriftProgress
from daybook.delivery.resync import Choice, Resynced
from daybook.errors import Refused, Unavailable
from daybook.operations import channels as operations
from daybook.queries.moment import resolve
from daybook.terminal.carry_out import context
from daybook.terminal.channel import views
from daybook.terminal.options import CommonOptions
from daybook.terminal.render import Show, answer, line, note, plain, stacked, stderr
from daybook.terminal.tables import table


def choice(app: App, skus: Sequence[str], since: str | None, locale: str | None) -> Choice:
    """What was asked for. Raises InvalidValue for a malformed time."""
    position = None if since is None else resolve(app.reader, since).position
    return Choice(skus=tuple(skus), since=position, locale=locale)


def tell(
    common: CommonOptions, app: App, name: str, asked: Choice, *, drift_only: bool, dry_run: bool, yes: bool
) -> None:
    """Carries it out and prints what came of it. Raises Unavailable, after that, when the channel stopped answering."""
    if not drift_only:
        found = again(common, app, name, asked, dry_run=dry_run, yes=yes)
        answer(common, found, shown(found))
        return
    compared = compare(common, app, name, asked, dry_run)
    answer(common, compared, drifted(compared))
    if compared.stopped is not None:
        raise Unavailable(compared.stopped, channel=name)


def again(common: CommonOptions, app: App, name: str, asked: Choice, *, dry_run: bool, yes: bool) -> Resynced:
    """Marks what is chosen due. Raises Refused for a whole channel that nobody said yes to."""
    sender = context(common, "cli")
    if asked.all and not dry_run and not yes:
        _ask(common, operations.resync(app, name, asked, sender, dry_run=True))
    return operations.resync(app, name, asked, sender, dry_run=dry_run)


def _ask(common: CommonOptions, found: Resynced) -> None:
    much = f"{found.facets:,} facets of {found.skus:,} SKUs, all that {found.channel} has confirmed"
    if common.json or not sys.stdin.isatty():
        raise Refused(
            f"this sends {much}, again: --yes if that is meant, --dry-run to count, --drift-only to send what differs",
            channel=found.channel,
        )
    typer.confirm(f"Send {much}, again?", abort=True, err=True)


def compare(common: CommonOptions, app: App, name: str, asked: Choice, dry_run: bool) -> Drift:
    """Reads the channel and compares, with a progress bar on a terminal."""
    sender, connector = context(common, "cli"), connected(app.registry, app.settings, name)

    async def main(on_progress: Callable[[DriftProgress], None]) -> Drift:
        try:
            return await operations.drift(app, name, connector, asked, sender, dry_run=dry_run, on_progress=on_progress)
        finally:
            await connector.close()

    try:
        with _progress(common, name) as on_progress:
            return asyncio.run(main(on_progress))
    except KeyboardInterrupt:
        note(common, "stopped: what was found until the last hundred SKUs is noted, and due")
        raise


@contextlib.contextmanager
def _progress(common: CommonOptions, name: str) -> Iterator[Callable[[DriftProgress], None]]:
    console = stderr()
    if common.json or not console.is_terminal:
        yield lambda progress: None
        return
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[said]}"), TimeRemainingColumn())
    with Bar(*columns, console=console) as bar:
        task = bar.add_task(f"reading {name}", total=None, said="")

        def on_progress(progress: DriftProgress) -> None:
            said = f"{progress.done:,} of {progress.total:,} SKUs, {progress.facets:,} facets differ"
            bar.update(task, completed=progress.done, total=progress.total, said=said)

        yield on_progress


def shown(found: Resynced) -> Show:
    """For a person."""
    verb = "would be" if found.dry_run else "are"
    if not found.facets:
        return line(f"{found.channel}: nothing that was chosen is confirmed there, so nothing {verb} sent again")
    return line(f"{found.channel}: {found.facets:,} facets of {found.skus:,} SKUs {verb} sent again")


def drifted(found: Drift) -> Show:
    """For a person."""
    rows = [
        (one.sku, one.facet, one.field or "all of it", plain(one.shown) or "nothing", plain(one.said))
        for one in found.drifted
    ]
    unread = [(one.sku, views.reasons(one.reasons)) for one in found.unread]
    end = "nothing was changed" if found.dry_run else "they are brought to the channel again"
    parts = [table(("SKU", "facet", "field", f"{found.channel} shows", "the book says"), rows, "no drift")]
    if unread:
        parts.append(table(("SKU", "can't be read because"), unread))
    compared = f"{found.compared:,} of {found.chosen:,} SKUs compared"
    differ = f"{found.facets:,} facets of {found.skus:,} SKUs differ"
    parts.append(line(f"{compared}, {differ}{f': {end}' if found.facets else ''}"))
    if found.left_out:
        parts.append(
            line(f"left out: {found.left_out:,} SKUs of which something is under way, rejected or just changed")
        )
    if found.unknown:
        parts.append(line(f"not compared: {found.unknown:,} facets that {found.channel} does not give back"))
    return stacked(*parts)
