"""What a product is found by, as short texts that an index holds: `family:shoes`, `has:gtin`, `is:color=red`. Pure.

Whoever lists products for finding writes them, and whoever asks looks for them: both take them from here.
"""

import re
import unicodedata
from collections.abc import Iterator

from daybook.events import Measure, Value

VALUE_MAX = 100
"""Characters of a value that is found whole; longer texts are found by their words."""
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_APART = 8
"""Amounts of one power of two are told apart in so many parts."""


def folded(text: str) -> str:
    """The text in small letters without accents and tags: `Crème` and `creme` are the same."""
    plain = unicodedata.normalize("NFKD", _TAG.sub(" ", text).replace("\0", " "))
    return "".join(one for one in plain if not unicodedata.combining(one)).casefold()


def band(amount: int) -> int:
    """The band of an amount: a greater amount is never in a lower one, so that a range is a few bands."""
    if amount < 2 * _APART:
        return max(amount, 0)
    bits = amount.bit_length()
    return bits * _APART + (amount >> (bits - 4)) - _APART


def bands(lowest: int | None, highest: int | None) -> range:
    """The bands in which the amounts of a range lie; None is without a bound."""
    return range(band(lowest or 0), band(MOST if highest is None else min(highest, MOST)) + 1)


MOST = 10**18
"""More than any amount."""


def said(value: Value) -> Iterator[str]:
    """The value as marks name it: each option of several, an amount with its unit; nothing for a long text."""
    match value:
        case bool():
            yield "true" if value else "false"
        case list():
            yield from (folded(one) for one in value)
        case Measure(amount=amount, unit=unit):
            yield folded(f"{amount} {unit}")
        case float() if value.is_integer():
            yield str(int(value))
        case str() if len(value) > VALUE_MAX:
            return
        case _:
            yield folded(str(value)).strip()
