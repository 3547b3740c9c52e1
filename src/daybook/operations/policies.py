"""Pausing, resuming and retrying a policy: recorded with who does it, and so done, as the policy reads it there."""

import msgspec

from daybook import limits
from daybook.app import App
from daybook.errors import NotFound
from daybook.events import PolicyEvent, PolicyPaused, PolicyResumed, PolicyRetried
from daybook.events.policy import POLICY_KEY
from daybook.ids import new_id
from daybook.log.pending import Context, NewEvent
from daybook.policy.control import control_of, stream_of
from daybook.policy.installed import POLICIES, policy_of
from daybook.policy.status import PolicyStatus, statuses
from daybook.policy.store import PolicyStore
from daybook.values import check_limit


class RetriedGroups(msgspec.Struct, frozen=True):
    """How many parked groups are folded again."""

    policy: str
    groups: int


def every(app: App) -> list[PolicyStatus]:
    """How each policy is doing."""
    return statuses(app.pool, app.reader, POLICIES)


def one(app: App, name: str) -> PolicyStatus:
    """How the policy is doing. Raises NotFound."""
    return statuses(app.pool, app.reader, [policy_of(name)])[0]


def pause(app: App, name: str, context: Context) -> PolicyStatus:
    """The policy says nothing until it is resumed. One that is paused stays so, and nothing is recorded."""
    policy_of(name)
    if control_of(app.reader, name).paused is None:
        _record(app, PolicyPaused(name=name), context)
    return one(app, name)


def resume(app: App, name: str, context: Context) -> PolicyStatus:
    """The policy goes on, with the code that is installed here. Nothing is recorded of one that does."""
    policy, before = policy_of(name), one(app, name)
    if before.state in ("paused", "other version"):
        _record(app, PolicyResumed(name=name, version=policy.version), context)
    return one(app, name)


def retry(app: App, name: str, keys: tuple[str, ...], context: Context) -> RetriedGroups:
    """Parked groups are folded again, all of them when none is named. Raises NotFound for one that is not parked."""
    check_limit(limits.NAMED, len(keys), "keys")
    parked = PolicyStore(app.pool, policy_of(name)).parked()
    for key in keys:
        if key not in parked:
            raise NotFound(f"{key} is not parked: `daybook policy parked {name}` lists those that are", key=key)
    groups = len(set(keys)) if keys else len(parked)
    if groups:
        _record(app, PolicyRetried(name=name, keys=tuple(dict.fromkeys(keys)), groups=groups), context)
    return RetriedGroups(name, groups)


def _record(app: App, event: PolicyEvent, context: Context) -> None:
    context = msgspec.structs.replace(context, command_id=new_id())  # each one counts, also of one request
    app.log.record([(context, [NewEvent(stream_of(event.name), 0, event, None, f"{POLICY_KEY}{event.name}")])])
