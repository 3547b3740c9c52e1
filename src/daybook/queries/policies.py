"""What waits of policies: what they could not fold, what they have not folded yet, and what waits for a person."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from daybook.log.reader import Reader
from daybook.policy.contract import Policy
from daybook.policy.status import PolicyStatus, statuses
from daybook.postgres.pool import Pool

PolicyWait = tuple[str, str, int, datetime | None, str, str]
"""Kind, policy, how much, since when, why, and the next step."""


def waiting(pool: Pool, installed: Sequence[Policy]) -> Iterator[PolicyWait]:
    """All of it. Raises Unavailable."""
    for one in statuses(pool, Reader(pool), installed):
        if one.parked:
            step = f"daybook policy parked {one.policy}"
            yield "policy_parked", one.policy, one.parked, one.parked_since, "its code could not stand them", step
        yield from _of(one)


def _of(one: PolicyStatus) -> Iterator[PolicyWait]:
    name, why = one.policy, one.reason or "events wait, and the policy reads them"
    match one.state:
        case "paused":
            yield "policy_paused", name, one.behind, one.since, why, f"daybook policy resume {name}"
        case "other version":
            yield "policy_version", name, 1, one.since, why, f"daybook policy plan {name}"
        case "failing":
            yield "policy_failing", name, 1, one.since, why, f"daybook policy show {name}"
        case _ if one.behind and one.waits_since is not None:
            yield "policy_behind", name, one.behind, one.waits_since, why, f"daybook policy show {name}"
