"""An edit of what is found, with its progress and its summary."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from daybook import limits
from daybook.edit.found import NAME, FoundEdit
from daybook.ids import new_id
from daybook.search.terms import Wanted
from daybook.terminal.context import app_for_queries
from daybook.terminal.imports import progress
from daybook.terminal.options import CommonOptions
from daybook.values import check_text


def take(
    common: CommonOptions,
    wish: Wanted,
    texts: Sequence[str],
    correlation: str | None,
    report: Path | None,
    *,
    dry_run: bool,
) -> None:
    """Edits what is found, or plans to. Raises RowsNotTaken, Interrupted and Unavailable after the summary."""
    cause = new_id() if correlation is None else check_text(correlation, "correlation", limits.NAME)
    with app_for_queries(common) as app:
        made = FoundEdit(app, wish, texts)
    lines = {NAME: len(made.skus)}
    entries = made.entries(cause)
    resume = f"The same command with --correlation {cause} goes on, and leaves what was changed."
    progress.run(common, "edit", lambda _: entries, lines, report, dry_run=dry_run, correlation=cause, resume=resume)
