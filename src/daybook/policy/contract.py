"""What a policy is: two pure folds and a pure decision. The engine does the rest.

No I/O, clock, randomness or environment. So the same code runs live, in a replay, and in a plan of what comes of it.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from daybook.events import Event, Recorded

NAME = re.compile(r"[a-z][a-z0-9-]{0,30}\Z")


class PolicyDecision(msgspec.Struct, frozen=True):
    """Events for one stream. A policy's streams are its own: nobody else appends to them."""

    stream: str
    sku: str
    events: Sequence[Event]


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """A policy about product groups.

    Laws: what was decided, once it is said, leaves nothing to decide; and what the policy said itself is no input of
    `fold`, so it does not matter what came in between.
    """

    name: str
    version: int
    """Raise it when another state or decision comes of the same events: what the new code would append is then planned,
    and appended when a person has let it."""
    meaning: str
    """For a person, one line."""
    reads: tuple[type[Any], ...]
    """Events of product groups that it folds."""
    shared: tuple[type[Any], ...]
    """Events that are about every group, such as a category's definition."""
    shared_keys: tuple[str, ...]
    """The keys that those have."""
    writes: tuple[type[Any], ...]
    state: Any
    """The type of a group's state, to read it back."""
    said: Any
    """The type of what was said about a group."""
    beginning: Any
    """The shared state before the first event."""
    fold: Callable[[Any, Recorded], Any]
    """fold(state | None, event) -> state."""
    fold_said: Callable[[Any, str, Any], Any]
    """fold_said(said | None, sku, event) -> said. Of no time and position: a plan does not know them."""
    fold_shared: Callable[[Any, Recorded], Any]
    """fold_shared(shared, event) -> shared; the same object when every decision stays what it was."""
    decide: Callable[[Any, Any, Any], Sequence[PolicyDecision]]
    """decide(state, said | None, shared) -> what is not said yet."""


def check_name(name: str) -> str:
    """The name of a policy. Raises ValueError: it is written in code."""
    if not NAME.match(name):
        raise ValueError(f"{name!r} is no name for a policy: small letters, digits and -, at most 31")
    return name
