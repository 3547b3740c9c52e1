"""`daybook key`: what users show to the API."""

from typing import Annotated

import typer

from daybook.cli.options import command
from daybook.terminal.context import app_for_commands, app_for_queries, settings
from daybook.terminal.options import CommonOptions
from daybook.terminal.render import answer, line

app = typer.Typer(name="key", help="API keys. A secret is shown once; a hash of it is kept.", no_args_is_help=True)

User = Annotated[str, typer.Argument(metavar="USER", help="Login or id.")]
Key = Annotated[str, typer.Argument(metavar="KEY", help="Its public part, dbk_ and 10 characters.")]


@command(app, "make", "daybook key make erp --label 'price feed'", "daybook key make mia --days 30", writes=True)
def make(
    common: CommonOptions,
    user: User,
    label: Annotated[str | None, typer.Option("--label", metavar="TEXT", help="What it is for.")] = None,
    days: Annotated[
        float | None, typer.Option("--days", metavar="N", min=0, max=36500, help="It ends after so many days.")
    ] = None,
) -> None:
    """Make a key for a user and print it, once."""
    from daybook.terminal.key import made

    with app_for_commands(common) as on:
        made.make(on, common, user, label, days)


@command(
    app, "rotate", "daybook key rotate dbk_k3v7w2a5pq", "daybook key rotate dbk_k3v7w2a5pq --hours 1", writes=True
)  # fmt: skip
def rotate(
    common: CommonOptions,
    key: Key,
    hours: Annotated[
        float, typer.Option("--hours", metavar="N", min=0, max=8760, help="So long both are taken.")
    ] = 24.0,
) -> None:
    """Make a key that takes another one's place and print it, once. Both are taken for a while."""
    from daybook.terminal.key import made

    with app_for_commands(common) as on:
        made.rotate(on, common, key, hours)


@command(app, "revoke", "daybook key revoke dbk_k3v7w2a5pq --reason 'in a public repository'", writes=True)
def revoke(common: CommonOptions, key: Key) -> None:
    """Have a key refused, within a second and everywhere."""
    from daybook.commands.access import RevokeKey
    from daybook.terminal.carry_out import carry_out
    from daybook.terminal.key.made import public

    carry_out(common, RevokeKey(key=public(key)))


@command(app, "list", "daybook key list", "daybook key list --user erp --json")
def list_keys(
    common: CommonOptions,
    user: Annotated[str | None, typer.Option("--user", metavar="USER", help="Only this user's.")] = None,
) -> None:
    """List keys, never their secrets: whose, what for, whether it is taken, when it was last used."""
    from daybook.queries import access
    from daybook.queries.moment import resolve
    from daybook.terminal.access import views

    with app_for_queries(common) as on:
        found = access.keys(on.reader, resolve(on.reader), on.access.uses.last(), user)
    answer(common, found, views.keys(found))


@command(
    app,
    "local",
    "daybook key local",
    'curl -H "Authorization: Bearer $(daybook key local)" localhost:8080/api/v1/products',
)
def local(common: CommonOptions) -> None:
    """Print the owner's key that `daybook up` has put into the data folder."""
    from daybook.terminal.key import file

    found = file.read(settings(common).data)
    answer(common, {"key": found}, line(found))
