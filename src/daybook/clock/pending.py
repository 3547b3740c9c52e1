"""What is planned and has not come, kept as rows: folded from the log by whoever looks, and found by its moment."""

from datetime import datetime
from typing import Any

import msgspec

from daybook.events import (
    Recorded,
    ScheduleFellDue,
    ScheduleMoved,
    SchedulePlanned,
    ScheduleRefused,
    ScheduleWithdrawn,
)
from daybook.log.reader import recorded
from daybook.postgres.pool import Connection, Pool, fetch, reachable
from daybook.postgres.sql import beside

QUERIES = beside(__file__)
PAGE_EVENTS = 1000


class DueSchedule(msgspec.Struct, frozen=True):
    """One whose moment has come, and who planned it, why and with which key."""

    schedule: str
    due_at: datetime
    position: int
    event_id: str
    actor: str
    reason: str | None
    access: str | None
    correlation_id: str
    sku: str
    type: str

    def streams(self) -> tuple[str, str]:
        """What is looked at to carry it out."""
        return f"schedule/{self.schedule}", product_stream(self.sku, self.type)


def product_stream(sku: str, type_: str) -> str:
    """The stream that a change of this type is about."""
    return f"{'stock' if type_.endswith('_stock') else 'product'}/{sku}"


def catch_up(pool: Pool) -> None:
    """Folds what the log has since the last time. Cheap when there is nothing. Raises Unavailable."""
    if not fetch(pool, QUERIES["unread"])[0][0]:
        return
    amount = PAGE_EVENTS
    while amount == PAGE_EVENTS:
        with reachable(), pool.connection() as conn, conn.transaction():
            row = conn.execute(QUERIES["lock_read"]).fetchone()
            assert row is not None
            rows = conn.execute(QUERIES["events_after"], (row[0], PAGE_EVENTS)).fetchall()
            amount = len(rows)
            with conn.pipeline():
                for one in rows:
                    _fold(conn, recorded(one))
                if rows:
                    conn.execute(QUERIES["keep_read"], (rows[-1][0],))


def due(pool: Pool, limit: int) -> list[DueSchedule]:
    """Those whose moment has come by the book's time, the earliest first. Raises Unavailable."""
    return [DueSchedule(*row) for row in fetch(pool, QUERIES["due"], (limit,))]


def soon(pool: Pool, seconds: float, limit: int) -> list[str]:
    """The streams that will be changed within so many seconds. Raises Unavailable."""
    return [product_stream(sku, type_) for sku, type_ in fetch(pool, QUERIES["soon"], (seconds, limit))]


def next_seconds(pool: Pool) -> float | None:
    """How long until the next one is due; None when none is planned. Raises Unavailable."""
    rows = fetch(pool, QUERIES["next_seconds"])
    return float(rows[0][0]) if rows else None


def _fold(conn: Connection, one: Recorded) -> None:
    event = one.event
    match event:
        case SchedulePlanned():
            conn.execute(QUERIES["plan"], _planned(one, event))
        case ScheduleMoved(schedule=name, due_at=due_at):
            given = {"schedule": name, "due_at": due_at, "position": one.position, "event_id": one.event_id}
            conn.execute(QUERIES["move"], given)
        case ScheduleRefused(schedule=name, code=code, reason=why):
            conn.execute(QUERIES["refuse"], {"schedule": name, "at": one.recorded_at, "code": code, "why": why})
        case ScheduleWithdrawn(schedule=name) | ScheduleFellDue(schedule=name):
            conn.execute(QUERIES["forget"], {"schedule": name})


def _planned(one: Recorded, event: SchedulePlanned) -> dict[str, Any]:
    return {
        "schedule": event.schedule,
        "sku": one.sku,
        "due_at": event.due_at,
        "position": one.position,
        "event_id": one.event_id,
        "planned_at": one.recorded_at,
        "actor": one.actor,
        "reason": one.reason,
        "access": one.access,
        "correlation_id": one.correlation_id,
        "change": msgspec.json.encode(event.change).decode(),
    }
