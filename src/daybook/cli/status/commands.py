"""`daybook status`: what waits, and why."""

import typer

from daybook.cli.options import command
from daybook.terminal.context import app_for_queries
from daybook.terminal.options import CommonOptions
from daybook.terminal.render import answer

app = typer.Typer()

NOT_WELL = 8


@command(
    app,
    "status",
    "daybook status",
    "daybook status --json",
    "daybook status > status.txt || mail -s daybook ops@example.com < status.txt",
)
def status(common: CommonOptions) -> int:
    """Show everything that waits: for how long, why, and the next step. Exit code 8 when it is too long.

    Of relay, projections and channels, read from Postgres alone, so it is true also when they are dead; whether the API
    answers its own /health/live tells. Each way of waiting has a bound, after which it counts; notes are work that
    every catalogue has, such as held products, and never count.
    """
    from daybook.queries import waiting
    from daybook.terminal.status import views

    with app_for_queries(common) as on:
        found = waiting.report(on.pool, on.registry)
    answer(common, found, views.report(found))
    return 0 if found.well else NOT_WELL
