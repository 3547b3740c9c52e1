"""Carrying one command out and saying what it did."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Any

from daybook import limits
from daybook.limits import Limit
from daybook.terminal.context import app_for_commands
from daybook.terminal.options import CommonOptions
from daybook.terminal.render import answer, line

if TYPE_CHECKING:
    from daybook.app import App
    from daybook.commands.book import Command, CommandResult
    from daybook.log.pending import Context


def carry_out(common: CommonOptions, command: Command, at: str | None = None) -> None:
    """Carries the command out, or plans it, and prints where that is in the log, or that nothing changed."""
    sender = context(common, "cli")
    wish = planned(common, command, at, sender)
    with app_for_commands(common) as app:
        carry_out_on(app, common, wish, sender)


def planned(common: CommonOptions, command: Command, at: str | None, sender: Context) -> Command:
    """The command, or with a moment the one that plans it. Raises InvalidValue."""
    if at is None:
        return command
    from daybook.commands.schedules import PlannableChange, plan
    from daybook.errors import InvalidValue
    from daybook.schedule.decisions import parse_due

    assert isinstance(command, PlannableChange)
    if common.expect_version is not None:
        raise InvalidValue("expect-version", "what is planned is decided when it is due: leave it out")
    return plan(command, parse_due(at), sender.command_id)


def carry_out_on(app: App, common: CommonOptions, command: Command, sender: Context) -> None:
    """The same, on an application that is open."""
    receipt = carried_out(app, common, command, sender)
    answer(common, receipt, line(said(receipt)))


def carried_out(app: App, common: CommonOptions, command: Command, sender: Context) -> dict[str, Any]:
    """Carries the command out; the receipt."""
    done = app.book.carry_out(
        command, sender, expected_version=common.expect_version, repeatable=common.command_id is not None
    )
    return receipt_of(app, done)


def context(common: CommonOptions, source: str) -> Context:
    """The columns of the command. Raises InvalidValue for a text that is empty or too long."""
    from daybook.log.pending import Context

    return Context.new(
        actor(common),
        source,
        reason=_checked("reason", common.reason, limits.REASON),
        command_id=_checked("command-id", common.command_id, limits.NAME),
    )


def actor(common: CommonOptions) -> str:
    """Who does it: as given, else the user of the operating system."""
    found = _checked("actor", common.actor, limits.NAME)
    if found is not None:
        return found
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run as a user that has no name
        return "cli"


def _checked(field: str, text: str | None, longest: Limit) -> str | None:
    if text is None:
        return None
    from daybook.values import check_text  # brings every locale: not for a page of help

    return check_text(text.strip(), field, longest)


def receipt_of(app: App, done: CommandResult) -> dict[str, Any]:
    """What was done. A repeated command names what its first try appended."""
    last = app.reader.after(done.last - 1, limit=1)[0] if done.last else None
    return {
        "changed": done.changed,
        "repeated": done.repeated,
        "position": done.last,
        "first_position": done.first,
        "stream": last.stream if last else None,
        "version": last.version if last else done.version,
        "recorded_at": done.recorded_at,
        "command_id": done.command_id,
        "event": last.type if last else None,
    }


def said(receipt: dict[str, Any]) -> str:
    """The receipt for a person."""
    where = f"{receipt['event']} at position {receipt['position']}, {receipt['stream']} version {receipt['version']}"
    if receipt["repeated"]:
        return f"carried out before: {where}"
    if receipt["changed"]:
        return f"appended {where}"
    return f"no change: it is so already, at version {receipt['version']}"
