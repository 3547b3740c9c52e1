"""`daybook catalogue`: the catalogue as a whole."""

from typing import Annotated

import typer

from daybook.cli.context import reading
from daybook.cli.grammar import At, Given, Position, command

app = typer.Typer(name="catalogue", help="The catalogue as a whole.", no_args_is_help=True)


@command(
    app,
    "export",
    "daybook catalogue export catalogue.jsonl",
    "daybook catalogue export --at 2026-03-01 | gzip > march.jsonl.gz",
    "daybook catalogue export - --position 1200 | daybook import jsonl - --data /tmp/copy",
)
def export(
    given: Given,
    file: Annotated[str, typer.Argument(metavar="FILE", help="Where to; - is stdout.")] = "-",
    at: At = None,
    position: Position = None,
) -> None:
    """Write the catalogue as it is or was, as JSON Lines that `daybook import jsonl` reads."""
    from daybook.cli.exporting import write_to
    from daybook.exporting.catalogue import export as lines
    from daybook.queries.moment import resolve

    with reading(given) as on:
        then = resolve(on.reader, at, position).position
        write_to(given, file, lines(on.reader, upto=then), then)
