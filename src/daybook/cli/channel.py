"""`daybook channel`: how the channels are doing."""

from typing import Annotated

import typer

from daybook.cli import adding, caring
from daybook.cli.context import reading, writing
from daybook.cli.grammar import Given, command
from daybook.cli.render import answer

app = typer.Typer(name="channel", help="How the sales channels are doing.", no_args_is_help=True)
adding.register(app)
caring.register(app)


@command(app, "list", "daybook channel list", "daybook channel list --json")
def list_channels(given: Given) -> None:
    """List the channels: what they show, what is on its way, and what went wrong last."""
    from daybook.channel.status import Channels
    from daybook.cli import views

    with reading(given) as on:
        found = Channels(on.pool, on.registry).all()
    answer(given, found, views.channels(found))


@command(app, "show", "daybook channel show bol", "daybook channel show bol --first 100")
def show(
    given: Given,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The channel.")],
    first: Annotated[int, typer.Option("--first", metavar="N", min=0, help="So many of each kind of trouble.")] = 10,
) -> None:
    """Show one channel, what it rejected, and what can't be shown on it and why."""
    from daybook.channel.status import Channels
    from daybook.cli import trouble

    with reading(given) as on:
        found = trouble.of(Channels(on.pool, on.registry), name, first)
    answer(given, found, trouble.shown(found))


@command(
    app,
    "listing",
    "daybook channel listing SKU-1",
    "daybook channel listing SKU-1 --channel bol --attempts",
)
def listing(
    given: Given,
    sku: Annotated[str, typer.Argument(metavar="SKU", help="The product.")],
    channel: Annotated[str | None, typer.Option("--channel", metavar="NAME", help="Only this channel.")] = None,
    attempts: Annotated[bool, typer.Option("--attempts", help="With every request that was made.")] = False,
    generation: Annotated[
        int | None, typer.Option("--generation", metavar="N", help="As this generation lists it; with --channel.")
    ] = None,
) -> None:
    """Show what each channel should show of a product, and whether it does."""
    from daybook.cli import listings, views

    with reading(given) as on:
        found = listings.of(on, sku, channel, attempts, generation)
    answer(given, found, views.facets(found.channels, found.attempts))


Name = Annotated[str, typer.Argument(metavar="NAME", help="The channel, or another projection.")]


@command(app, "parked", "daybook channel parked bol", "daybook channel parked bol --json")
def parked(given: Given, name: Name) -> None:
    """List the product groups that the channel's own code could not fold or render, with the event and the error."""
    from daybook.cli import parking

    with reading(given) as on:
        found = parking.parked(on, name)
    answer(given, found, parking.shown(found))


@command(
    app,
    "discard",
    "daybook channel discard bol MODEL-1 --reason 'the ERP sent a text where a number belongs'",
    writes=True,
)
def discard(
    given: Given, name: Name, key: Annotated[str, typer.Argument(metavar="KEY", help="The parked group.")]
) -> None:
    """Have this projection leave out the event on which a group failed. The reason is kept as an event."""
    from daybook.cli import parking

    with writing(given) as on:
        found = parking.discard(on, name, key, given)
    answer(given, found, parking.retried(found))


@command(app, "pause", "daybook channel pause bol")
def pause(given: Given, name: Name) -> None:
    """Send nothing to the channel until `channel resume`. Its listings go on; nothing is lost."""
    from daybook.cli import parking

    with reading(given) as on:
        found = parking.pause(on, name, True)
    answer(given, found, parking.paused(found))


@command(app, "resume", "daybook channel resume bol")
def resume(given: Given, name: Name) -> None:
    """Bring a paused channel to its newest state."""
    from daybook.cli import parking

    with reading(given) as on:
        found = parking.pause(on, name, False)
    answer(given, found, parking.paused(found))


Number = Annotated[int | None, typer.Argument(metavar="[GENERATION]", help="The newest that is ready when not given.")]


@command(
    app,
    "rebuild",
    "daybook channel rebuild bol",
    "daybook channel rebuild bol --apply",
    "daybook channel rebuild bol --at 2026-03-01",
    "daybook channel rebuild bol --from-code ../bol-new",
)
def rebuild(
    given: Given,
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
    from daybook.cli import rebuilding

    with reading(given) as on:
        found = rebuilding.rebuild(
            given, on, name, apply=apply, workers=workers, fresh=fresh, at=at, from_code=from_code
        )
    answer(given, found, rebuilding.result(found))


@command(app, "plan", "daybook channel plan bol", "daybook channel plan bol 3 --json")
def plan(given: Given, name: Name, generation: Number = None) -> None:
    """Show what a rebuild that is ready would change, and what would be sent."""
    from daybook.cli import rebuilding

    with reading(given) as on:
        found = rebuilding.planned(on, name, generation)
    answer(given, found, rebuilding.plan(found))


@command(app, "apply", "daybook channel apply bol", "daybook channel apply bol 3")
def apply(given: Given, name: Name, generation: Number = None) -> None:
    """Make a rebuild that is ready the live one. The channel is sent the differences only."""
    from daybook.cli import rebuilding

    with reading(given) as on:
        found = rebuilding.applied(on, name, generation)
    answer(given, found, rebuilding.switched(found))


@command(app, "rollback", "daybook channel rollback bol")
def rollback(given: Given, name: Name) -> None:
    """Make the generation live again that was live before. The channel is sent the differences only."""
    from daybook.cli import rebuilding

    with reading(given) as on:
        found = rebuilding.rolled_back(on, name)
    answer(given, found, rebuilding.switched(found))


@command(app, "prune", "daybook channel prune bol", "daybook channel prune bol --keep 0")
def prune(
    given: Given,
    name: Name,
    keep: Annotated[int, typer.Option("--keep", metavar="N", min=0, help="So many stay for a rollback.")] = 1,
    generation: Annotated[
        int | None, typer.Option("--generation", metavar="N", help="Drop this one, which is not live.")
    ] = None,
) -> None:
    """Drop generations that are not needed any more, and what an abandoned rebuild left."""
    from daybook.cli import rebuilding
    from daybook.cli.render import line

    with reading(given) as on:
        found = rebuilding.pruned(on, name, keep, generation)
    said = ", ".join(map(str, found))
    answer(given, {"dropped": found}, line(f"dropped generations of {name}: {said}" if found else "nothing to drop"))


@command(app, "generations", "daybook channel generations bol")
def generations(given: Given, name: Name) -> None:
    """List a channel's generations: the live one, those kept, those being built."""
    from daybook.cli import rebuilding

    with reading(given) as on:
        found = rebuilding.listed(on, name)
    answer(given, found, rebuilding.generations(found))
