"""`daybook user`: who may be given access."""

from typing import Annotated

import typer

from daybook.cli.options import At, Position, command
from daybook.terminal.context import app_for_commands, app_for_queries
from daybook.terminal.options import CommonOptions
from daybook.terminal.render import answer

app = typer.Typer(name="user", help="Users: people and services that may be given access.", no_args_is_help=True)

Login = Annotated[
    str,
    typer.Argument(metavar="LOGIN", help="A short name, shown as the actor for ever: no personal data."),
]


@command(
    app,
    "add",
    "daybook user add anna --owner",
    "daybook user add erp --service --role service",
    "daybook user add mia --role merchandiser --json",
    writes=True,
)
def add(
    common: CommonOptions,
    login: Login,
    owner: Annotated[bool, typer.Option("--owner", help="With the role owner, and a key.")] = False,
    role: Annotated[str | None, typer.Option("--role", metavar="ROLE", help="With this role, everywhere.")] = None,
    service: Annotated[bool, typer.Option("--service", help="It is no person.")] = False,
    person: Annotated[
        str | None,
        typer.Option("--person", metavar="ID", help="Who it is, as `daybook privacy add` has told: never a name."),
    ] = None,
    no_key: Annotated[bool, typer.Option("--no-key", help="Without a key.")] = False,
) -> None:
    """Add a user and make a key for it, which is printed once.

    Roles: owner, editor, merchandiser, channel-owner, warehouse, service, auditor, reader. `daybook access grant` gives
    a role within a scope.
    """
    from daybook.terminal.user import add as adding

    with app_for_commands(common) as on:
        kind: adding.Kind = "service" if service else "person"
        adding.add(on, common, login, "owner" if owner else role, kind, person, with_key=not no_key)


@command(app, "list", "daybook user list", "daybook user list --at 2026-03-03 --json")
def list_users(common: CommonOptions, at: At = None, position: Position = None) -> None:
    """List users with their roles, as they are or were."""
    from daybook.queries import access
    from daybook.queries.moment import resolve
    from daybook.terminal.access import views

    with app_for_queries(common) as on:
        found = access.users(on.reader, resolve(on.reader, at, position), on.access.uses.last())
    answer(common, found, views.users(found))


@command(app, "show", "daybook user show anna")
def show(common: CommonOptions, login: Login, at: At = None, position: Position = None) -> None:
    """Show a user: its grants and its keys. The same as `daybook access of`."""
    from daybook.terminal.access import views

    views.show_user(common, login, at, position)
