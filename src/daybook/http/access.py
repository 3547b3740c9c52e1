"""Access: what users may do, could do, and were refused."""

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from litestar import Response, delete, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from daybook import limits
from daybook.access.authority import Principal
from daybook.app import App
from daybook.commands.access import GrantAccess, WithdrawAccess, stream_of
from daybook.events import AccessScope
from daybook.ids import short_id
from daybook.queries import access, sessions
from daybook.queries.access import AccessPage, CouldView, UnusedView, UserView
from daybook.queries.moment import resolve
from daybook.queries.sessions import SessionView
from daybook.web.declared import ACTION, COMMAND, QUESTION, created
from daybook.web.dependencies import InjectedApp, InjectedAsker, InjectedCaller, InjectedPrincipal
from daybook.web.moments import At, Position, moment
from daybook.web.needs import needs
from daybook.web.pages import AfterPosition, RowLimit
from daybook.web.responses import Receipt, carry_out

PATH = "/api/v1/access/grants"
_NAME = {"minLength": 1, "maxLength": limits.FILTER.most}
Permission = Annotated[
    str, QueryParameter(name="permission", description="Such as `price.change`.", schema_extra=_NAME)
]
Sku = Annotated[str | None, QueryParameter(name="sku", description="About this product.", schema_extra=_NAME)]
Channel = Annotated[str | None, QueryParameter(name="channel", description="On this channel.", schema_extra=_NAME)]
PriceList = Annotated[str | None, QueryParameter(name="price_list", description="In this list.", schema_extra=_NAME)]
Location = Annotated[str | None, QueryParameter(name="location", description="At this location.", schema_extra=_NAME)]
Days = Annotated[
    int, QueryParameter(name="days", description="For so many days.", schema_extra={"minimum": 0, "maximum": 36500})
]


OfUser = Annotated[str | None, QueryParameter(name="user", description="Only this user's.", schema_extra=_NAME)]


class NewGrant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A role to give."""

    user: str
    """Login or id."""
    role: str
    scope: AccessScope = AccessScope()
    """What it is narrowed down to; what is left out is everything."""


class GrantReceipt(Receipt, frozen=True, kw_only=True):
    """What the command did, and the grant that stands."""

    grant: str


@get("/access/me", **QUESTION, **needs("self.read"), summary="Who am I")
def show_me(app: InjectedApp, principal: InjectedPrincipal) -> UserView:
    """The user of this key, what it may do, and its keys."""
    user = _user(app, principal)
    return access.of(app.reader, user, resolve(app.reader), app.access.uses.last(), app.logins.sessions)


@get("/access/who-could", **QUESTION, **needs("access.read"), summary="Who could")
def who_could(
    app: InjectedApp,
    permission: Permission,
    sku: Sku = None,
    channel: Channel = None,
    price_list: PriceList = None,
    location: Location = None,
    at: At = None,
    position: Position = None,
) -> list[CouldView]:
    """Who has, or had at a moment, a permission: by which grant, from whom, and with which keys."""
    when = moment(app.reader, at, position)
    return access.who_could(
        app.reader, permission, when, sku=sku, channel=channel, price_list=price_list, location=location
    )


@get("/access/log", **QUESTION, **needs("access.read"), summary="What happened to access")
def list_access_log(
    app: InjectedApp, after: AfterPosition = 0, limit: RowLimit = 100, refused: FromQuery[bool] = False
) -> AccessPage:
    """Users, grants, keys and refusals, oldest first; `refused` gives the refusals alone."""
    return access.log_page(app.reader, after, limit, refused=refused)


@get("/access/unused", **QUESTION, **needs("access.read"), summary="What nobody uses")
def list_unused(app: InjectedApp, days: Days = access.UNUSED_DAYS) -> list[UnusedView]:
    """Grants and keys that nobody used for so many days, those that rest longest first."""
    return access.unused(app.reader, app.access.uses.last(), datetime.now(UTC), days)


@post(
    "/access/grants",
    **(COMMAND | {"responses": COMMAND["responses"] | created(GrantReceipt)}),
    **needs("access.grant", command=True),
    summary="Grant access",
)
def grant_access(app: InjectedApp, caller: InjectedCaller, data: JSONBody[NewGrant]) -> Response[GrantReceipt]:
    """A role within a scope. The same again is the grant that stands."""
    user = app.reader.access().user_of(data.user)
    wish = GrantAccess(
        user=data.user, grant=short_id("gr_", caller.context.command_id), role=data.role, scope=data.scope
    )
    done = carry_out(app, caller, wish, stream_of(user.login if user else data.user))
    standing = app.reader.access().user_of(data.user)
    assert standing is not None
    same = [one for one in standing.grants.values() if (one.role, one.scope) == (data.role, data.scope)]
    body = GrantReceipt(**msgspec.structs.asdict(done.content), grant=same[0].grant if same else wish.grant)
    made = body.grant == wish.grant and body.changed
    headers = {**done.headers, **({"Location": f"{PATH}/{body.grant}"} if made else {})}
    return Response(body, status_code=201 if made else 200, headers=headers)


@delete("/access/grants/{grant:str}", **COMMAND, **needs("access.grant", command=True), summary="Withdraw a grant")
def withdraw_access(app: InjectedApp, caller: InjectedCaller, grant: FromPath[str]) -> Response[Receipt]:
    """It is no more. 409 for the last owner's."""
    state = app.reader.access()
    standing = state.grant(grant)
    stream = stream_of(state.users[standing.user].login if standing else "")
    return carry_out(app, caller, WithdrawAccess(grant=grant), stream)


@get("/access/sessions", **QUESTION, **needs("session.read"), summary="Who is logged in")
def list_sessions(app: InjectedApp, user: OfUser = None) -> list[SessionView]:
    """With a browser, the newest first. Nothing in it is of use to whoever would like to be somebody else."""
    return sessions.standing(app.reader, app.logins.sessions, user)


@delete("/access/sessions/{session:str}", **ACTION, **needs("session.end"), summary="End a session")
def end_session(app: InjectedApp, asker: InjectedAsker, session: FromPath[str]) -> SessionView:
    """It is refused within a second by every process. `X-Reason` says why."""
    return sessions.ended(app.reader, app.logins.end(session, asker))


def _user(app: App, principal: Principal) -> str:
    return principal.user or principal.login


ROUTES: tuple[Any, ...] = (
    *(show_me, who_could, list_access_log, list_unused),
    *(grant_access, withdraw_access),
    *(list_sessions, end_session),
)
