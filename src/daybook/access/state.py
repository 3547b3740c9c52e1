"""Who there is and what was granted, folded from the log. Pure: the same events always give the same state."""

from collections.abc import Iterable
from datetime import datetime

import msgspec
from msgspec.structs import force_setattr, replace

from daybook.events import Recorded
from daybook.events.access import (
    AccessGranted,
    AccessScope,
    AccessWithdrawn,
    IdentityLinked,
    IdentityUnlinked,
    KeyMade,
    KeyRevoked,
    KeyRotated,
    UserAdded,
    UserLocked,
    UserUnlocked,
)

Narrowed = tuple[tuple[str, frozenset[str]], ...]


def narrowed_by(scope: AccessScope) -> Narrowed:
    """What a scope names, by dimension; nothing for everything."""
    named = ((dimension, getattr(scope, dimension)) for dimension in AccessScope.__struct_fields__)
    return tuple((dimension, frozenset(names)) for dimension, names in named if names is not None)


class AccessGrant(msgspec.Struct, frozen=True, kw_only=True):
    """A role of a user, within a scope."""

    grant: str
    user: str
    role: str
    scope: AccessScope
    granted_at: datetime
    granted_by: str
    position: int
    narrowed: Narrowed = ()
    """What the scope names, by dimension. Always made of the scope: it is looked at for every request."""

    def __post_init__(self) -> None:
        """Makes `narrowed`, whatever was given for it."""
        force_setattr(self, "narrowed", narrowed_by(self.scope))


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """A key of a user. It is taken until it ends."""

    key: str
    user: str
    hash: str
    label: str | None
    made_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    successor: str | None = None
    """The key that takes its place."""

    def ended(self, at: datetime) -> str | None:
        """Why it is not taken at this moment: `revoked`, `replaced` or `expired`; None while it is."""
        if self.revoked_at is not None and self.revoked_at <= at:
            return "revoked"
        if self.expires_at is not None and self.expires_at <= at:
            return "expired" if self.successor is None else "replaced"
        return None


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Whose word is taken for a user: an issuer's, about one of its subjects."""

    identity: str
    user: str
    issuer: str
    subject_hash: str
    linked_at: datetime
    linked_by: str


class User(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may be given access."""

    user: str
    login: str
    kind: str
    person: str | None
    added_at: datetime
    grants: dict[str, AccessGrant] = {}
    """Those that stand."""
    keys: tuple[str, ...] = ()
    """Every key that the user ever had, the newest last."""
    identities: dict[str, Identity] = {}
    """Those that are tied to the user."""
    locked_at: datetime | None = None
    """Since when whatever it shows is refused."""


class AccessState(msgspec.Struct, frozen=True):
    """Everything that was said about access up to a position of the log."""

    users: dict[str, User] = {}
    keys: dict[str, Key] = {}
    logins: dict[str, str] = {}
    """Login -> user."""
    subjects: dict[str, str] = {}
    """Hash of issuer and subject -> user."""
    position: int = 0
    """Of the last event that it rests on."""

    @property
    def anybody(self) -> bool:
        """Whether there is anything that somebody could show: a key, or an issuer's word."""
        return bool(self.keys or self.subjects)

    def user_of(self, login: str) -> User | None:
        """The user with this login, or this id."""
        return self.users.get(self.logins.get(login, login))

    def identity(self, identity: str) -> Identity | None:
        """The identity, while it is tied to a user."""
        return next((one.identities[identity] for one in self.users.values() if identity in one.identities), None)

    def grant(self, grant: str) -> AccessGrant | None:
        """The grant, while it stands."""
        return next((one.grants[grant] for one in self.users.values() if grant in one.grants), None)


NOBODY = AccessState()


def fold_access(state: AccessState, events: Iterable[Recorded]) -> AccessState:
    """The state after these events, in order. One that says nothing about access changes the position only."""
    users, keys, logins, position = dict(state.users), dict(state.keys), dict(state.logins), state.position
    subjects = dict(state.subjects)
    for one in events:
        position = one.position
        match one.event:
            case UserAdded(user=user, login=login, kind=kind, person=person):
                users[user] = User(user=user, login=login, kind=kind, person=person, added_at=one.recorded_at)
                logins[login] = user
            case UserLocked(user=user) if user in users:
                users[user] = replace(users[user], locked_at=one.recorded_at)
            case UserUnlocked(user=user) if user in users:
                users[user] = replace(users[user], locked_at=None)
            case AccessGranted(user=user, grant=grant) if user in users:
                granted = _granted(one, one.event)
                users[user] = replace(users[user], grants={**users[user].grants, grant: granted})
            case AccessWithdrawn(user=user, grant=grant) if user in users:
                left = {name: other for name, other in users[user].grants.items() if name != grant}
                users[user] = replace(users[user], grants=left)
            case KeyMade(user=user, key=key) if user in users:
                made = one.event
                keys[key] = Key(
                    key=key,
                    user=user,
                    hash=made.hash,
                    label=made.label,
                    made_at=one.recorded_at,
                    expires_at=made.expires_at,
                )
                users[user] = replace(users[user], keys=(*users[user].keys, key))
            case KeyRotated(key=key, successor=successor, ends_at=ends_at) if key in keys:
                before = keys[key].expires_at
                end = ends_at if before is None else min(before, ends_at)
                keys[key] = replace(keys[key], successor=successor, expires_at=end)
            case KeyRevoked(key=key) if key in keys:
                keys[key] = replace(keys[key], revoked_at=one.recorded_at)
            case IdentityLinked(user=user, identity=identity) if user in users:
                linked = _linked(one, one.event)
                users[user] = replace(users[user], identities={**users[user].identities, identity: linked})
                subjects[linked.subject_hash] = user
            case IdentityUnlinked(user=user, identity=identity) if user in users:
                tied = dict(users[user].identities)
                if (gone := tied.pop(identity, None)) is not None:
                    users[user] = replace(users[user], identities=tied)
                    subjects.pop(gone.subject_hash, None)
    return AccessState(users, keys, logins, subjects, position)


def _linked(recorded: Recorded, event: IdentityLinked) -> Identity:
    return Identity(
        identity=event.identity,
        user=event.user,
        issuer=event.issuer,
        subject_hash=event.subject_hash,
        linked_at=recorded.recorded_at,
        linked_by=recorded.actor,
    )


def _granted(recorded: Recorded, event: AccessGranted) -> AccessGrant:
    return AccessGrant(
        grant=event.grant,
        user=event.user,
        role=event.role,
        scope=event.scope,
        granted_at=recorded.recorded_at,
        granted_by=recorded.actor,
        position=recorded.position,
    )
