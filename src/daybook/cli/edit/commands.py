"""`daybook edit`: a sheet that people edited is taken into the book."""

from pathlib import Path
from typing import Annotated

import typer

from daybook.cli.options import WHO, command
from daybook.terminal.options import CommonOptions

app = typer.Typer()


@command(
    app,
    "edit",
    "daybook edit prices.csv --dry-run",
    "daybook edit prices.xlsx --reason 'autumn prices'",
    "daybook edit new.csv --create --report problems.csv",
    own=WHO,
)
def edit(
    common: CommonOptions,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="CSV or Excel: a row a product, the header names fields.")
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write nothing; tell row by row what would be changed or refused.")
    ] = False,
    create: Annotated[bool, typer.Option("--create", help="An unknown SKU is a new product.")] = False,
    empty_removes: Annotated[
        bool, typer.Option("--empty-removes", help="An empty cell removes the value; else it stays.")
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="FILE", help="Write every row with a problem there: .csv or .json."),
    ] = None,
) -> None:
    """Change many products by a sheet: what is not in the file stays, an unknown SKU is refused.

    Columns are named as `daybook catalogue export --csv` names them: sku, gtin, prices.default.EUR, stock.main,
    channels.NAME, categories, and attributes such as name@nl-NL. All of it has one correlation id, by which
    `daybook undo` takes it back. Again it changes nothing, and after Ctrl-C the same command goes on.
    """
    from daybook.terminal.edit import sheet

    sheet.take(common, file, create=create, empty_removes=empty_removes, report=report, dry_run=dry_run)
