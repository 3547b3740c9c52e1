"""What a person sees of orders that channels told and that could not be taken."""

from daybook.intake.heard import Dismissed, RefusedPage, Retaken
from daybook.terminal.render import Show, line
from daybook.terminal.tables import table


def refused(found: RefusedPage) -> Show:
    """One line an order."""
    rows = [(one.order, one.refused_at, one.field, one.reason, one.next_step) for one in found.refused]
    return table(("order", "since (UTC)", "field", "why", "next step"), rows, "none was refused")


def retaken(found: Retaken) -> Show:
    """How many are decided on once more."""
    if not found.orders:
        return line("no order was refused")
    return line(f"the intake takes {_listed(found.orders)} once more")


def dismissed(found: Dismissed) -> Show:
    """Which were left out."""
    return line(f"left out: {_listed(found.orders)}")


def _listed(orders: list[str]) -> str:
    return ", ".join(orders) if len(orders) <= 5 else f"{len(orders)} orders"
