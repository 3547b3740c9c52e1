"""What a person sees of the catalogue."""

from __future__ import annotations

from daybook.queries.catalogue import PageThen
from daybook.terminal.render import Show, line, stacked
from daybook.terminal.tables import table


def catalogue(found: PageThen) -> Show:
    """One line a product, models with their variants below them."""
    rows = [
        (
            one.sku,
            next(iter(group.labels[one.sku].values()), None),
            one.gtin or None,
            one.kind,
            one.family,
            [f"{price.amount} {price.currency}" for price in one.prices or ()],
            sum(pieces or 0 for pieces in (one.stock or {}).values()),
            group.listed_on if one.sku == group.key else (),
            "discontinued" if one.discontinued else None,
        )
        for group in found.groups
        for one in group.products
    ]
    columns = ("SKU", "title", "GTIN", "kind", "family", "prices", "#stock", "sold on", "")
    parts = [table(columns, rows, "nothing matches"), line(f"as of position {found.position}")]
    if found.next is not None:
        parts.append(line(f"more: --after {found.next}"))
    return stacked(*parts)
