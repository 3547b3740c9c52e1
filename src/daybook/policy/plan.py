"""What a policy's code would append if it were let go on now: every group folded from the log, and decided."""

from typing import Any

import msgspec

from daybook.events.codec import NAMES
from daybook.log.reader import Reader
from daybook.policy.contract import Policy
from daybook.policy.folding import fold_all, say
from daybook.policy.store import events_of, shared_at
from daybook.postgres.pool import Pool

PAGE_GROUPS = 500


class PlannedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event that would be appended."""

    key: str
    sku: str | None
    stream: str
    version: int
    type: str
    data: Any


class PlannedFailure(msgspec.Struct, frozen=True, kw_only=True):
    """A group that the code can't stand: it would be parked."""

    key: str
    reason: str


class PolicyPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What would be appended at a position of the log."""

    policy: str
    version: int
    """Of the code."""
    position: int
    groups: int
    """How many have something to be said about."""
    events: int
    failures: int
    first: list[PlannedEvent]
    first_failures: list[PlannedFailure]


def plan(pool: Pool, reader: Reader, policy: Policy, limit: int) -> PolicyPlan:
    """Appends nothing, and rests on nothing that the running policy keeps. Raises Unavailable and CorruptLog."""
    head = reader.head()
    shared = shared_at(policy, {key: reader.of_key(key, head) for key in policy.shared_keys})
    first: list[PlannedEvent] = []
    failed: list[PlannedFailure] = []
    after, groups, amount, failures = "", 0, 0, 0
    while page := [key for key, _ in reader.groups_after(after, PAGE_GROUPS)]:
        after = page[-1]
        for key, events in events_of(pool, policy, page, head).items():
            try:
                _, happened = say(policy, key, fold_all(policy, events), shared)
            except Exception as error:
                failures += 1
                if len(failed) < limit:
                    failed.append(PlannedFailure(key=key, reason=f"{type(error).__name__}: {error}"[:500]))
                continue
            groups, amount = groups + bool(happened), amount + len(happened)
            for one in happened[: max(0, limit - len(first))]:
                first.append(
                    PlannedEvent(
                        key=key,
                        sku=one.sku,
                        stream=one.originator_id,
                        version=one.originator_version,
                        type=NAMES[type(one.event)],
                        data=msgspec.to_builtins(one.event),
                    )
                )
    return PolicyPlan(
        policy=policy.name,
        version=policy.version,
        position=head,
        groups=groups,
        events=amount,
        failures=failures,
        first=first,
        first_failures=failed,
    )
