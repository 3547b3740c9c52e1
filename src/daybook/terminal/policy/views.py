"""What a person sees of policies."""

from collections.abc import Sequence

import msgspec

from daybook.operations.policies import RetriedGroups
from daybook.policy.plan import PolicyPlan
from daybook.policy.status import ParkedGroups, PolicyStatus
from daybook.terminal.render import Show, line, stacked
from daybook.terminal.tables import table


def listed(found: Sequence[PolicyStatus]) -> Show:
    """One line a policy."""
    rows = [(one.policy, one.state, one.position, one.behind, one.parked, one.reason) for one in found]
    return table(("policy", "state", "#position", "#behind", "#parked", "why"), rows, "no policy is installed")


def shown(found: PolicyStatus) -> Show:
    """One policy, field by field."""
    facts = [
        ("what it does", found.meaning),
        ("version", found.version),
        ("has spoken so far", found.running_version),
        ("folded up to position", found.position),
        ("events behind", found.behind),
        ("parked groups", found.parked),
        ("since (UTC)", found.since),
        ("why", found.reason),
    ]
    rows = [row for row in facts if row[1] is not None]
    return stacked(line(f"{found.policy}: {found.state}"), table(("field", "value"), rows))


def parked(found: ParkedGroups) -> Show:
    """One line a group, and how to go on."""
    rows = [(one.key, one.position, one.since, one.reason) for one in found.parked]
    shown = table(("group", "#position", "since (UTC)", "why"), rows, "nothing is parked")
    return shown if found.next is None else stacked(shown, line(f"more: --after {found.next}"))


def planned(found: PolicyPlan) -> Show:
    """How much would be appended, and the first of it."""
    rows = [(one.sku, one.type, msgspec.json.encode(one.data).decode()) for one in found.first]
    said = f"{found.policy} version {found.version} would append {found.events} events about {found.groups} groups"
    parts = [line(f"{said}, as of position {found.position}")]
    if rows:
        parts.append(table(("SKU", "event", "what it says"), rows))
    if found.failures:
        parts.append(line(f"{found.failures} groups would be parked:"))
        parts.append(table(("group", "why"), [(one.key, one.reason) for one in found.first_failures]))
    return stacked(*parts)


def retried(found: RetriedGroups) -> Show:
    """How many are folded again."""
    return line(f"{found.groups} parked groups are folded again by {found.policy}")
