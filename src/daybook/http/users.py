"""Users: who may be given access."""

from typing import Any, Literal

import msgspec
from litestar import Response, delete, get, post
from litestar.params import FromPath, JSONBody

from daybook.access.identities import PREFIX as OID
from daybook.commands.access import AddUser, LockUser, UnlinkIdentity, UnlockUser, link_of, stream_of
from daybook.errors import NotFound
from daybook.ids import short_id
from daybook.queries import access
from daybook.queries.access import UserView
from daybook.web.declared import COMMAND, QUESTION, created
from daybook.web.dependencies import InjectedApp, InjectedCaller
from daybook.web.moments import At, Position, moment
from daybook.web.needs import needs
from daybook.web.responses import Receipt, carry_out

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


class NewIdentity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose word is to be taken for a user."""

    subject: str
    """As it stands in `sub` of the provider's tokens."""
    issuer: str | None = None
    """As it stands in `iss`; the one that the settings name, when there is one."""


class IdentityReceipt(Receipt, frozen=True, kw_only=True):
    """What the command did, and the identity that is tied to the user."""

    identity: str


@get("/users", **QUESTION, **needs("user.read"), summary="The users")
def list_users(app: InjectedApp, at: At = None, position: Position = None) -> list[UserView]:
    """Every user with its grants and keys, now or at a moment, in order of login."""
    return access.users(app.reader, moment(app.reader, at, position), app.access.uses.last())


@get("/users/{user:str}", **QUESTION, **needs("user.read"), summary="A user")
def show_user(app: InjectedApp, user: FromPath[str], at: At = None, position: Position = None) -> UserView:
    """By login or id: what it may do, or could at a moment, and its keys."""
    now = at is None and position is None
    sessions = app.logins.sessions if now else None
    return access.of(app.reader, user, moment(app.reader, at, position), app.access.uses.last(), sessions)


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


@post(
    "/users/{user:str}/identities",
    **(COMMAND | {"responses": COMMAND["responses"] | created(IdentityReceipt)}),
    **needs("user.link", command=True),
    summary="Tie a user to an identity",
)
def link_user(
    app: InjectedApp, caller: InjectedCaller, user: FromPath[str], data: JSONBody[NewIdentity]
) -> Response[IdentityReceipt]:
    """An issuer's word about one of its subjects is taken for the user. Of the subject only a hash is kept."""
    issuers = [one.issuer for one in app.settings.oidc]
    wish = link_of(user, short_id(OID, caller.context.command_id), data.issuer, data.subject, issuers)
    known = app.reader.access().user_of(user)
    stream = stream_of(known.login if known else user)
    done = carry_out(app, caller, wish, stream, f"{PATH}/{known.login}" if known else None)
    standing = app.reader.access().user_of(user)
    assert standing is not None
    tied = next(one.identity for one in standing.identities.values() if one.subject_hash == wish.subject_hash)
    body = IdentityReceipt(**msgspec.structs.asdict(done.content), identity=tied)
    return Response(body, status_code=201 if body.changed else 200, headers=done.headers)


@post("/users/{user:str}/lock", **COMMAND, **needs("user.lock", command=True), summary="Lock a user out")
def lock_user(app: InjectedApp, caller: InjectedCaller, user: FromPath[str]) -> Response[Receipt]:
    """Its keys, tokens and sessions are refused within a second by every process. 409 for the last owner."""
    known = app.reader.access().user_of(user)
    return carry_out(app, caller, LockUser(user=user), stream_of(known.login if known else user))


@post("/users/{user:str}/unlock", **COMMAND, **needs("user.lock", command=True), summary="Let a user in again")
def unlock_user(app: InjectedApp, caller: InjectedCaller, user: FromPath[str]) -> Response[Receipt]:
    """What it shows is taken again, as far as it has not ended meanwhile."""
    known = app.reader.access().user_of(user)
    return carry_out(app, caller, UnlockUser(user=user), stream_of(known.login if known else user))


@delete(
    "/users/{user:str}/identities/{identity:str}",
    **COMMAND,
    **needs("user.link", command=True),
    summary="Untie a user from an identity",
)
def unlink_user(
    app: InjectedApp, caller: InjectedCaller, user: FromPath[str], identity: FromPath[str]
) -> Response[Receipt]:
    """Its tokens and sessions are refused within a second by every process."""
    state = app.reader.access()
    known = state.user_of(user)
    if known is None or identity not in known.identities:
        raise NotFound(f"identity: {user} has no identity {identity!r}", field="identity")
    return carry_out(app, caller, UnlinkIdentity(identity=identity), stream_of(known.login))


ROUTES: tuple[Any, ...] = (
    *(list_users, show_user, add_user),
    *(lock_user, unlock_user, link_user, unlink_user),
)
