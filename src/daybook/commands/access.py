"""Intents about users, what they may do, and their keys. Secrets never come here: only their hashes do."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

import msgspec

from daybook.access import decisions
from daybook.access.state import AccessState, User
from daybook.commands.decision_view import Change, DecisionView
from daybook.commands.people import known_person
from daybook.errors import InvalidValue
from daybook.events import AccessEvent, AccessScope
from daybook.events.access import ACCESS_KEY
from daybook.people.person import parse_person_id


class AddUser(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="add_user"):
    """There is a user with this login, and with a role when one is given."""

    user: str
    """The id that a new one gets."""
    login: str
    kind: Literal["person", "service"] = "person"
    person: str | None = None
    """The id under which the vault knows him or her: the log never gets a name."""
    role: str | None = None
    grant: str = ""
    """The id that the grant of the role gets."""

    def decide(self, scene: DecisionView) -> list[Change]:
        """See `decisions.add_user`."""
        _check_person(scene, self)
        return _of(*added(scene.access(), self))


class GrantAccess(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="grant_access"):
    """The user has a role, within a scope."""

    user: str
    """Login or id."""
    grant: str
    role: str
    scope: AccessScope = AccessScope()

    def decide(self, scene: DecisionView) -> list[Change]:
        """See `decisions.grant`."""
        state = scene.access()
        user = decisions.known_user(state, self.user)
        return _of(user, decisions.grant(state, user, self.grant, self.role, self.scope))


class WithdrawAccess(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="withdraw_access"):
    """The grant is no more."""

    grant: str

    def decide(self, scene: DecisionView) -> list[Change]:
        """See `decisions.withdraw`."""
        state = scene.access()
        withdrawn = decisions.withdraw(state, self.grant)
        return _of(state.users[withdrawn[0].user], withdrawn)


class MakeKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="make_key"):
    """The user has another key. `first` adds the user in the same command, when there is none."""

    user: str
    key: str
    hash: str
    label: str | None = None
    expires_at: datetime | None = None
    first: AddUser | None = None

    def decide(self, scene: DecisionView) -> list[Change]:
        """See `decisions.make_key`."""
        state = scene.access()
        if self.first is not None:
            _check_person(scene, self.first)
        user, before = added(state, self.first) if self.first else (decisions.known_user(state, self.user), [])
        made = decisions.make_key(state, user, self.key, self.hash, self.label, self.expires_at)
        return _of(user, [*before, *made])


class RotateKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="rotate_key"):
    """Another key takes this one's place; both are taken until `ends_at`."""

    key: str
    successor: str
    hash: str
    ends_at: datetime

    def decide(self, scene: DecisionView) -> list[Change]:
        """See `decisions.rotate_key`."""
        state = scene.access()
        events = decisions.rotate_key(state, self.key, self.successor, self.hash, self.ends_at)
        return _of(_owner(state, self.key), events)


class RevokeKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="revoke_key"):
    """The key is taken no more."""

    key: str

    def decide(self, scene: DecisionView) -> list[Change]:
        """See `decisions.revoke_key`."""
        state = scene.access()
        events = decisions.revoke_key(state, self.key)
        return _of(_owner(state, self.key), events)


def stream_of(login: str) -> str:
    """The stream of a user. It is named by the login, so that two users can't be added with the same."""
    return f"user/{login}"


def added(state: AccessState, wish: AddUser) -> tuple[User, list[AccessEvent]]:
    """The user as there is or will be, and what has to happen for it. Of a new one only id and login are known."""
    events: list[AccessEvent] = [*decisions.add_user(state, wish.user, wish.login, wish.kind, wish.person)]
    user = state.user_of(wish.login) or User(
        user=wish.user, login=wish.login, kind=wish.kind, person=wish.person, added_at=_NOT_YET
    )
    if wish.role is not None:
        events += decisions.grant(state, user, wish.grant, wish.role, AccessScope())
    return user, events


def _check_person(scene: DecisionView, wish: AddUser) -> None:
    """Raises InvalidValue, NotFound and Gone for what is not the id of somebody who is known: a name, above all."""
    if wish.person is None:
        return
    if parse_person_id(wish.person) != wish.person:
        raise InvalidValue("person", "must be spelled as `daybook privacy add` gave it")
    known_person(scene, wish.person)


_NOT_YET = datetime(1, 1, 1, tzinfo=UTC)


def _owner(state: AccessState, key: str) -> User:
    return state.users[state.keys[key].user]


def _of(user: User, events: Sequence[AccessEvent]) -> list[Change]:
    return [Change(stream_of(user.login), None, ACCESS_KEY, events)]
