"""Intents about users, what they may do, and their keys. Secrets never come here: only their hashes do."""

from datetime import datetime
from typing import Literal

import msgspec

from daybook.access import decisions
from daybook.access.state import AccessState, User
from daybook.commands.decision_view import Change, DecisionView
from daybook.events import AccessEvent, AccessScope
from daybook.events.access import ACCESS_KEY


class AddUser(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="add_user"):
    """There is a user with this login, and with a role when one is given."""

    user: str
    """The id that a new one gets."""
    login: str
    kind: Literal["person", "service"] = "person"
    person: str | None = None
    role: str | None = None
    grant: str = ""
    """The id that the grant of the role gets."""

    def decide(self, scene: DecisionView) -> list[Change]:
        """See `decisions.add_user`."""
        state = scene.access()
        added = decisions.add_user(state, self.user, self.login, self.kind, self.person)
        user = state.user_of(self.login) or _new(self)
        events: list[AccessEvent] = [*added]
        if self.role is not None:
            events += decisions.grant(state, user, self.grant, self.role, AccessScope())
        return _of(user, events)


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
        events = decisions.withdraw(state, self.grant)
        return _of(state.users[events[0].user], events)


class MakeKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="make_key"):
    """The user has another key. A user who does not exist yet can be added in the same command."""

    user: str
    key: str
    hash: str
    label: str | None = None
    expires_at: datetime | None = None
    first: AddUser | None = None

    def decide(self, scene: DecisionView) -> list[Change]:
        """See `decisions.make_key`."""
        state = scene.access()
        before = [] if self.first is None else list(self.first.decide(scene)[0].events)
        new = self.first is not None and state.user_of(self.user) is None
        user = _new(self.first) if new and self.first is not None else decisions.known_user(state, self.user)
        return _of(user, [*before, *decisions.make_key(state, user, self.key, self.hash, self.label, self.expires_at)])


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


def _owner(state: AccessState, key: str) -> User:
    return state.users[state.keys[key].user]


def _new(wish: AddUser) -> User:
    """The user as it will be; only its id and login count."""
    return User(user=wish.user, login=wish.login, kind=wish.kind, person=wish.person, added_at=datetime.min)


def _of(user: User, events: "list[AccessEvent]") -> list[Change]:
    return [Change(stream_of(user.login), None, ACCESS_KEY, events)]
