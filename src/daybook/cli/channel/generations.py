"""Generations of a channel's listings: built, planned, made live, taken back, dropped."""

from typing import Annotated

import typer

from daybook.cli.options import WHO, command
from daybook.terminal.carry_out import context
from daybook.terminal.context import app_for_queries
from daybook.terminal.options import CommonOptions
from daybook.terminal.render import answer

app = typer.Typer()

Name = Annotated[str, typer.Argument(metavar="NAME", help="The channel, or another projection.")]
Number = Annotated[int | None, typer.Argument(metavar="[GENERATION]", help="The newest that is ready when not given.")]


@command(
    app,
    "rebuild",
    "daybook channel rebuild bol",
    "daybook channel rebuild bol --apply",
    "daybook channel rebuild bol --at 2026-03-01",
    "daybook channel rebuild bol --from-code ../bol-new",
    own=WHO,
)
def rebuild(
    common: CommonOptions,
    name: Name,
    apply: Annotated[bool, typer.Option("--apply", help="Make it the live one at once.")] = False,
    workers: Annotated[
        int | None, typer.Option("--workers", metavar="N", min=1, help="Processes; one for each core when not given.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin anew, whatever an earlier rebuild left.")] = False,
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="Build a past state, for reading only.")
    ] = None,
    from_code: Annotated[
        str | None,
        typer.Option("--from-code", metavar="PATH", help="Try a channel's folder that is not installed (a what-if)."),
    ] = None,
) -> None:
    """Build a channel's listings again from the log, beside the live ones, and say what would change."""
    from daybook.terminal.channel import rebuild as rebuilds

    with app_for_queries(common) as on:
        found = rebuilds.rebuild(
            common, on, name, apply=apply, workers=workers, fresh=fresh, at=at, from_code=from_code
        )
    answer(common, found, rebuilds.result(found))


@command(app, "plan", "daybook channel plan bol", "daybook channel plan bol 3 --json")
def plan(common: CommonOptions, name: Name, generation: Number = None) -> None:
    """Show what a rebuild that is ready would change, and what would be sent."""
    from daybook.terminal.channel import rebuild as rebuilds

    with app_for_queries(common) as on:
        found = rebuilds.planned(on, name, generation)
    answer(common, found, rebuilds.plan(found))


@command(app, "apply", "daybook channel apply bol", "daybook channel apply bol 3", own=WHO)
def apply(common: CommonOptions, name: Name, generation: Number = None) -> None:
    """Make a rebuild that is ready the live one. The channel is sent the differences only."""
    from daybook.operations import channels as operations
    from daybook.terminal.channel import rebuild as rebuilds

    sender = context(common, "cli")
    with app_for_queries(common) as on:
        found = operations.apply(on, name, generation, sender)
    answer(common, found, rebuilds.switched(found))


@command(app, "rollback", "daybook channel rollback bol --reason 'texts are cut off'", own=WHO)
def rollback(common: CommonOptions, name: Name) -> None:
    """Make the generation live again that was live before. The channel is sent the differences only."""
    from daybook.operations import channels as operations
    from daybook.terminal.channel import rebuild as rebuilds

    sender = context(common, "cli")
    with app_for_queries(common) as on:
        found = operations.rollback(on, name, sender)
    answer(common, found, rebuilds.switched(found))


@command(app, "prune", "daybook channel prune bol", "daybook channel prune bol --keep 0", own=WHO)
def prune(
    common: CommonOptions,
    name: Name,
    keep: Annotated[int, typer.Option("--keep", metavar="N", min=0, help="So many stay for a rollback.")] = 1,
    generation: Annotated[
        int | None, typer.Option("--generation", metavar="N", help="Drop this one, which is not live.")
    ] = None,
) -> None:
    """Drop generations that are not needed any more, and what an abandoned rebuild left."""
    from daybook.operations import channels as operations
    from daybook.terminal.render import line

    sender = context(common, "cli")
    with app_for_queries(common) as on:
        found = operations.prune(on, name, keep, generation, sender)
    said = ", ".join(map(str, found))
    answer(common, {"dropped": found}, line(f"dropped generations of {name}: {said}" if found else "nothing to drop"))


@command(app, "generations", "daybook channel generations bol")
def generations(common: CommonOptions, name: Name) -> None:
    """List a channel's generations: the live one, those kept, those being built."""
    from daybook.terminal.channel import rebuild as rebuilds

    with app_for_queries(common) as on:
        found = rebuilds.listed(on, name)
    answer(common, found, rebuilds.generations(found))
