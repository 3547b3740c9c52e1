"""Approving many drafts, each by itself: what can't be approved is told, and the others are."""

from daybook.commands.texts import ApproveText
from daybook.completeness.drafts import TextRow, page
from daybook.errors import DaybookError, Unavailable
from daybook.terminal.carry_out import context
from daybook.terminal.context import app_for_commands
from daybook.terminal.options import CommonOptions
from daybook.terminal.render import answer, line, stacked
from daybook.terminal.tables import table


def approve_many(common: CommonOptions, locale: str | None, sku: str | None, limit: int) -> None:
    """Approves the drafts that wait, in the order of the list. Raises what the list raises, and Unavailable."""
    left: list[tuple[str, str]] = []
    done = 0
    with app_for_commands(common) as on:
        for one in page(on.pool, state="draft", locale=locale, sku=sku, limit=limit).texts:
            name = f"{one.sku} {one.attribute} {one.locale}"
            try:
                done += on.book.carry_out(_approval(one), context(common, "cli")).changed
            except Unavailable:
                raise
            except DaybookError as error:
                left.append((name, error.message))
    found = {"approved": done, "left": [{"text": name, "reason": reason} for name, reason in left]}
    said = line(f"{done:,} drafts approved, {len(left):,} left")
    answer(common, found, stacked(said, table(("text", "why"), left)) if left else said)


def _approval(one: TextRow) -> ApproveText:
    return ApproveText(
        sku=one.sku,
        attribute=one.attribute,
        locale=one.locale,
        scope=one.scope,
        source=one.source_hash,
        engine=one.engine,
    )
