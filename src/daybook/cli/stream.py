"""`daybook stream`: the JetStream stream that carries the log to the projections."""

from typing import Annotated

import typer

from daybook.cli.context import serving
from daybook.cli.grammar import Given, command
from daybook.cli.render import answer, line

app = typer.Typer(
    name="stream", help="The JetStream stream that carries the log to the projections.", no_args_is_help=True
)


@command(app, "reset", "daybook stream reset --yes")
def reset(given: Given, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Remove the stream; the relay fills it again from the log. For a log that was restored to an earlier moment."""
    from daybook.cli.resetting import delete

    yes or typer.confirm("Remove the stream? The log is not touched.", abort=True, err=True)
    with serving(given) as settings:
        delete(settings.require_nats())
    answer(given, {"reset": True}, line("the stream is removed; the relay fills it again from the log"))
