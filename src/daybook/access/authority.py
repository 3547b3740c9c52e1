"""The one function that decides: who asks, for what, about what; allowed by which grant, or refused and why. Pure."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

import msgspec

from daybook.access import keys
from daybook.access.identities import IssuedSubject
from daybook.access.permissions import CATEGORY, CHANNEL, DIMENSIONS, PERMISSIONS, ROLES, roles_with
from daybook.access.state import AccessGrant, AccessState, Narrowed, User, narrowed_by
from daybook.events.access import AccessScope

Touched = Mapping[str, frozenset[str]]
"""Dimension -> what the request touches in it: a grant that is narrowed down must hold one of these.

What must all be held is several requests, one for each.
"""
Facts = Callable[[], Touched]
"""Categories and channels of the product that is asked about; called only when a grant is narrowed down by them."""
NOTHING: Touched = {}


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Who was authenticated, and by what."""

    user: str | None
    """None is who acts through the data folder itself, on this machine."""
    login: str
    credential: str | None
    """What was shown, by its public name: a key, an identity or a session."""
    grants: tuple[AccessGrant, ...]
    rests_on: str | None = None
    """Of a session: the identity by whose word it began. Its uses count as the identity's."""

    def holding(self, permission: str) -> AccessGrant | None:
        """The first grant that has it, wherever."""
        held = (one for one in self.grants if permission in ROLES.get(one.role, ()) and gives(one, permission))
        return next(held, None)


class Denied(msgspec.Struct, frozen=True):
    """Why a request is refused."""

    reason: str
    """As in `AccessRefused.reason`."""
    message: str
    """What is lacking, and the next step."""


def authenticate(state: AccessState, shown: keys.PresentedKey, now: datetime) -> Principal | Denied:
    """The user of the key that was shown. What is told of a key that is not taken helps its owner, and nobody else.

    Who does not know the secret learns the same, whether there is such a key or not.
    """
    key = state.keys.get(shown.id)
    if key is None:
        # As long as for a key that there is, so that time tells nothing either.
        keys.matches(shown.secret, "0" * 64)
        return Denied("unknown_key", _UNKNOWN)
    if not keys.matches(shown.secret, key.hash):
        return Denied("wrong_secret", _UNKNOWN)
    if (ended := key.ended(now)) is not None:
        return Denied(ended, f"the key {key.key} is {_ENDED[ended]}: use its successor, or have a new one made")
    return allowed_in(state.users[key.user], key.key)


def allowed_in(user: User, credential: str) -> Principal | Denied:
    """The user as a principal, unless it is locked."""
    if user.locked_at is not None:
        return Denied("locked", f"the user {user.login} is locked: ask an owner for `daybook user unlock {user.login}`")
    return principal_of(user, credential)


_UNKNOWN = "this key is not known here: check that it belongs to this Daybook, or have a new one made"
_ENDED = {"revoked": "revoked", "expired": "expired", "replaced": "replaced by another, and its overlap is over"}


def identified(state: AccessState, shown: IssuedSubject) -> Principal | Denied:
    """The user for whom the issuer's word is taken."""
    hashed = shown.hashed()
    user = state.users.get(state.subjects.get(hashed, ""))
    if user is None:
        return Denied(
            "unknown_subject",
            f"{shown.issuer} says who you are, and no user here is tied to that. Ask an owner for "
            f"`daybook user link LOGIN --oidc-subject {shown.subject} --oidc-issuer {shown.issuer}`",
        )
    identity = next(one.identity for one in user.identities.values() if one.subject_hash == hashed)
    return allowed_in(user, identity)


def principal_of(user: User, credential: str | None = None) -> Principal:
    """The user as a principal."""
    return Principal(user=user.user, login=user.login, credential=credential, grants=tuple(user.grants.values()))


def decide(
    principal: Principal, permission: str, touched: Touched = NOTHING, facts: Facts | None = None
) -> AccessGrant | Denied:
    """The grant that allows it, the widest first as they stand, or why it is refused.

    `touched` is what the request names; `facts` tells the product's categories and channels when a grant needs them.
    """
    if permission not in PERMISSIONS:
        return Denied("forbidden", f"there is no permission {permission}")
    candidates = [one for one in principal.grants if permission in ROLES.get(one.role, ())]
    if not candidates:
        who = ", ".join(roles_with(permission))
        return Denied(
            "forbidden",
            f"{principal.login} lacks {permission} (may {PERMISSIONS[permission].allows}): ask an owner to grant one "
            f"of the roles {who}",
        )
    known: Touched | None = None
    for one in candidates:
        if not one.narrowed or PERMISSIONS[permission].common:
            return one
        if not gives(one, permission):
            continue
        if facts is not None and known is None and _needs_facts(one, touched):
            known = facts()
        if _holds(one.narrowed, touched, known or NOTHING):
            return one
    return Denied(
        "out_of_scope",
        f"{principal.login} has {permission} only as {'; or '.join(map(in_words, candidates))}: this is outside, or "
        "not there. Ask an owner for a wider grant",
    )


EVERYTHING = AccessScope()


def gives(grant: AccessGrant, permission: str) -> bool:
    """Whether the permission can be narrowed down as the grant is; one that can't be is not given at all."""
    known = PERMISSIONS[permission]
    return known.common or all(dimension in known.within for dimension, _ in grant.narrowed)


def in_words(grant: AccessGrant) -> str:
    """The grant for a person: `merchandiser, price lists retail`."""
    said = [
        f"{name.replace('_', ' ')} {', '.join(getattr(grant.scope, name))}"
        for name in DIMENSIONS
        if getattr(grant.scope, name) is not None
    ]
    return ", ".join([grant.role, *said])


def access_column(principal: Principal, grants: Iterable[AccessGrant]) -> str | None:
    """What an event says of how it was allowed: the key, identity or session, and grants; None for who acts on the
    machine itself."""
    if principal.credential is None:
        return None
    used = list(dict.fromkeys(one.grant for one in grants))[:GRANTS_NAMED_MAX]
    return f"{principal.credential}/{','.join(used)}"


GRANTS_NAMED_MAX = 10
"""Of one command: the column is short."""


def _needs_facts(grant: AccessGrant, touched: Touched) -> bool:
    return any(dimension in _FACTS and dimension not in touched for dimension, _ in grant.narrowed)


def _holds(narrowed: Narrowed, touched: Touched, known: Touched) -> bool:
    for dimension, allowed in narrowed:
        if allowed.isdisjoint(touched.get(dimension, known.get(dimension, _NONE))):
            return False
    return True


_FACTS = (CATEGORY, CHANNEL)
_NONE: frozenset[str] = frozenset()


class Reach(msgspec.Struct, frozen=True):
    """How far a principal's reading goes: what a list is narrowed down to before its page is cut."""

    scopes: tuple[AccessScope, ...] | None = None
    """Any of them suffices; None is everything, and no scope is nothing."""

    @property
    def everything(self) -> bool:
        """Whether nothing is left out."""
        return self.scopes is None

    def holds(self, touched: Touched) -> bool:
        """Whether something with these categories and channels is within reach."""
        return self.scopes is None or any(_holds(narrowed_by(one), touched, NOTHING) for one in self.scopes)

    def channel(self, name: str) -> bool:
        """Whether a channel is within reach."""
        return self.holds({CHANNEL: frozenset({name})})


EVERYWHERE = Reach()


def reach(principal: Principal, permission: str) -> Reach:
    """How far the permission goes for this principal, over all of its grants."""
    held = [one for one in principal.grants if permission in ROLES.get(one.role, ()) and gives(one, permission)]
    if PERMISSIONS[permission].common or any(one.scope == EVERYTHING for one in held):
        return EVERYWHERE if held else Reach(())
    return Reach(tuple(one.scope for one in held))
