"""`daybook log`: the log itself."""

from typing import Annotated

import typer

from daybook.cli.context import reading
from daybook.cli.grammar import Given, command
from daybook.cli.render import answer

app = typer.Typer(name="log", help="The log: every event in order.", no_args_is_help=True)


@command(app, "tail", "daybook log tail", "daybook log tail -n 100 --json", "daybook log tail --follow")
def tail(
    given: Given,
    number: Annotated[int, typer.Option("-n", "--number", metavar="N", min=0, help="So many.")] = 20,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on with what comes, until Ctrl-C.")] = False,
) -> None:
    """Print the newest events, oldest first; JSON Lines with --json."""
    from daybook.cli import tailing

    with reading(given) as on:
        position = tailing.last(given, on.reader, number)
        tailing.follow(given, on.reader, position, follow)


@command(app, "stats", "daybook log stats")
def stats(given: Given) -> None:
    """Show the log's last position, its size on disk, and how many events of each type there are."""
    from daybook.cli import tailing

    with reading(given) as on:
        found = tailing.stats(on.reader)
    answer(given, found, tailing.shown(found))


@command(app, "verify", "daybook log verify", "daybook log verify --no-stream --json")
def verify(
    given: Given,
    no_stream: Annotated[
        bool, typer.Option("--no-stream", help="Check the log alone, not the stream beside it.")
    ] = False,
) -> None:
    """Read the whole log and the stream, and say the first thing that is wrong. Exit code 1 when there is one.

    Nothing is written, and nobody is held up. Positions and versions without holes, time that never goes back, events
    of known types that decode, commands that stand together, and in the stream the same events under the same numbers.
    """
    from daybook.cli import verifying

    with reading(given) as on:
        found = verifying.run(given, on.settings, not no_stream)
    answer(given, found, verifying.shown(found))
    verifying.conclude(found)
