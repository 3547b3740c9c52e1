"""What a person sees of what was found."""

from __future__ import annotations

from daybook.search.find import FoundProducts
from daybook.terminal.render import Show, line, stacked
from daybook.terminal.tables import table


def found(answer: FoundProducts, count_by: str | None) -> Show:
    """A line a product, how many there are, and the counts that were asked for."""
    rows = [
        (
            one.sku,
            next(iter(one.labels.values()), None),
            one.gtin or None,
            one.kind,
            one.family,
            [f"{amount} {name.rpartition('.')[2]}" for name, amount in one.prices.items()],
            one.stock,
            one.channels,
            "discontinued" if one.discontinued else None,
        )
        for one in answer.products
    ]
    columns = ("SKU", "title", "GTIN", "kind", "family", "prices", "#stock", "sold on", "")
    parts = [table(columns, rows, "nothing matches")]
    if count_by is not None:
        parts.append(table((count_by, "#products"), list(answer.counts.items()), f"nothing has a {count_by}"))
    much = f"more than {answer.total:,}" if answer.more else f"{answer.total:,}"
    near = ", with words that are nearly these: nothing has them as they are" if answer.near else ""
    parts.append(line(f"{much} found{near}; as of position {answer.position}"))
    if answer.next is not None:
        parts.append(line(f"more: --after {answer.next}"))
    return stacked(*parts)
