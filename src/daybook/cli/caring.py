"""`daybook channel rejected|retry|resync|preview`: a person puts a channel right."""

from pathlib import Path
from typing import Annotated

import typer

from daybook.cli.context import reading
from daybook.cli.grammar import Given, command
from daybook.cli.render import answer

Name = Annotated[str, typer.Argument(metavar="NAME", help="The channel, or another projection.")]
Skus = Annotated[list[str] | None, typer.Option("--sku", metavar="SKU", help="Only this product; repeatable.")]
Code = Annotated[str | None, typer.Option("--code", metavar="C", help="Only what was rejected with this code.")]


def register(app: typer.Typer) -> None:
    """Adds the commands to `daybook channel`."""
    command(
        app,
        "rejected",
        "daybook channel rejected",
        "daybook channel rejected bol --code 4003-2 --since 2026-03-01",
        "daybook channel rejected bol --export rejected.csv",
    )(rejected)
    command(
        app,
        "retry",
        "daybook channel retry bol",
        "daybook channel retry bol --key MODEL-1",
        "daybook channel retry bol --code 4003-2",
    )(retry)
    command(
        app,
        "resync",
        "daybook channel resync bol --sku SKU-1 --sku SKU-2",
        "daybook channel resync bol --since 2026-03-01T09:00 --locale nl --dry-run",
        "daybook channel resync bol --drift-only",
    )(resync)
    command(
        app,
        "preview",
        "daybook channel preview bol SKU-1",
        "daybook channel preview bol SKU-1 --all --json",
        "daybook channel preview amazon SKU-1 --validate",
    )(preview)


def rejected(
    given: Given,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="The channel; all when not given.")] = None,
    code: Code = None,
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
    from daybook.cli import refusals

    with reading(given) as on:
        refusals.tell(given, on, refusals.wanted(on, name, code, sku or (), facet, since), first, export)


def retry(
    given: Given,
    name: Name,
    key: Annotated[
        list[str] | None, typer.Option("--key", metavar="KEY", help="Only this parked group; repeatable.")
    ] = None,
    sku: Skus = None,
    rejected: Annotated[bool, typer.Option("--rejected", help="Only what was rejected, nothing parked.")] = False,
    code: Code = None,
) -> None:
    """Offer rejected listings to the channel again, and fold parked groups again from the log.

    After the reason went: the marketplace's rule, its category, the account; the channel's own code. A rejected listing
    is also offered again by itself with the next change of its product.
    """
    from daybook.channel import retrying
    from daybook.cli import refusals

    with reading(given) as on:
        dsn, manifest = on.settings.require_postgres(), on.registry.get(name)
        found = retrying.retry(dsn, on.pool, manifest, keys=key or (), skus=sku or (), code=code, rejected=rejected)
    answer(given, found, refusals.retried(found))


def resync(
    given: Given,
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
    from daybook.cli import resyncing

    with reading(given) as on:
        asked = resyncing.choice(on, sku or (), since, locale)
        resyncing.tell(given, on, name, asked, drift_only=drift_only, dry_run=dry_run, yes=yes)


def preview(
    given: Given,
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
    from daybook.cli import previewing

    with reading(given) as on:
        found = previewing.of(on, name, sku, as_if_new=all_, validate=validate)
    answer(given, found, previewing.shown(found))
