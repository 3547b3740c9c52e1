"""What the cells of one line say of a product: fields as a description has them. Pure."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

import msgspec

from daybook.catalogue.reference import Reference
from daybook.catalogue.typed import value
from daybook.errors import DaybookError, InvalidValue
from daybook.events import AttributeDefined
from daybook.importing.rows import Flag
from daybook.product.state import slot
from daybook.values import exponent, parse_code, parse_locale, parse_money

_AMOUNT = re.compile(r"([+-]?\d+)(?:([.,])(\d+))?(?:\s*([A-Z]{3}))?\Z", re.ASCII)
_WHOLE = re.compile(r"(-?\d{1,15})([.,]0+)?\Z", re.ASCII)
_LOCALIZED = ("name", "description", "short_description")
"""Attributes that a first definition makes different by locale, where a locale is given."""
Fields = dict[str, Any]


class Undecided(DaybookError):
    """What the file does not say and nobody may guess."""

    code = "import_refused"


class ShopOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a person decides about a shop's file."""

    create: bool = False
    """A SKU that the book does not know is a new product, and what is not defined yet is defined."""
    currency: str | None = None
    """Of prices that name none. It is never guessed."""
    price_list: str = "default"
    locale: str | None = None
    """Of texts that differ by locale."""
    location: str = "main"
    """Where the pieces lie."""
    list_on: tuple[str, ...] = ()
    """Channels on which what is published is to be sold, and what is not is taken off."""


def checked(options: ShopOptions) -> ShopOptions:
    """The same, with the locale in its one spelling. Raises InvalidValue."""
    if options.currency is not None:
        exponent(options.currency, "currency")
    parse_code(options.price_list, "price_list")
    parse_code(options.location, "location")
    for name in options.list_on:
        parse_code(name, "list_on")
    locale = None if options.locale is None else parse_locale(options.locale)
    return msgspec.structs.replace(options, locale=locale)


class ShopCells:
    """What cells mean in this book, and the attributes that it would have to define for that."""

    def __init__(self, reference: Reference, options: ShopOptions) -> None:
        self._reference, self._options = reference, options
        self.defined: dict[str, AttributeDefined] = {}
        self._labels = {
            label.casefold(): one.code for one in reference.attributes.values() for label in one.labels.values()
        }

    def code_of(self, label: str) -> str:
        """The attribute that an option or an attribute of the shop is. Raises InvalidValue."""
        label = label.strip()
        known = label if label in self._reference.attributes else self._labels.get(label.casefold())
        if known is not None:
            return known
        plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode().casefold()
        return parse_code(re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:100], f"the option {label!r}")

    def attribute(self, code: str, text: str, unit: str | None = None) -> Fields:
        """A value of an attribute. Raises InvalidValue."""
        definition = self._definition(code, unit)
        locale = self._options.locale if definition.localizable else None
        if definition.localizable and locale is None:
            raise Undecided(f"{code} differs by locale: say in which locale the file is (--locale)")
        if definition.type == "measure" and unit is not None:
            text = f"{_decimal(code, text)[0]} {unit}"
        elif definition.type == "select" and text not in definition.options_by_code:
            same = (one.code for one in definition.options if text.casefold() in map(str.casefold, one.labels.values()))
            text = next(same, text)
        return {f"attributes.{slot(code, locale)}": msgspec.to_builtins(value(definition, text))}

    def price(self, name: str, text: str) -> Fields:
        """A price in the main list, or in one of this name. Raises InvalidValue."""
        amount, currency = _decimal(name or "price", text)
        currency = currency or self._options.currency or ""
        if not currency:
            raise Undecided("prices name no currency: say which it is (--currency)")
        parse_money(amount, currency, "price")
        return {f"prices.{name or self._options.price_list}.{currency}": amount}

    def stock(self, text: str) -> tuple[Fields, tuple[Flag, ...]]:
        """Pieces. Raises InvalidValue."""
        found = _WHOLE.match(text)
        if found is None:
            raise InvalidValue("stock", "must be a whole number of pieces", text)
        if found[1].startswith("-"):
            return {}, (Flag("stock", text, "is below zero: sold before it was counted. A count can't say so"),)
        return {f"stock.{self._options.location}": int(found[1])}, ()

    def listed(self, on: bool) -> Fields:
        """Whether it is sold on the channels that were named."""
        return {f"channels.{name}": on for name in self._options.list_on}

    def _definition(self, code: str, unit: str | None) -> AttributeDefined:
        there = self._reference.attributes.get(code) or self.defined.get(code)
        if there is not None:
            return there
        localizable = code in _LOCALIZED and self._options.locale is not None
        kind: Any = "measure" if unit else "textarea" if code == "description" else "text"
        made = AttributeDefined(code=code, type=kind, unit=unit, localizable=localizable)
        self.defined[code] = made
        return made


def images(urls: Mapping[str, None]) -> Fields:
    """Pictures in their order, under ids that stay when the file comes again."""
    return {
        f"media.image-{number}": {"media_id": f"image-{number}", "url": url, "role": "image"}
        for number, url in enumerate(urls, 1)
    }


def _decimal(field: str, text: str) -> tuple[str, str | None]:
    """A decimal with a point, and its currency where one is named. Raises InvalidValue."""
    found = _AMOUNT.match(text.replace("\u00a0", " ").strip())
    if found is None:
        raise InvalidValue(field, "must be a decimal number such as 19.99", text)
    whole, mark, fraction, currency = found.groups()
    if mark == "," and len(fraction) == 3:
        raise InvalidValue(field, "may be a decimal or thousands: write it with a point, or without a comma", text)
    return (whole if fraction is None else f"{whole}.{fraction}"), currency
