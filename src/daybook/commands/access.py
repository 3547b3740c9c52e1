"""Intents about users, what they may do, and their keys. Secrets never come here: only their hashes do."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Literal

import msgspec

from daybook import limits
from daybook.access import decisions
from daybook.access.identities import IssuedSubject
from daybook.access.state import AccessState, User
from daybook.commands.decision_view import Change, DecisionView
from daybook.commands.people import known_person
from daybook.errors import InvalidValue
from daybook.events import AccessEvent, AccessScope
from daybook.events.access import ACCESS_KEY
from daybook.people.person import parse_person_id
from daybook.values import check_text

OWNERS = "access/owners"
"""The stream of what happens to owners' grants."""


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
        return _of(*added(_read(scene, _login(self.login, self)), self))


class LockUser(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="lock_user"):
    """Whatever the user shows is refused: its keys, its identities, its sessions."""

    user: str
    """Login or id."""

    def decide(self, scene: DecisionView) -> list[Change]:
        """See `decisions.lock`."""
        state = _read(scene, _login(self.user), OWNERS)
        user = decisions.known_user(state, self.user)
        locked = decisions.lock(state, user)
        if user.user not in decisions.owning(state):
            return _of(user, locked)
        return [*_of(user, []), Change(OWNERS, None, ACCESS_KEY, locked)]


class UnlockUser(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="unlock_user"):
    """What the user shows is taken again."""

    user: str
    """Login or id."""

    def decide(self, scene: DecisionView) -> list[Change]:
        """See `decisions.unlock`."""
        user = decisions.known_user(_read(scene, _login(self.user)), self.user)
        return _of(user, decisions.unlock(user))


class LinkIdentity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="link_identity"):
    """An issuer's word about one of its subjects is taken for the user. `first` adds the user in the same command."""

    user: str
    """Login or id."""
    identity: str
    """The id that it gets."""
    issuer: str
    subject_hash: str
    first: AddUser | None = None

    def decide(self, scene: DecisionView) -> list[Change]:
        """See `decisions.link`."""
        stream = f"identity/{self.subject_hash}"
        state = _read(scene, _login(self.user, self.first), stream)
        user, before = _first(scene, state, self.user, self.first)
        linked = decisions.link(state, user, self.identity, self.issuer, self.subject_hash)
        return [*_of(user, before), Change(stream, None, ACCESS_KEY, linked)]


class UnlinkIdentity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="unlink_identity"):
    """It is taken no more."""

    identity: str

    def decide(self, scene: DecisionView) -> list[Change]:
        """See `decisions.unlink`."""
        tied = decisions.known_identity(scene.access(), self.identity)
        stream = f"identity/{tied.subject_hash}"
        state = _read(scene, _login(tied.user), stream)
        return [
            *_of(state.users[tied.user], []),
            Change(stream, None, ACCESS_KEY, decisions.unlink(state, self.identity)),
        ]


class GrantAccess(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="grant_access"):
    """The user has a role, within a scope."""

    user: str
    """Login or id."""
    grant: str
    role: str
    scope: AccessScope = AccessScope()

    def decide(self, scene: DecisionView) -> list[Change]:
        """See `decisions.grant`."""
        state = _read(scene, _login(self.user))
        user = decisions.known_user(state, self.user)
        return _of(user, decisions.grant(state, user, self.grant, self.role, self.scope))


class WithdrawAccess(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="withdraw_access"):
    """The grant is no more."""

    grant: str

    def decide(self, scene: DecisionView) -> list[Change]:
        """See `decisions.withdraw`."""
        standing = decisions.known_grant(scene.access(), self.grant)
        if not decisions.is_owners(standing):
            state = _read(scene, _login(standing.user))
            return _of(state.users[standing.user], decisions.withdraw(state, self.grant))
        # Owners share a stream for it: the last two can't be withdrawn, or locked, each in view of the other.
        state = _read(scene, _login(standing.user), OWNERS)
        withdrawn = decisions.withdraw(state, self.grant)
        return [*_of(state.users[standing.user], []), Change(OWNERS, None, ACCESS_KEY, withdrawn)]


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
        state = _read(scene, _login(self.user, self.first))
        user, before = _first(scene, state, self.user, self.first)
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
        state = _read(scene, lambda state: _owner(state, self.key).login)
        events = decisions.rotate_key(state, self.key, self.successor, self.hash, self.ends_at)
        return _of(_owner(state, self.key), events)


class RevokeKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="revoke_key"):
    """The key is taken no more."""

    key: str

    def decide(self, scene: DecisionView) -> list[Change]:
        """See `decisions.revoke_key`."""
        state = _read(scene, lambda state: _owner(state, self.key).login)
        events = decisions.revoke_key(state, self.key)
        return _of(_owner(state, self.key), events)


def link_of(
    user: str, identity: str, issuer: str | None, subject: str, known: Sequence[str], first: AddUser | None = None
) -> LinkIdentity:
    """The command that ties a subject to a user, with no more than a hash of it.

    An issuer that is not given is the only one that is `known`. Raises InvalidValue.
    """
    if issuer is None and len(known) != 1:
        there = ", ".join(known) or "none: set DAYBOOK_OIDC_ISSUER"
        raise InvalidValue("issuer", f"must be given; the settings name {there}")
    issuer = check_text(issuer or known[0], "issuer", limits.ISSUER)
    if not issuer.startswith(("https://", "http://")):
        raise InvalidValue("issuer", "must be an address, as it stands in `iss` of the provider's tokens", issuer)
    hashed = IssuedSubject(issuer, check_text(subject, "subject", limits.SUBJECT)).hashed()
    return LinkIdentity(user=user, identity=identity, issuer=issuer, subject_hash=hashed, first=first)


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


def _read(scene: DecisionView, login: Callable[[AccessState], str], *streams: str) -> AccessState:
    """The state of access, looked up after the versions of the streams on which the append will rest.

    Hazard: looked up before them, it would miss what a rival appended in between, and the append would take that for
    known: two users with one login, no owner.
    """
    for stream in (stream_of(login(scene.access())), *streams):
        scene.version(stream)
    return scene.access()


def _login(named: str, first: AddUser | None = None) -> Callable[[AccessState], str]:
    """The login of a user by login or id, or of one that is to be added. Raises NotFound and InvalidValue."""

    def look(state: AccessState) -> str:
        return decisions.known_user(state, named).login if first is None else decisions.check_login(first.login)

    return look


def _first(
    scene: DecisionView, state: AccessState, named: str, first: AddUser | None
) -> tuple[User, list[AccessEvent]]:
    """The user that there is, or that the same command adds."""
    if first is None:
        return decisions.known_user(state, named), []
    _check_person(scene, first)
    return added(state, first)


def _check_person(scene: DecisionView, wish: AddUser) -> None:
    """Raises InvalidValue, NotFound and Gone for what is not the id of somebody who is known: a name, above all."""
    if wish.person is None:
        return
    if parse_person_id(wish.person) != wish.person:
        raise InvalidValue("person", "must be spelled as `daybook privacy add` gave it")
    known_person(scene, wish.person)


_NOT_YET = datetime(1, 1, 1, tzinfo=UTC)


def _owner(state: AccessState, key: str) -> User:
    return state.users[decisions.known_key(state, key).user]


def _of(user: User, events: Sequence[AccessEvent]) -> list[Change]:
    return [Change(stream_of(user.login), None, ACCESS_KEY, events)]
