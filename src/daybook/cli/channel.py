"""`daybook channel`: how the channels are doing."""

from typing import Annotated

import typer

from daybook.cli.context import reading
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
