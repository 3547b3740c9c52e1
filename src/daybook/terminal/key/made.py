"""Making keys and printing them, once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from daybook.access.keys import hash_of, parse
from daybook.commands.access import MakeKey, RotateKey
from daybook.terminal.carry_out import context
from daybook.terminal.options import CommonOptions
from daybook.terminal.render import answer, line, stacked
from daybook.terminal.user.add import new_key, shown_once

if TYPE_CHECKING:
    from daybook.app import App


def make(app: App, common: CommonOptions, user: str, label: str | None, days: float | None) -> None:
    """Makes a key for the user."""
    key = new_key()
    shown = parse(key)
    assert shown is not None
    ends = None if days is None else datetime.now(UTC) + timedelta(days=days)
    command = MakeKey(user=user, key=shown.id, hash=hash_of(shown.secret), label=label, expires_at=ends)
    done = app.book.carry_out(command, context(common, "cli"), expected_version=common.expect_version)
    told = {"changed": True, "position": done.last, "user": user, "id": shown.id, "key": key, "expires_at": ends}
    answer(common, told, stacked(line(f"{shown.id} for {user}"), *shown_once(key)))


def rotate(app: App, common: CommonOptions, old: str, hours: float) -> None:
    """Makes a key that takes the other one's place."""
    key = new_key()
    shown = parse(key)
    assert shown is not None
    ends = datetime.now(UTC) + timedelta(hours=hours)
    command = RotateKey(key=public(old), successor=shown.id, hash=hash_of(shown.secret), ends_at=ends)
    done = app.book.carry_out(command, context(common, "cli"), expected_version=common.expect_version)
    told = {
        "changed": True,
        "position": done.last,
        "replaces": command.key,
        "id": shown.id,
        "key": key,
        "ends_at": ends,
    }
    said = f"{shown.id} takes the place of {command.key}, which is taken until {ends:%Y-%m-%d %H:%M} UTC"
    answer(common, told | {"ends_at": ends}, stacked(line(said), *shown_once(key)))


def public(key: str) -> str:
    """The public part, also of a whole key that was pasted."""
    shown = parse(key)
    return key if shown is None else shown.id
