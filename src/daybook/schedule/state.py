"""A planned change as its events have it."""

from datetime import datetime
from typing import Any, Literal

import msgspec

from daybook.events import (
    Event,
    ScheduleFellDue,
    ScheduleMoved,
    SchedulePlanned,
    ScheduleRefused,
    ScheduleWithdrawn,
)

ScheduleState = Literal["planned", "done", "refused", "withdrawn"]


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """A change, when it is due, and whether it still is to come."""

    schedule: str
    due_at: datetime
    change: dict[str, Any]
    state: ScheduleState = "planned"
    reason: str | None = None
    """Why it was refused."""

    @property
    def sku(self) -> str:
        """The product that it is about."""
        return str(self.change["sku"])


def evolve(state: Schedule | None, event: Event) -> Schedule | None:
    """The state after an event of its stream."""
    if isinstance(event, SchedulePlanned):
        return Schedule(schedule=event.schedule, due_at=event.due_at, change=event.change)
    if state is None:
        return None
    match event:
        case ScheduleMoved(due_at=due_at):
            return msgspec.structs.replace(state, due_at=due_at, state="planned", reason=None)
        case ScheduleWithdrawn():
            return msgspec.structs.replace(state, state="withdrawn")
        case ScheduleFellDue():
            return msgspec.structs.replace(state, state="done")
        case ScheduleRefused(reason=reason):
            return msgspec.structs.replace(state, state="refused", reason=reason)
    return state
