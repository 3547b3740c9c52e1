"""The parameters of questions, and moments named in a URL."""

import re
from typing import Annotated

from litestar.params import QueryParameter

from daybook.log.reader import Reader
from daybook.queries.moment import Moment, resolve

At = Annotated[
    str | None,
    QueryParameter(
        name="at", description="As of this time: `2026-03-01` or `2026-03-01T09:00+01:00`; without a zone, UTC."
    ),
]
Position = Annotated[int | None, QueryParameter(name="position", description="As of this position of the log.")]
From = Annotated[str, QueryParameter(name="from", description="A time, or a position when it is all digits.")]
To = Annotated[
    str | None,
    QueryParameter(name="to", description="A time, or a position when it is all digits; now when not given."),
]
_SPACE_FOR_PLUS = re.compile(r"(T\S+) (\d\d(?::?\d\d)?)\Z", re.IGNORECASE)


def time_in_url(at: str | None) -> str | None:
    """`+` in a query string arrives as a space: the zone's sign is put back."""
    return None if at is None else _SPACE_FOR_PLUS.sub(r"\1+\2", at)


def moment(reader: Reader, at: str | None, position: int | None) -> Moment:
    """The moment that the two parameters name."""
    return resolve(reader, time_in_url(at), position)


def either(reader: Reader, named: str | None) -> Moment:
    """The moment that one parameter names: a position when it is all digits, else a time; None is now."""
    if named is not None and named.isascii() and named.isdigit():
        return resolve(reader, position=int(named[:19]))
    return resolve(reader, time_in_url(named))
