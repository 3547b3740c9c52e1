"""`daybook channel`: how the channels are doing, and what a person does about it."""

from pathlib import Path
from typing import Annotated

import typer

from daybook.cli.channel import generations
from daybook.cli.channel.generations import Name
from daybook.cli.options import WHO, command
from daybook.terminal.carry_out import context
from daybook.terminal.context import app_for_commands, app_for_queries
from daybook.terminal.options import CommonOptions
from daybook.terminal.render import answer, note

app = typer.Typer(name="channel", help="How the sales channels are doing.", no_args_is_help=True)

NewName = Annotated[str, typer.Argument(metavar="NAME", help="Small letters and digits, at most 31.")]
Skus = Annotated[list[str] | None, typer.Option("--sku", metavar="SKU", help="Only this product; repeatable.")]
CodeOption = Annotated[str | None, typer.Option("--code", metavar="C", help="Only what was rejected with this code.")]


@command(
    app,
    "add",
    "daybook channel add crm --kind webhook --set url=https://crm.example/hook",
    "daybook channel add bol",
    writes=True,
)
def add(
    common: CommonOptions,
    name: NewName,
    kind: Annotated[
        str | None,
        typer.Option("--kind", metavar="KIND", help="The installed channel that it is like; NAME if left out."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="What its connector is told. Never a credential. Repeatable."),
    ] = None,
) -> None:
    """Add a channel, or bring back one that was removed, while everything runs.

    It begins within two seconds. Credentials are not recorded: they are in its file or its variables where
    `daybook run deliver` runs. Added again, it gets exactly the settings that are given; with neither kind nor settings
    it is added as it was before.
    """
    from daybook.terminal.channel.add import add as carry_out

    carry_out(common, name, kind, settings or ())


@command(app, "remove", "daybook channel remove crm --reason 'the CRM asks for itself now'", writes=True)
def remove(common: CommonOptions, name: NewName) -> None:
    """Remove a channel: nothing is sent to it any more, and no product can be listed on it.

    What it shows stays there, and so does its history. `daybook channel add` brings it back where it stood.
    """
    from daybook.terminal.channel.add import remove as carry_out

    carry_out(common, name)


@command(
    app,
    "rejected",
    "daybook channel rejected",
    "daybook channel rejected bol --code 4003-2 --since 2026-03-01",
    "daybook channel rejected bol --export rejected.csv",
)
def rejected(
    common: CommonOptions,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="The channel; all when not given.")] = None,
    code: CodeOption = None,
    sku: Skus = None,
    facet: Annotated[str | None, typer.Option("--facet", metavar="F", help="Only this part of listings.")] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="Only what was rejected after this time.")
    ] = None,
    first: Annotated[int, typer.Option("--first", metavar="N", min=0, help="So many rows of the table.")] = 50,
    export: Annotated[
        Path | None, typer.Option("--export", metavar="FILE", help="Write all of it there: .csv or .jsonl.")
    ] = None,
) -> None:
    """List what the marketplaces rejected, in their own words: how often which reason, then product by product."""
    from daybook.terminal.channel import rejected as rejections

    with app_for_queries(common) as on:
        rejections.tell(common, on, rejections.wanted(on, name, code, sku or (), facet, since), first, export)


@command(
    app,
    "retry",
    "daybook channel retry bol",
    "daybook channel retry bol --key MODEL-1",
    "daybook channel retry bol --code 4003-2",
    own=WHO,
)
def retry(
    common: CommonOptions,
    name: Name,
    key: Annotated[
        list[str] | None, typer.Option("--key", metavar="KEY", help="Only this parked group; repeatable.")
    ] = None,
    sku: Skus = None,
    rejected: Annotated[bool, typer.Option("--rejected", help="Only what was rejected, nothing parked.")] = False,
    code: CodeOption = None,
) -> None:
    """Offer rejected listings to the channel again, and fold parked groups again from the log.

    After the reason went: the marketplace's rule, its category, the account; the channel's own code. A rejected listing
    is also offered again by itself with the next change of its product.
    """
    from daybook.delivery.retry import RetryChoice
    from daybook.operations import channels as operations
    from daybook.terminal.channel import rejected as rejections

    choice = RetryChoice(keys=tuple(key or ()), skus=tuple(sku or ()), code=code, rejected=rejected)
    sender = context(common, "cli")
    with app_for_queries(common) as on:
        found = operations.retry(on, name, choice, sender)
    answer(common, found, rejections.retried(found))


@command(
    app,
    "resync",
    "daybook channel resync bol --sku SKU-1 --sku SKU-2",
    "daybook channel resync bol --since 2026-03-01T09:00 --locale nl --dry-run",
    "daybook channel resync bol --drift-only",
    own=WHO,
)
def resync(
    common: CommonOptions,
    name: Name,
    since: Annotated[str | None, typer.Option("--since", metavar="TIME", help="What changed after this time.")] = None,
    locale: Annotated[
        str | None, typer.Option("--locale", metavar="L", help="Groups whose texts in it changed: nl means nl-NL too.")
    ] = None,
    sku: Skus = None,
    drift_only: Annotated[
        bool, typer.Option("--drift-only", help="Read the channel first, and send only what it shows differently.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be sent; change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before a whole channel is sent again.")] = False,
) -> None:
    """Send the channel again what it has acknowledged: what is chosen, or all of it.

    With --drift-only every chosen product is read from the channel first, as fast as the channel allows, so the
    channel's connection must be known here. What is under way or was rejected is left alone.
    """
    from daybook.terminal.channel import resync as resyncs

    with app_for_queries(common) as on:
        asked = resyncs.choice(on, sku or (), since, locale)
        resyncs.tell(common, on, name, asked, drift_only=drift_only, dry_run=dry_run, yes=yes)


@command(
    app,
    "preview",
    "daybook channel preview bol SKU-1",
    "daybook channel preview bol SKU-1 --all --json",
    "daybook channel preview amazon SKU-1 --validate",
)
def preview(
    common: CommonOptions,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The channel.")],
    sku: Annotated[str, typer.Argument(metavar="SKU", help="The product.")],
    all_: Annotated[bool, typer.Option("--all", help="As if the channel had none of it yet.")] = False,
    validate: Annotated[
        bool, typer.Option("--validate", help="Ask the channel what it would say against it, where it can be asked.")
    ] = False,
) -> None:
    """Show the requests that would be sent now for a product: method, address and body. Nothing is sent.

    The channel's connection must be known here. Only --validate calls the channel; it changes nothing there either.
    """
    from daybook.terminal.channel import preview as previews

    with app_for_queries(common) as on:
        found = previews.of(on, name, sku, as_if_new=all_, validate=validate)
    answer(common, found, previews.shown(found))


@command(app, "list", "daybook channel list", "daybook channel list --json")
def list_channels(common: CommonOptions) -> None:
    """List the channels: what they show, what is on its way, and what went wrong last."""
    from daybook.queries import clock, stream_state
    from daybook.queries.channels import Channels
    from daybook.terminal.channel import views

    with app_for_queries(common) as on:
        found = Channels(on.pool, on.registry).all()
        stream, jump = stream_state.read(on.pool), clock.set_back(on.pool)
    answer(common, found, views.channels(found))
    for trouble in (stream.sentence if stream.state != "level" else None, stream.warning, jump):
        if trouble is not None:
            note(common, trouble)


@command(app, "show", "daybook channel show bol", "daybook channel show bol --first 100")
def show(
    common: CommonOptions,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The channel.")],
    first: Annotated[int, typer.Option("--first", metavar="N", min=0, help="So many of each kind of trouble.")] = 10,
) -> None:
    """Show one channel, what it rejected, what can't be shown on it and why, and what was last done to it."""
    from daybook.terminal.channel import show as details

    with app_for_queries(common) as on:
        found = details.of(on, name, first)
    answer(common, found, details.shown(found))


@command(
    app,
    "listing",
    "daybook channel listing SKU-1",
    "daybook channel listing SKU-1 --channel bol --attempts",
)
def listing(
    common: CommonOptions,
    sku: Annotated[str, typer.Argument(metavar="SKU", help="The product.")],
    channel: Annotated[str | None, typer.Option("--channel", metavar="NAME", help="Only this channel.")] = None,
    attempts: Annotated[bool, typer.Option("--attempts", help="With every request that was made.")] = False,
    generation: Annotated[
        int | None, typer.Option("--generation", metavar="N", help="As this generation lists it; with --channel.")
    ] = None,
) -> None:
    """Show what each channel should show of a product, and whether it does."""
    from daybook.terminal.channel import listing as listings
    from daybook.terminal.channel import views

    with app_for_queries(common) as on:
        found = listings.of(on, sku, channel, attempts, generation)
    answer(common, found, views.facets(found.channels, found.attempts))


@command(app, "history", "daybook channel history bol", "daybook channel history bol --after 1200 --json")
def history(
    common: CommonOptions,
    name: Name,
    after: Annotated[int, typer.Option("--after", metavar="N", min=0, help="Only behind this position.")] = 0,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, max=1000, help="So many at most.")] = 1000,
) -> None:
    """Show what was done to a channel, by whom, why and with which key: paused, retried, switched. Oldest first."""
    from daybook.queries.channel_history import history as asked
    from daybook.terminal.channel import views

    with app_for_queries(common) as on:
        found = asked(on.reader, on.registry, name, after=after, limit=limit)
    answer(common, found, views.history(found))


@command(app, "parked", "daybook channel parked bol", "daybook channel parked bol --json")
def parked(common: CommonOptions, name: Name) -> None:
    """List the product groups that the channel's own code could not fold or render, with the event and the error."""
    from daybook.terminal.channel import parked as parking

    with app_for_queries(common) as on:
        found = parking.parked(on, name)
    answer(common, found, parking.shown(found))


@command(
    app,
    "discard",
    "daybook channel discard bol MODEL-1 --reason 'the ERP sent a text where a number belongs'",
    writes=True,
)
def discard(
    common: CommonOptions, name: Name, key: Annotated[str, typer.Argument(metavar="KEY", help="The parked group.")]
) -> None:
    """Have this projection leave out the event on which a group failed. The reason is kept as an event."""
    from daybook.terminal.channel import parked as parking

    with app_for_commands(common) as on:
        found = parking.discard(on, name, key, common)
    answer(common, found, parking.retried(found))


@command(app, "pause", "daybook channel pause bol --reason 'prices are checked'", own=WHO)
def pause(common: CommonOptions, name: Name) -> None:
    """Send nothing to the channel until `channel resume`. Its listings go on; nothing is lost."""
    from daybook.operations import channels as operations
    from daybook.terminal.channel import parked as parking

    sender = context(common, "cli")
    with app_for_queries(common) as on:
        found = operations.pause(on, name, sender)
    answer(common, found, parking.paused(found))


@command(app, "resume", "daybook channel resume bol", own=WHO)
def resume(common: CommonOptions, name: Name) -> None:
    """Bring a paused channel to its newest state."""
    from daybook.operations import channels as operations
    from daybook.terminal.channel import parked as parking

    sender = context(common, "cli")
    with app_for_queries(common) as on:
        found = operations.resume(on, name, sender)
    answer(common, found, parking.paused(found))


app.add_typer(generations.app)
