"""A comparison of two moments, whole: for a person, as JSON, or as CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from daybook.exporting.sheet import csv_line
from daybook.importing.sheet.columns import guarded
from daybook.queries.catalogue_diff import LIMIT_MAX, CatalogueDiff, Comparison, ProductDifference, counted
from daybook.queries.sentences import in_words
from daybook.terminal.catalogue.export import STDOUT, whole
from daybook.terminal.options import CommonOptions
from daybook.terminal.render import Show, answer, line, note, plain, stacked, working, write
from daybook.terminal.tables import table

SHOWN_MAX = 40
COLUMNS = ("sku", "kind", "field", "before", "after")


class WholeDiff(msgspec.Struct, frozen=True, kw_only=True):
    """All that differs."""

    from_position: int
    to_position: int
    channel: str | None
    counts: dict[str, int]
    """Products by kind, and in how many each sort of field, or each facet, differs."""
    products: list[ProductDifference]


def show(common: CommonOptions, comparison: Comparison, file: str | None) -> None:
    """Compares page by page, and prints what differs; with `file` as CSV, a line for each field."""
    with working(common, "comparing") as on_progress:
        pages = list(_pages(comparison, on_progress))
    products = [one for page in pages for one in page.products]
    first = pages[0]
    found = WholeDiff(
        from_position=first.from_position,
        to_position=first.to_position,
        channel=first.channel,
        counts=counted(products),
        products=products,
    )
    if file is None:
        answer(common, found, _shown(found))
    elif file == STDOUT:
        for text in _csv(found):
            write(text)
    else:
        lines = whole(Path(file), _csv(found))
        note(common, f"{lines} lines in {file}")


def _pages(comparison: Comparison, on_progress: Callable[[str], None]) -> Iterator[CatalogueDiff]:
    after: str | None = ""
    while after is not None:
        page = comparison.page(after, LIMIT_MAX)
        yield page
        after = page.next
        if after is not None:
            on_progress(f"up to {after}")


def _shown(found: WholeDiff) -> Show:
    rows = [(one.sku, one.kind, _words(found, one)) for one in found.products[:SHOWN_MAX]]
    parts = [table(("SKU", "what", "how"), rows, "no difference")]
    left = len(found.products) - SHOWN_MAX
    if left > 0:
        parts.append(line(f"and {left} more products: --json or --csv FILE tells them all"))
    of = f" of {found.channel}" if found.channel else ""
    counts = ", ".join(f"{count} {name}" for name, count in found.counts.items()) or "nothing differs"
    parts.append(line(f"position {found.from_position} → {found.to_position}{of}: {counts}"))
    return stacked(*parts)


def _words(found: WholeDiff, one: ProductDifference) -> str:
    if found.channel is None:
        return in_words([change for change in one.changes if change.field != "kind"])
    return "\n".join(f"{change.field} {plain(change.before)} → {plain(change.after)}" for change in one.changes)


def _csv(found: WholeDiff) -> Iterator[bytes]:
    yield csv_line(COLUMNS)
    for one in found.products:
        for change in one.changes:
            yield csv_line((one.sku, one.kind, change.field, _cell(change.before), _cell(change.after)))


def _cell(value: object) -> str:
    """A text so that no spreadsheet takes it for a formula, nothing as nothing, and all else as JSON."""
    if value is None:
        return ""
    return guarded(value) if isinstance(value, str) else msgspec.json.encode(value).decode()
