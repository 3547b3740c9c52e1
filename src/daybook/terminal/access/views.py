"""What is printed of users, grants, keys and refusals."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from daybook.access.permissions import DIMENSIONS, PERMISSIONS, roles_with
from daybook.events import AccessScope
from daybook.queries import access
from daybook.queries.access import AccessPage, CouldView, IdentityView, KeyView, UnusedView, UserView
from daybook.queries.moment import resolve
from daybook.queries.sessions import SessionView
from daybook.terminal.context import app_for_queries
from daybook.terminal.options import CommonOptions
from daybook.terminal.render import Show, answer, line, stacked
from daybook.terminal.tables import table


def scope(given: AccessScope) -> str:
    """The scope for a person."""
    named = msgspec.to_builtins(given)
    return "; ".join(f"{name.replace('_', ' ')} {', '.join(named[name])}" for name in DIMENSIONS if name in named)


def users(found: Sequence[UserView]) -> Show:
    """A row for each user."""
    rows = [
        (
            one.login,
            one.kind,
            "; ".join(f"{each.role} {scope(each.scope)}".strip() for each in one.grants),
            sum(key.state == "taken" for key in one.keys),
            one.user,
        )
        for one in found
    ]
    return table(("login", "kind", "may", "#keys", "id"), rows, "no user: `daybook user add NAME --owner` adds one")


def show_user(common: CommonOptions, named: str, at: str | None, position: int | None) -> None:
    """One user, whole."""
    with app_for_queries(common) as on:
        sessions_now = on.logins.sessions if at is None and position is None else None
        found = access.of(on.reader, named, resolve(on.reader, at, position), on.access.uses.last(), sessions_now)
    grants = [
        (one.grant, one.role, scope(one.scope) or "everything", one.granted_at, one.granted_by, one.last_used_at)
        for one in found.grants
    ]
    known_as = f"; `daybook privacy show {found.person}` tells who it is" if found.person else ""
    locked = f", locked since {_day(found.locked_at)}" if found.locked_at else ""
    answer(
        common,
        found,
        stacked(
            line(f"{found.login}: {found.kind}, {found.user}, added {_day(found.added_at)}{locked}{known_as}"),
            table(("grant", "role", "within", "granted (UTC)", "by", "last used"), grants, "no grant"),
            keys(found.keys),
            *([identities(found.identities)] if found.identities else []),
            *([sessions(found.sessions)] if found.sessions else []),
        ),
    )


def keys(found: Sequence[KeyView]) -> Show:
    """A row for each key."""
    rows = [
        (one.key, one.login, one.state, one.label, one.made_at, one.expires_at or one.revoked_at, one.last_used_at)
        for one in found
    ]
    return table(("key", "of", "state", "for", "made (UTC)", "ends", "last used"), rows, "no key")


def identities(found: Sequence[IdentityView]) -> Show:
    """A row for each identity."""
    rows = [(one.identity, one.issuer, one.linked_at, one.linked_by, one.last_used_at) for one in found]
    return table(("identity", "of", "tied (UTC)", "by", "last used"), rows, "no identity")


def sessions(found: Sequence[SessionView]) -> Show:
    """A row for each session."""
    rows = [(one.session, one.login, one.identity, one.began_at, one.last_used_at, one.expires_at) for one in found]
    heads = ("session", "of", "by", "began (UTC)", "last used", "ends at the latest")
    return table(heads, rows, "nobody is logged in")


def who_could(found: Sequence[CouldView]) -> Show:
    """A row for each grant that gave it."""
    rows = [
        (
            one.login,
            one.role,
            scope(one.scope) or "everything",
            one.granted_at,
            one.granted_by,
            [*one.keys, *one.identities],
        )
        for one in found
    ]
    return table(
        ("login", "role", "within", "since (UTC)", "granted by", "with"), rows, "nobody but who has the folder"
    )


def log(found: AccessPage) -> Show:
    """A row for each thing that happened."""
    rows = [(one.position, one.recorded_at, one.sentence, one.actor, one.access, one.reason) for one in found.entries]
    return table(("#position", "when (UTC)", "what", "who", "through", "why"), rows)


def unused(found: Sequence[UnusedView]) -> Show:
    """A row for each."""
    rows = [(one.login, one.grant or one.key or one.identity, one.what, one.since, _days(one.since)) for one in found]
    return table(("login", "access", "what", "not used since", "#days"), rows, "everything was used")


def known_permissions() -> list[dict[str, Any]]:
    """Every permission."""
    return [
        {
            "permission": name,
            "allows": one.allows,
            "within": DIMENSIONS if one.common else one.within,
            "roles": roles_with(name),
        }
        for name, one in PERMISSIONS.items()
    ]


def permissions(found: Sequence[dict[str, Any]]) -> Show:
    """A row for each."""
    rows = [(one["permission"], one["allows"], one["within"], one["roles"]) for one in found]
    return table(("permission", "may", "within", "roles"), rows)


def _day(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d}"


def _days(since: datetime) -> int:
    return (datetime.now(UTC) - since).days
