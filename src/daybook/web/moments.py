"""Moments that a URL names: the parameters, and the positions of the log that they mean."""

import re
from typing import Annotated

from litestar.params import QueryParameter

from daybook import limits
from daybook.log.reader import Reader
from daybook.queries.moment import Moment, resolve
from daybook.values import check_text

_SCHEMA = {"maxLength": limits.FILTER.most}
At = Annotated[
    str | None,
    QueryParameter(
        name="at",
        description="As of this time: `2026-03-01` or `2026-03-01T09:00+01:00`; without a zone, UTC.",
        schema_extra=_SCHEMA,
    ),
]
Position = Annotated[
    int | None,
    QueryParameter(name="position", description="As of this position of the log.", schema_extra={"minimum": 0}),
]
From = Annotated[
    str,
    QueryParameter(
        name="from",
        description="A time, or a position when it is all digits.",
        schema_extra={"minLength": 1, **_SCHEMA},
    ),
]
To = Annotated[
    str | None,
    QueryParameter(
        name="to",
        description="A time, or a position when it is all digits; now when not given.",
        schema_extra=_SCHEMA,
    ),
]
Since = Annotated[
    str | None,
    QueryParameter(
        name="since",
        description="A time, or a position when it is all digits: only later ones.",
        schema_extra=_SCHEMA,
    ),
]
_SPACE_FOR_PLUS = re.compile(r"(T\S+) (\d\d(?::?\d\d)?)\Z", re.IGNORECASE)


def moment(reader: Reader, at: str | None, position: int | None) -> Moment:
    """The moment that the two parameters name."""
    return resolve(reader, time_in_url(at, "at"), position)


def either(reader: Reader, named: str | None, field: str) -> Moment:
    """The moment that one parameter names: a position when it is all digits, else a time; None is now."""
    if named is not None and named.isascii() and named.isdigit():
        return resolve(reader, position=int(named[:19]))
    return resolve(reader, time_in_url(named, field))


def time_in_url(at: str | None, field: str) -> str | None:
    """`+` in a query string arrives as a space: the zone's sign is put back."""
    return None if at is None else _SPACE_FOR_PLUS.sub(r"\1+\2", check_text(at, field, limits.FILTER))
