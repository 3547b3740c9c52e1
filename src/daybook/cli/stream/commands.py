"""`daybook stream`: the JetStream stream that carries the log to the projections."""

from pathlib import Path
from typing import Annotated

import typer

from daybook.cli.options import command
from daybook.terminal.context import app_for_queries
from daybook.terminal.options import CommonOptions
from daybook.terminal.render import answer

app = typer.Typer(
    name="stream", help="The JetStream stream that carries the log to the projections.", no_args_is_help=True
)


@command(app, "reset", "daybook stream reset --yes")
def reset(common: CommonOptions, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Remove the stream; the relay fills it again from the log. For a log that was restored, or foreign messages.

    A projection that stands beyond the log is built again from it, and its channel gets the differences.
    """
    from daybook.terminal.stream import reset as resetting

    yes or typer.confirm("Remove the stream? The log is not touched.", abort=True, err=True)
    with app_for_queries(common) as on:
        done = resetting.reset(common, on)
    answer(common, done, resetting.shown(done))


@command(app, "save", "daybook stream save stream.jsonl")
def save(
    common: CommonOptions, file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that is not there yet.")]
) -> None:
    """Write every message of the stream into a file, as JSON Lines. Before a reset, as proof of what was in it."""
    from daybook.terminal.stream import save as saving

    with app_for_queries(common) as on:
        done = saving.save(common, on, file)
    answer(common, done, saving.shown(done))
