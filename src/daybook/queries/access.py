"""Who may, could and did: questions about access, answered from the log as of any moment."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import msgspec
from msgspec.structs import replace

from daybook.access.authority import Denied, Touched, decide, in_words, principal_of
from daybook.access.decisions import known_user
from daybook.access.permissions import CHANNEL, LOCATION, PRICE_LIST, check_permission
from daybook.access.state import AccessGrant, AccessState, Identity, Key, User
from daybook.authentication.sessions import Sessions
from daybook.errors import InvalidValue
from daybook.events import (
    AccessEvent,
    AccessGranted,
    AccessRefused,
    AccessScope,
    AccessWithdrawn,
    IdentityLinked,
    IdentityUnlinked,
    KeyMade,
    KeyRevoked,
    KeyRotated,
    Recorded,
    SessionBegan,
    SessionEnded,
    UserAdded,
    UserLocked,
    UserUnlocked,
)
from daybook.events.codec import NAMES
from daybook.log.reader import Reader
from daybook.queries.moment import Moment
from daybook.queries.reach import touched_at
from daybook.queries.sessions import SessionView, standing

LIMIT_MAX = 1000
UNUSED_DAYS = 90
TYPES = tuple(NAMES[one] for one in get_args(AccessEvent))
LastUses = Mapping[tuple[str, str], datetime]
"""(key, grant) -> when it was last used."""


class GrantView(msgspec.Struct, frozen=True, kw_only=True):
    """A grant that stands."""

    grant: str
    role: str
    scope: AccessScope
    granted_at: datetime
    granted_by: str
    last_used_at: datetime | None = None
    """With any key, to the minute; null when it never was, or nobody looked."""


class KeyView(msgspec.Struct, frozen=True, kw_only=True):
    """A key, without its secret, which nobody has but who got it."""

    key: str
    login: str
    label: str | None
    state: str
    """`taken`, `revoked`, `expired` or `replaced`."""
    made_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    successor: str | None
    last_used_at: datetime | None = None


class IdentityView(msgspec.Struct, frozen=True, kw_only=True):
    """Whose word is taken for the user. What the issuer calls it is not kept, only a hash of it."""

    identity: str
    issuer: str
    linked_at: datetime
    linked_by: str
    last_used_at: datetime | None = None


class UserView(msgspec.Struct, frozen=True, kw_only=True):
    """A user with what it may do and its keys."""

    user: str
    login: str
    kind: str
    person: str | None
    added_at: datetime
    grants: list[GrantView]
    keys: list[KeyView]
    identities: list[IdentityView]
    locked_at: datetime | None = None
    """Since when whatever it shows is refused."""
    sessions: list[SessionView] = []
    """Its logins with a browser that hold, where they were asked for."""


class CouldView(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who had a permission, by which grant, and with which keys it could be used."""

    login: str
    user: str
    grant: str
    role: str
    scope: AccessScope
    granted_at: datetime
    granted_by: str
    keys: list[str]
    """Those that were taken at that moment; none: the permission could be used with no key."""
    identities: list[str]
    """Those by whose word it could be used, with a token or a browser."""


class AccessLine(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened to access."""

    position: int
    recorded_at: datetime
    type: str
    sentence: str
    actor: str
    access: str | None
    reason: str | None
    data: dict[str, Any]
    """The event's body."""


class AccessPage(msgspec.Struct, frozen=True):
    """Some of what happened, oldest first, and the `after` of the next page; null on the last one."""

    entries: list[AccessLine]
    next: int | None


class UnusedView(msgspec.Struct, frozen=True, kw_only=True):
    """A grant, a key or an identity that nobody used for long."""

    login: str
    grant: str | None
    """Null for the others."""
    key: str | None
    """Null for the others."""
    identity: str | None
    """Null for the others."""
    what: str
    since: datetime
    """Its last use, or when it was given."""


def users(reader: Reader, moment: Moment, uses: LastUses | None = None) -> list[UserView]:
    """Every user there was, in order of login. One indexed statement."""
    state, at = reader.access(moment.position), _time(reader, moment)
    return [_user(state, one, at, uses or {}) for one in sorted(state.users.values(), key=lambda one: one.login)]


def of(
    reader: Reader, named: str, moment: Moment, uses: LastUses | None = None, sessions: Sessions | None = None
) -> UserView:
    """One user by login or id; with `sessions`, those that hold now. Raises NotFound."""
    state = reader.access(moment.position)
    found = _user(state, known_user(state, named), _time(reader, moment), uses or {})
    return found if sessions is None else replace(found, sessions=standing(reader, sessions, found.user))


def who_could(
    reader: Reader,
    permission: str,
    moment: Moment,
    *,
    sku: str | None = None,
    channel: str | None = None,
    price_list: str | None = None,
    location: str | None = None,
) -> list[CouldView]:
    """Everybody who had the permission about this at the moment, each grant that gave it, in order of login.

    What is not named is taken as if nothing stood in the way, so that without any it is all who had it somewhere.
    Who has the data folder or the database itself needs no grant, and is not listed. Raises InvalidValue.
    """
    check_permission(permission)
    state, at = reader.access(moment.position), _time(reader, moment)
    touched: Touched = {} if sku is None else touched_at(reader, sku, moment.position)
    for dimension, name in ((CHANNEL, channel), (PRICE_LIST, price_list), (LOCATION, location)):
        if name is not None:
            touched = {**touched, dimension: frozenset({name})}
    found = []
    for user in sorted(state.users.values(), key=lambda one: one.login):
        keys = [one for one in user.keys if state.keys[one].ended(at) is None and state.keys[one].made_at <= at]
        found += [
            CouldView(
                login=user.login,
                user=user.user,
                grant=one.grant,
                role=one.role,
                scope=one.scope,
                granted_at=one.granted_at,
                granted_by=one.granted_by,
                keys=keys,
                identities=list(user.identities),
            )
            for one in user.grants.values()
            if user.locked_at is None and _gave(user, one, permission, touched)
        ]
    return found


def _gave(user: User, grant: AccessGrant, permission: str, touched: Touched) -> bool:
    alone = msgspec.structs.replace(principal_of(user), grants=(grant,))
    named = {name: names for name in AccessScope.__struct_fields__ if (names := getattr(grant.scope, name)) is not None}
    assumed = {name: frozenset(names) for name, names in named.items()}
    return not isinstance(decide(alone, permission, {**assumed, **touched}), Denied)


def log_page(reader: Reader, after: int = 0, limit: int = 100, *, refused: bool = False) -> AccessPage:
    """What happened to access after a position, oldest first, at most `limit` (1 to 1000). One indexed statement."""
    if not 1 <= limit <= LIMIT_MAX:
        raise InvalidValue("limit", f"must be between 1 and {LIMIT_MAX}", limit)
    types = (NAMES[AccessRefused],) if refused else TYPES
    state = reader.access()
    entries = [_line(state, one) for one in reader.of_types_after(types, after, limit)]
    return AccessPage(entries, entries[-1].position if len(entries) == limit else None)


def unused(reader: Reader, uses: LastUses, now: datetime, days: int = UNUSED_DAYS) -> list[UnusedView]:
    """Grants, taken keys and identities that nobody used for so many days, those that rest longest first."""
    if not 0 <= days <= 36_500:
        raise InvalidValue("days", "must be between 0 and 36500", days)
    state, before = reader.access(), now - timedelta(days=days)
    used: dict[str, datetime] = {}
    for names, at in uses.items():
        used |= {name: max(at, used.get(name, at)) for name in names}
    found = [one for user in state.users.values() for one in _held(state, user, used, now)]
    return sorted((one for one in found if one.since < before), key=lambda one: one.since)


def _held(state: AccessState, user: User, used: Mapping[str, datetime], now: datetime) -> Iterator[UnusedView]:
    for grant in user.grants.values():
        yield _held_since(user, used.get(grant.grant, grant.granted_at), in_words(grant), grant=grant.grant)
    for key in (state.keys[name] for name in user.keys):
        if key.ended(now) is None:
            yield _held_since(user, used.get(key.key, key.made_at), key.label or "a key", key=key.key)
    for one in user.identities.values():
        since = used.get(one.identity, one.linked_at)
        yield _held_since(user, since, f"identity of {one.issuer}", identity=one.identity)


def _held_since(
    user: User,
    since: datetime,
    what: str,
    *,
    grant: str | None = None,
    key: str | None = None,
    identity: str | None = None,
) -> UnusedView:
    return UnusedView(login=user.login, grant=grant, key=key, identity=identity, what=what, since=since)


def keys(reader: Reader, moment: Moment, uses: LastUses | None = None, login: str | None = None) -> list[KeyView]:
    """Every key, or those of one user, the oldest first. Raises NotFound for a user that there is not."""
    state, at = reader.access(moment.position), _time(reader, moment)
    wanted = None if login is None else known_user(state, login).user
    found = [one for one in state.keys.values() if wanted in (None, one.user)]
    return [_key(state, one, at, uses or {}) for one in found]


def _time(reader: Reader, moment: Moment) -> datetime:
    """When the moment was: as it was asked, else when the log's last event at it was recorded; now at its head."""
    if moment.at is not None:
        return moment.at
    if moment.position and moment.position < reader.head():
        return reader.after(moment.position - 1, 1)[0].recorded_at
    return datetime.now(UTC)


def _user(state: AccessState, user: User, at: datetime, uses: LastUses) -> UserView:
    return UserView(
        user=user.user,
        login=user.login,
        kind=user.kind,
        person=user.person,
        added_at=user.added_at,
        grants=[
            GrantView(
                grant=one.grant,
                role=one.role,
                scope=one.scope,
                granted_at=one.granted_at,
                granted_by=one.granted_by,
                last_used_at=_latest(when for (_, grant), when in uses.items() if grant == one.grant),
            )
            for one in user.grants.values()
        ],
        keys=[_key(state, state.keys[one], at, uses) for one in user.keys],
        identities=[_identity(one, uses) for one in user.identities.values()],
        locked_at=user.locked_at,
    )


def _identity(one: Identity, uses: LastUses) -> IdentityView:
    return IdentityView(
        identity=one.identity,
        issuer=one.issuer,
        linked_at=one.linked_at,
        linked_by=one.linked_by,
        last_used_at=_latest(when for (credential, _), when in uses.items() if credential == one.identity),
    )


def _key(state: AccessState, key: Key, at: datetime, uses: LastUses) -> KeyView:
    return KeyView(
        key=key.key,
        login=state.users[key.user].login,
        label=key.label,
        state=key.ended(at) or "taken",
        made_at=key.made_at,
        expires_at=key.expires_at,
        revoked_at=key.revoked_at,
        successor=key.successor,
        last_used_at=_latest(when for (one, _), when in uses.items() if one == key.key),
    )


def _latest(times: Iterable[datetime]) -> datetime | None:
    return max(times, default=None)


def _line(state: AccessState, one: Recorded) -> AccessLine:
    assert isinstance(one.event, AccessEvent)
    return AccessLine(
        position=one.position,
        recorded_at=one.recorded_at,
        type=one.type,
        sentence=sentence(state, one.event),
        actor=one.actor,
        access=one.access,
        reason=one.reason,
        data=msgspec.to_builtins(one.event),
    )


def sentence(state: AccessState, event: AccessEvent) -> str:
    """What happened, for a person."""
    known = state.users.get(event.user or "")
    who = known.login if known is not None else event.user or "somebody"
    match event:
        case UserAdded(kind=kind):
            return f"{kind} {event.login} added"
        case AccessGranted(grant=grant, role=role, scope=scope):
            within = "; ".join(f"{name} {', '.join(names)}" for name, names in msgspec.to_builtins(scope).items())
            return f"{who} is {role}{f' within {within}' if within else ''} ({grant})"
        case AccessWithdrawn(grant=grant):
            return f"{grant} withdrawn from {who}"
        case KeyMade(key=key, label=label):
            return f"{key} made for {who}{f': {label}' if label else ''}"
        case KeyRotated(key=key, successor=successor):
            return f"{key} of {who} replaced by {successor}"
        case KeyRevoked(key=key):
            return f"{key} of {who} revoked"
        case UserLocked():
            return f"{who} locked"
        case UserUnlocked():
            return f"{who} unlocked"
        case IdentityLinked(identity=identity, issuer=issuer):
            return f"{identity} of {issuer} is {who}"
        case IdentityUnlinked(identity=identity):
            return f"{identity} is {who} no more"
        case SessionBegan(session=session, identity=identity):
            return f"{who} logged in as {identity} ({session})"
        case SessionEnded(session=session, how=how):
            return f"{session} of {who} ended ({how})"
    about = ", ".join(f"{name} {value}" for name, value in event.asked.items())
    wish = f"{event.permission} " if event.permission else ""
    return f"refused: {wish}{f'about {about} ' if about else ''}({event.reason}){f', {event.key}' if event.key else ''}"
