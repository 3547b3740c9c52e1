"""`daybook schedule`: changes that hold from a moment on."""

from typing import Annotated

import typer

from daybook.cli.options import command
from daybook.terminal.carry_out import carry_out
from daybook.terminal.context import app_for_queries
from daybook.terminal.options import CommonOptions
from daybook.terminal.render import answer

app = typer.Typer(
    name="schedule",
    help="See, move and withdraw changes that hold from a moment on; most are planned with --at of `daybook product`.",
    no_args_is_help=True,
)

ScheduleId = Annotated[str, typer.Argument(metavar="SCHEDULE", help="Its id, see `daybook schedule list`.")]
Moment = Annotated[
    str, typer.Option("--at", metavar="TIME", help="A time with its zone, such as 2026-12-01T00:00+01:00.")
]


@command(
    app,
    "plan",
    """daybook schedule plan '{"type":"remove_price","sku":"SKU-1","currency":"EUR"}' --at 2026-12-01T00:00+01:00""",
    writes=True,
)
def plan(
    common: CommonOptions,
    change: Annotated[str, typer.Argument(metavar="JSON", help="A command about one product, as an import has it.")],
    at: Moment,
) -> None:
    """Plan any change of a product for a moment."""
    from daybook.terminal.schedule.typed import change_of_text

    carry_out(common, change_of_text(change), at)


@command(
    app,
    "list",
    "daybook schedule list",
    "daybook schedule list --sku SKU-1 --json",
    "daybook schedule list --refused",
)
def list_schedules(
    common: CommonOptions,
    sku: Annotated[str | None, typer.Option("--sku", metavar="SKU", help="Only of this product.")] = None,
    refused: Annotated[
        bool, typer.Option("--refused", help="Those that were refused when their moment came, and why.")
    ] = False,
    after: Annotated[
        str | None, typer.Option("--after", metavar="NEXT", help="Go on behind this: the `next` of the page before.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", help="At most so many, 1 to 1000.")] = 50,
) -> None:
    """List what is to come, the next one first."""
    from daybook.clock.schedules import page
    from daybook.terminal.schedule import views

    with app_for_queries(common) as on:
        found = page(on.pool, state="refused" if refused else "planned", sku=sku, after=after, limit=limit)
    answer(common, found, views.listed(found))


@command(app, "show", "daybook schedule show sch-3f9c0b6a12de4478")
def show(common: CommonOptions, schedule: ScheduleId) -> None:
    """Show one, whatever became of it, and who did what."""
    from daybook.clock.schedules import show as asked
    from daybook.terminal.schedule import views

    with app_for_queries(common) as on:
        found = asked(on.reader, schedule)
    answer(common, found, views.shown(found))


@command(app, "move", "daybook schedule move sch-3f9c0b6a12de4478 --at 2026-12-02T00:00+01:00", writes=True)
def move(common: CommonOptions, schedule: ScheduleId, at: Moment) -> None:
    """Have it fall due at another moment; one that was refused is planned again."""
    from daybook.terminal.schedule import changes

    changes.move(common, schedule, at)


@command(app, "withdraw", "daybook schedule withdraw sch-3f9c0b6a12de4478 --reason 'campaign cancelled'", writes=True)
def withdraw(common: CommonOptions, schedule: ScheduleId) -> None:
    """Take it back before it is carried out; of one that was refused, take it off the list."""
    from daybook.terminal.schedule import changes

    changes.withdraw(common, schedule)
