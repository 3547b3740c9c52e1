"""The check of the log and its stream, with its progress."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from daybook.app import App
from daybook.audit import findings
from daybook.audit.findings import Verified
from daybook.audit.verify import verify
from daybook.errors import CorruptLog, StreamStopped
from daybook.queries import stream_state
from daybook.queries.stream_state import StreamState
from daybook.terminal.options import CommonOptions
from daybook.terminal.render import line, stderr


class Checked(msgspec.Struct, frozen=True):
    """What was found in the log and the stream, and what keeps the stream from following the log."""

    verified: Verified
    stream: str | None


def run(common: CommonOptions, app: App, with_stream: bool) -> Checked:
    """Checks everything. Raises Unavailable when a server does not answer: then nothing is known."""
    nats = app.settings.nats if with_stream else None
    with _bar(common) as progress:
        found = asyncio.run(verify(app.settings.require_postgres(), nats, progress))
    return Checked(found, _trouble(found, stream_state.read(app.pool)) if nats else None)


def _trouble(found: Verified, kept: StreamState) -> str | None:
    """What a stream that holds may still lack: all of it, or its end for longer than the relay takes."""
    if found.ok and found.events and found.messages is None:
        return kept.sentence if kept.reason else f"there is no stream. {stream_state.START}, which makes it"
    return kept.sentence if kept.behind and kept.state in ("stuck", "missing") else None


def shown(found: Verified) -> Callable[[Console], None]:
    """For a person: what holds. Problems are said by `conclude`."""
    what = f"{found.events} events in {found.streams} streams"
    if not found.ok:
        return line(f"{what} hold before the first problem")
    if found.messages is None:
        return line(f"{what} hold; no stream was compared")
    return line(f"{what} hold, and so do {found.messages} messages in the stream")


def conclude(checked: Checked) -> None:
    """Raises CorruptLog with the first thing that is wrong, and StreamStopped when only the stream is."""
    found = checked.verified
    if found.problem is not None:
        raise CorruptLog(found.problem, position=found.position, stream=found.stream)
    if checked.stream is not None:
        raise StreamStopped(f"the log holds, but {checked.stream}")


@contextmanager
def _bar(common: CommonOptions) -> Iterator[findings.Progress]:
    """A bar on the terminal's stderr: how far, time left."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.completed} of {task.total}"),
        TimeRemainingColumn(),
    )
    hidden = common.json or not sys.stderr.isatty()
    with Progress(*columns, console=stderr(), disable=hidden, transient=True) as bar:
        tasks = {"events": bar.add_task("events", total=None), "messages": bar.add_task("messages", total=None)}

        def progress(what: str, done: int, total: int) -> None:
            bar.update(tasks[what], completed=done, total=total)

        yield progress
