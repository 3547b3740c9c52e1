"""`daybook trace`: what one cause led to."""

from typing import Annotated

import typer

from daybook.cli.options import command
from daybook.terminal.context import app_for_queries
from daybook.terminal.options import CommonOptions
from daybook.terminal.render import answer

app = typer.Typer()

CorrelationId = Annotated[
    str,
    typer.Argument(
        metavar="CORRELATION-ID",
        help="As receipts and histories have it: a command's own id where none was named. Or an event's position.",
    ),
]


@command(
    app,
    "trace",
    "daybook trace 4711",
    "daybook trace 0198f2c4-7a60-7000-8000-000000000001",
    "daybook trace order-1001 --json",
)
def trace(common: CommonOptions, correlation_id: CorrelationId) -> None:
    """Show what one cause led to, with times: commands, events, what channels should show of them, calls, answers."""
    from daybook.queries.trace import trace as asked
    from daybook.terminal.trace import views

    with app_for_queries(common) as on:
        found = asked(on.pool, correlation_id)
    answer(common, found, views.shown(found))
