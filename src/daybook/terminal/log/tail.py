"""The log as it grows, and its size."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from daybook.events import Recorded
from daybook.log.reader import Reader
from daybook.queries.events import EventView, view
from daybook.terminal.options import CommonOptions
from daybook.terminal.render import answer, cell, line, plain, stacked
from daybook.terminal.tables import table

if TYPE_CHECKING:
    from rich.console import Console

POLL_SECONDS = 0.2


def last(common: CommonOptions, reader: Reader, number: int) -> int:
    """Prints the newest events and returns the position of the last."""
    head = reader.head()
    return _print(common, reader.last(number) if number else [], head)


def follow(common: CommonOptions, reader: Reader, position: int, wanted: bool) -> None:
    """Prints what comes after the position until Ctrl-C, which is how it ends well."""
    with contextlib.suppress(KeyboardInterrupt):
        while wanted:
            position = _print(common, reader.after(position), position)
            time.sleep(POLL_SECONDS)


def _print(common: CommonOptions, events: Iterable[Recorded], position: int) -> int:
    for one in events:
        found = view(one)
        answer(common, found, line(event(found)))
        position = one.position
    return position


def event(one: EventView) -> str:
    """An event on one line."""
    why = f" ({one.reason})" if one.reason else ""
    return f"{one.position:>8}  {cell(one.recorded_at)}  {one.stream}  {one.type}  {plain(one.data)}  {one.actor}{why}"


def stats(reader: Reader) -> dict[str, Any]:
    """Head, bytes on disk, and counts by type."""
    counts = [
        {"type": name, "count": count, "first": first, "last": latest}
        for name, count, first, latest in reader.count_by_type()
    ]
    return {**reader.size(), "types": counts}


def shown(found: dict[str, Any]) -> Callable[[Console], None]:
    """For a person."""
    megabytes = (found["table_bytes"] + found["index_bytes"]) / 1e6
    rows = [tuple(one.values()) for one in found["types"]]
    return stacked(
        line(f"position {found['position']}, {megabytes:.1f} MB on disk"),
        table(("type", "#events", "first (UTC)", "last (UTC)"), rows, "the log is empty"),
    )
