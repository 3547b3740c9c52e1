"""Moving and withdrawing what is planned."""

from daybook.app import App
from daybook.clock.schedules import events_of, state_of
from daybook.commands.schedules import MoveSchedule, PlannableChange, WithdrawSchedule, change_of
from daybook.schedule.decisions import parse_due
from daybook.terminal.carry_out import carry_out_on, context
from daybook.terminal.context import app_for_commands
from daybook.terminal.options import CommonOptions


def move(common: CommonOptions, schedule: str, at: str) -> None:
    """Has it fall due at another moment."""
    sender, due_at = context(common, "cli"), parse_due(at)
    with app_for_commands(common) as on:
        wish = MoveSchedule(schedule=schedule, due_at=due_at, change=_change(on, schedule))
        carry_out_on(on, common, wish, sender)


def withdraw(common: CommonOptions, schedule: str) -> None:
    """Takes it back."""
    sender = context(common, "cli")
    with app_for_commands(common) as on:
        carry_out_on(on, common, WithdrawSchedule(schedule=schedule, change=_change(on, schedule)), sender)


def _change(on: App, schedule: str) -> PlannableChange:
    return change_of(state_of(events_of(on.reader, schedule), schedule).change)
