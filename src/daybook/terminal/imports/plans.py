"""What a dry run says: a line for each row that would be created, changed or refused."""

from __future__ import annotations

from collections.abc import Iterator

from daybook.importing.report import Report, RowPlan
from daybook.queries.sentences import in_words
from daybook.terminal.render import Show, line, stacked
from daybook.terminal.tables import table

ROWS_SHOWN_MAX = 40
OUTCOMES = {"created": "create", "changed": "change", "unchanged": "keep", "failed": "refuse"}


def show(report: Report) -> Show:
    """Refusals first, as they need somebody; then the other rows in the order of the files."""
    plans = sorted(report.sorted_plans(), key=lambda one: one.outcome != "failed")
    rows = [row for plan in plans[:ROWS_SHOWN_MAX] for row in _rows(plan)]
    parts: list[Show] = []
    if rows:
        parts.append(table(("#line", "what", "SKU or code", "how"), rows))
    left = len(plans) - ROWS_SHOWN_MAX + report.plans_left_out
    if left > 0:
        parts.append(line(f"and {left} more rows: --json tells them all"))
    parts += [line(f"{notice.file}, {notice.field}: {notice.reason}") for notice in report.notices]
    for noun, tally in report.counts.items():
        if tally.total:
            counted = f"{tally.created} created, {tally.changed} changed, {tally.unchanged} unchanged"
            parts.append(line(f"{noun}: {counted}, {tally.failed} refused"))
    if report.listings:
        told = ", ".join(f"{count} on {channel}" for channel, count in report.listings_by_channel().items())
        parts.append(line(f"listings that show something of it: {told}"))
    parts.append(line("dry run: nothing was written"))
    return stacked(*parts)


def _rows(plan: RowPlan) -> Iterator[tuple[object, ...]]:
    name = plan.name if plan.noun == "product" else f"{plan.noun} {plan.name}"
    how = [in_words([change]) for change in plan.changes if change.field != "gtin_problem"]
    how += [f"{'' if plan.outcome == 'failed' else 'note: '}{reason}" for reason in plan.reasons]
    yield plan.line, OUTCOMES[plan.outcome], name, "\n".join(how)
