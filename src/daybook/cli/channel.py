"""`daybook channel`: how the channels are doing."""

from typing import Annotated

import typer

from daybook.cli.context import reading, writing
from daybook.cli.grammar import Given, command
from daybook.cli.render import answer

app = typer.Typer(name="channel", help="How the sales channels are doing.", no_args_is_help=True)


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
) -> None:
    """Show what each channel should show of a product, and whether it does."""
    from daybook.cli import listings, views

    with reading(given) as on:
        found = listings.of(on, sku, channel, attempts)
    answer(given, found, views.facets(found.channels, found.attempts))


Name = Annotated[str, typer.Argument(metavar="NAME", help="The channel, or another projection.")]


@command(app, "parked", "daybook channel parked bol", "daybook channel parked bol --json")
def parked(given: Given, name: Name) -> None:
    """List the product groups that the channel's own code could not fold or render, with the event and the error."""
    from daybook.cli import parking

    with reading(given) as on:
        found = parking.parked(on, name)
    answer(given, found, parking.shown(found))


@command(app, "retry", "daybook channel retry bol", "daybook channel retry bol --key MODEL-1")
def retry(
    given: Given,
    name: Name,
    key: Annotated[list[str] | None, typer.Option("--key", metavar="KEY", help="Only this group; repeatable.")] = None,
) -> None:
    """Fold parked groups again from the log, after the channel's code was put right."""
    from daybook.cli import parking

    with reading(given) as on:
        found = parking.retry(on, name, key or [])
    answer(given, found, parking.retried(found))


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
