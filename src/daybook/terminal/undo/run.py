"""An undo with its progress, what became of each product, and Ctrl-C that ends it between two products."""

from __future__ import annotations

from collections.abc import Iterator

from daybook.queries.sentences import in_words
from daybook.terminal.carry_out import actor
from daybook.terminal.context import app_for_commands
from daybook.terminal.imports.progress import Interrupted, RowsNotTaken, stopping
from daybook.terminal.options import CommonOptions
from daybook.terminal.render import Show, answer, line, stacked, working
from daybook.terminal.tables import table
from daybook.undo.inverse import Newer
from daybook.undo.selection import Selection
from daybook.undo.undo import Undo, UndoneProduct, UndoReport, sent

SHOWN_MAX = 40


def run(common: CommonOptions, selection: Selection, newer: Newer, *, dry_run: bool) -> None:
    """Undoes, or plans to, and prints what becomes of each product.

    Raises Refused with nothing written where somebody changed something since; RowsNotTaken and Interrupted after the
    answer.
    """
    sender = sent(actor(common), selection, common.reason)
    with app_for_commands(common) as app:
        made = Undo(app.book, app.reader, selection, newer)
        if dry_run:
            report = made.plan(sender)
        else:
            with stopping() as stop, working(common, "undoing") as tell:
                report = made.carry_out(sender, on_progress=lambda now: tell(_progress(now)), stop=stop)
    answer(common, report, shown(report))
    if report.stopped:
        raise Interrupted(f"stopped after {report.undone} products: the same undo goes on where it stood")
    if report.refused:
        what = "would be refused" if dry_run else "could not be taken back"
        raise RowsNotTaken(f"{report.refused} products {what}: the reasons are above, and in --json")


def shown(report: UndoReport) -> Show:
    """What needs somebody first, then the others."""
    told = sorted(report.products, key=lambda one: not (one.refused or one.newer))
    rows = [row for one in told[:SHOWN_MAX] for row in _rows(one)]
    parts: list[Show] = [table(("SKU", "now → then"), rows, "nothing is left to undo")]
    left = len(told) - SHOWN_MAX + report.left_out
    if left > 0:
        parts.append(line(f"and {left} more products: --json tells them all"))
    parts += [line(f"left as it is: {count} {kind}, which no undo takes back") for kind, count in report.others.items()]
    verb = "would be taken back" if report.dry_run else "taken back"
    counted = f"{report.undone} products {verb}, {report.newer} changed since, {report.refused} refused"
    parts.append(line(f"{report.events} events named: {counted}"))
    end = "dry run: nothing was written" if report.dry_run else _how_to_undo(report)
    return stacked(*parts, *([line(end)] if end else []))


def _how_to_undo(report: UndoReport) -> str:
    return f"to undo this: daybook undo --correlation {report.correlation_id}" if report.undone else ""


def _rows(one: UndoneProduct) -> Iterator[tuple[object, ...]]:
    how = [in_words(one.changes)] if one.changes else []
    how += [f"{new.field} was changed since, by {new.actor} at position {new.position}" for new in one.newer]
    how += [f"refused: {one.refused}"] if one.refused else []
    yield one.sku, "\n".join(how)


def _progress(report: UndoReport) -> str:
    return f"{report.undone} products taken back"
