"""Intents about changes that hold from a moment on: planned, moved, withdrawn, and carried out when they are due."""

import hashlib
from datetime import datetime
from typing import Any

import msgspec

from daybook.commands.decision_view import Change, DecisionView
from daybook.commands.products import (
    AddMedia,
    AssignGtin,
    CategoriseProduct,
    ChangePrice,
    DelistProduct,
    DiscontinueProduct,
    ListProduct,
    ReinstateProduct,
    RemoveMedia,
    RemovePrice,
    SetAttributes,
)
from daybook.commands.stock import AdjustStock, CountStock, ReceiveStock, SetSafetyStock
from daybook.errors import InvalidValue, NotFound, Refused
from daybook.events import Event, ScheduleRefused
from daybook.events.schedule import SCHEDULE_KEY
from daybook.limits import REASON_LENGTH_MAX
from daybook.schedule import decisions
from daybook.schedule.state import Schedule

PlannableChange = (
    ChangePrice
    | RemovePrice
    | SetAttributes
    | AssignGtin
    | CategoriseProduct
    | AddMedia
    | RemoveMedia
    | ListProduct
    | DelistProduct
    | DiscontinueProduct
    | ReinstateProduct
    | CountStock
    | ReceiveStock
    | AdjustStock
    | SetSafetyStock
)
"""What can be said to hold from a moment on. What is pending was written by earlier versions: no field may go."""


class PlanChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="plan_change"):
    """This change, from that moment on."""

    schedule: str
    due_at: datetime
    change: PlannableChange

    def decide(self, scene: DecisionView) -> list[Change]:
        """See `decisions.plan`. What is malformed or unknown is refused now; what only the state forbids may change."""
        scene.known_product(self.change.sku)
        try:
            self.change.decide(scene)
        except (NotFound, InvalidValue):
            raise
        except Refused:
            pass
        said = msgspec.to_builtins(self.change)
        planned = decisions.plan(scene.schedule(self.schedule), self.schedule, self.due_at, said, scene.now())
        return [_of(self.schedule, self.change.sku, [planned])]


class MoveSchedule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="move_schedule"):
    """It is due at another moment. `change` is what it says: who may do that may move it."""

    schedule: str
    due_at: datetime
    change: PlannableChange

    def decide(self, scene: DecisionView) -> list[Change]:
        """See `decisions.move`."""
        schedule = _same(scene, self.schedule, self.change)
        return [_of(self.schedule, schedule.sku, decisions.move(schedule, self.due_at, scene.now()))]


class WithdrawSchedule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="withdraw_schedule"):
    """It will not be carried out. `change` is what it says: who may do that may withdraw it."""

    schedule: str
    change: PlannableChange

    def decide(self, scene: DecisionView) -> list[Change]:
        """See `decisions.withdraw`."""
        schedule = _same(scene, self.schedule, self.change)
        return [_of(self.schedule, schedule.sku, decisions.withdraw(schedule))]


class MakeDue(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="make_due"):
    """The moment came: the clock says so, and nobody else. What was moved or withdrawn meanwhile stays as it is."""

    schedule: str
    due_at: datetime

    def decide(self, scene: DecisionView) -> list[Change]:
        """The change with the event that it fell due; or that it was refused, and why."""
        schedule = decisions.known(scene.schedule(self.schedule), self.schedule)
        if schedule.state != "planned" or schedule.due_at != self.due_at:
            return [_of(self.schedule, schedule.sku, [])]
        try:
            changes = change_of(schedule.change).decide(scene)
        except (NotFound, InvalidValue, Refused) as error:
            refused = ScheduleRefused(
                schedule=self.schedule,
                due_at=schedule.due_at,
                code=error.code,
                reason=error.message[:REASON_LENGTH_MAX],
            )
            return [_of(self.schedule, schedule.sku, [refused])]
        return [_of(self.schedule, schedule.sku, [decisions.fall_due(schedule)]), *changes]


def plan(change: PlannableChange, due_at: datetime, command_id: str) -> PlanChange:
    """The command that plans a change. The id is the same when the same command is sent again."""
    named = hashlib.blake2b(command_id.encode(), digest_size=8).hexdigest()
    return PlanChange(schedule=f"sch-{named}", due_at=due_at, change=change)


def change_of(said: dict[str, Any]) -> PlannableChange:
    """The command that an event holds. Raises InvalidValue for one that this version does not know."""
    try:
        change: PlannableChange = msgspec.convert(said, PlannableChange)
        return change
    except msgspec.ValidationError as error:
        raise InvalidValue("change", f"is nothing that this version of Daybook can carry out: {error}") from error


def _of(schedule: str, sku: str, events: list[Any]) -> Change:
    said: list[Event] = events
    return Change(f"schedule/{schedule}", sku, SCHEDULE_KEY, said)


def _same(scene: DecisionView, name: str, change: PlannableChange) -> Schedule:
    schedule = decisions.known(scene.schedule(name), name)
    if change_of(schedule.change) != change:
        raise Refused(f"schedule {name} says something else: look at it again", schedule=name)
    return schedule
