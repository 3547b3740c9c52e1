"""`daybook access`: what users may do, could do, and were refused."""

from typing import Annotated

import typer

from daybook.cli.options import At, Position, command
from daybook.terminal.carry_out import carry_out_on, context
from daybook.terminal.context import app_for_commands, app_for_queries
from daybook.terminal.options import CommonOptions
from daybook.terminal.render import answer

app = typer.Typer(name="access", help="What users may do and could do, and who was refused.", no_args_is_help=True)

User = Annotated[str, typer.Argument(metavar="USER", help="Login or id.")]
Names = list[str] | None


@command(
    app,
    "grant",
    "daybook access grant mia merchandiser --price-list retail",
    "daybook access grant jan channel-owner --channel bol --channel amazon",
    "daybook access grant wms warehouse --location main --category shoes",
    writes=True,
)
def grant(
    common: CommonOptions,
    user: User,
    role: Annotated[str, typer.Argument(metavar="ROLE", help="Such as editor; `daybook user add --help` has all.")],
    channel: Annotated[Names, typer.Option("--channel", metavar="NAME", help="Only there. May be repeated.")] = None,
    category: Annotated[
        Names, typer.Option("--category", metavar="CODE", help="Only in it, and below. May be repeated.")
    ] = None,
    price_list: Annotated[
        Names, typer.Option("--price-list", metavar="CODE", help="Only this one. May be repeated.")
    ] = None,
    location: Annotated[Names, typer.Option("--location", metavar="CODE", help="Only there. May be repeated.")] = None,
) -> None:
    """Give a user a role, everywhere or within a scope. What is named must all hold.

    A permission that knows nothing of what the scope names is not given by it: `daybook access permissions` shows
    which knows what.
    """
    from daybook.commands.access import GrantAccess
    from daybook.events import AccessScope
    from daybook.ids import short_id

    def names(given: Names) -> tuple[str, ...] | None:
        return tuple(dict.fromkeys(given)) if given else None

    scope = AccessScope(
        channels=names(channel), categories=names(category), price_lists=names(price_list), locations=names(location)
    )
    sender = context(common, "cli")
    wish = GrantAccess(user=user, grant=short_id("gr_", common.command_id), role=role, scope=scope)
    with app_for_commands(common) as on:
        carry_out_on(on, common, wish, sender)


@command(app, "withdraw", "daybook access withdraw gr_k3v7w2a5pq", writes=True)
def withdraw(
    common: CommonOptions,
    grant_id: Annotated[str, typer.Argument(metavar="GRANT", help="Its id, as `daybook access of USER` shows it.")],
) -> None:
    """Take a grant away."""
    from daybook.commands.access import WithdrawAccess

    sender = context(common, "cli")
    with app_for_commands(common) as on:
        carry_out_on(on, common, WithdrawAccess(grant=grant_id), sender)


@command(app, "of", "daybook access of anna", "daybook access of anna --at 2026-03-03")
def of(common: CommonOptions, user: User, at: At = None, position: Position = None) -> None:
    """Show what a user may do, or could at a moment, and its keys."""
    from daybook.terminal.access import views

    views.show_user(common, user, at, position)


@command(
    app,
    "who-could",
    "daybook access who-could price.change --sku SKU-1 --at 2026-03-03",
    "daybook access who-could channel.pause --channel bol",
)
def who_could(
    common: CommonOptions,
    permission: Annotated[str, typer.Argument(metavar="PERMISSION", help="Such as price.change.")],
    sku: Annotated[str | None, typer.Option("--sku", metavar="SKU", help="About this product.")] = None,
    channel: Annotated[str | None, typer.Option("--channel", metavar="NAME", help="On this channel.")] = None,
    price_list: Annotated[str | None, typer.Option("--price-list", metavar="CODE", help="In this list.")] = None,
    location: Annotated[str | None, typer.Option("--location", metavar="CODE", help="At this location.")] = None,
    at: At = None,
    position: Position = None,
) -> None:
    """Show who has, or had at a moment, a permission: by which grant, from whom, and with which keys.

    From the log, so it is true of any moment. Whoever had the data folder or the database itself needed no grant.
    """
    from daybook.queries import access
    from daybook.queries.moment import resolve
    from daybook.terminal.access import views

    with app_for_queries(common) as on:
        moment = resolve(on.reader, at, position)
        found = access.who_could(
            on.reader, permission, moment, sku=sku, channel=channel, price_list=price_list, location=location
        )
    answer(common, found, views.who_could(found))


@command(app, "log", "daybook access log", "daybook access log --refused --json")
def log(
    common: CommonOptions,
    refused: Annotated[bool, typer.Option("--refused", help="Only who was turned away.")] = False,
    after: Annotated[int, typer.Option("--after", metavar="N", min=0, help="Only behind this position.")] = 0,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, max=1000, help="So many at most.")] = 1000,
) -> None:
    """Show what happened to access: users, grants, keys and refusals, oldest first."""
    from daybook.queries import access
    from daybook.terminal.access import views

    with app_for_queries(common) as on:
        found = access.log_page(on.reader, after, limit, refused=refused)
    answer(common, found, views.log(found))


@command(app, "list-unused", "daybook access list-unused", "daybook access list-unused --days 30")
def list_unused(
    common: CommonOptions,
    days: Annotated[int, typer.Option("--days", metavar="N", min=0, max=36500, help="For so many days.")] = 90,
) -> None:
    """List grants and keys that nobody used for long."""
    from datetime import UTC, datetime

    from daybook.queries import access
    from daybook.terminal.access import views

    with app_for_queries(common) as on:
        found = access.unused(on.reader, on.access.uses.last(), datetime.now(UTC), days)
    answer(common, found, views.unused(found))


@command(app, "sessions", "daybook access sessions", "daybook access sessions --user anna --json")
def list_sessions(
    common: CommonOptions,
    user: Annotated[str | None, typer.Option("--user", metavar="USER", help="Only this user's.")] = None,
) -> None:
    """List who is logged in with a browser, the newest first."""
    from daybook.queries import sessions
    from daybook.terminal.access import views

    with app_for_queries(common) as on:
        found = sessions.standing(on.reader, on.logins.sessions, user)
    answer(common, found, views.sessions(found))


@command(app, "end-session", "daybook access end-session ses_k3v7w2a5pq --reason 'a stolen laptop'", writes=True)
def end_session(
    common: CommonOptions,
    session: Annotated[str, typer.Argument(metavar="SESSION", help="Its id, as `daybook access sessions` has it.")],
) -> None:
    """End a session: it is refused within a second and everywhere."""
    from daybook.queries import sessions
    from daybook.terminal.access import views

    sender = context(common, "cli")
    with app_for_commands(common) as on:
        found = sessions.ended(on.reader, on.logins.end(session, sender))
    answer(common, found, views.sessions([found]))


@command(app, "permissions", "daybook access permissions")
def permissions(common: CommonOptions) -> None:
    """Show every permission, what it can be narrowed down by, and the roles that hold it."""
    from daybook.terminal.access import views

    found = views.known_permissions()
    answer(common, found, views.permissions(found))
