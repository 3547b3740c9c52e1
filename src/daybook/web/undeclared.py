"""Refuses what a route does not take and would ignore: a filter that was misspelled would give the whole list.

Parameters, the headers that Daybook reads, and bodies. The members of a body are in `members`.
"""

from collections import Counter
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from litestar import Litestar
from litestar.exceptions import HTTPException, InternalServerException
from litestar.handlers.base import BaseRouteHandler
from litestar.routes import HTTPRoute

from daybook import limits
from daybook.values import check_limit
from daybook.web.problems import ALIASES, ClientGone, malformed

TAKES = "takes"
"""Where it is noted among a route's options."""
_CHANGES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
READ = ("Idempotency-Key", "If-Match", "If-None-Match", "X-Actor", "X-Reason", "X-Correlation-Id")
_MISNAMED = {
    "x-idempotency-key": "Idempotency-Key",
    "x-if-match": "If-Match",
    "if-unmodified-since": "If-Match",
    "x-if-none-match": "If-None-Match",
}
"""Headers that others read for what we read another one for: without it a retry counts twice, or a guard is off."""
_NOTHING = (b"", b"{}", b"null")


class Takes(msgspec.Struct, frozen=True):
    """What a route takes."""

    parameters: frozenset[str]
    lists: frozenset[str]
    """Of these, those that may be given several times."""
    headers: frozenset[str]
    body: bool
    anything: bool = False
    """Parameters that others add on the way are passed over."""
    raw: bool = False
    """The body is whatever comes; the route reads it itself."""


ANYTHING: dict[str, Any] = {"takes_anything": True}
"""Of a route to which somebody else's server sends a browser."""


RAW_BODY: dict[str, Any] = {"takes_raw_body": True}
"""Of a route that reads a body's bytes as they came."""


def learn(application: Litestar) -> None:
    """Notes for each route what it takes, so that a request is compared without looking at signatures again."""
    for route in application.routes:
        if isinstance(route, HTTPRoute):
            for handler, model in route.route_handler_map.values():
                sent = (*model.expected_query_params, *model.expected_header_params)
                handler.opt[ALIASES] = {one.field_name: one.field_alias for one in sent}
                handler.opt[TAKES] = Takes(
                    parameters=frozenset(one.field_alias for one in model.expected_query_params),
                    lists=frozenset(model.sequence_query_parameter_names),
                    headers=frozenset(one.field_alias.lower() for one in model.expected_header_params),
                    body="data" in model.expected_reserved_kwargs,
                    anything=ANYTHING.items() <= handler.opt.items(),
                    raw=RAW_BODY.items() <= handler.opt.items(),
                )


async def refuse_undeclared(connection: Any, handler: BaseRouteHandler) -> None:
    """A guard. Raises HTTPException 400 for what the route does not take, InvalidValue, and ClientGone."""
    takes: Takes | None = handler.opt.get(TAKES)
    if takes is None or connection.scope["method"] == "OPTIONS":
        return
    changes = connection.scope["method"] in _CHANGES
    if not takes.anything:
        _check_parameters(takes, connection.scope["query_string"])
    for name, value in connection.scope["path_params"].items():
        check_limit(limits.PARAMETER, len(str(value)), name)
    _check_headers(takes, connection.scope["headers"], changes)
    if changes and not takes.raw:
        _check_body(takes, await _body(connection))


def _check_parameters(takes: Takes, query: bytes) -> None:
    given = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    for name, times in Counter(name for name, _ in given).items():
        if name not in takes.parameters:
            there = ", ".join(sorted(takes.parameters)) or "none"
            raise malformed(name[:100], f"there is no such parameter here; there are: {there}")
        if times > 1 and name not in takes.lists:
            raise malformed(name, f"is given {times} times: give it once")
    for name, value in given:
        if not value:
            raise malformed(name, "is empty: leave it out, or give it a value")
        check_limit(limits.PARAMETER, len(value), name)


def _check_headers(takes: Takes, raw: list[tuple[bytes, bytes]], changes: bool) -> None:
    given = Counter(name.decode("latin-1").lower() for name, _ in raw)
    for name in READ if changes else ("If-Match",):
        times = given[name.lower()]
        if times and name.lower() not in takes.headers:
            raise malformed(name, "this route does not take this header: leave it out")
        if times > 1:
            raise malformed(name, f"is given {times} times: give it once")
    for wrong, right in _MISNAMED.items() if changes else ():
        if given[wrong]:
            raise malformed(wrong, f"is not read here: the header is {right}")


def _check_body(takes: Takes, body: bytes) -> None:
    if takes.body and not body:
        raise malformed("body", "is missing: send a JSON object as application/json, {} when there is nothing to say")
    if not takes.body and body.strip() not in _NOTHING:
        raise malformed("body", "this route takes none: everything is in its address and its headers")


async def _body(connection: Any) -> bytes:
    try:
        body: bytes = await connection.body()
    except HTTPException as error:
        if isinstance(error, InternalServerException):
            # The framework's way to say it; left alone, it would be taken for a defect of ours.
            raise ClientGone from error
        raise
    return body
