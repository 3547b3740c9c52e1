"""What people say to a policy. Who, why, and with which key is in the event's columns."""

import msgspec

POLICY_KEY = "@policy/"
"""What their key begins with; the policy's name follows."""


class PolicyPaused(msgspec.Struct, frozen=True, kw_only=True):
    """The policy says nothing until it is resumed."""

    name: str


class PolicyResumed(msgspec.Struct, frozen=True, kw_only=True):
    """The policy goes on, with this version of its code."""

    name: str
    version: int


class PolicyRetried(msgspec.Struct, frozen=True, kw_only=True):
    """Parked groups are folded again. Nothing named is all."""

    name: str
    keys: tuple[str, ...] = ()
    groups: int
    """How many were chosen."""
