"""Running Daybook: all of it, one role, the migrations, the settings, the demonstration."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from daybook.cli.options import command
from daybook.terminal.context import serving, settings
from daybook.terminal.options import CommonOptions
from daybook.terminal.render import answer

Only = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="NAME", help="For project, deliver and intake: only these. May be repeated."),
]


app = typer.Typer()


@command(
    app,
    "up",
    "daybook up",
    "daybook up --port 9000 --data ./data",
    "daybook up --sandboxes",
    "daybook up --channels webshop --channels bol",
)
def up(
    common: CommonOptions,
    port: Annotated[
        int | None,
        typer.Option(
            "--port", metavar="N", min=0, max=65535, help="Of the API; 0 picks a free one; 8080 when not given."
        ),
    ] = None,
    channels: Annotated[
        list[str] | None, typer.Option("--channels", metavar="NAME", help="Only these. May be repeated.")
    ] = None,
    sandboxes: Annotated[
        bool,
        typer.Option(
            "--sandboxes", help="With a pretended marketplace for each channel, to try things without accounts."
        ),
    ] = False,
) -> None:
    """Run everything on this machine until Ctrl-C: the servers that are not named, and every role.

    DAYBOOK_POSTGRES and DAYBOOK_NATS name servers of your own. A role or server that dies, and a server that answers
    nobody, is started again. Sandboxes forget what they were sent when this ends.
    """
    from daybook.runtime.up import up as run_all

    run_all(common, port, tuple(channels or ()), sandboxes)


@command(app, "run", "daybook run relay", "daybook run project --only bol", "daybook run intake", "daybook run api")
def run(
    common: CommonOptions,
    role: Annotated[
        Literal["api", "relay", "project", "deliver", "intake", "clock"], typer.Argument(help="Which one.")
    ],
    only: Only = None,
) -> None:
    """Run one role until SIGTERM or Ctrl-C, on servers that run already.

    `intake` asks channels which of their orders changed, and takes what they told into the book.
    """
    from daybook.runtime import role as roles

    roles.run(common, role, tuple(only or ()))


@command(
    app,
    "migrate",
    "daybook migrate",
    "DAYBOOK_POSTGRES=postgresql://... daybook migrate",
    "daybook migrate --roles --passwords ./secrets",
    "daybook migrate --roles --dry-run",
)
def migrate(
    common: CommonOptions,
    roles: Annotated[
        bool, typer.Option("--roles", help="Also make a role for each process, with the least that it needs.")
    ] = False,
    passwords: Annotated[
        Path | None,
        typer.Option("--passwords", metavar="FOLDER", help="With --roles: a file for each role holds its password."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="With --roles: only show the SQL.")] = False,
) -> None:
    """Bring the database into the shape that this version needs. Harmless to repeat.

    People who were erased since the moment to which a database was restored are erased again.

    Run it as the role that owns the database. The processes work as roles that own nothing: daybook_append for the
    API and the intake, daybook_relay, daybook_project, daybook_deliver and daybook_clock; daybook_audit and
    daybook_read only read. Where they are there already, an upgrade lets them do what it needs by itself.
    """
    from daybook.errors import InvalidValue
    from daybook.runtime import role as running
    from daybook.runtime.keys import replay_erasures

    if (passwords is not None or dry_run) and not roles:
        raise InvalidValue("--roles", "is missing: --passwords and --dry-run are about the roles")
    with serving(common) as found:
        done = running.migrated(found, with_roles=roles, passwords=passwords, dry_run=dry_run)
        if not dry_run:
            replay_erasures(common, found)
    answer(common, done, running.migrations(done))


@command(
    app,
    "failover",
    "daybook failover --dry-run",
    "daybook failover --yes --file lost-events.jsonl",
)
def failover(
    common: CommonOptions,
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="FILE", help="For what was lost; lost-events-….jsonl here when not given."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what was lost and what would be done.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    restored: Annotated[
        bool, typer.Option("--restored", help="This server was restored on purpose: it is no old primary.")
    ] = False,
) -> None:
    """After a standby was promoted, or the log was restored: keep and show what the log lost, and follow it again.

    What the stream has and the log lacks is written into a file and listed with its actors. Then the stream is removed,
    and the relay fills it again; projections that folded what was lost are built again; and each channel is read where
    it shows the products concerned, and brought to what the log says. Cut off, the same command again goes on.
    """
    from daybook.terminal import failover as leading
    from daybook.terminal.context import app_for_queries

    with app_for_queries(common) as on:
        done = leading.failover(common, on, file, dry_run=dry_run, yes=yes, restored=restored)
        leading.tell(common, done)


@command(app, "config", "daybook config", "daybook config --json")
def config(common: CommonOptions) -> None:
    """Show the settings in force, secrets masked."""
    from daybook.runtime import role as roles

    found = roles.shown(settings(common))
    answer(common, found, roles.config(found))


@command(app, "demo", "daybook demo", "daybook demo --products 1000 --keep")
def demo(
    common: CommonOptions,
    products: Annotated[int, typer.Option("--products", metavar="N", min=1, help="How many products.")] = 300,
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything running afterwards, until Ctrl-C.")] = False,
) -> int:
    """Show what Daybook does, on real servers and pretended marketplaces, and check every claim."""
    from daybook.demo.run import run as show

    return show(common.data, products, keep, common.json)
