"""`daybook import`: a catalogue comes in."""

from pathlib import Path
from typing import Annotated

import typer

from daybook.cli.options import WHO, command
from daybook.terminal.options import CommonOptions

app = typer.Typer(
    name="import", help="Bring a catalogue in. Running an import again takes only what changed.", no_args_is_help=True
)

Report = Annotated[
    Path | None,
    typer.Option("--report", metavar="FILE", help="Write every row with a problem there: .csv or .json."),
]


DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Write nothing; tell row by row what would be created, changed or refused.")
]


@command(
    app,
    "akeneo",
    "daybook import akeneo ./export --dry-run",
    "daybook import akeneo ./export --list-on webshop --list-on bol --report problems.csv",
    "daybook import akeneo ./export --list-on webshop --channel web_eu --locale nl_NL --locale en_US",
    own=WHO,
)
def akeneo(
    common: CommonOptions,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder with the CSV files of the export.")],
    list_on: Annotated[
        list[str] | None,
        typer.Option("--list-on", metavar="NAME", help="List enabled products on this channel. May be repeated."),
    ] = None,
    channel: Annotated[
        str | None,
        typer.Option(
            "--channel", metavar="CODE", help="The Akeneo channel whose values count; ecommerce, or the only one."
        ),
    ] = None,
    locale: Annotated[
        list[str] | None,
        typer.Option(
            "--locale", metavar="CODE", help="Locales in order of preference, repeated; those of the Akeneo channel."
        ),
    ] = None,
    currency: Annotated[
        str | None,
        typer.Option("--currency", metavar="CODE", help="The currency of new channels; EUR, or the channel's first."),
    ] = None,
    price_attribute: Annotated[
        str,
        typer.Option("--price-attribute", metavar="CODE", help="The attribute whose prices go to the main price list."),
    ] = "price",
    gtin_attribute: Annotated[
        str, typer.Option("--gtin-attribute", metavar="CODE", help="The attribute that is the GTIN.")
    ] = "ean",
    identifier: Annotated[
        str | None,
        typer.Option("--identifier", metavar="CODE", help="The attribute that is the SKU; sku, or the only one."),
    ] = None,
    report: Report = None,
    dry_run: DryRun = False,
) -> None:
    """Import an Akeneo PIM export: a folder of CSV files. A column that is not there leaves its values alone."""
    from daybook.importing.akeneo import AkeneoOptions, read
    from daybook.terminal.imports import progress

    options = AkeneoOptions(
        list_on=tuple(list_on or ()),
        scope=channel,
        locales=tuple(locale or ()),
        currency=currency,
        price_attribute=price_attribute,
        gtin_attribute=gtin_attribute or None,
        identifier=identifier,
    )
    lines = progress.lines_of_folder(folder)
    progress.run(common, "import:akeneo", lambda _: read(folder, options), lines, report, dry_run=dry_run)


@command(
    app,
    "jsonl",
    "daybook import jsonl catalogue.jsonl --dry-run",
    "zcat catalogue.jsonl.gz | daybook import jsonl - --reason 'new season'",
    own=WHO,
)
def jsonl(
    common: CommonOptions,
    file: Annotated[str, typer.Argument(metavar="FILE", help="JSON Lines; - is stdin.")],
    report: Report = None,
    dry_run: DryRun = False,
) -> None:
    """Import JSON Lines, such as `daybook catalogue export` writes. Left out stays, null removes."""
    from daybook.importing.jsonl import read
    from daybook.terminal.imports import progress

    lines = progress.lines_of_file(file)
    progress.run(common, "import:jsonl", lambda _: read(file), lines, report, dry_run=dry_run)


@command(
    app,
    "shop",
    "daybook import shop products.csv --currency EUR --locale nl-NL --create --dry-run",
    "daybook import shop wc-export.csv --format woocommerce --currency EUR --create --list-on webshop",
    "daybook import shop feed.tsv --format ./ours.json --report problems.csv",
    own=WHO,
)
def shop(
    common: CommonOptions,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The CSV, TSV or Excel file that the shop wrote.")],
    create: Annotated[
        bool, typer.Option("--create", help="An unknown SKU is a new product; what is not defined is defined.")
    ] = False,
    currency: Annotated[
        str | None, typer.Option("--currency", metavar="CODE", help="The currency of prices that name none.")
    ] = None,
    price_list: Annotated[
        str, typer.Option("--price-list", metavar="NAME", help="The list of its prices.")
    ] = "default",
    locale: Annotated[
        str | None, typer.Option("--locale", metavar="CODE", help="The locale of texts that differ by locale.")
    ] = None,
    location: Annotated[str, typer.Option("--location", metavar="NAME", help="Where its pieces lie.")] = "main",
    list_on: Annotated[
        list[str] | None,
        typer.Option("--list-on", metavar="NAME", help="Sell what is published on this channel. May be repeated."),
    ] = None,
    form: Annotated[
        str | None, typer.Option("--format", metavar="NAME", help="A format by its name, or a JSON file of your own.")
    ] = None,
    report: Report = None,
    dry_run: DryRun = False,
) -> None:
    """Import the product file of a shop: its format is recognised by its columns, and never guessed.

    An unknown --format tells which there are. Products are known by their SKUs. What has no column, or an empty cell,
    stays; columns that are not understood are named. All of it has one correlation id.
    """
    from daybook.importing.shop.cells import ShopOptions
    from daybook.terminal.imports import shop as shops

    options = ShopOptions(
        create=create,
        currency=currency,
        price_list=price_list,
        locale=locale,
        location=location,
        list_on=tuple(list_on or ()),
    )
    shops.take(common, file, options, form, report, dry_run=dry_run)
