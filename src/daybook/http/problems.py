"""What went wrong, as `application/problem+json` (RFC 9457). The only place that knows an error's HTTP status."""

import logging
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap

from daybook.errors import DaybookError
from daybook.ids import new_id

_log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
TYPE = "urn:daybook:problem:"
"""What a problem's `type` starts with; the rest is its code, as in docs/reference/http.md."""
RETRY_AFTER_SECONDS = 2

STATUS: dict[str, int] = {
    "invalid_value": 422,
    "not_found": 404,
    "refused": 409,
    "version_conflict": 409,
    "command_id_reused": 422,
    "unavailable": 503,
}
"""Error code -> status; codes that are not named are 500. A version conflict is 412 where If-Match was given."""

_HTTP_CODES = {
    400: "malformed",
    404: "no_such_route",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
}
_SHOWN = frozenset({"field", "reason", "sku", "channel", "expected", "actual", "command_id", "position"})
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
    error_id: str | None = None
    """Of an unexpected error: what to look for in the log."""


def problem(
    request: Request[Any, Any, Any], status: int, code: str, detail: str, headers: Any = None, **members: Any
) -> Response[bytes]:
    """The answer. `members` are further fields of `Problem`."""
    body = Problem(
        type=TYPE + code,
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        instance=request.url.path,
        code=code,
        **members,
    )
    return Response(msgspec.json.encode(body), status_code=status, media_type=MEDIA_TYPE, headers=headers)


def domain_error(request: Request[Any, Any, Any], error: DaybookError) -> Response[bytes]:
    """An error that Daybook raised on purpose."""
    status = STATUS.get(error.code, 500)
    if error.code == "version_conflict" and "if-match" in request.headers:
        status = 412
    if error.code == "unavailable":
        # The driver's text may tell hosts and accounts: it is for the log, not for the caller.
        _log.warning("%s %s: %s", request.method, request.url.path, error)
        detail = "a server that Daybook needs can't be reached just now: repeat the request in a moment"
        return problem(request, status, error.code, detail, {"Retry-After": str(RETRY_AFTER_SECONDS)})
    if status == 500:
        return unexpected_error(request, error)
    shown = {name: value for name, value in error.details.items() if name in _SHOWN}
    return problem(request, status, error.code, error.message, **shown)


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
            detail, members = f"{field}: {reason}", {"field": field, "reason": reason}
    if error.status_code in (404, 405):
        detail = f"there is no {request.method} {request.url.path}: the routes are at /schema"
    if error.status_code == 413:
        detail = "the body is too large: send less at once, or use an import"
    code = _HTTP_CODES.get(error.status_code, "malformed")
    return problem(request, error.status_code, code, detail, error.headers, **members)


def unexpected_error(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """A defect. The caller learns an id, the log learns everything."""
    error_id = new_id()
    _log.error("%s %s failed, error %s", request.method, request.url.path, error_id, exc_info=error)
    detail = f"an unexpected error: the log of the server has it as {error_id}"
    return problem(request, 500, "error", detail, error_id=error_id)


HANDLERS: ExceptionHandlersMap = {
    DaybookError: domain_error,
    HTTPException: http_error,
    Exception: unexpected_error,
}
