"""Product models and products of an export, as descriptions of what its columns say."""

import unicodedata
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec
from msgspec.structs import replace

from daybook.commands import DescribeProduct
from daybook.commands.describe import Kind, MediaItem, Price
from daybook.errors import InvalidValue
from daybook.events import AttributeChange, Measure, Value
from daybook.importing.akeneo.columns import Column, Columns, columns_of
from daybook.importing.akeneo.definitions import Codes, Definitions
from daybook.importing.akeneo.options import AkeneoOptions
from daybook.importing.akeneo.tables import Line, Table
from daybook.importing.rows import Entry, Flag, Row
from daybook.product.state import slot
from daybook.values import parse_sku

_MODEL_COLUMNS = frozenset({"code", "family_variant", "parent", "categories"})
_PRODUCT_COLUMNS = frozenset({"uuid", "categories", "enabled", "family", "parent"})
_TRUTH = {"1": True, "true": True, "0": False, "false": False}


class _Unfit(Exception):
    """A cell does not hold what its attribute is."""


class _Variant(msgspec.Struct, frozen=True):
    """A line of family_variants.csv: the family, and the axes of a root model and of the models below it."""

    family: str
    axes: tuple[tuple[str, ...], tuple[str, ...]]


class Products:
    """Rows for products, models before what has them as parent."""

    def __init__(self, tables: dict[str, Table], definitions: Definitions, options: AkeneoOptions) -> None:
        self._definitions = definitions
        self._options = options
        self._products = tables["products.csv"]
        self._models = tables.get("product_models.csv")
        self._variants = _variants(tables.get("family_variants.csv"), definitions)
        self._model_codes = Codes()
        self._family_of_model: dict[str, str] = {}
        for line in self._models or ():
            self._model_codes.add(_sku(line["code"]))
            variant = self._variants.get(line["family_variant"].lower())
            if variant is not None:
                self._family_of_model[_sku(line["code"])] = variant.family

    def entries(self) -> Iterator[Entry]:
        """Notices of a file, then its rows."""
        if self._models is not None:
            columns = columns_of(self._models, _MODEL_COLUMNS, self._definitions, self._options)
            yield from columns.notices
            for root in (True, False):
                for line in self._models:
                    if (line["parent"] == "") is root:
                        yield self._model(line, self._models, columns)
        columns = columns_of(self._products, _PRODUCT_COLUMNS, self._definitions, self._options)
        yield from columns.notices
        for line in self._products:
            yield self._product(line, columns)

    def _model(self, line: Line, table: Table, columns: Columns) -> Row:
        draft = _Draft(line, columns, self._definitions)
        variant = self._variants.get(line["family_variant"].lower())
        if variant is None:
            draft.refuse("family_variant", line["family_variant"], "is not defined in family_variants.csv")
        parent = self._model_codes.find(_sku(line["parent"])) or None
        wish = DescribeProduct(
            sku=_sku(line["code"]),
            kind="model",
            parent=parent,
            family=variant.family if variant else None,
            axes=variant.axes[0 if parent is None else 1] if variant else (),
        )
        return draft.row(table, wish)

    def _product(self, line: Line, columns: Columns) -> Row:
        """A column that is not there says nothing. What the file does not say counts for a new product only."""
        table, draft = self._products, _Draft(line, columns, self._definitions)
        parent = self._model_codes.find(_sku(line["parent"])) or None
        kind: Kind = "product" if parent is None else "variant"
        family = self._definitions.families.find(line["family"]) or None
        if family is None and parent is not None:
            family = self._family_of_model.get(parent)
        if_new: dict[str, Any] = {}
        wish = DescribeProduct(sku=_sku(line[self._definitions.choices.identifier]))
        if "parent" in table.header:
            wish = replace(wish, kind=kind, parent=parent)
        if "family" in table.header:
            # A file with families describes products whole, so it may create them.
            wish = replace(wish, family=family)
            if_new["kind"] = kind
        if self._options.list_on:
            enabled = _TRUTH.get(line["enabled"].lower())
            if line["enabled"] and enabled is None:
                draft.refuse("enabled", line["enabled"], "must be 1 or 0")
            elif enabled is None:
                if_new["channels"] = dict.fromkeys(self._options.list_on, True)
            else:
                wish = replace(wish, channels=dict.fromkeys(self._options.list_on, enabled))
        return draft.row(table, wish, if_new, may_create="family" in table.header)


class _Draft:
    """One row on its way to a description. A column that is there and empty removes what it would fill."""

    def __init__(self, line: Line, columns: Columns, definitions: Definitions) -> None:
        self._line = line
        self._columns = columns
        self._definitions = definitions
        self._refusals: list[Flag] = []
        self._attributes: list[AttributeChange] = []
        self._prices: list[Price] = []
        self._media: list[MediaItem] = []

    def refuse(self, field: str | None, value: str | None, reason: str) -> None:
        """The row will not be taken; all reasons are told."""
        self._refusals.append(Flag(field, None if value is None else value[:200], reason))

    def row(
        self, table: Table, wish: DescribeProduct, if_new: Mapping[str, Any] | None = None, *, may_create: bool = True
    ) -> Row:
        """The row with its values, or with why it has none."""
        line = self._line
        if line.problem is not None:
            self.refuse(None, None, line.problem)
        else:
            self._read_values()
            try:
                parse_sku(wish.sku)
            except InvalidValue as error:
                self.refuse("sku", wish.sku, str(error.details["reason"]))
        if self._refusals:
            flags = tuple(self._refusals)
            return Row(file=table.file, line=line.number, record=None, name=wish.sku or None, flags=flags)
        record = replace(
            wish,
            attributes=tuple(self._attributes),
            prices=tuple(self._prices),
            media=tuple(self._media),
        )
        if self._columns.gtin:
            record = replace(record, gtin=line[self._columns.gtin] or None)
        if "categories" in table.header:
            codes = tuple(self._definitions.categories.find(code) for code in line.codes("categories"))
            record = replace(record, categories=codes)
        return Row(
            file=table.file,
            line=line.number,
            record=record,
            if_new=if_new or {},
            may_create=may_create,
            known_categories=self._definitions.categories.all,
        )

    def _read_values(self) -> None:
        for column in self._columns.values:
            cell = self._line[column.name]
            try:
                self._read(column, cell)
            except _Unfit as error:
                self.refuse(column.name, cell, str(error))

    def _read(self, column: Column, cell: str) -> None:
        attribute = column.attribute
        if attribute.type == "price":
            assert column.currency is not None and column.price_list is not None
            self._prices.append(Price(amount=cell or None, currency=column.currency, price_list=column.price_list))
        elif attribute.type == "media":
            media_id = slot(attribute.code, column.locale, column.scope)
            item = MediaItem(
                media_id=media_id, url=cell or None, role=attribute.code, locale=column.locale, channel=column.scope
            )
            self._media.append(item)
        else:
            unit = (self._line[column.unit_column] if column.unit_column else "") or attribute.unit
            codes = self._definitions.option_codes[attribute.code]
            value = _value(column, cell, unit, codes) if cell else None
            self._attributes.append(
                AttributeChange(attribute=attribute.code, value=value, locale=column.locale, channel=column.scope)
            )


def _sku(text: str) -> str:
    """In the form in which letters with marks are one character: other systems write them as two, and look the same."""
    return unicodedata.normalize("NFC", text)


def _value(column: Column, cell: str, unit: str | None, choices: Codes) -> Value:
    match column.attribute.type:
        case "boolean":
            if cell.lower() not in _TRUTH:
                raise _Unfit("must be 1 or 0")
            return _TRUTH[cell.lower()]
        case "number":
            return _number(cell)
        case "measure":
            if not unit:
                raise _Unfit("has no unit, and the attribute has no default unit")
            _number(cell)
            return Measure(cell, unit)
        case "date":
            return cell[:10] if cell[10:11] in ("T", " ") else cell
        case "select":
            return choices.find(cell)
        case "multiselect":
            return [choices.find(code) for code in cell.split(",") if code]
        case _:
            return cell


def _number(cell: str) -> int | float:
    try:
        number = Decimal(cell)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise _Unfit("must be a number with a decimal point, like 12.5")
    if number == number.to_integral_value():
        return int(number)
    if Decimal(repr(float(number))) != number:
        raise _Unfit("has more digits than a number can keep exactly; make the attribute a text")
    return float(number)


def _variants(table: Table | None, definitions: Definitions) -> dict[str, _Variant]:
    def axes(line: Line, level: int) -> tuple[str, ...]:
        return tuple(code for code in line.codes(f"variant-axes_{level}") if code not in definitions.untaken)

    return {
        line["code"].lower(): _Variant(definitions.families.find(line["family"]), (axes(line, 1), axes(line, 2)))
        for line in table or ()
    }
