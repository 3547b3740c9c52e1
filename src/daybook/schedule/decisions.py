"""Decides when a change is to hold, and what may still be done about it. Pure: the time of now is handed in."""

from datetime import UTC, datetime, timedelta
from typing import Any

from daybook.errors import InvalidValue, NotFound, Refused
from daybook.events import ScheduleEvent, ScheduleFellDue, ScheduleMoved, SchedulePlanned, ScheduleWithdrawn
from daybook.schedule.state import Schedule
from daybook.values import check_time

LATE_MAX = timedelta(minutes=5)
"""A message may be under way for a while, and machines need not agree on the time."""
AHEAD_MAX = timedelta(days=5 * 366)
FIELD = "effective_at"


def parse_due(text: str) -> datetime:
    """A time with its zone. Raises InvalidValue."""
    try:
        return check_time(datetime.fromisoformat(text.strip()), FIELD)
    except ValueError:
        raise InvalidValue(FIELD, "must be a time with its zone, such as 2026-12-01T00:00+01:00", text) from None


def check_due(due_at: datetime, now: datetime) -> datetime:
    """The moment in UTC; now for one that has just passed. Raises InvalidValue for one long past, or far ahead."""
    due = check_time(due_at, FIELD).astimezone(UTC)
    if due < now - LATE_MAX:
        raise InvalidValue(
            FIELD, f"has passed (now it is {now:%Y-%m-%dT%H:%M:%SZ}): leave it out to have the change at once", str(due)
        )
    if due > now + AHEAD_MAX:
        raise InvalidValue(FIELD, "is more than five years ahead: plan it later", str(due))
    return max(due, now)


def known(schedule: Schedule | None, name: str) -> Schedule:
    """The schedule, or NotFound."""
    if schedule is None:
        raise NotFound(
            f"there is no schedule {name}: `daybook schedule list` shows those that are to come", schedule=name
        )
    return schedule


def plan(
    before: Schedule | None, name: str, due_at: datetime, change: dict[str, Any], now: datetime
) -> SchedulePlanned:
    """A new schedule."""
    if before is not None:
        raise Refused(f"schedule {name} is there already: name another, or move it", schedule=name)
    return SchedulePlanned(schedule=name, due_at=check_due(due_at, now), change=change)


def move(schedule: Schedule, due_at: datetime, now: datetime) -> list[ScheduleEvent]:
    """Another moment; also of one that was refused."""
    due = check_due(due_at, now)
    if schedule.state in ("done", "withdrawn"):
        raise Refused(
            f"schedule {schedule.schedule} is {schedule.state}: plan the change anew", schedule=schedule.schedule
        )
    if schedule.state == "planned" and due == schedule.due_at:
        return []
    return [ScheduleMoved(schedule=schedule.schedule, due_at=due)]


def withdraw(schedule: Schedule) -> list[ScheduleEvent]:
    """It will not be carried out. Twice is once."""
    if schedule.state == "done":
        raise Refused(
            f"schedule {schedule.schedule} was carried out: change the product, or take the change back with "
            "`daybook undo`",
            schedule=schedule.schedule,
        )
    return [] if schedule.state == "withdrawn" else [ScheduleWithdrawn(schedule=schedule.schedule)]


def fall_due(schedule: Schedule) -> ScheduleFellDue:
    """Its moment came."""
    return ScheduleFellDue(schedule=schedule.schedule, due_at=schedule.due_at)
