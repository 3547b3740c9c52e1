"""An import with its progress, its summary, and Ctrl-C that ends it between two rows."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from daybook.app import App
from daybook.edit.followers import listings_below
from daybook.errors import DaybookError, Unavailable
from daybook.importing.ingest import RESUME, ingest
from daybook.importing.jsonl import STDIN
from daybook.importing.report import Report, check_report_path
from daybook.importing.rows import Entry
from daybook.terminal.carry_out import actor, context
from daybook.terminal.context import app_for_commands
from daybook.terminal.imports import plans
from daybook.terminal.options import CommonOptions
from daybook.terminal.render import answer, line, stacked, stderr
from daybook.terminal.tables import table

FOLDER_FILES = ("attributes", "categories", "families", "channels", "product_models", "products")
"""The files of an Akeneo export that give rows, in their order."""
REDRAW_SECONDS = 0.1
PROBLEMS_SHOWN_MAX = 10


class RowsNotTaken(DaybookError):
    """The import came to its end, but without some rows."""

    code = "rows_not_taken"


class Interrupted(DaybookError):
    """Ctrl-C ended the import between two rows."""

    code = "interrupted"


def run(
    common: CommonOptions,
    source: str,
    read: Callable[[App], Iterable[Entry]],
    lines: dict[str, int],
    report_file: Path | None,
    *,
    dry_run: bool = False,
    correlation: str | None = None,
    resume: str = RESUME,
) -> None:
    """Reads, imports, and prints what became of the rows; with `dry_run` what would become of them.

    Raises ImportRefused before anything is written; RowsNotTaken, Interrupted and Unavailable after the summary.
    """
    if report_file is not None:
        check_report_path(report_file)
    sender = context(common, source)
    with app_for_commands(common) as app:
        entries = read(app)
        with stopping() as stop, _bar(common, lines) as progress:
            report = ingest(
                app.book,
                entries,
                actor=actor(common),
                source=source,
                reason=sender.reason,
                progress=progress,
                stop=stop,
                dry_run=dry_run,
                correlation_id=correlation,
                follow=partial(listings_below, app.reader) if dry_run else None,
                resume=resume,
            )
    if report_file is not None:
        report.write(report_file)
    answer(common, report.summary(), plans.show(report) if dry_run else _summary(report))
    _raise(report, report_file)


def lines_of_folder(folder: Path) -> dict[str, int]:
    """Name -> lines of the files of an export that give rows."""
    files = [folder / f"{name}.csv" for name in FOLDER_FILES]
    return {path.name: _lines(path) for path in files if path.is_file()}


def lines_of_file(file: str) -> dict[str, int]:
    """Name -> lines of a file; nothing for stdin, whose length nobody knows."""
    path = Path(file)
    return {file: _lines(path)} if file != STDIN and path.is_file() else {}


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(part.count(b"\n") for part in iter(lambda: file.read(1 << 20), b""))


@contextlib.contextmanager
def stopping() -> Iterator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set; the second Ctrl-C interrupts at once. Main thread only.

    Hazard: a handler interrupts this very thread, and `Event.set` takes a lock. It is safe because the thread that runs
    the import only asks `is_set`, which takes none.
    """
    stop = threading.Event()

    def asked(_number: int, _frame: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, asked) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _bar(common: CommonOptions, lines: dict[str, int]) -> Iterator[Callable[[Report], None]]:
    """A bar on the terminal's stderr: how far through the files' lines, rows a second, time left."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]} rows, {task.fields[rate]}/s"),
        TimeRemainingColumn(),
    )
    hidden = common.json or not sys.stderr.isatty()
    begun = drawn = time.monotonic()
    with Progress(*columns, console=stderr(), disable=hidden, transient=True) as bar:
        task = bar.add_task("importing", total=sum(lines.values()) or None, rows=0, rate=0)

        def progress(report: Report) -> None:
            nonlocal drawn
            now = time.monotonic()
            if report.at is None or now - drawn < REDRAW_SECONDS:
                return
            drawn, (file, at) = now, report.at
            rate = round(report.rows / (now - begun))
            bar.update(task, completed=_before(lines, file) + at, rows=report.rows, rate=rate)

        yield progress


def _before(lines: dict[str, int], file: str) -> int:
    names = list(lines)
    return sum(lines[name] for name in names[: names.index(file)]) if file in lines else 0


def _summary(report: Report) -> Callable[..., None]:
    rows = [
        (noun, tally.created, tally.changed, tally.unchanged, tally.failed)
        for noun, tally in report.counts.items()
        if tally.total
    ]
    problems = sorted(report.sorted_problems(), key=lambda one: one.taken)  # what is missing now comes first
    shown = [line(f"  {'kept' if one.taken else 'not taken'}: {one}") for one in problems[:PROBLEMS_SHOWN_MAX]]
    rate = round(report.rows / report.seconds) if report.seconds else 0
    parts = [
        table(("", "#created", "#changed", "#unchanged", "#not taken"), rows, "no row"),
        line(f"{report.rows} rows in {report.seconds:.1f} s, {rate}/s; {report.flagged} taken with a flag"),
    ]
    if shown:
        parts.append(line(f"remarks, the first {len(shown)} of {len(problems)}:"))
    changed = any(tally.created or tally.changed for tally in report.counts.values())
    last = [line(f"to undo this: daybook undo --correlation {report.correlation_id}")] if changed else []
    return stacked(*parts, *shown, *last)


def _raise(report: Report, report_file: Path | None) -> None:
    if report.ended == "stopped":
        raise Interrupted(report.message or "stopped")
    if report.ended == "outage":
        raise Unavailable(report.message or "Postgres can't be reached")
    if report.failed:
        where = f"see {report_file}" if report_file else "--report FILE writes down which and why"
        verb, then = (
            ("would be refused", "repair them first")
            if report.dry_run
            else (
                "could not be taken",
                "repair them and import again",
            )
        )
        raise RowsNotTaken(
            f"{report.failed} of {report.rows} rows {verb}: {where}; {then}",
            failed=report.failed,
            rows=report.rows,
        )
