"""`daybook undo`: what was done is taken back."""

from typing import Annotated

import typer

from daybook.cli.options import WHO, command
from daybook.errors import InvalidValue
from daybook.terminal.options import CommonOptions

app = typer.Typer()


@command(
    app,
    "undo",
    "daybook undo 1200 --dry-run",
    "daybook undo --correlation 0199f6a2-5f9e-7cc4-9a2e-6d1b7a0c4d11",
    "daybook undo --since 2026-03-01T09:00 --by bob --skip",
    own=WHO,
)
def undo(
    common: CommonOptions,
    position: Annotated[int | None, typer.Argument(metavar="[POSITION]", help="Undo this event.")] = None,
    correlation: Annotated[
        str | None,
        typer.Option("--correlation", metavar="ID", help="Undo all of one cause: an import, an earlier undo."),
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="Undo what was done after this time.")
    ] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="TIME", help="With --since: up to this time.")] = None,
    by: Annotated[str | None, typer.Option("--by", metavar="NAME", help="With --since: by this actor.")] = None,
    skip: Annotated[bool, typer.Option("--skip", help="Leave fields that somebody changed since.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Set fields back also where somebody changed them since.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write nothing; tell field by field what it would do.")
    ] = False,
) -> None:
    """Take back what was done, by new events; nothing is removed from the log.

    Texts, prices, pictures and channels go back to what they would be without it; pieces of stock are moved back, so
    that what was sold since stays sold; a product that it created is discontinued. What somebody changed since is
    refused, unless --skip or --force says what to do. Again it changes nothing. It can be undone itself.
    """
    from daybook.terminal.undo import run
    from daybook.undo.selection import Selection

    if skip and force:
        raise InvalidValue("force", "give --skip or --force, not both", True)
    selection = Selection(position=position, correlation=correlation, since=since, until=until, by=by)
    run.run(common, selection, "skip" if skip else "force" if force else "refuse", dry_run=dry_run)
