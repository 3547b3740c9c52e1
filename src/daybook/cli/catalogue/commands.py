"""`daybook catalogue`: the catalogue as a whole."""

from typing import Annotated

import typer

from daybook.cli.options import At, Position, command
from daybook.terminal.context import app_for_queries
from daybook.terminal.options import CommonOptions
from daybook.terminal.render import answer, note, working

app = typer.Typer(name="catalogue", help="The catalogue as a whole.", no_args_is_help=True)


@command(
    app,
    "export",
    "daybook catalogue export catalogue.jsonl",
    "daybook catalogue export --at 2026-03-01 | gzip > march.jsonl.gz",
    "daybook catalogue export - --position 1200 | daybook import jsonl - --data /tmp/copy",
    "daybook catalogue export products.csv --csv",
    "daybook catalogue export shop.csv --format shopify --currency EUR --locale nl-NL --channel webshop",
)
def export(
    common: CommonOptions,
    file: Annotated[str, typer.Argument(metavar="FILE", help="Where to; - is stdout.")] = "-",
    at: At = None,
    position: Position = None,
    sheet: Annotated[
        bool, typer.Option("--csv", help="As a sheet, which `daybook edit` takes back; without pictures.")
    ] = False,
    form: Annotated[
        str | None, typer.Option("--format", metavar="NAME", help="As the file of a shop, which `import shop` reads.")
    ] = None,
    currency: Annotated[
        str | None, typer.Option("--currency", metavar="CODE", help="With --format: of the prices that are written.")
    ] = None,
    locale: Annotated[
        str | None, typer.Option("--locale", metavar="CODE", help="With --format: of texts that differ by locale.")
    ] = None,
    channel: Annotated[
        str | None, typer.Option("--channel", metavar="NAME", help="With --format: published is what is sold there.")
    ] = None,
) -> None:
    """Write the catalogue as it is or was, as JSON Lines that `daybook import jsonl` reads.

    With --format, what the format has no column for is counted and named.
    """
    from daybook.errors import InvalidValue
    from daybook.exporting.catalogue import export as lines
    from daybook.exporting.sheet import export_sheet
    from daybook.queries.moment import resolve
    from daybook.queries.timeline import catalogue_at
    from daybook.terminal.catalogue.export import write_to

    if form is None and (currency, locale, channel) != (None, None, None):
        raise InvalidValue("format", "say as which shop's file: --format NAME")
    with app_for_queries(common) as on:
        if form is not None:
            from daybook.terminal.catalogue.shop import write_shop

            upto = resolve(on.reader, at, position).position
            write_shop(common, on, file, form, upto, currency=currency, locale=locale, channel=channel)
            return
        if sheet:
            upto = resolve(on.reader, at, position).position
            write_to(common, file, export_sheet(on.reader, upto), upto)
            return
        then = catalogue_at(on.pool, on.reader, on.registry, resolve(on.reader, at, position).position)
        if then.indexed:
            write_to(common, file, lines(on.reader, then=then), then.position)
            return
        if at is not None or position is not None:
            note(common, f"read from the log, which takes longer: {then.reason}")
        write_to(common, file, lines(on.reader, upto=then.position), then.position)


@command(
    app,
    "show",
    "daybook catalogue show --at 2026-03-01",
    "daybook catalogue show --family shoes --listed-on bol",
    "daybook catalogue show --position 1200 --after SKU-1 --limit 200 --json",
)
def show(
    common: CommonOptions,
    at: At = None,
    position: Position = None,
    family: Annotated[str | None, typer.Option("--family", metavar="CODE", help="Only of this family.")] = None,
    category: Annotated[str | None, typer.Option("--category", metavar="CODE", help="Only in this category.")] = None,
    listed_on: Annotated[str | None, typer.Option("--listed-on", metavar="NAME", help="Only sold there.")] = None,
    after: Annotated[str, typer.Option("--after", metavar="SKU", help="Go on behind this group.")] = "",
    limit: Annotated[int, typer.Option("--limit", metavar="N", help="At most so many groups, 1 to 200.")] = 50,
) -> None:
    """Show the catalogue as it is or was, a page at a time."""
    from daybook.filters.names import check_channel, check_defined
    from daybook.queries.catalogue import full_page_then
    from daybook.queries.moment import resolve
    from daybook.queries.timeline import catalogue_at
    from daybook.terminal.catalogue import views

    with app_for_queries(common) as on:
        check_defined(on.reader.reference(), family=family, category=category)
        if listed_on is not None:
            check_channel(on, listed_on, "listed_on")
        then = catalogue_at(on.pool, on.reader, on.registry, resolve(on.reader, at, position).position)
        with working(common, "reading the log") as on_progress:
            found = full_page_then(
                then,
                on.reader.reference(then.position),
                lambda so_far: on_progress(f"{len(so_far.groups)} found, looked at all up to {so_far.next}"),
                after,
                limit,
                family=family,
                category=category,
                listed_on=listed_on,
            )
    if then.reason is not None:
        note(common, f"read from the log, which takes longer: {then.reason}")
    answer(common, found, views.catalogue(found))


@command(
    app,
    "diff",
    "daybook catalogue diff --from 2026-03-02 --to 2026-03-09",
    "daybook catalogue diff --from 1200 --family shoes --csv changed.csv",
    "daybook catalogue diff --from 2026-03-02 --channel bol --json",
)
def diff(
    common: CommonOptions,
    since: Annotated[str, typer.Option("--from", metavar="MOMENT", help="A time, or a position when all digits.")],
    until: Annotated[str | None, typer.Option("--to", metavar="MOMENT", help="Now when not given.")] = None,
    channel: Annotated[
        str | None, typer.Option("--channel", metavar="NAME", help="Compare what this channel should show.")
    ] = None,
    family: Annotated[str | None, typer.Option("--family", metavar="CODE", help="Only of this family.")] = None,
    category: Annotated[str | None, typer.Option("--category", metavar="CODE", help="Only in this category.")] = None,
    file: Annotated[
        str | None, typer.Option("--csv", metavar="FILE", help="Write a line for each field there; - is stdout.")
    ] = None,
) -> None:
    """Show what differs between two moments: how many products, and which fields of each.

    Only what changed in between is read. With --channel, today's code of the channel is asked what it makes of both.
    """
    from daybook.cli.product.typed import moment
    from daybook.filters.names import check_defined
    from daybook.queries.catalogue_diff import Comparison, Filters
    from daybook.terminal.catalogue import diff as asked

    with app_for_queries(common) as on:
        check_defined(on.reader.reference(), family=family, category=category)
        comparison = Comparison(
            on.reader,
            moment(on.reader, since),
            moment(on.reader, until),
            channel=None if channel is None else on.registry.get_even_removed(channel),
            filters=Filters(family=family, category=category),
        )
        asked.show(common, comparison, file)
