"""Reading a column's name: `weight-unit`, `description-en_US-ecommerce`, `price-EUR`."""

from typing import Literal

import msgspec

from daybook.errors import InvalidValue
from daybook.events import AttributeDefined
from daybook.importing.akeneo.definitions import Definitions
from daybook.importing.akeneo.options import AkeneoOptions
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
    "-product_uuids-quantity",
)


class Column(msgspec.Struct, frozen=True):
    """A column that holds values of an attribute."""

    name: str
    attribute: AttributeDefined
    locale: str | None = None
    scope: str | None = None
    currency: str | None = None
    unit_column: str | None = None
    price_list: str | None = None


class Columns(msgspec.Struct, frozen=True):
    """What a file's columns hold."""

    values: tuple[Column, ...]
    gtin: str | None
    notices: tuple[Notice, ...]


def columns_of(table: Table, fixed: frozenset[str], definitions: Definitions, options: AkeneoOptions) -> Columns:
    """What the header says. A column that is not imported gives a notice, when anything is in it."""
    return _Header(table, fixed, definitions, options).read()


class _Header:
    """One file's columns, one after the other."""

    def __init__(self, table: Table, fixed: frozenset[str], definitions: Definitions, options: AkeneoOptions) -> None:
        self._table = table
        self._fixed = fixed
        self._definitions = definitions
        self._options = options
        self._units = {name for name in table.header if name.endswith("-unit")}
        self._values: list[Column] = []
        self._notices: list[Notice] = []
        self._taken: dict[tuple[str, str | None, str | None, str | None], str] = {}
        """What a column fills -> the column. Two spellings of one locale fill the same."""
        self._gtin: str | None = None

    def read(self) -> Columns:
        for name in self._table.header:
            reason = self._why_not(name)
            if reason is not None and (filled := self._table.filled.get(name)):
                rows = "1 row holds" if filled == 1 else f"{filled} rows hold"
                text = f"the column is not imported ({rows} something): {reason}"
                self._notices.append(Notice(self._table.file, name, text))
        return Columns(tuple(self._values), self._gtin, tuple(self._notices))

    def _why_not(self, name: str) -> str | None:
        """Takes the column, or says why not."""
        definitions, code = self._definitions, name.partition("-")[0]
        if definitions.gtin is not None and code == definitions.gtin.code:
            return self._take_gtin(name, definitions.gtin)
        if name in self._fixed or name == definitions.choices.identifier:
            return None
        if code in definitions.untaken:
            return definitions.untaken[code]
        if code not in definitions.attributes:
            if name == "groups" or name.endswith(_ASSOCIATION_ENDINGS):
                return "Daybook has no associations and groups between products"
            return f"attributes.csv defines no attribute {code!r}"
        if name in self._units:
            return None if name.removesuffix("-unit") in self._table.header else "it has no column of amounts"
        column = _column(name, definitions.attributes[code], self._units)
        if isinstance(column, str):
            return column
        place = (code, column.locale, column.scope, column.currency)
        if place in self._taken:
            return f"it fills the same as the column {self._taken[place]}"
        self._taken[place] = name
        self._values.append(self._priced(column) if column.currency is not None else column)
        return None

    def _take_gtin(self, name: str, attribute: AttributeDefined) -> str | None:
        """The GTIN is one text: of a column for each locale or channel, the chosen one counts."""
        column = _column(name, attribute, self._units)
        if isinstance(column, str):
            return column
        if not self._chosen(column):
            return "a product has one GTIN, and another channel or locale was chosen for it (--channel, --locale)"
        if self._gtin is not None:
            return f"it fills the same as the column {self._gtin}"
        self._gtin = name
        return None

    def _chosen(self, column: Column) -> bool:
        chosen = self._definitions.choices
        main = chosen.locales[0] if chosen.locales else None
        return column.locale in (None, main) and column.scope in (None, chosen.scope)

    def _priced(self, column: Column) -> Column:
        """The attribute decides where a price goes; one of another channel gets a list of its own, and a notice.

        A channel shows the prices of one list, so those of the chosen channel and locale go where it looks for them.
        """
        code, options = column.attribute.code, self._options
        base = options.price_list if code == options.price_attribute else code
        if self._chosen(column):
            return msgspec.structs.replace(column, price_list=base)
        price_list = ".".join(part for part in (base, column.locale, column.scope) if part)
        if self._table.filled.get(column.name):
            text = (
                f"its prices go into the price list {price_list}, which a channel shows when its configuration names "
                f"it; into {base} go those of the chosen channel and locale (--channel, --locale)"
            )
            self._notices.append(Notice(self._table.file, column.name, text))
        return msgspec.structs.replace(column, price_list=price_list)


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
