"""How each policy is doing: how far it is, what stands aside, and what it waits for."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

from daybook.errors import InvalidValue
from daybook.limits import ROWS
from daybook.log.reader import Reader
from daybook.policy.contract import Policy
from daybook.policy.control import PolicyControl, control_of
from daybook.policy.store import QUERIES
from daybook.postgres.pool import Pool, fetch

PolicyState = Literal[
    "not begun", "running", "beginning", "deciding anew", "paused", "other version", "failing", "stopped"
]


class PolicyStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One policy."""

    policy: str
    meaning: str
    state: PolicyState
    version: int
    """Of the code that asks."""
    running_version: int | None
    """Of the code that has spoken so far; null before it began."""
    position: int
    """All events up to here are folded."""
    behind: int
    """Events after it, of whatever kind."""
    waits_since: datetime | None
    """When the first of those was recorded; null when there is none."""
    parked: int
    """Product groups that its code could not stand."""
    parked_since: datetime | None
    since: datetime | None
    """Since when it is paused or fails."""
    reason: str | None
    """Why, in words."""


class GroupAside(msgspec.Struct, frozen=True, kw_only=True):
    """A product group that stands aside until it is tried again."""

    key: str
    position: int
    """Of the event with which it could not go on."""
    reason: str
    since: datetime


class ParkedGroups(msgspec.Struct, frozen=True):
    """Parked groups by key, and the `after` of the next page; null on the last one."""

    parked: list[GroupAside]
    next: str | None


class _Row(msgspec.Struct, frozen=True):
    version: int
    position: int
    decides_from: int
    swept: str | None
    moved_at: datetime
    failing: str | None
    failing_since: datetime | None
    parked: int
    parked_since: datetime | None
    held: bool
    head: int
    next_at: datetime | None


def statuses(pool: Pool, reader: Reader, policies: Sequence[Policy]) -> list[PolicyStatus]:
    """All policies that are installed. Raises Unavailable."""
    rows = {row[0]: _Row(*row[1:]) for row in fetch(pool, QUERIES["statuses"])}
    return [_status(reader, one, rows.get(one.name)) for one in policies]


def _status(reader: Reader, policy: Policy, row: _Row | None) -> PolicyStatus:
    control = control_of(reader, policy.name)
    state, since, reason = _state(policy, control, row)
    head = reader.head() if row is None else row.head
    position = 0 if row is None else row.position
    return PolicyStatus(
        policy=policy.name,
        meaning=policy.meaning,
        state=state,
        version=policy.version,
        running_version=None if row is None else row.version,
        position=position,
        behind=max(0, head - position),
        waits_since=None if row is None else row.next_at,
        parked=0 if row is None else row.parked,
        parked_since=None if row is None else row.parked_since,
        since=since,
        reason=reason,
    )


def _state(policy: Policy, control: PolicyControl, row: _Row | None) -> tuple[PolicyState, datetime | None, str | None]:
    """What it does, since when, and why."""
    if control.paused is not None:
        why = f"{control.paused.actor}: {control.paused.reason or 'no reason given'}"
        return "paused", control.paused.recorded_at, why
    if row is None:
        return "not begun", None, "nobody has run it yet: `daybook run clock` does"
    if row.version != policy.version:
        why = f"version {row.version} has spoken so far; version {policy.version} waits for a person who saw its plan"
        return "other version", row.moved_at, why
    if row.failing is not None:
        return "failing", row.failing_since, row.failing
    if not row.held:
        return "stopped", None, "nobody runs it: `daybook run clock` does"
    if row.position < row.decides_from:
        return "beginning", None, None
    return ("running" if row.swept is None else "deciding anew"), None, None


def parked_groups(pool: Pool, policy: str, after: str | None, limit: int) -> ParkedGroups:
    """The groups that stand aside, with the reasons. Raises InvalidValue and Unavailable."""
    if not 1 <= limit <= ROWS.most:
        raise InvalidValue("limit", f"must be between 1 and {ROWS.most}", limit)
    rows = fetch(pool, QUERIES["parked_page"], {"policy": policy, "after": after or "", "limit": limit})
    found = [GroupAside(key=row[0], position=row[1], reason=row[2], since=row[3]) for row in rows]
    return ParkedGroups(found, found[-1].key if len(found) == limit else None)
