"""The policies that this Daybook has."""

from daybook.errors import NotFound
from daybook.policy.contract import Policy

POLICIES: tuple[Policy, ...] = ()


def policy_of(name: str) -> Policy:
    """The policy of this name. Raises NotFound."""
    for one in POLICIES:
        if one.name == name:
            return one
    there = ", ".join(one.name for one in POLICIES) or "none"
    raise NotFound(f"there is no policy {name!r}; the policies are: {there}", policy=name)
