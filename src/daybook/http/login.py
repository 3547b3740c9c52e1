"""Logging in with a browser, and out again."""

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import parse_qsl

import msgspec
from litestar import Request, Response, get, post
from litestar.concurrency import sync_to_thread
from litestar.datastructures import ResponseHeader
from litestar.params import QueryParameter

from daybook import limits
from daybook.authentication.logins import BrowserRequest
from daybook.errors import NotFound, Unauthenticated
from daybook.events.access import AccessRefused
from daybook.web.authorise import headers_of
from daybook.web.cookies import LOGIN, SESSION, forget, keep_login, keep_session, login_in, session_in
from daybook.web.declared import problems
from daybook.web.dependencies import InjectedApp
from daybook.web.needs import OPEN
from daybook.web.problems import malformed
from daybook.web.undeclared import ANYTHING

AnyRequest = Request[Any, Any, Any]
_NAME = {"minLength": 1, "maxLength": limits.FILTER.most}
ProviderName = Annotated[
    str | None,
    QueryParameter(name="provider", description="With whom, where there are several.", schema_extra=_NAME),
]
ReturnTo = Annotated[
    str, QueryParameter(name="return_to", description="The path to be led to afterwards.", schema_extra=_NAME)
]
_COOKIE = ResponseHeader(name="Set-Cookie", documentation_only=True, value="", description="The browser keeps it.")
_LEADS = ResponseHeader(name="Location", documentation_only=True, value="", description="Where to go on.")
_REDIRECT: dict[str, Any] = {"response_headers": [_COOKIE, _LEADS]}
_REASONS = frozenset({"wrong_state", "wrong_nonce", "wrong_issuer", "bad_signature", "not_vouched"})
"""Of a login: what may be an attack is told to the log."""


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """Who is logged in with this browser."""

    login: str
    user: str
    session: str
    expires_at: datetime
    """It ends then at the latest."""
    csrf_token: str
    """To be sent as `X-CSRF-Token` with everything that changes something."""


@get("/login", **OPEN, **_REDIRECT, status_code=302, responses=problems(400, 404, 422, 503), summary="Log in")
async def begin_login(app: InjectedApp, provider: ProviderName = None, return_to: ReturnTo = "/") -> Response[None]:
    """Leads the browser to the identity provider, which leads it back to `/auth/callback`."""
    address, begun = await app.browser_login.begin(provider, return_to)
    return Response(None, status_code=302, headers={"Location": address}, cookies=[keep_login(begun)])


@get(
    "/callback",
    **OPEN,
    **ANYTHING,
    **_REDIRECT,
    status_code=303,
    responses=problems(400, 401, 404, 503),
    summary="Come back from the provider",
)
async def finish_login(app: InjectedApp, request: AnyRequest) -> Response[None]:
    """The browser comes back: who it is is known now, and it gets a session."""
    if not app.browser_login.names():
        raise NotFound("nobody can log in with a browser here")
    cookies = request.headers.get("cookie")
    begun = login_in(cookies)
    if begun is None:
        raise Unauthenticated(
            "this browser has begun no login, or too long ago: begin at /auth/login", reason="wrong_state"
        )
    try:
        subject = await app.browser_login.finish(begun, _answer(request))
    except Unauthenticated as error:
        if (reason := error.details.get("reason")) in _REASONS:
            await app.access.refuse(AccessRefused(reason=str(reason), asked={"provider": begun.provider}))
        raise
    shown = await app.logins.begin(begun, subject, session_in(cookies))
    kept = [keep_session(shown), forget(LOGIN)]
    return Response(None, status_code=303, headers={"Location": begun.return_to}, cookies=kept)


def _answer(request: AnyRequest) -> dict[str, str]:
    """What the provider says. What is said twice could be read in two ways."""
    given = parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
    found = dict(given)
    if len(found) < len(given):
        raise malformed("query", "says something twice")
    return found


@post("/logout", **OPEN, status_code=204, responses=problems(400, 403, 503), summary="Log out")
async def log_out(app: InjectedApp, request: AnyRequest) -> Response[None]:
    """The session is ended, and refused within a second by every process. Nothing happens without one."""
    headers = headers_of(request.scope)
    shown = session_in(headers.get(b"cookie"))
    if shown is None:
        # Another site's form comes without the cookie, and must not have the browser forget it either.
        return Response(None, status_code=204)
    try:
        principal = await app.logins.principal(shown)
        await app.logins.check_own_page(shown, principal, BrowserRequest("POST", request.url.path, headers))
    except Unauthenticated:
        pass  # it has ended already, or its user is locked out: the session itself ends all the same
    await sync_to_thread(app.logins.logout, shown)
    return Response(None, status_code=204, cookies=[forget(SESSION)])


@get("/me", **OPEN, responses=problems(400, 401, 403, 503), summary="Who is logged in")
async def show_session(app: InjectedApp, request: AnyRequest) -> Me:
    """Who it is, until when, and what the pages of this server send along with a change."""
    headers = headers_of(request.scope)
    shown = session_in(headers.get(b"cookie"))
    if shown is None:
        raise Unauthenticated("nobody is logged in with this browser: log in at /auth/login")
    principal, session = await app.logins.who(shown)
    await app.logins.check_own_page(shown, principal, BrowserRequest("GET", request.url.path, headers))
    return Me(
        login=principal.login,
        user=session.user,
        session=session.session,
        expires_at=session.expires_at,
        csrf_token=shown.forgery_token(),
    )


ROUTES: tuple[Any, ...] = (begin_login, finish_login, log_out, show_session)
