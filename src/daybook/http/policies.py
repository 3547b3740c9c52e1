"""Policies: which there are, how they are doing, what they would append, and what a person does about them."""

from typing import Any

import msgspec
from litestar import get, post
from litestar.params import FromPath, JSONBody

from daybook.http.deliveries import Nothing
from daybook.operations import policies as operations
from daybook.operations.policies import RetriedGroups
from daybook.policy.installed import policy_of
from daybook.policy.plan import PolicyPlan, plan
from daybook.policy.status import ParkedGroups, PolicyStatus, parked_groups
from daybook.web.declared import ACTION, QUESTION
from daybook.web.dependencies import InjectedApp, InjectedAsker
from daybook.web.needs import needs
from daybook.web.pages import AfterKey, RowLimit

ONE = "/policies/{name:str}"


class Policies(msgspec.Struct, frozen=True):
    """All policies."""

    policies: list[PolicyStatus]


class RetryGroups(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to fold again: `{}` is every parked group."""

    keys: tuple[str, ...] = ()


@get("/policies", **QUESTION, **needs("policy.read"), summary="All policies")
def list_policies(app: InjectedApp) -> Policies:
    """How far each is, what stands aside, and what it waits for."""
    return Policies(operations.every(app))


@get(ONE, **QUESTION, **needs("policy.read"), summary="A policy")
def show_policy(app: InjectedApp, name: FromPath[str]) -> PolicyStatus:
    """How far it is, what stands aside, and what it waits for."""
    return operations.one(app, name)


@get(f"{ONE}/parked", **QUESTION, **needs("policy.read"), summary="Parked product groups of a policy")
def list_parked_groups(
    app: InjectedApp, name: FromPath[str], after: AfterKey = None, limit: RowLimit = 50
) -> ParkedGroups:
    """Those that its code could not stand, and why. They wait until they are tried again."""
    return parked_groups(app.pool, policy_of(name).name, after, limit)


@get(f"{ONE}/plan", **QUESTION, **needs("policy.read"), summary="What a policy would append")
def plan_policy(app: InjectedApp, name: FromPath[str], limit: RowLimit = 50) -> PolicyPlan:
    """Every product group folded anew with the code that is installed; nothing is appended."""
    return plan(app.pool, app.reader, policy_of(name), limit)


@post(f"{ONE}/pause", **ACTION, **needs("policy.operate"), summary="Pause a policy")
def pause_policy(app: InjectedApp, asker: InjectedAsker, name: FromPath[str], data: JSONBody[Nothing]) -> PolicyStatus:
    """It says nothing until it is resumed. Who paused it is recorded. The body is `{}`."""
    return operations.pause(app, name, asker)


@post(f"{ONE}/resume", **ACTION, **needs("policy.operate"), summary="Resume a policy")
def resume_policy(app: InjectedApp, asker: InjectedAsker, name: FromPath[str], data: JSONBody[Nothing]) -> PolicyStatus:
    """It goes on, with the code that is installed: look at its plan first when that is another version."""
    return operations.resume(app, name, asker)


@post(f"{ONE}/retry", **ACTION, **needs("policy.operate"), summary="Try parked product groups again")
def retry_policy(
    app: InjectedApp, asker: InjectedAsker, name: FromPath[str], data: JSONBody[RetryGroups]
) -> RetriedGroups:
    """Folds them from their first event on. Who asked for it is recorded."""
    return operations.retry(app, name, data.keys, asker)


ROUTES: tuple[Any, ...] = (
    *(list_policies, show_policy, list_parked_groups, plan_policy),
    *(pause_policy, resume_policy, retry_policy),
)
