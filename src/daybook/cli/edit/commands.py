"""`daybook edit`: many products are changed, by a sheet or as they are found."""

from pathlib import Path
from typing import Annotated

import typer

from daybook.cli.find.commands import Missing, On, Rejected, Where
from daybook.cli.options import WHO, command
from daybook.errors import InvalidValue
from daybook.terminal.options import CommonOptions

app = typer.Typer()


@command(
    app,
    "edit",
    "daybook edit prices.csv --dry-run",
    "daybook edit prices.xlsx --reason 'autumn prices'",
    "daybook edit new.csv --create --report problems.csv",
    "daybook edit --where family=shoes --set 'prices.default.EUR*=1.05' --dry-run",
    "daybook edit --where brand=Acme --missing gtin --set categories+=incomplete --set origin=NL",
    own=WHO,
)
def edit(
    common: CommonOptions,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="CSV or Excel: a row a product, the header names fields."),
    ] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="SETTING", help="Change what is found: FIELD=VALUE, +=, -= or *=. Repeatable."),
    ] = None,
    words: Annotated[
        str | None, typer.Option("--words", metavar="TEXT", help="With --set: words, a SKU or a GTIN, as in find.")
    ] = None,
    where: Where = None,
    missing: Missing = None,
    on: On = None,
    rejected: Rejected = False,
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
    correlation: Annotated[
        str | None,
        typer.Option("--correlation", metavar="ID", help="With --set: go on with the edit of this correlation id."),
    ] = None,
) -> None:
    """Change many products, by a sheet or as they are found: what is not named stays, an unknown SKU is refused.

    Columns are named as `daybook catalogue export --csv` names them: sku, gtin, prices.default.EUR, stock.main,
    channels.NAME, categories, and attributes such as name@nl-NL. All of it has one correlation id, by which
    `daybook undo` takes it back. A sheet taken again changes nothing, and after Ctrl-C the same command goes on.

    With --set, products are chosen as `daybook find` finds them, once. FIELD= removes; prices are rounded to cents, a
    half up. Each product is changed at most once for each correlation id: --correlation goes on after Ctrl-C, while the
    same command without it is a new edit, and *= multiplies again.
    """
    chosen = (words, where, missing, on) != (None, None, None, None) or rejected
    if setting is None:
        if file is None:
            raise InvalidValue("file", "give a sheet, or say what to change by --set, and which products by --where")
        if chosen or correlation is not None:
            raise InvalidValue("set", "say what to change, such as --set prices.default.EUR*=1.05")
        from daybook.terminal.edit import sheet

        sheet.take(common, file, create=create, empty_removes=empty_removes, report=report, dry_run=dry_run)
        return
    if file is not None or create or empty_removes:
        raise InvalidValue("set", "is for products that are found: give a sheet or --set, not both")
    from daybook.terminal.edit import found
    from daybook.terminal.find.asked import asked

    found.take(common, asked(words, where, missing, on, rejected), setting, correlation, report, dry_run=dry_run)
