"""What is looked for: words, and terms such as `family=shoes`, `prices.default.EUR<20`, `missing=gtin`. Pure."""

import re
from collections.abc import Sequence
from typing import Literal

import msgspec

from daybook import limits
from daybook.catalogue.marks import folded
from daybook.errors import InvalidValue
from daybook.values import check_text

Operator = Literal["=", "!=", "<", "<=", ">", ">="]
_TERM = re.compile(r"\s*([^\s=<>!]+)\s*(!=|<=|>=|=|<|>)(.*)\Z", re.DOTALL)
STATES = ("due", "accepted", "confirmed", "rejected", "held")
"""What may be asked of a product on a channel, by its name."""
EXAMPLES = "family=shoes, missing=gtin, prices.default.EUR<20, stock>0, color=red"


class Term(msgspec.Struct, frozen=True):
    """A field, and what is asked of it."""

    field: str
    operator: Operator
    value: str
    parameter: str = "where"
    """How it was asked: what is wrong with it is told of this."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What products are looked for: all of it must hold."""

    words: tuple[str, ...] = ()
    """Folded."""
    terms: tuple[Term, ...] = ()

    @property
    def anything(self) -> bool:
        """Whether every product is looked for."""
        return not self.words and not self.terms


def wanted(text: str | None, terms: Sequence[str], asked: Sequence[Term] = ()) -> Wanted:
    """Words and terms as a person typed them, and terms that were asked in another way. Raises InvalidValue."""
    words = tuple(folded(check_text(text, "q", limits.FILTER)).split()) if text else ()
    for limit, number, field in (
        (limits.FIND_WORDS, len(words), "q"),
        (limits.FIND_TERMS, len(terms) + len(asked), "where"),
    ):
        if excess := limit.excess(number):
            raise InvalidValue(field, excess, number)
    for one in asked:
        check_text(one.value, one.parameter, limits.FILTER)
    return Wanted(words=words, terms=(*(term(one) for one in terms), *asked))


def term(text: str) -> Term:
    """`FIELD=VALUE`, or with `!=`, `<`, `<=`, `>`, `>=`. Raises InvalidValue."""
    found = _TERM.match(check_text(text, "where", limits.FILTER))
    if found is None:
        raise InvalidValue("where", f"must be a field, an operator and a value, such as {EXAMPLES}", text)
    return Term(found[1], msgspec.convert(found[2], Operator), found[3].strip())
