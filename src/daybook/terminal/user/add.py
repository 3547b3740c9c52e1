"""A new user, and its first key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from daybook.access.identities import PREFIX as OID
from daybook.access.keys import PREFIX, hash_of, parse, spelled
from daybook.commands.access import AddUser, MakeKey, link_of
from daybook.ids import new_secret, short_id
from daybook.terminal.carry_out import carried_out, context
from daybook.terminal.options import CommonOptions
from daybook.terminal.render import answer, line, stacked

if TYPE_CHECKING:
    from daybook.app import App

Kind = Literal["person", "service"]


def add(app: App, common: CommonOptions, wish: AddUser, *, with_key: bool) -> None:
    """Adds the user and prints its key. One that is there already gets the role, and no key."""
    login, role = wish.login, wish.role
    there = app.reader.access().user_of(login) is not None
    key = None if there or not with_key else new_key()
    command = wish if key is None else first_key(wish, key)
    done = app.book.carry_out(
        command,
        context(common, "cli"),
        expected_version=common.expect_version,
        repeatable=common.command_id is not None,
    )
    user = app.reader.access().user_of(login)
    assert user is not None
    told: dict[str, Any] = {
        "changed": done.changed,
        "position": done.last,
        "user": user.user,
        "login": login,
        "role": role,
        "key": None if done.repeated else key,
    }
    said = f"user {login} ({user.user}){f', {role}' if role else ''}" + ("" if done.changed else ": no change")
    answer(common, told, stacked(line(said), *shown_once(told["key"])))


def link(
    app: App, common: CommonOptions, login: str, subject: str, issuer: str | None, first: AddUser | None = None
) -> None:
    """Ties the subject to the user, which `first` adds when there is none."""
    issuers = [one.issuer for one in app.settings.oidc]
    command = link_of(login, short_id(OID, common.command_id), issuer, subject, issuers, first)
    receipt = carried_out(app, common, command, context(common, "cli"))
    user = app.reader.access().user_of(login)
    assert user is not None
    tied = next(one for one in user.identities.values() if one.subject_hash == command.subject_hash)
    told = receipt | {"user": user.user, "login": user.login, "identity": tied.identity, "issuer": tied.issuer}
    unchanged = "" if receipt["changed"] else ": no change"
    answer(common, told, line(f"{tied.identity} of {tied.issuer} is {user.login} ({user.user}){unchanged}"))


def wished(login: str, role: str | None, kind: Kind, person: str | None = None) -> AddUser:
    """The command that adds a user."""
    return AddUser(user=short_id("usr_"), login=login, kind=kind, person=person, role=role, grant=short_id("gr_"))


def new_key() -> str:
    """A key as its owner gets it."""
    return spelled(short_id(PREFIX), new_secret())


def first_key(wish: AddUser, key: str, label: str | None = "first key") -> MakeKey:
    """The command that adds a user together with its key, of which only the hash is kept."""
    shown = parse(key)
    assert shown is not None
    return MakeKey(user=wish.login, key=shown.id, hash=hash_of(shown.secret), label=label, first=wish)


def shown_once(key: str | None) -> list[Any]:
    """The key for a person."""
    return [] if key is None else [line(f"key, shown this once: {key}")]
