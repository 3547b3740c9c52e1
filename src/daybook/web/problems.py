"""What went wrong, as `application/problem+json` (RFC 9457). The only place that knows an error's HTTP status."""

import logging
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap

from daybook import limits
from daybook.access.keys import without_secrets
from daybook.errors import DaybookError
from daybook.ids import new_id
from daybook.postgres import permission

_log = logging.getLogger(__name__)

ALIASES = "aliases"
"""Where it is noted among a route's options how a parameter is named when it is sent."""
MEDIA_TYPE = "application/problem+json"
TYPE = "urn:daybook:problem:"
"""What a problem's `type` starts with; the rest is its code, as in docs/reference/http.md."""
RETRY_AFTER_SECONDS = 2
INSTANCE_LENGTH_MAX = 500
"""Of the path that a problem repeats: an address may have tens of thousands of characters."""

STATUS: dict[str, int] = {
    "invalid_value": 422,
    "not_found": 404,
    "gone": 410,
    "refused": 409,
    "out_of_stock": 409,
    "version_conflict": 409,
    "command_id_reused": 422,
    "unavailable": 503,
    "not_permitted": 503,
    "unauthenticated": 401,
    "forbidden": 403,
}
"""Error code -> status; codes that are not named are 500. A version conflict is 412 where it was asked for."""
_PRECONDITIONS = frozenset({"if-match", "if-none-match"})

_HTTP_CODES = {
    400: "malformed",
    404: "no_such_route",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
    429: "too_many_requests",
}
_SHOWN = frozenset(
    {
        "field",
        "reason",
        "sku",
        "channel",
        "expected",
        "actual",
        "command_id",
        "position",
        "limit",
        "given",
        "permission",
    }
)
"""The details of an error that are for the caller; a rejected value is not sent back."""


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """RFC 9457, with `code` as the last part of `type` and what the error knows about its field."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    field: str | None = None
    reason: str | None = None
    sku: str | None = None
    channel: str | None = None
    expected: int | None = None
    actual: int | None = None
    command_id: str | None = None
    position: int | None = None
    limit: int | None = None
    given: int | None = None
    """Of what is beyond a limit: how much was sent."""
    permission: str | None = None
    """Of what is not allowed: what is lacking."""
    error_id: str | None = None
    """Of an unexpected error: what to look for in the log."""


class ClientGone(Exception):
    """The client left before it had sent its request: nobody waits for an answer, and nothing was done."""


def malformed(field: str, reason: str) -> HTTPException:
    """400 for a part of the request that can't be read, or that the route does not take."""
    return HTTPException(status_code=400, detail=f"{field}: {reason}", extra={"field": field, "reason": reason})


def plain(status: int, code: str, detail: str, instance: str = "/") -> Problem:
    """The problem of a request that reached no route."""
    return Problem(
        type=TYPE + code,
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        instance=instance,
        code=code,
    )


def problem(
    request: Request[Any, Any, Any], status: int, code: str, detail: str, headers: Any = None, **members: Any
) -> Response[bytes]:
    """The answer. `members` are further fields of `Problem`."""
    found = plain(status, code, detail, _path(request))
    body = msgspec.structs.replace(found, **members)
    return Response(msgspec.json.encode(body), status_code=status, media_type=MEDIA_TYPE, headers=headers)


def _path(request: Request[Any, Any, Any]) -> str:
    """As it is repeated: a key that somebody put into it is not."""
    return without_secrets(request.url.path)[:INSTANCE_LENGTH_MAX]


def domain_error(request: Request[Any, Any, Any], error: DaybookError) -> Response[bytes]:
    """An error that Daybook raised on purpose."""
    status = STATUS.get(error.code, 500)
    if error.code == "version_conflict" and not _PRECONDITIONS.isdisjoint(request.headers):
        status = 412
    if error.code == "unavailable":
        # The driver's text may tell hosts and accounts: it is for the log, not for the caller.
        _log.warning("%s %s: %s", request.method, request.url.path, error, extra=_fields(request))
        detail = "a server that Daybook needs can't be reached just now: repeat the request in a moment"
        return problem(request, status, error.code, detail, {"Retry-After": str(RETRY_AFTER_SECONDS)})
    if status == 500:
        return unexpected_error(request, error)
    shown = {name: value for name, value in error.details.items() if name in _SHOWN}
    headers = {"WWW-Authenticate": _challenge(error)} if status == 401 else None
    return problem(request, status, error.code, error.message, headers, **shown)


def _challenge(error: DaybookError) -> str:
    """RFC 6750, section 3: whoever sent no token is told of no error."""
    return 'Bearer realm="daybook"' + (', error="invalid_token"' if "reason" in error.details else "")


def not_permitted(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """What Postgres does not let Daybook do. The log learns of it too: it is for whoever runs the server."""
    refusal = permission.in_words(error)
    _log.warning("%s %s: %s", request.method, request.url.path, refusal, extra=_fields(request))
    return domain_error(request, refusal)


def http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """An error of the protocol: no such route, a malformed body or parameter, too large, and so on."""
    if error.status_code >= 500:
        return unexpected_error(request, error)
    detail, members = error.detail, {}
    match error.extra:
        case {"field": str() as field, "reason": str() as reason}:
            members = {"field": field, "reason": reason}
        case [{"message": str() as reason, **first}, *_]:
            field = str(first.get("key", "body"))
            if first.get("source") != "body":
                field = _handler_options(request).get(ALIASES, {}).get(field, field)
            detail, members = f"{field}: {reason}", {"field": field, "reason": reason}
    if error.status_code in (404, 405):
        detail = f"there is no {request.method} {_path(request)}: the routes are at /schema"
    if error.status_code == 413:
        most = request.app.state.body_bytes
        detail = f"{limits.BODY.of} may have at most {most:,} {limits.BODY.unit}. {limits.BODY.instead}"
    code = _HTTP_CODES.get(error.status_code, "malformed")
    headers = {"Allow": _allowed(error)} if error.status_code == 405 else error.headers
    return problem(request, error.status_code, code, detail, headers, **members)


def unexpected_error(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """A defect. The caller learns an id, the log learns everything."""
    error_id = new_id()
    fields = _fields(request) | {"error_id": error_id}
    _log.error("%s %s failed, error %s", request.method, request.url.path, error_id, exc_info=error, extra=fields)
    detail = f"an unexpected error: the log of the server has it as {error_id}"
    return problem(request, 500, "error", detail, error_id=error_id)


def client_gone(request: Request[Any, Any, Any], error: ClientGone) -> Response[bytes]:
    """Nobody reads it."""
    text = "%s %s: the client left before it had sent its request"
    _log.info(text, request.method, request.url.path, extra=_fields(request))
    return problem(request, 400, "malformed", "the request ended before its body did")


def _handler_options(request: Request[Any, Any, Any]) -> dict[str, Any]:
    handler = request.scope.get("route_handler")
    return {} if handler is None else handler.opt


def _fields(request: Request[Any, Any, Any]) -> dict[str, str]:
    """Of a line in the log. The form in which the log is written escapes what must not be in a line."""
    return {"method": request.method, "path": request.url.path}


def _allowed(error: HTTPException) -> str:
    """The methods of the path; what answers GET answers HEAD."""
    methods = set((error.headers or {}).get("allow", "").split(", "))
    return ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))


HANDLERS: ExceptionHandlersMap = {
    ClientGone: client_gone,
    **dict.fromkeys(permission.REFUSALS, not_permitted),
    DaybookError: domain_error,
    HTTPException: http_error,
    Exception: unexpected_error,
}
