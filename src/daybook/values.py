"""Values with rules: SKU, GTIN, money, locale. Checked where they enter, plain everywhere else.

Each `parse_*` returns the canonical form or raises `InvalidValue` naming the field and the reason.
"""

import re
from decimal import Decimal, InvalidOperation
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
AMOUNT_MAX = 10**15
"""Minor units. Far above any price, far below the 2**53 that JSON readers keep exact."""


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


@lru_cache
def exponent(currency: str, field: str = "currency") -> int:
    """How many decimals the currency's minor unit has: EUR 2, JPY 0, KWD 3 (ISO 4217)."""
    if not isinstance(currency, str):
        raise InvalidValue(field, "must be a three-letter ISO 4217 code such as EUR", currency)
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
    try:
        amount = Decimal(str(text))
        finite = amount.is_finite()
    except InvalidOperation:
        finite = False
    if not finite:
        raise InvalidValue(field, f"{text!r} is no decimal number; write it like 19.99", text) from None
    minor = amount.scaleb(digits)
    if minor != minor.to_integral_value():
        raise InvalidValue(field, f"{text} has more decimals than {currency} allows ({digits})", text)
    return check_money(Money(int(minor), currency), field)


def check_money(money: Money, field: str = "price") -> Money:
    """A price is zero or more, and small enough to stay exact in every JSON reader."""
    exponent(money.currency)
    if not 0 <= money.amount <= AMOUNT_MAX:
        raise InvalidValue(field, f"must be between 0 and {AMOUNT_MAX} minor units", money.amount)
    return money


@lru_cache
def parse_locale(text: str, field: str = "locale") -> Locale:
    """`nl_BE`, `nl-be` and `nl-BE` give `nl-BE`; an unknown language or region is refused."""
    if not isinstance(text, str):
        raise InvalidValue(field, "must be a BCP 47 tag such as nl-NL", text)
    try:
        found = BabelLocale.parse(text.replace("_", "-"), sep="-")
    except (ValueError, UnknownLocaleError):
        raise InvalidValue(field, f"{text!r} is no known locale; write a BCP 47 tag such as nl-NL", text) from None
    return Locale(str(found).replace("_", "-"))
