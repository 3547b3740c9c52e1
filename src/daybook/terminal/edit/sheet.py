"""A sheet with its progress and its summary."""

from __future__ import annotations

from pathlib import Path

from daybook.importing.sheet.read import SheetOptions, read
from daybook.terminal.context import app_for_queries
from daybook.terminal.imports import progress
from daybook.terminal.options import CommonOptions


def take(
    common: CommonOptions, file: Path, *, create: bool, empty_removes: bool, report: Path | None, dry_run: bool
) -> None:
    """Takes the sheet, or plans to. Raises ImportRefused with nothing written; RowsNotTaken after the summary."""
    options = SheetOptions(create=create, empty_removes=empty_removes)
    with app_for_queries(common) as app:
        reference = app.reader.reference()
    lines = progress.lines_of_file(str(file))
    progress.run(common, "edit", lambda _: read(file, reference, options), lines, report, dry_run=dry_run)
