"""The log itself, a page at a time."""

from datetime import datetime
from typing import Any

import msgspec

from daybook.errors import InvalidValue
from daybook.events import Recorded
from daybook.log.reader import Reader

LIMIT_MAX = 1000
POSITION_MAX = 2**63 - 1
"""What Postgres can hold."""


class EventView(msgspec.Struct, frozen=True, kw_only=True):
    """An event with all its columns; `data` is its body in the newest shape."""

    position: int
    event_id: str
    stream: str
    version: int
    type: str
    sku: str | None
    key: str
    recorded_at: datetime
    actor: str
    reason: str | None
    source: str
    correlation_id: str
    causation_id: str | None
    command_id: str
    access: str | None = None
    """The key and the grants that it was done with; null for what came from the machine itself."""
    data: dict[str, Any]


class EventPage(msgspec.Struct, frozen=True):
    """Some events in order, and the position after which to go on: the same as asked when there are none yet."""

    events: list[EventView]
    next: int


def page(reader: Reader, after: int = 0, limit: int = 100) -> EventPage:
    """The events after a position, at most `limit` (1 to 1000). Raises InvalidValue. One indexed statement.

    Positions have no holes and never change, so a reader that goes on from `next` misses nothing. A position that the
    log does not have yet is refused: whoever waited there would miss all that comes before it.
    """
    if not 1 <= limit <= LIMIT_MAX:
        raise InvalidValue("limit", f"must be between 1 and {LIMIT_MAX}", limit)
    if after < 0:
        raise InvalidValue("after", "must be 0 or a position", after)
    if after > POSITION_MAX:
        raise InvalidValue("after", "must be 0 or a position", after)
    events = [view(one) for one in reader.after(after, limit)]
    if not events and after > (head := reader.head()):
        raise InvalidValue(
            "after", f"the log ends at position {head:,}: go on from there, unless it was restored from a backup", after
        )
    return EventPage(events, events[-1].position if events else after)


def view(recorded: Recorded) -> EventView:
    """The event as plain JSON values."""
    columns = msgspec.structs.asdict(recorded)
    return EventView(data=msgspec.to_builtins(columns.pop("event")), **columns)
