"""Who sends a command, why, and what it rests on: read from the request's headers."""

import re
from typing import Annotated, Any

import msgspec
from litestar import Request
from litestar.di import NamedDependency
from litestar.params import HeaderParameter

from daybook import limits
from daybook.access.authority import Principal
from daybook.errors import InvalidValue
from daybook.limits import Limit
from daybook.log.pending import Context
from daybook.values import check_limit
from daybook.web.header_text import header_text

_ETAG = re.compile(r'"(\d{1,18})(?:-[0-9a-f]+)?"\Z')

Key = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        description="Chosen by the caller, at most 200 characters: the same command sent again with it is carried out "
        "once and gives the first answer.",
    ),
]
Match = Annotated[
    str | None,
    HeaderParameter(name="If-Match", description='The ETag on which the wish rests, `"3"`; 412 when it has moved on.'),
]
NoneMatch = Annotated[
    str | None,
    HeaderParameter(name="If-None-Match", description="`*`: only when there is none yet; 412 when there is."),
]
Known = Annotated[
    str | None,
    HeaderParameter(name="If-None-Match", description="The ETag of what the caller has: 304 when it still stands."),
]
"""Of a question; the others are a command's."""
Actor = Annotated[
    str | None,
    HeaderParameter(
        name="X-Actor",
        description="Who did it, where the key may act for others (`act.for-others`); its own user when not given.",
    ),
]
Reason = Annotated[str | None, HeaderParameter(name="X-Reason", description="Why, for the history.")]
Correlation = Annotated[str | None, HeaderParameter(name="X-Correlation-Id", description="What it belongs to.")]


class Caller(msgspec.Struct, frozen=True):
    """The command's columns, and how it is to be carried out."""

    context: Context
    expected_version: int | None
    repeatable: bool
    principal: Principal
    """Who was authenticated."""


def caller(
    principal: NamedDependency[Principal],
    granted: NamedDependency[str | None] = None,
    idempotency_key: Key = None,
    if_match: Match = None,
    if_none_match: NoneMatch = None,
    actor: Actor = None,
    reason: Reason = None,
    correlation: Correlation = None,
) -> Caller:
    """The caller of this request. Raises InvalidValue for a header that is too long or malformed."""
    key = _text(idempotency_key, "Idempotency-Key", limits.NAME)
    if key is not None and len(key) > 1 and key[0] == key[-1] == '"':
        key = key[1:-1]  # draft-ietf-httpapi-idempotency-key: the header is a structured string, in quotes
    if key == "":
        raise InvalidValue("Idempotency-Key", "must not be empty: leave it out, or choose a key")
    context = Context.new(
        _text(actor, "X-Actor", limits.NAME) or principal.login,
        "http",
        reason=_text(reason, "X-Reason", limits.REASON) or None,
        command_id=key,
        correlation_id=_text(correlation, "X-Correlation-Id", limits.NAME) or None,
    )
    context = msgspec.structs.replace(context, access=granted)
    return Caller(context, _expected(if_match, if_none_match), key is not None, principal)


def authenticated(request: Request[Principal, Any, Any]) -> Principal:
    """Who was authenticated."""
    return request.user


def granted(request: Request[Principal, str | None, Any]) -> str | None:
    """The key and the grant that let the request in, as an event says it. A command of the book says more exactly."""
    return request.auth


def asker(
    principal: NamedDependency[Principal],
    granted: NamedDependency[str | None] = None,
    actor: Actor = None,
    reason: Reason = None,
    correlation: Correlation = None,
) -> Context:
    """Who asks for a person's data or has it erased, and why. Raises InvalidValue for a header that is too long."""
    return caller(principal, granted, actor=actor, reason=reason, correlation=correlation).context


def _text(given: str | None, field: str, longest: Limit) -> str | None:
    if given is None:
        return None
    text = header_text(given)
    check_limit(longest, len(text), field)
    if "\x00" in text:
        raise InvalidValue(field, "holds a NUL character")
    return text


def _expected(if_match: str | None, if_none_match: str | None) -> int | None:
    if if_none_match is None:
        return _version(if_match)
    if if_none_match.strip() != "*":
        raise InvalidValue("If-None-Match", "must be *: only when there is none yet", if_none_match)
    if if_match is not None:
        raise InvalidValue("If-None-Match", "says that there is none yet, If-Match that there is one: give one of them")
    return 0


def _version(if_match: str | None) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    found = _ETAG.match(if_match.strip())
    if found is None:
        raise InvalidValue("If-Match", 'must be one ETag that Daybook gave, such as "3", or *', if_match)
    return int(found[1])
