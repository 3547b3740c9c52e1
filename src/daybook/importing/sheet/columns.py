"""What the columns of a sheet mean: the fields that the history and the comparisons name. Pure."""

import re
from typing import Any, Literal

import msgspec

from daybook.catalogue.reference import Reference
from daybook.catalogue.typed import truth, value
from daybook.errors import InvalidValue
from daybook.product.state import slot_parts

Noun = Literal["sku", "plain", "attributes", "prices", "stock", "channels", "categories", "discontinued"]
_PLAIN = ("gtin", "kind", "parent", "family")
_COMMA = re.compile(r"([+-]?\d+),(\d+)( .*)?\Z")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_GUARD = re.compile(r"'+[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?\Z")


class SheetColumn(msgspec.Struct, frozen=True):
    """One column."""

    name: str
    noun: Noun
    rest: str = ""
    """The attribute's slot, list and currency, location or channel."""

    @property
    def field(self) -> str:
        """The product's field, as the history names it."""
        return f"attributes.{self.rest}" if self.noun == "attributes" else self.name


def column(name: str, reference: Reference) -> SheetColumn | str:
    """What a column means, or why nobody knows.

    `sku`, `gtin`, `kind`, `parent`, `family`, `categories`, `discontinued`, `prices.<list>.<currency>`,
    `stock.<location>`, `channels.<name>`, and `attributes.<attribute>@<locale>#<scope>`, of which `attributes.` may be
    left out.
    """
    noun, _, rest = name.partition(".")
    if name == "sku" or name in _PLAIN:
        return SheetColumn(name, "sku" if name == "sku" else "plain", name)
    if name == "categories":
        return SheetColumn(name, "categories")
    if name == "discontinued":
        return SheetColumn(name, "discontinued")
    if noun == "prices" and len(rest.rpartition(".")[0]) and len(rest.rpartition(".")[2]) == 3:
        return SheetColumn(name, "prices", rest)
    if noun in ("stock", "channels") and rest:
        return SheetColumn(name, "stock" if noun == "stock" else "channels", rest)
    slot = rest if noun == "attributes" and rest else name
    if slot_parts(slot)[0] in reference.attributes:
        return SheetColumn(name, "attributes", slot)
    return (
        f"the column {name!r} means nothing here: name it as `daybook catalogue diff` names fields (sku, gtin, "
        "prices.default.EUR, stock.main, channels.NAME, categories, name@nl-NL), define the attribute, or take it out"
    )


def said(column: SheetColumn, text: str, reference: Reference, *, decimal_comma: bool) -> Any:
    """What a cell says, as a description has it; None removes. Raises InvalidValue."""
    text = unguarded(text)
    if not text.strip():
        return None
    match column.noun:
        case "attributes":
            definition = reference.attributes[slot_parts(column.rest)[0]]
            if definition.type in ("number", "measure"):
                text = _decimal(column.name, text, decimal_comma)
            return msgspec.to_builtins(value(definition, text if definition.type == "text" else text.strip()))
        case "prices":
            return _decimal(column.name, text, decimal_comma)
        case "stock":
            if not re.fullmatch(r"\d{1,15}", text.strip()):
                raise InvalidValue(column.name, "must be a whole number of pieces", text)
            return int(text)
        case "channels" | "discontinued":
            return truth(column.name, text.strip())
        case "categories":
            return [code.strip() for code in text.replace("|", ",").split(",") if code.strip()]
    return text.strip()


def _decimal(field: str, text: str, comma: bool) -> str:
    """A decimal with a point. A comma is one where cells are parted by semicolons, or where it can be no other."""
    text = text.strip().replace("\u00a0", "")
    found = _COMMA.match(text)
    if found is None:
        return text
    if not comma and len(found[2]) == 3:
        raise InvalidValue(field, "may be a decimal or thousands: write it with a point, or without a comma", text)
    return f"{found[1]}.{found[2]}{found[3] or ''}"


def guarded(text: str) -> str:
    """The text as a cell that no spreadsheet takes for a formula; `unguarded` gives it back."""
    if _GUARD.match(text) or (text.startswith(_FORMULA) and not _NUMBER.match(text)):
        return f"'{text}"
    return text


def unguarded(cell: str) -> str:
    """The text of a cell: the apostrophe before what would be a formula goes."""
    return cell[1:] if _GUARD.match(cell) else cell
