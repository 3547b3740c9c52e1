"""Users: who may be given access."""

from typing import Any, Literal

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, JSONBody

from daybook.commands.access import AddUser, stream_of
from daybook.http.declared import COMMAND, QUESTION, created
from daybook.http.dependencies import InjectedApp, InjectedCaller
from daybook.http.moments import At, Position, moment
from daybook.http.needs import needs
from daybook.http.responses import Receipt, carry_out
from daybook.ids import short_id
from daybook.queries import access
from daybook.queries.access import UserView

PATH = "/api/v1/users"


class NewUser(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A user to add."""

    login: str
    """Shown as the actor of what it does, for ever: no personal data."""
    kind: Literal["person", "service"] = "person"
    role: str | None = None
    """With this role, everywhere; `POST /access/grants` gives one within a scope."""
    person: str | None = None
    """The person in the vault, where name and mail are."""


@get("/users", **QUESTION, **needs("user.read"), summary="The users")
def list_users(app: InjectedApp, at: At = None, position: Position = None) -> list[UserView]:
    """Every user with its grants and keys, now or at a moment, in order of login."""
    return access.users(app.reader, moment(app.reader, at, position), app.access.uses.last())


@get("/users/{user:str}", **QUESTION, **needs("user.read"), summary="A user")
def show_user(app: InjectedApp, user: FromPath[str], at: At = None, position: Position = None) -> UserView:
    """By login or id: what it may do, or could at a moment, and its keys."""
    return access.of(app.reader, user, moment(app.reader, at, position), app.access.uses.last())


@post(
    "/users",
    **(COMMAND | {"responses": COMMAND["responses"] | created()}),
    **needs("user.add", command=True),
    summary="Add a user",
)
def add_user(app: InjectedApp, caller: InjectedCaller, data: JSONBody[NewUser]) -> Response[Receipt]:
    """A user without a key: `POST /keys` makes one. The same login again is the user that there is."""
    seed = caller.context.command_id
    wish = AddUser(
        user=short_id("usr_", seed),
        login=data.login,
        kind=data.kind,
        person=data.person,
        role=data.role,
        grant=short_id("gr_", seed),
    )
    return carry_out(app, caller, wish, stream_of(data.login), f"{PATH}/{data.login}")


ROUTES: tuple[Any, ...] = (list_users, show_user, add_user)
