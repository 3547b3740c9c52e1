"""`daybook policy`: what follows in the book from what is in it."""

from typing import Annotated

import typer

from daybook.cli.options import WHO, command
from daybook.terminal.carry_out import context
from daybook.terminal.context import app_for_queries
from daybook.terminal.options import CommonOptions
from daybook.terminal.render import answer, working

app = typer.Typer(
    name="policy",
    help="See, plan, pause and retry policies: what follows in the book from what is in it.",
    no_args_is_help=True,
)

PolicyName = Annotated[str, typer.Argument(metavar="POLICY", help="Its name, see `daybook policy list`.")]
Rows = Annotated[int, typer.Option("--limit", metavar="N", help="At most so many, 1 to 1000.")]


@command(app, "list", "daybook policy list", "daybook policy list --json")
def list_policies(common: CommonOptions) -> None:
    """List the policies and how they are doing."""
    from daybook.operations import policies as operations
    from daybook.terminal.policy import views

    with app_for_queries(common) as on:
        found = operations.every(on)
    answer(common, {"policies": found}, views.listed(found))


@command(app, "show", "daybook policy show repricing")
def show(common: CommonOptions, policy: PolicyName) -> None:
    """Show how far a policy is, what stands aside, and what it waits for."""
    from daybook.operations import policies as operations
    from daybook.terminal.policy import views

    with app_for_queries(common) as on:
        found = operations.one(on, policy)
    answer(common, found, views.shown(found))


@command(app, "plan", "daybook policy plan repricing", "daybook policy plan repricing --limit 5 --json")
def plan(common: CommonOptions, policy: PolicyName, limit: Rows = 50) -> None:
    """Say what the policy's code would append, and append nothing. Of one that is level, nothing."""
    from daybook.policy.installed import policy_of
    from daybook.policy.plan import plan as planned
    from daybook.terminal.policy import views

    with app_for_queries(common) as on, working(common, "folding every product group"):
        found = planned(on.pool, on.reader, policy_of(policy), limit)
    answer(common, found, views.planned(found))


@command(
    app,
    "parked",
    "daybook policy parked repricing",
)
def parked(
    common: CommonOptions,
    policy: PolicyName,
    after: Annotated[
        str | None, typer.Option("--after", metavar="NEXT", help="Go on behind this: the `next` of the page before.")
    ] = None,
    limit: Rows = 50,
) -> None:
    """List the product groups that the policy's code could not stand, and why."""
    from daybook.policy.installed import policy_of
    from daybook.policy.status import parked_groups
    from daybook.terminal.policy import views

    with app_for_queries(common) as on:
        found = parked_groups(on.pool, policy_of(policy).name, after, limit)
    answer(common, found, views.parked(found))


@command(app, "pause", "daybook policy pause repricing --reason 'prices are checked'", own=WHO)
def pause(common: CommonOptions, policy: PolicyName) -> None:
    """Have the policy say nothing until `policy resume`. What happens meanwhile is not lost on it."""
    from daybook.operations import policies as operations
    from daybook.terminal.policy import views

    sender = context(common, "cli")
    with app_for_queries(common) as on:
        found = operations.pause(on, policy, sender)
    answer(common, found, views.shown(found))


@command(app, "resume", "daybook policy resume repricing", own=WHO)
def resume(common: CommonOptions, policy: PolicyName) -> None:
    """Have the policy go on; also with another version of its code, once its plan was looked at."""
    from daybook.operations import policies as operations
    from daybook.terminal.policy import views

    sender = context(common, "cli")
    with app_for_queries(common) as on:
        found = operations.resume(on, policy, sender)
    answer(common, found, views.shown(found))


@command(app, "retry", "daybook policy retry repricing", "daybook policy retry repricing SKU-1", own=WHO)
def retry(
    common: CommonOptions,
    policy: PolicyName,
    key: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KEY]...", help="Only these groups; else all that are parked."),
    ] = None,
) -> None:
    """Fold parked product groups again."""
    from daybook.operations import policies as operations
    from daybook.terminal.policy import views

    sender = context(common, "cli")
    with app_for_queries(common) as on:
        found = operations.retry(on, policy, tuple(key or ()), sender)
    answer(common, found, views.retried(found))
