"""Carrying one command out and saying what it did."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Any

from daybook.cli.context import writing
from daybook.cli.grammar import Given
from daybook.cli.render import answer, line
from daybook.errors import InvalidValue

if TYPE_CHECKING:
    from daybook.app import App
    from daybook.commands.book import Decides, Done
    from daybook.log.pending import Context

NAME_LENGTH_MAX = 200
REASON_LENGTH_MAX = 1000


def carry_out(given: Given, command: Decides) -> None:
    """Carries the command out and prints where it is in the log, or that there was nothing to change."""
    sender = context(given, "cli")
    with writing(given) as app:
        carry_out_on(app, given, command, sender)


def carry_out_on(app: App, given: Given, command: Decides, sender: Context) -> None:
    """The same, on an application that is open."""
    receipt = carried_out(app, given, command, sender)
    answer(given, receipt, line(said(receipt)))


def carried_out(app: App, given: Given, command: Decides, sender: Context) -> dict[str, Any]:
    """Carries the command out; the receipt."""
    done = app.book.carry_out(
        command, sender, expected_version=given.expect_version, repeatable=given.command_id is not None
    )
    return _receipt(app, done)


def context(given: Given, source: str) -> Context:
    """The columns of the command. Raises InvalidValue for a text that is empty or too long."""
    from daybook.log.pending import Context

    return Context.new(
        actor(given),
        source,
        reason=_checked("reason", given.reason, REASON_LENGTH_MAX),
        command_id=_checked("command-id", given.command_id, NAME_LENGTH_MAX),
    )


def actor(given: Given) -> str:
    """Who does it: as given, else the user of the operating system."""
    found = _checked("actor", given.actor, NAME_LENGTH_MAX)
    if found is not None:
        return found
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run as a user that has no name
        return "cli"


def _checked(field: str, text: str | None, length_max: int) -> str | None:
    if text is not None and not 1 <= len(text.strip()) <= length_max:
        raise InvalidValue(field, f"must be 1 to {length_max} characters", text)
    return None if text is None else text.strip()


def _receipt(app: App, done: Done) -> dict[str, Any]:
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
