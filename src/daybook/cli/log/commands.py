"""`daybook log`: the log itself."""

from typing import Annotated

import typer

from daybook.cli.options import command
from daybook.terminal.context import app_for_queries
from daybook.terminal.options import CommonOptions
from daybook.terminal.render import answer, note

app = typer.Typer(name="log", help="The log: every event in order.", no_args_is_help=True)


@command(app, "tail", "daybook log tail", "daybook log tail -n 100 --json", "daybook log tail --follow")
def tail(
    common: CommonOptions,
    number: Annotated[int, typer.Option("-n", "--number", metavar="N", min=0, max=2**31 - 1, help="So many.")] = 20,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on with what comes, until Ctrl-C.")] = False,
) -> None:
    """Print the newest events, oldest first; JSON Lines with --json."""
    from daybook.terminal.log import tail as newest

    with app_for_queries(common) as on:
        position = newest.last(common, on.reader, number)
        newest.follow(common, on.reader, position, follow)


@command(app, "stats", "daybook log stats")
def stats(common: CommonOptions) -> None:
    """Show the log's last position, its size on disk, and how many events of each type there are."""
    from daybook.terminal.log import tail as newest

    with app_for_queries(common) as on:
        found = newest.stats(on.reader)
    answer(common, found, newest.shown(found))


@command(app, "verify", "daybook log verify", "daybook log verify --no-stream --json")
def verify(
    common: CommonOptions,
    no_stream: Annotated[
        bool, typer.Option("--no-stream", help="Check the log alone, not the stream beside it.")
    ] = False,
) -> None:
    """Read the whole log and the stream, and say the first thing that is wrong. Exit code 1 when there is one.

    Nothing is written, and nobody is held up. Positions and versions without holes, time that never goes back, events
    of known types that decode, commands that stand together, and in the stream the same events under the same numbers.
    Exit code 6 when the log holds, and there is no stream or it does not follow the log.
    """
    from daybook.queries import clock
    from daybook.terminal.log import verify as check

    with app_for_queries(common) as on:
        found = check.run(common, on, not no_stream)
        jump = clock.set_back(on.pool)
    answer(common, found.verified, check.shown(found.verified))
    if jump is not None:
        note(common, jump)
    check.conclude(found)
