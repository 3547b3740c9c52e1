"""Values with rules: SKU, GTIN, money, locale. Checked where they enter, plain everywhere else.

Each `parse_*` returns the canonical form or raises `InvalidValue` naming the field and the reason.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import NewType

import iso4217
import msgspec
from babel import Locale as BabelLocale
from babel.core import get_global
from stdnum import ean

from daybook import limits
from daybook.errors import InvalidValue
from daybook.limits import Limit

Sku = NewType("Sku", str)
Locale = NewType("Locale", str)
"""BCP 47, `nl-BE`: a language, and where it is said a script, a region and variants."""

_SKU = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~:+-]*\Z")
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}\Z")
DECIMAL_PATTERN = r"^[+-]?[0-9]{1,30}(\.[0-9]{1,30})?$"
_DECIMAL = re.compile(DECIMAL_PATTERN.replace("$", r"\Z"))
_TAG = re.compile(
    r"(?P<language>[A-Za-z]{2,3})(-(?P<script>[A-Za-z]{4}))?(-(?P<region>[A-Za-z]{2}|[0-9]{3}))?"
    r"(?P<variants>(-([A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3})){0,3})\Z"
)
AMOUNT_MAX = 10**15
"""Minor units. Far above any price, far below the 2**53 that JSON readers keep exact."""


NUMBER_LENGTH_MAX = 25


class Money(msgspec.Struct, frozen=True, order=True):
    """An amount in integer minor units and its ISO 4217 currency: `Money(1999, "EUR")` is € 19.99."""

    amount: int
    currency: str

    def decimal(self) -> Decimal:
        """The amount in major units, exact: `Decimal("19.99")`."""
        return Decimal(self.amount).scaleb(-exponent(self.currency))

    def __str__(self) -> str:
        return f"{self.decimal():f} {self.currency}"


def parse_sku(text: object, field: str = "sku") -> Sku:
    """A SKU is 1 to 64 of `A-Z a-z 0-9 . _ ~ : + -`, starting with a letter or digit: safe in paths and keys."""
    if not isinstance(text, str) or not text:
        raise InvalidValue(field, "must be a text that is not empty", text)
    check_limit(limits.SKU, len(text), field)
    if not _SKU.match(text):
        raise InvalidValue(
            field, "may hold letters, digits and . _ ~ : + - only, and starts with a letter or digit", text
        )
    return Sku(text)


def parse_code(text: object, field: str) -> str:
    """The name of an attribute, family, category, location, price list or channel."""
    if not isinstance(text, str) or not _CODE.match(text):
        raise InvalidValue(field, "must be 1 to 100 letters, digits, _ . -, starting with a letter or digit", text)
    return text


def gtin_problem(text: str) -> str | None:
    """Why this is not a GTIN (GS1: 8, 12, 13 or 14 digits with a check digit), or None when it is one.

    A bad GTIN is kept and flagged, never dropped: real catalogues hold placeholders that people rely on.
    """
    if not text.isascii() or not text.isdigit():
        return "holds something other than digits"
    if len(text) not in (8, 12, 13, 14):
        return f"has {len(text)} digits; a GTIN has 8, 12, 13 or 14"
    if not text.strip("0"):
        return "is zeros only, which stands for none"  # its check digit is right
    if not ean.is_valid(text):
        return f"has the wrong check digit: {text[:-1]} needs {ean.calc_check_digit(text[:-1])}, not {text[-1]}"
    return None


def check_limit(limit: Limit, given: int, field: str) -> None:
    """Raises InvalidValue when this is more than is taken, with the limit, what was given and what to do instead."""
    if reason := limit.excess(given):
        raise InvalidValue(field, reason, limit=limit.most, given=given)


def check_time(time: datetime, field: str) -> datetime:
    """A time that names its zone and can be told in any: not within a day of the first and the last that there are."""
    if time.tzinfo is None:
        raise InvalidValue(field, "needs a time zone", time.isoformat())
    if not 1 < time.year < 9999:
        raise InvalidValue(field, "must be between the years 2 and 9998", time.isoformat())
    return time


def check_text(text: str, field: str, longest: Limit) -> str:
    """A text that is not empty, within the limit, without NUL, which neither psql nor most channels can show."""
    if not text:
        raise InvalidValue(field, "must not be empty", text)
    check_limit(longest, len(text), field)
    if "\x00" in text:
        raise InvalidValue(field, "holds a NUL character", None)
    return text


def exponent(currency: object, field: str = "currency") -> int:
    """How many decimals the currency's minor unit has: EUR 2, JPY 0, KWD 3 (ISO 4217)."""
    if not isinstance(currency, str):
        raise InvalidValue(field, "must be a three-letter ISO 4217 code such as EUR", currency)
    return _exponent(currency, field)


@lru_cache
def _exponent(currency: str, field: str) -> int:
    try:
        found = iso4217.Currency(currency).exponent
    except ValueError:
        raise InvalidValue(
            field, f"{currency!r} is no ISO 4217 currency code; write three capitals such as EUR", currency
        ) from None
    if found is None:
        raise InvalidValue(field, f"{currency} has no minor unit and can't price a product", currency)
    return int(found)


def parse_money(text: object, currency: str, field: str = "price") -> Money:
    """`"19.99"` and `"EUR"` give `Money(1999, "EUR")`. No rounding: too many decimals are refused."""
    digits = exponent(currency)
    # The length is limited before the arithmetic, and the arithmetic is on integers: Decimal rounds silently beyond its
    # context's 28 digits, overflows on 1e999999999, and reads 1_000 and other scripts' digits as numbers.
    found = _DECIMAL.match(str(text))
    if not found:
        raise InvalidValue(field, f"{text!r} is no decimal number; write it like 19.99", text)
    whole, _, fraction = found[0].partition(".")
    if fraction[digits:].strip("0"):
        raise InvalidValue(field, f"{text} has more decimals than {currency} allows ({digits})", text)
    minor = int(whole + fraction[:digits].ljust(digits, "0"))
    return check_money(Money(minor, currency), field)


def check_money(money: Money, field: str = "price") -> Money:
    """A price is zero or more, and small enough to stay exact in every JSON reader."""
    exponent(money.currency)
    if not 0 <= money.amount <= AMOUNT_MAX:
        raise InvalidValue(field, f"must be between 0 and {AMOUNT_MAX} minor units", money.amount)
    return money


def parse_locale(text: object, field: str = "locale") -> Locale:
    """`nl_BE`, `nl-be` and `nl-BE` give `nl-BE`; a language, script or region that nobody knows is refused.

    Only the spelling is made one: no subtag is added, dropped or replaced by a newer one. So two codes never become
    one: `sr-Latn-CS` and `sr-Cyrl-CS` are two, and so are `zh-CN` and `zh-Hans-CN`.
    """
    if not isinstance(text, str):
        raise InvalidValue(field, "must be a BCP 47 tag such as nl-NL", text)
    return _locale(text, field)


@lru_cache
def _locale(text: str, field: str) -> Locale:
    found = _TAG.match(text.replace("_", "-"))
    if found is not None:
        language, script, region = found["language"].lower(), found["script"], found["region"]
        languages, scripts, regions = _known_subtags()
        script, region = script and script.title(), region and region.upper()
        if language in languages and script in scripts and region in regions:
            return Locale("-".join(part for part in (language, script, region) if part) + found["variants"].lower())
    raise InvalidValue(field, f"{text!r} is no known locale; write a BCP 47 tag such as nl-NL", text)


@lru_cache
def _known_subtags() -> tuple[frozenset[str], frozenset[str | None], frozenset[str | None]]:
    """Languages, scripts and regions of CLDR, with those that it replaces by newer ones, such as the region CS."""
    english = BabelLocale("en")
    spoken = {tag.partition("_")[0] for tag in (*get_global("likely_subtags"), *get_global("language_aliases"))}
    languages = (spoken | set(english.languages)) - {"und", "mul", "root"}
    scripts = {*english.scripts, *get_global("script_aliases"), None}
    regions = {*english.territories, *get_global("territory_aliases"), None}
    return frozenset(languages), frozenset(scripts), frozenset(regions)


_LIKELY: Mapping[str, str] = get_global("likely_subtags")
"""CLDR's guess at what a shorter tag means. Read now: whoever takes a locale apart must not open a file for it."""


class LocaleParts(msgspec.Struct, frozen=True):
    """A locale taken apart. `script` is None where it is the one that everybody expects: Hans of `zh-Hans-CN`."""

    language: str
    script: str | None
    region: str | None


@lru_cache
def locale_parts(locale: str) -> LocaleParts:
    """Takes apart a locale that `parse_locale` gave; what follows the region is left out.

    Most channels know a language and a region. A script that differs from the usual one (`sr-Latn-RS`) is another text
    to a reader, so it is told apart from one that says nothing new.
    """
    language, *rest = locale.split("-")
    script = rest.pop(0) if rest and len(rest[0]) == 4 and rest[0].isalpha() else None
    region = rest[0] if rest and (len(rest[0]) == 2 or (len(rest[0]) == 3 and rest[0].isdigit())) else None
    usual = _LIKELY.get(f"{language}_{region}") or _LIKELY.get(language, "")
    return LocaleParts(language, None if script in usual.split("_") else script, region)
