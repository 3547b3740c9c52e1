"""Questions about what is planned: a list in the order in which it falls due, and one with its whole past."""

from datetime import datetime
from typing import Any, Literal

import msgspec

from daybook.clock.pending import QUERIES, catch_up
from daybook.errors import InvalidValue
from daybook.events import Recorded, ScheduleRefused
from daybook.limits import NAME, ROWS
from daybook.log.reader import Reader
from daybook.postgres.pool import Pool, fetch
from daybook.schedule.decisions import known
from daybook.schedule.state import Schedule, ScheduleState, evolve
from daybook.values import check_text, parse_sku

PendingState = Literal["planned", "refused"]


class ScheduleRow(msgspec.Struct, frozen=True, kw_only=True):
    """A change that is to come, or that was refused when it came."""

    schedule: str
    sku: str
    state: ScheduleState
    due_at: datetime
    change: dict[str, Any]
    """The command that is carried out then."""
    position: int
    """Of the event that planned it, or moved it last."""
    planned_at: datetime
    actor: str
    reason: str | None
    refused_at: datetime | None
    refused: str | None
    """Why, and the next step."""


class SchedulePage(msgspec.Struct, frozen=True):
    """Schedules, the next one first, and the `after` of the next page; null on the last one."""

    schedules: list[ScheduleRow]
    next: str | None


class ScheduleStep(msgspec.Struct, frozen=True, kw_only=True):
    """An event of one schedule."""

    position: int
    recorded_at: datetime
    type: str
    actor: str
    reason: str | None


class ScheduleView(msgspec.Struct, frozen=True, kw_only=True):
    """One schedule, whatever became of it."""

    schedule: str
    sku: str
    state: ScheduleState
    due_at: datetime
    change: dict[str, Any]
    refused: str | None
    lateness_seconds: float | None
    """How long after its moment it was carried out, or refused; null while it is to come."""
    history: list[ScheduleStep]


def page(
    pool: Pool, *, state: PendingState = "planned", sku: str | None = None, after: str | None = None, limit: int = 50
) -> SchedulePage:
    """Those that are to come, or those that were refused. Raises InvalidValue and Unavailable."""
    if not 1 <= limit <= ROWS.most:
        raise InvalidValue("limit", f"must be between 1 and {ROWS.most}", limit)
    after_due, after_position = _after(after)
    catch_up(pool)
    given = {
        "state": state,
        "sku": None if sku is None else parse_sku(sku),
        "after_due": after_due,
        "after_position": after_position,
        "limit": limit,
    }
    rows = [_row(row) for row in fetch(pool, QUERIES["page"], given)]
    last = rows[-1] if len(rows) == limit else None
    return SchedulePage(rows, None if last is None else place_of(last))


def place_of(row: ScheduleRow) -> str:
    """The `after` that goes on behind a row."""
    return f"{row.due_at.isoformat()}~{row.position}"


def show(reader: Reader, name: str) -> ScheduleView:
    """One of them with its events. Raises NotFound."""
    events = events_of(reader, name)
    state = state_of(events, name)
    last = events[-1]
    ended = state.state in ("done", "refused")
    return ScheduleView(
        schedule=name,
        sku=state.sku,
        state=state.state,
        due_at=state.due_at,
        change=state.change,
        refused=state.reason,
        lateness_seconds=(last.recorded_at - state.due_at).total_seconds() if ended else None,
        history=[
            ScheduleStep(
                position=one.position,
                recorded_at=one.recorded_at,
                type=one.type,
                actor=one.actor,
                reason=one.event.reason if isinstance(one.event, ScheduleRefused) else one.reason,
            )
            for one in events
        ],
    )


def events_of(reader: Reader, name: str) -> list[Recorded]:
    """The events of one schedule."""
    return reader.of_stream(f"schedule/{check_text(name, 'schedule', NAME)}")


def state_of(events: list[Recorded], name: str) -> Schedule:
    """Its state. Raises NotFound when there is none of this name."""
    state: Schedule | None = None
    for one in events:
        state = evolve(state, one.event)
    return known(state, name)


def _row(row: Any) -> ScheduleRow:
    return ScheduleRow(
        schedule=row[0],
        sku=row[1],
        state=row[2],
        due_at=row[3],
        position=row[4],
        planned_at=row[5],
        actor=row[6],
        reason=row[7],
        change=msgspec.json.decode(row[8]),
        refused_at=row[9],
        refused=row[10],
    )


def _after(after: str | None) -> tuple[datetime | str, int]:
    if after is None:
        return "-infinity", 0
    due, _, position = after.replace(" ", "+").partition("~")
    try:
        return datetime.fromisoformat(due), int(position[:19])
    except ValueError:
        raise InvalidValue("after", "must be the `next` of a page", after) from None
