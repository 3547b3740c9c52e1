"""What happens to users, their keys and what they may do. No secret is in any of them, and no person's name."""

from datetime import datetime
from typing import Literal

import msgspec

ACCESS_KEY = "@access"
"""The key of the events that say who may do what. No SKU can start with @."""
REFUSALS_KEY = "@refusals"
"""The key of refusals, which may be many and change nothing."""
SESSIONS_KEY = "@sessions"
"""The key of logins and their ends, which are many, and decide nothing afterwards."""


class AccessScope(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a grant is narrowed down to: what is named must all hold; null is everything."""

    channels: tuple[str, ...] | None = None
    categories: tuple[str, ...] | None = None
    """With everything below them."""
    price_lists: tuple[str, ...] | None = None
    locations: tuple[str, ...] | None = None


class UserAdded(msgspec.Struct, frozen=True, kw_only=True):
    """There is somebody, or something, who may be given access. A user never goes, and a login is never given twice."""

    user: str
    """`usr_…`: what everything else names."""
    login: str
    """A short name that is shown as the actor of what the user does. It is kept for ever: no personal data."""
    kind: Literal["person", "service"] = "person"
    person: str | None = None
    """The person in the vault, where name and mail are."""


class UserLocked(msgspec.Struct, frozen=True, kw_only=True):
    """Whatever the user shows is refused, until it is unlocked. What it was granted stays."""

    user: str


class UserUnlocked(msgspec.Struct, frozen=True, kw_only=True):
    """What the user shows is taken again, as far as it has not ended meanwhile."""

    user: str


class AccessGranted(msgspec.Struct, frozen=True, kw_only=True):
    """The user has a role, within a scope."""

    user: str
    grant: str
    """`gr_…`."""
    role: str
    scope: AccessScope = AccessScope()


class AccessWithdrawn(msgspec.Struct, frozen=True, kw_only=True):
    """The grant is no more."""

    user: str
    grant: str


class KeyMade(msgspec.Struct, frozen=True, kw_only=True):
    """The user has an API key. Only a hash of its secret is known: SHA-256, which 256 random bits need no more than."""

    user: str
    key: str
    """`dbk_…`, the public part."""
    hash: str
    """SHA-256 of the secret, in hexadecimal."""
    label: str | None = None
    """What it is for."""
    expires_at: datetime | None = None


class KeyRotated(msgspec.Struct, frozen=True, kw_only=True):
    """Another key takes this one's place; until `ends_at` both are taken."""

    user: str
    key: str
    successor: str
    ends_at: datetime


class KeyRevoked(msgspec.Struct, frozen=True, kw_only=True):
    """The key is taken no more."""

    user: str
    key: str


class IdentityLinked(msgspec.Struct, frozen=True, kw_only=True):
    """An identity provider's word for somebody is taken for this user.

    What a provider calls its subjects may be a mail address, so the log has a hash of it.
    """

    user: str
    identity: str
    """`oid_…`: what everything else names."""
    issuer: str
    """As it stands in `iss`."""
    subject_hash: str
    """SHA-256 of issuer and subject, in hexadecimal."""


class IdentityUnlinked(msgspec.Struct, frozen=True, kw_only=True):
    """The identity is taken for the user no more, and whoever is logged in with it no longer is."""

    user: str
    identity: str


class SessionBegan(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody logged in with a browser."""

    user: str
    session: str
    """`ses_…`, the public part."""
    identity: str
    """By whose word."""
    expires_at: datetime
    """It ends then at the latest."""


class SessionEnded(msgspec.Struct, frozen=True, kw_only=True):
    """A session was ended before its time."""

    user: str
    session: str
    how: Literal["logout", "login", "ended"]
    """By its own user, by another login of the same browser, or by somebody who may."""


class AccessRefused(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody was turned away. Told at most once a minute for the same key, permission and reason."""

    reason: str
    """`forbidden`, `out_of_scope`, `wrong_secret`, `unknown_key`, `revoked`, `expired`, `replaced`,
    `unknown_subject`, `locked`; of a login also what may be an attack, such as `wrong_state`."""
    user: str | None = None
    key: str | None = None
    """The key, identity or session that was shown."""
    permission: str | None = None
    asked: dict[str, str] = {}
    """What was named in the request: channel, price list, location, SKU."""
