"""`daybook import`: a catalogue comes in."""

from pathlib import Path
from typing import Annotated

import typer

from daybook.cli.grammar import WHO, Given, command

app = typer.Typer(
    name="import", help="Bring a catalogue in. Running an import again takes only what changed.", no_args_is_help=True
)

Report = Annotated[
    Path | None,
    typer.Option("--report", metavar="FILE", help="Write every row with a problem there: .csv or .json."),
]


@command(
    app,
    "akeneo",
    "daybook import akeneo ./export",
    "daybook import akeneo ./export --list-on webshop --list-on bol --report problems.csv",
    own=WHO,
)
def akeneo(
    given: Given,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder with the CSV files of the export.")],
    list_on: Annotated[
        list[str] | None,
        typer.Option("--list-on", metavar="NAME", help="List enabled products on this channel. May be repeated."),
    ] = None,
    report: Report = None,
) -> None:
    """Import an Akeneo PIM export: a folder of CSV files."""
    from daybook.cli import ingesting
    from daybook.importing.akeneo import Options, read

    options = Options(list_on=tuple(list_on or ()))
    ingesting.run(given, "import:akeneo", lambda: read(folder, options), ingesting.lines_of_folder(folder), report)


@command(
    app,
    "jsonl",
    "daybook import jsonl catalogue.jsonl",
    "zcat catalogue.jsonl.gz | daybook import jsonl - --reason 'new season'",
    own=WHO,
)
def jsonl(
    given: Given,
    file: Annotated[str, typer.Argument(metavar="FILE", help="JSON Lines; - is stdin.")],
    report: Report = None,
) -> None:
    """Import JSON Lines, such as `daybook catalogue export` writes."""
    from daybook.cli import ingesting
    from daybook.importing.jsonl import read

    ingesting.run(given, "import:jsonl", lambda: read(file), ingesting.lines_of_file(file), report)
