"""What may happen to users, grants and keys, given what there is. Pure: a wish that is true already gives no events."""

import re
from datetime import datetime
from typing import Literal

from daybook import limits
from daybook.access.permissions import DIMENSIONS, check_role
from daybook.access.state import AccessGrant, AccessState, Identity, Key, User
from daybook.errors import InvalidValue, NotFound, Refused
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
from daybook.values import check_limit, check_text, check_time, parse_code

_LOGIN = re.compile(r"[a-z][a-z0-9._-]{0,31}")
_EVERYTHING = AccessScope()
OWNER = "owner"


def known_user(state: AccessState, named: str) -> User:
    """The user with this login or id, or NotFound."""
    user = state.user_of(named)
    if user is None:
        there = ", ".join(sorted(state.logins)[:20]) or "none"
        raise NotFound(
            f"user: there is no user {named!r}; there are: {there}. `daybook user add {named}` adds one", field="user"
        )
    return user


def known_key(state: AccessState, key: str) -> Key:
    """The key, or NotFound."""
    if key not in state.keys:
        raise NotFound(f"key: there is no key {key!r}: `daybook key list` has them", field="key")
    return state.keys[key]


def check_login(login: str) -> str:
    """The login. Raises InvalidValue for what can't be one."""
    if not _LOGIN.fullmatch(login):
        raise InvalidValue("login", "must be 1 to 32 small letters, digits, . _ -, starting with a letter", login)
    return login


def add_user(
    state: AccessState, user: str, login: str, kind: Literal["person", "service"], person: str | None
) -> list[UserAdded]:
    """A new user. The same login again, of the same kind, is the user that there is."""
    check_login(login)
    if person is not None:
        check_text(person, "person", limits.NAME)
    before = state.user_of(login)
    if before is None:
        check_limit(limits.USERS, len(state.users) + 1, "login")
        return [UserAdded(user=user, login=login, kind=kind, person=person)]
    if before.kind != kind:
        raise Refused(f"there is a user {login} already, a {before.kind}: choose another login")
    return []


def grant(state: AccessState, user: User, grant_id: str, role: str, scope: AccessScope) -> list[AccessGranted]:
    """A role within a scope. The same again is the grant that stands."""
    check_role(role)
    check_scope(scope)
    if any(one.role == role and one.scope == scope for one in user.grants.values()):
        return []
    check_limit(limits.GRANTS, len(user.grants) + 1, "role")
    return [AccessGranted(user=user.user, grant=grant_id, role=role, scope=scope)]


def check_scope(scope: AccessScope) -> AccessScope:
    """Raises InvalidValue for a name that is none, and for a scope that holds nothing."""
    for dimension in DIMENSIONS:
        names = getattr(scope, dimension)
        if names is None:
            continue
        field = f"scope.{dimension}"
        if not names:
            raise InvalidValue(field, "holds nothing: leave it out for everything, or name one")
        check_limit(limits.SCOPE_NAMES, len(names), field)
        for name in names:
            parse_code(name, field)
    return scope


def known_grant(state: AccessState, grant_id: str) -> AccessGrant:
    """The grant that stands, or NotFound."""
    standing = state.grant(grant_id)
    if standing is None:
        raise NotFound(f"grant: there is no grant {grant_id!r}: `daybook access of USER` has them", field="grant")
    return standing


def is_owners(grant: AccessGrant) -> bool:
    """Whether it makes an owner of everything."""
    return grant.role == OWNER and grant.scope == _EVERYTHING


LAST_OWNER = "this is the last owner: make another one first, `daybook user add NAME --owner`"


def owning(state: AccessState) -> set[str]:
    """The users who are owners of everything and not locked."""
    return {one.user for one in state.users.values() if one.locked_at is None and _owner_grants(one)}


def _owner_grants(user: User) -> int:
    return sum(is_owners(one) for one in user.grants.values())


def lock(state: AccessState, user: User) -> list[UserLocked]:
    """Whatever the user shows is refused. Refuses to lock the last owner."""
    if user.locked_at is not None:
        return []
    if owning(state) == {user.user}:
        raise Refused(LAST_OWNER)
    return [UserLocked(user=user.user)]


def unlock(user: User) -> list[UserUnlocked]:
    """It is taken again."""
    return [] if user.locked_at is None else [UserUnlocked(user=user.user)]


def withdraw(state: AccessState, grant_id: str) -> list[AccessWithdrawn]:
    """The grant is no more. Refuses the last owner's: nobody but who has the data folder could give it back."""
    standing = known_grant(state, grant_id)
    if is_owners(standing) and owning(state) <= {standing.user} and _owner_grants(state.users[standing.user]) == 1:
        raise Refused(LAST_OWNER)
    return [AccessWithdrawn(user=standing.user, grant=grant_id)]


def known_identity(state: AccessState, identity: str) -> Identity:
    """The identity, or NotFound."""
    found = state.identity(identity)
    if found is None:
        raise NotFound(
            f"identity: there is no identity {identity!r}: `daybook user show USER` has them", field="identity"
        )
    return found


def link(state: AccessState, user: User, identity: str, issuer: str, subject_hash: str) -> list[IdentityLinked]:
    """The issuer's word about the subject is taken for the user. Refuses a subject that is tied to another one."""
    holder = state.users.get(state.subjects.get(subject_hash, ""))
    if holder is not None and holder.user != user.user:
        tied = next(one.identity for one in holder.identities.values() if one.subject_hash == subject_hash)
        raise Refused(f"this subject is tied to {holder.login}: untie it first, `daybook user unlink {tied}`")
    if holder is not None:
        return []
    check_limit(limits.IDENTITIES, len(user.identities) + 1, "user")
    return [IdentityLinked(user=user.user, identity=identity, issuer=issuer, subject_hash=subject_hash)]


def unlink(state: AccessState, identity: str) -> list[IdentityUnlinked]:
    """The identity is taken for its user no more."""
    return [IdentityUnlinked(user=known_identity(state, identity).user, identity=identity)]


def make_key(
    state: AccessState, user: User, key: str, hash_: str, label: str | None, expires_at: datetime | None
) -> list[KeyMade]:
    """A key for a user."""
    if label is not None:
        check_text(label, "label", limits.KEY_LABEL)
    if expires_at is not None:
        check_time(expires_at, "expires_at")
    check_limit(limits.KEYS, len([one for one in user.keys if state.keys[one].revoked_at is None]) + 1, "user")
    return [KeyMade(user=user.user, key=key, hash=hash_, label=label, expires_at=expires_at)]


def rotate_key(
    state: AccessState, key: str, successor: str, hash_: str, ends_at: datetime
) -> list[KeyMade | KeyRotated]:
    """Another key with the same label; the old one is taken until `ends_at`. Refuses one that has a successor."""
    old = known_key(state, key)
    if old.revoked_at is not None:
        raise Refused(f"the key {key} was revoked: make a new one, `daybook key make`")
    if old.successor is not None:
        raise Refused(f"the key {key} was replaced by {old.successor} already: rotate that one")
    made = make_key(state, state.users[old.user], successor, hash_, old.label, None)
    return [*made, KeyRotated(user=old.user, key=key, successor=successor, ends_at=ends_at)]


def revoke_key(state: AccessState, key: str) -> list[KeyRevoked]:
    """The key is taken no more."""
    old = known_key(state, key)
    return [] if old.revoked_at is not None else [KeyRevoked(user=old.user, key=key)]
