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

Subject = Annotated[
    str | None,
    typer.Option("--oidc-subject", metavar="SUB", help="What an identity provider calls it, in `sub` of its tokens."),
]
Issuer = Annotated[
    str | None,
    typer.Option("--oidc-issuer", metavar="URL", help="That provider; the one of DAYBOOK_OIDC_ISSUER if not given."),
]


@command(
    app,
    "add",
    "daybook user add anna --owner",
    "daybook user add erp --service --role service",
    "daybook user add mia --role merchandiser --oidc-subject 248289761001",
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
    subject: Subject = None,
    issuer: Issuer = None,
) -> None:
    """Add a user and make a key for it, which is printed once.

    With --oidc-subject the user needs no key and gets none: it comes with a token or a browser.

    Roles: owner, editor, merchandiser, channel-owner, warehouse, sales, service, auditor, reader. `daybook access
    grant` gives a role within a scope.
    """
    from daybook.terminal.user import add as adding

    with app_for_commands(common) as on:
        kind: adding.Kind = "service" if service else "person"
        wish = adding.wished(login, "owner" if owner else role, kind, person)
        if subject is not None:
            adding.link(on, common, login, subject, issuer, first=wish)
        else:
            adding.add(on, common, wish, with_key=not no_key)


@command(app, "link", "daybook user link anna --oidc-subject 248289761001", writes=True)
def link(common: CommonOptions, login: Login, subject: Subject = None, issuer: Issuer = None) -> None:
    """Take an identity provider's word for a user: who comes with its token, or logs in there, is this user.

    Of the subject only a hash is kept.
    """
    from daybook.errors import InvalidValue
    from daybook.terminal.user import add as adding

    if subject is None:
        raise InvalidValue("oidc-subject", "must be given: it stands in `sub` of the provider's tokens")
    with app_for_commands(common) as on:
        adding.link(on, common, login, subject, issuer)


@command(app, "unlink", "daybook user unlink oid_k3v7w2a5pq", writes=True)
def unlink(
    common: CommonOptions,
    identity: Annotated[str, typer.Argument(metavar="IDENTITY", help="Its id, as `daybook user show` has it.")],
) -> None:
    """Take an identity from its user: its tokens and sessions are refused within a second."""
    from daybook.commands.access import UnlinkIdentity
    from daybook.terminal.carry_out import carry_out

    carry_out(common, UnlinkIdentity(identity=identity))


@command(app, "lock", "daybook user lock mia --reason 'left the company'", writes=True)
def lock(common: CommonOptions, login: Login) -> None:
    """Refuse whatever a user shows, within a second and everywhere: keys, tokens, sessions. Its grants stay."""
    from daybook.commands.access import LockUser
    from daybook.terminal.carry_out import carry_out

    carry_out(common, LockUser(user=login))


@command(app, "unlock", "daybook user unlock mia", writes=True)
def unlock(common: CommonOptions, login: Login) -> None:
    """Take again what a locked user shows, as far as it has not ended meanwhile."""
    from daybook.commands.access import UnlockUser
    from daybook.terminal.carry_out import carry_out

    carry_out(common, UnlockUser(user=login))


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
