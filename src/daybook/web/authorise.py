"""Who asks, and may they? Nothing is answered before that is known; what declares nothing is refused."""

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
from litestar.concurrency import sync_to_thread
from litestar.handlers.base import BaseRouteHandler

from daybook.access.authority import NOTHING, Denied, Principal, Touched, access_column, decide
from daybook.access.keys import LOOKS_LIKE_KEY
from daybook.access.permissions import CATEGORY, CHANNEL, DIMENSIONS, LOCATION, PRICE_LIST, ROLES
from daybook.access.state import AccessGrant
from daybook.app import App
from daybook.authentication.logins import OF_BROWSERS, BrowserRequest
from daybook.commands.requirements import Requirement, required
from daybook.errors import Forbidden
from daybook.events import AccessRefused
from daybook.orders.state import channel_of
from daybook.queries.reach import above, touched_at
from daybook.web import key_limits
from daybook.web.cookies import session_in
from daybook.web.header_text import header_text
from daybook.web.needs import OPT, Needs
from daybook.web.problems import malformed
from daybook.web.undeclared import TAKES, Takes

STATE = "daybook"
"""Where the application keeps its `App`."""
ACT = "act.for-others"
_AUTHORIZATION, _ACTOR, _COOKIE = b"authorization", b"x-actor", b"cookie"
LOOKED_AT = frozenset({_AUTHORIZATION, _ACTOR, _COOKIE, *OF_BROWSERS})


async def authorise(connection: Any, handler: BaseRouteHandler) -> None:
    """A guard: the first one. Raises Unauthenticated, Forbidden, Unavailable and 429; then the user is known."""
    if connection.scope["method"] == "OPTIONS":
        return
    declared: Needs | None = handler.opt.get(OPT)
    if declared is None:
        raise Forbidden("this route declares no permission: it is refused to everybody", permission="none")
    if declared.open:
        return
    query: bytes = connection.scope["query_string"]
    for field, text in (("query", query.decode("latin-1")), ("path", connection.scope["path"])):
        if "dbk_" in text and LOOKS_LIKE_KEY.search(text):
            raise malformed(field, "holds a key, which now stands in logs: revoke it, and send `Authorization: Bearer`")
    app: App = connection.app.state[STATE]
    given = headers_of(connection.scope)
    principal = await _who(app, connection.scope, given)
    key_limits.begin(connection, principal.credential)
    parts = {name: str(value) for name, value in connection.scope["path_params"].items()}
    principal = await _acting(app, principal, given.get(_ACTOR), handler.opt[TAKES])
    connection.scope["user"] = principal
    named = {dimension: parts[part] for dimension, part in declared.named.items()}
    if declared.order is not None:
        named[CHANNEL] = channel_of(parts[declared.order])
    asked = {**named, **({"sku": parts[declared.sku]} if declared.sku else {})}
    denied: Denied | None = None
    for permission in declared.permissions:
        found = await _decided(app, principal, declared, permission, asked)
        if isinstance(found, AccessGrant):
            if not declared.command:
                app.access.used(principal, (found,))
            connection.scope["auth"] = access_column(principal, (found,))
            return
        denied = denied or found
    assert denied is not None
    refused = _refusal(principal, denied, declared.permissions[0], asked)
    await app.access.refuse(refused)
    raise _forbidden(refused, denied)


async def _who(app: App, scope: Any, given: dict[bytes, str]) -> Principal:
    """Who shows a key or a token; a browser that shows neither is who logged in with it, for pages of our own."""
    if _AUTHORIZATION in given or (shown := session_in(given.get(_COOKIE))) is None:
        return await app.access.principal(given.get(_AUTHORIZATION))
    principal = await app.logins.principal(shown)
    await app.logins.check_own_page(shown, principal, BrowserRequest(scope["method"], scope["path"], given))
    return principal


def headers_of(scope: Any) -> dict[bytes, str]:
    """Those that are looked at here. One that is given twice counts as all of it, so that neither hides the other."""
    found: dict[bytes, str] = {}
    for name, value in scope["headers"]:
        if name in LOOKED_AT:
            found[name] = ", ".join((*((found[name],) if name in found else ()), value.decode("latin-1")))
    return found


async def _decided(
    app: App, principal: Principal, declared: Needs, permission: str, asked: dict[str, str]
) -> AccessGrant | Denied:
    if (declared.command or declared.listed) and (held := principal.holding(permission)) is not None:
        # What exactly it is about is looked at later; any grant will do to get there.
        return held
    touched: Touched = {dimension: frozenset({asked[dimension]}) for dimension in asked if dimension in DIMENSIONS}
    facts = partial(touched_at, app.reader, asked["sku"]) if declared.sku else None
    if facts is None or all(one.scope.categories is None and one.scope.channels is None for one in principal.grants):
        return decide(principal, permission, touched, facts)
    found: AccessGrant | Denied = await sync_to_thread(decide, principal, permission, touched, facts)
    return found


async def _acting(app: App, principal: Principal, given: str | None, takes: Takes) -> Principal:
    """The principal, who must be allowed to act for others to name another as the actor, where that is told at all.

    With the grants that let it act for others and no other: what it may for itself alone it does in its own name.
    """
    if given is None or "x-actor" not in takes.headers or header_text(given) in ("", principal.login):
        return principal
    denied = decide(principal, ACT)
    if isinstance(denied, Denied):
        refused = _refusal(principal, denied, ACT, {})
        await app.access.refuse(refused)
        raise _forbidden(refused, denied)
    return msgspec.structs.replace(
        principal, grants=tuple(one for one in principal.grants if ACT in ROLES.get(one.role, ()))
    )


def authorised(app: App, principal: Principal, command: object) -> str | None:
    """What the command's events say of how it was allowed. Raises Forbidden. Blocks when a scope needs a look-up."""
    grants: list[AccessGrant] = []
    for one in required(command):
        found = decide(principal, one.permission, _touched(one), _facts(app, one))
        if isinstance(found, Denied):
            refused = _refusal(principal, found, one.permission, one.asked())
            if app.access.refusals.due(refused):
                app.access.refusals.tell(refused)
            raise _forbidden(refused, found)
        grants.append(found)
    app.access.used(principal, tuple(grants))
    return access_column(principal, grants)


def may(app: App, principal: Principal, command: object) -> bool:
    """Whether the command would be allowed; nothing is recorded, so nothing was refused."""
    found = (decide(principal, one.permission, _touched(one), _facts(app, one)) for one in required(command))
    return not any(isinstance(one, Denied) for one in found)


def _touched(one: Requirement) -> Touched:
    named = {CHANNEL: one.channel, PRICE_LIST: one.price_list, LOCATION: one.location}
    return {dimension: frozenset({name}) for dimension, name in named.items() if name is not None}


def _facts(app: App, one: Requirement) -> Callable[[], Touched]:
    """The categories and channels that count: the product's, its model's, or those with which it is to begin."""

    def look() -> Touched:
        for sku in (one.sku, one.parent):
            if sku is not None and (found := touched_at(app.reader, sku)):
                return found
        if one.parent is not None:
            return NOTHING  # a model that is not there is told from one that is outside by nobody
        named = one.categories if one.category is None else (one.category,)
        return {CATEGORY: above(app.book.reference(), named)} if named else NOTHING

    return look


def _refusal(principal: Principal, denied: Denied, permission: str, asked: dict[str, str]) -> AccessRefused:
    shown = {name: value[:100] for name, value in asked.items()}
    return AccessRefused(
        reason=denied.reason, user=principal.user, key=principal.credential, permission=permission, asked=shown
    )


def _forbidden(refused: AccessRefused, denied: Denied) -> Forbidden:
    return Forbidden(denied.message, permission=refused.permission)
