"""Reading a column's name: `weight-unit`, `description-en_US-ecommerce`, `price-EUR`."""

from typing import Literal

import msgspec

from daybook.errors import InvalidValue
from daybook.events import AttributeDefined
from daybook.importing.akeneo.definitions import Definitions
from daybook.importing.akeneo.options import Options
from daybook.importing.akeneo.tables import Table, locale_of
from daybook.importing.rows import Notice
from daybook.values import exponent

_ASSOCIATION_ENDINGS = (
    "-groups",
    "-products",
    "-product_models",
    "-product_uuids",
    "-products-quantity",
    "-product_models-quantity",
)


class Column(msgspec.Struct, frozen=True):
    """A column that holds values of an attribute."""

    name: str
    attribute: AttributeDefined
    locale: str | None = None
    scope: str | None = None
    currency: str | None = None
    unit_column: str | None = None


class Columns(msgspec.Struct, frozen=True):
    """What a file's columns hold."""

    values: tuple[Column, ...]
    gtin: str | None
    notices: tuple[Notice, ...]


def columns_of(table: Table, fixed: frozenset[str], definitions: Definitions, options: Options) -> Columns:
    """What the header says. A column that is not imported gives a notice, when anything is in it."""
    values: list[Column] = []
    notices: list[Notice] = []
    gtin = None
    units = {name for name in table.header if name.endswith("-unit")}
    for name in table.header:
        code = name.partition("-")[0]
        if name in fixed or name == definitions.identifier:
            continue
        if name == options.gtin_attribute:
            gtin = name
            continue
        if code not in definitions.attributes:
            reason = _why_not(name, code, definitions)
        elif name in units:
            continue
        else:
            found = _column(name, definitions.attributes[code], units)
            if isinstance(found, Column):
                values.append(found)
                continue
            reason = found
        if table.filled.get(name):
            rows = "1 row holds" if table.filled[name] == 1 else f"{table.filled[name]} rows hold"
            notices.append(Notice(table.file, name, f"the column is not imported ({rows} something): {reason}"))
    return Columns(tuple(values), gtin, tuple(notices))


def _why_not(name: str, code: str, definitions: Definitions) -> str:
    if code in definitions.untaken:
        return definitions.untaken[code]
    if name == "groups" or name.endswith(_ASSOCIATION_ENDINGS):
        return "Daybook has no associations and groups between products"
    return f"attributes.csv defines no attribute {code!r}"


def _column(name: str, attribute: AttributeDefined, units: set[str]) -> Column | str:
    """The column, or why its name does not fit the attribute."""
    parts = name.split("-")[1:]
    wanted: list[Literal["locale", "scope", "currency"]] = []
    wanted += ["locale"] if attribute.localizable else []
    wanted += ["scope"] if attribute.scopable else []
    wanted += ["currency"] if attribute.type == "price" else []
    if len(parts) != len(wanted):
        shape = "".join(f"-<{part}>" for part in wanted)
        return f"columns of {attribute.code} are named {attribute.code}{shape}"
    named = dict(zip(wanted, parts, strict=True))
    locale = None
    if "locale" in named:
        locale = locale_of(named["locale"])
        if locale is None:
            return f"{named['locale']!r} is no known locale"
    if "currency" in named:
        try:
            exponent(named["currency"])
        except InvalidValue as error:
            return str(error.details["reason"])
    unit = f"{name}-unit" if f"{name}-unit" in units else None
    return Column(name, attribute, locale, named.get("scope"), named.get("currency"), unit)
