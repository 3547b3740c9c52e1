"""What a person sees of changes that hold from a moment on."""

from typing import Any

from daybook.clock.schedules import SchedulePage, ScheduleView
from daybook.terminal.render import Show, cell, line, plain, stacked
from daybook.terminal.tables import table


def listed(found: SchedulePage) -> Show:
    """One line a schedule, and how to go on."""
    rows = [
        (one.due_at, one.sku, in_words(one.change), one.actor, one.schedule, one.refused) for one in found.schedules
    ]
    shown = table(("due (UTC)", "SKU", "what", "who", "schedule", "refused"), rows, "nothing is planned")
    return shown if found.next is None else stacked(shown, line(f"more: --after {found.next}"))


def shown(found: ScheduleView) -> Show:
    """The schedule and its events."""
    facts = [
        ("SKU", found.sku),
        ("what", in_words(found.change)),
        ("due (UTC)", found.due_at),
        ("refused", found.refused),
        ("seconds late", None if found.lateness_seconds is None else f"{found.lateness_seconds:.3f}"),
    ]
    history = [(one.position, one.recorded_at, one.type, one.actor, one.reason) for one in found.history]
    return stacked(
        line(f"{found.schedule}: {found.state}"),
        table(("field", "value"), [row for row in facts if row[1] is not None]),
        table(("#position", "when (UTC)", "what", "who", "why"), history),
    )


def in_words(change: dict[str, Any]) -> str:
    """`change price: amount 17.99, currency EUR, price_list default`."""
    said = ", ".join(f"{name} {plain(value)}" for name, value in change.items() if name not in ("type", "sku"))
    return cell(f"{str(change['type']).replace('_', ' ')}{': ' if said else ''}{said}")
