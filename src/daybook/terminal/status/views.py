"""What a person sees of what waits: a block for each thing, readable however narrow the terminal is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from daybook.queries.stream_state import spoken
from daybook.queries.waiting import WAYS, WaitingItem, WaitingReport
from daybook.terminal.render import Show, cell, indented

if TYPE_CHECKING:
    from rich.console import Console


def report(found: WaitingReport) -> Show:
    """One block for each thing that waits, the worst first, and whether all is well."""

    def show(console: Console) -> None:
        for one in found.waiting:
            late = one.overdue and one.level != "note"
            console.print(headline(one), style="bold red" if late else "bold", soft_wrap=True)
            indented(console, cell(one.reason))
            console.print(f"    $ {one.next_step}", style="dim", soft_wrap=True)
        console.print(conclusion(found), soft_wrap=True)

    return show


def headline(one: WaitingItem) -> str:
    """What waits, how much of it, for how long, and when that is too long."""
    where = f"{one.channel}: " if one.channel else ""
    age = "" if one.seconds is None else f" for {spoken(one.seconds)}"
    bound = f", told after {spoken(one.bound_seconds)}" if one.level != "note" and not one.overdue else ""
    counted = f", {one.count:,} {counts}" if (counts := WAYS[one.kind].counts) else ""
    return f"{where}{one.kind.replace('_', ' ')}{counted}{age}{bound}"


def conclusion(found: WaitingReport) -> str:
    """All of it in one line."""
    late = sum(one.overdue and one.level != "note" for one in found.waiting)
    if found.well:
        rest = f"; {len(found.waiting)} wait within their bounds, or for a person" if found.waiting else ""
        return f"all is well at position {found.position:,}{rest}"
    return f"not well at position {found.position:,}: {late} of {len(found.waiting)} wait longer than they should"
