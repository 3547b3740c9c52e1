"""Values with rules: SKU, GTIN, money, locale. Checked where they enter, plain everywhere else.

Each `parse_*` returns the canonical form or raises `InvalidValue` naming the field and the reason.
"""

import re
from decimal import Decimal
from functools import lru_cache
from typing import NewType

import iso4217
import msgspec
from babel import Locale as BabelLocale
from babel import UnknownLocaleError
from stdnum import ean

from daybook.errors import InvalidValue

Sku = NewType("Sku", str)
Locale = NewType("Locale", str)
"""BCP 47, `nl-BE`: a language, and usually a region."""

SKU_LENGTH_MAX = 64
_SKU = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~:+-]*\Z")
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}\Z")
_DECIMAL = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?\Z")
_TAG = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*\Z")
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
    if len(text) > SKU_LENGTH_MAX:
        raise InvalidValue(field, f"is {len(text)} characters long; at most {SKU_LENGTH_MAX} are allowed", text)
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
    if not ean.is_valid(text):
        return f"has the wrong check digit: {text[:-1]} needs {ean.calc_check_digit(text[:-1])}, not {text[-1]}"
    return None


def check_text(text: str, field: str, length_max: int) -> str:
    """A text of 1 to `length_max` characters without NUL, which neither psql nor most channels can show."""
    if not 1 <= len(text) <= length_max:
        raise InvalidValue(field, f"must be 1 to {length_max} characters long", text[:100])
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
    """`nl_BE`, `nl-be` and `nl-BE` give `nl-BE`; an unknown language or region is refused."""
    if not isinstance(text, str):
        raise InvalidValue(field, "must be a BCP 47 tag such as nl-NL", text)
    return _locale(text, field)


@lru_cache
def _locale(text: str, field: str) -> Locale:
    try:
        # Babel alone would also take POSIX names (`de_DE@euro`), whose @ has another meaning in our slots.
        found = BabelLocale.parse(text.replace("_", "-"), sep="-") if _TAG.match(text) else None
    except (ValueError, UnknownLocaleError):
        found = None
    if found is None:
        raise InvalidValue(field, f"{text!r} is no known locale; write a BCP 47 tag such as nl-NL", text)
    return Locale(str(found).replace("_", "-"))
