"""`daybook completeness`: what products still lack."""

from typing import Annotated

import typer

from daybook.cli.options import command
from daybook.terminal.context import app_for_queries
from daybook.terminal.options import CommonOptions
from daybook.terminal.render import answer

app = typer.Typer(
    name="completeness",
    help="See what products still lack for the channels on which they are sold.",
    no_args_is_help=True,
)


@command(
    app,
    "list",
    "daybook completeness list --channel bol",
    "daybook completeness list --missing name --locale de-DE",
    "daybook completeness list --sku SKU-1 --all --json",
)
def list_lacking(
    common: CommonOptions,
    channel: Annotated[str | None, typer.Option("--channel", metavar="NAME", help="Only for this channel.")] = None,
    locale: Annotated[
        str | None, typer.Option("--locale", metavar="LOCALE", help="Only for channels with this main locale.")
    ] = None,
    family: Annotated[str | None, typer.Option("--family", metavar="CODE", help="Only of this family.")] = None,
    missing: Annotated[
        str | None,
        typer.Option("--missing", metavar="FIELD", help="Only those that lack it: price, picture, gtin, an attribute."),
    ] = None,
    sku: Annotated[str | None, typer.Option("--sku", metavar="SKU", help="Only this product.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Those that lack nothing, too.")] = False,
    after: Annotated[
        str | None, typer.Option("--after", metavar="NEXT", help="Go on behind this: the `next` of the page before.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", help="At most so many, 1 to 1000.")] = 50,
) -> None:
    """List products that lack something, by channel: what, why, and the next step."""
    from daybook.completeness.lacking import page
    from daybook.terminal.completeness import views

    with app_for_queries(common) as on:
        found = page(
            on,
            channel=channel,
            locale=locale,
            family=family,
            missing=missing,
            sku=sku,
            everything=everything,
            after=after,
            limit=limit,
        )
    answer(common, found, views.listed(found))


@command(app, "status", "daybook completeness status", "daybook completeness status --json")
def status(common: CommonOptions) -> None:
    """Count complete products by channel, and what the others lack most."""
    from daybook.completeness.lacking import status as asked
    from daybook.terminal.completeness import views

    with app_for_queries(common) as on:
        found = asked(on.pool)
    answer(common, found, views.counted(found))
