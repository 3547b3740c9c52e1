"""What is kept of a product group for a policy, and one step of it. Pure; live, replay and plan all go through here."""

import hashlib
from collections.abc import Iterable
from typing import Any

import msgspec

from daybook.events import Recorded
from daybook.log.pending import Context, NewEvent
from daybook.policy.contract import Policy

SOURCE = "policy"


class KeptGroup(msgspec.Struct, frozen=True):
    """A group's state, what was said about it, and up to which version of each of the policy's own streams."""

    state: Any = None
    said: Any = None
    own: dict[str, int] = {}


NOTHING = KeptGroup()


def take(policy: Policy, kept: KeptGroup, one: Recorded) -> KeptGroup:
    """The group after an event of the log. What the policy said itself it knows already, unless this is a replay."""
    if not isinstance(one.event, policy.writes):
        return msgspec.structs.replace(kept, state=policy.fold(kept.state, one))
    if one.version <= kept.own.get(one.stream, 0) or one.sku is None:
        return kept
    said = policy.fold_said(kept.said, one.sku, one.event)
    return msgspec.structs.replace(kept, said=said, own=kept.own | {one.stream: one.version})


def say(policy: Policy, key: str, kept: KeptGroup, shared: Any) -> tuple[KeptGroup, list[NewEvent]]:
    """What the policy has to say about the group now, and the group with it said."""
    if kept.state is None:
        return kept, []
    said, own, happened = kept.said, dict(kept.own), []
    for decision in policy.decide(kept.state, kept.said, shared):
        for event in decision.events:
            own[decision.stream] = version = own.get(decision.stream, 0) + 1
            said = policy.fold_said(said, decision.sku, event)
            happened.append(NewEvent(decision.stream, version, event, decision.sku, key))
    return (KeptGroup(kept.state, said, own), happened) if happened else (kept, [])


def fold_all(policy: Policy, events: Iterable[Recorded]) -> KeptGroup:
    """A group from its first event on."""
    kept = NOTHING
    for one in events:
        kept = take(policy, kept, one)
    return kept


def is_input(policy: Policy, one: Recorded) -> bool:
    """Whether something may have to be said because of the event."""
    return isinstance(one.event, policy.reads)


def context_of(policy: Policy, cause: Recorded, key: str) -> Context:
    """Who says it and why: of one cause a version of a policy says something about a group once."""
    named = f"{policy.name}\x1f{policy.version}\x1f{cause.event_id}\x1f{key}"
    return Context(
        actor=f"policy:{policy.name}",
        source=SOURCE,
        command_id=f"pol-{hashlib.blake2b(named.encode(), digest_size=16).hexdigest()}",
        correlation_id=cause.correlation_id,
        causation_id=cause.event_id,
    )
