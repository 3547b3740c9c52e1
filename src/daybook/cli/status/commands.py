"""`daybook status`: what waits, and why."""

import typer

from daybook.cli.context import app_for_queries
from daybook.cli.options import CommonOptions, command
from daybook.cli.render import answer

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

    Of all roles, projections and channels, read from Postgres alone, so it is true also when they are dead. Each way
    of waiting has a bound, after which it counts; notes are work that every catalogue has, such as held products, and
    never count.
    """
    from daybook.cli.status import views
    from daybook.queries import waiting

    with app_for_queries(common) as on:
        found = waiting.report(on.pool, on.registry)
    answer(common, found, views.report(found))
    return 0 if found.well else NOT_WELL
