"""The check of the log and its stream, with its progress."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from daybook.audit import findings
from daybook.audit.findings import Verified
from daybook.audit.verify import verify
from daybook.cli.grammar import Given
from daybook.cli.render import line, stderr
from daybook.config import Settings
from daybook.errors import CorruptLog


def run(given: Given, settings: Settings, with_stream: bool) -> Verified:
    """Checks everything. Raises Unavailable when a server does not answer: then nothing is known."""
    with _bar(given) as progress:
        return asyncio.run(verify(settings.require_postgres(), settings.nats if with_stream else None, progress))


def shown(found: Verified) -> Callable[[Console], None]:
    """For a person: what holds. A problem is said by `conclude`."""
    what = f"{found.events} events in {found.streams} streams"
    if not found.ok:
        return line(f"{what} hold before the first problem")
    if found.messages is None:
        return line(f"{what} hold; no stream was compared")
    return line(f"{what} hold, and so do {found.messages} messages in the stream")


def conclude(found: Verified) -> None:
    """Raises CorruptLog with the first thing that is wrong."""
    if found.problem is not None:
        raise CorruptLog(found.problem, position=found.position, stream=found.stream)


@contextmanager
def _bar(given: Given) -> Iterator[findings.Progress]:
    """A bar on the terminal's stderr: how far, time left."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.completed} of {task.total}"),
        TimeRemainingColumn(),
    )
    hidden = given.json or not sys.stderr.isatty()
    with Progress(*columns, console=stderr(), disable=hidden, transient=True) as bar:
        tasks = {"events": bar.add_task("events", total=None), "messages": bar.add_task("messages", total=None)}

        def progress(what: str, done: int, total: int) -> None:
            bar.update(tasks[what], completed=done, total=total)

        yield progress
