"""Who sends a command, why, and what it rests on: read from the request's headers."""

import re
from typing import Annotated

import msgspec
from litestar.params import HeaderParameter

from daybook.errors import InvalidValue
from daybook.log.pending import Context

HEADER_LENGTH_MAX = 200
REASON_LENGTH_MAX = 1000
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
Actor = Annotated[str | None, HeaderParameter(name="X-Actor", description="Who sends it; `http` when not given.")]
Reason = Annotated[str | None, HeaderParameter(name="X-Reason", description="Why, for the history.")]
Correlation = Annotated[str | None, HeaderParameter(name="X-Correlation-Id", description="What it belongs to.")]


class Caller(msgspec.Struct, frozen=True):
    """The command's columns, and how it is to be carried out."""

    context: Context
    expected_version: int | None
    repeatable: bool


def caller(
    idempotency_key: Key = None,
    if_match: Match = None,
    actor: Actor = None,
    reason: Reason = None,
    correlation: Correlation = None,
) -> Caller:
    """The caller of this request. Raises InvalidValue for a header that is too long or malformed."""
    key = _text(idempotency_key, "Idempotency-Key", HEADER_LENGTH_MAX)
    if key is not None and len(key) > 1 and key[0] == key[-1] == '"':
        key = key[1:-1]  # draft-ietf-httpapi-idempotency-key: the header is a structured string, in quotes
    if key == "":
        raise InvalidValue("Idempotency-Key", "must not be empty: leave it out, or choose a key")
    context = Context.new(
        _text(actor, "X-Actor", HEADER_LENGTH_MAX) or "http",
        "http",
        reason=_text(reason, "X-Reason", REASON_LENGTH_MAX) or None,
        command_id=key,
        correlation_id=_text(correlation, "X-Correlation-Id", HEADER_LENGTH_MAX) or None,
    )
    return Caller(context, _version(if_match), key is not None)


def _text(given: str | None, field: str, length_max: int) -> str | None:
    """Headers arrive as Latin-1 whatever their sender meant; today that is mostly UTF-8."""
    if given is None:
        return None
    try:
        text = given.encode("latin-1").decode("utf-8").strip()
    except UnicodeError:
        text = given.strip()
    if len(text) > length_max:
        raise InvalidValue(field, f"is {len(text)} characters long; at most {length_max} are allowed")
    if "\x00" in text:
        raise InvalidValue(field, "holds a NUL character")
    return text


def _version(if_match: str | None) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    found = _ETAG.match(if_match.strip())
    if found is None:
        raise InvalidValue("If-Match", 'must be one ETag that Daybook gave, such as "3", or *', if_match)
    return int(found[1])
