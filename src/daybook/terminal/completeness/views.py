"""What a person sees of what products lack."""

from daybook.completeness.lacking import CompletenessPage, CompletenessStatus
from daybook.terminal.render import Show, line, stacked
from daybook.terminal.tables import table

MOST = 5
"""So many fields are named in a count."""


def listed(found: CompletenessPage) -> Show:
    """One row for each thing that is missing, and how to go on."""
    rows = [
        (one.sku, one.channel, f"{one.score:.0%}", lack.field, lack.reason, lack.next_step)
        for one in found.products
        for lack in one.missing
    ]
    rows += [(one.sku, one.channel, "100%", "", "complete", "") for one in found.products if one.complete]
    rows.sort(key=lambda row: (row[0], row[1]))
    shown = table(("SKU", "channel", "complete", "missing", "why", "next step"), rows, "nothing is missing")
    return shown if found.next is None else stacked(shown, line(f"more: --after {found.next}"))


def counted(found: CompletenessStatus) -> Show:
    """One row a channel."""
    rows = []
    for one in found.channels:
        most = [f"{field} {products:,}" for field, products in list(one.missing.items())[:MOST]]
        rows.append((one.channel, one.products, one.complete, ", ".join(most)))
    return table(("channel", "#products", "#complete", "lacked most"), rows, "nothing is sold on a configured channel")
