"""Product models and products of an export, as descriptions of whole products."""

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

import msgspec

from daybook.commands import DescribeProduct
from daybook.commands.describe import Price
from daybook.errors import InvalidValue
from daybook.events import AttributeChange, Measure, MediaAdded, Value
from daybook.importing.akeneo.columns import Column, Columns, columns_of
from daybook.importing.akeneo.definitions import Codes, Definitions
from daybook.importing.akeneo.options import Options
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

    def __init__(self, tables: dict[str, Table], definitions: Definitions, options: Options) -> None:
        self._definitions = definitions
        self._options = options
        self._products = tables["products.csv"]
        self._models = tables.get("product_models.csv")
        self._variants = _variants(tables.get("family_variants.csv"), definitions)
        self._model_codes = Codes()
        self._family_of_model: dict[str, str] = {}
        for line in self._models or ():
            self._model_codes.add(line["code"])
            variant = self._variants.get(line["family_variant"].lower())
            if variant is not None:
                self._family_of_model[line["code"]] = variant.family

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
        draft = _Draft(line, columns, self._definitions, self._options)
        variant = self._variants.get(line["family_variant"].lower())
        if variant is None:
            draft.refuse("family_variant", line["family_variant"], "is not defined in family_variants.csv")
        parent = self._model_codes.find(line["parent"]) or None
        wish = DescribeProduct(
            sku=line["code"],
            kind="model",
            parent=parent,
            family=variant.family if variant else None,
            axes=variant.axes[0 if parent is None else 1] if variant else (),
        )
        return draft.row(table.file, wish, None)

    def _product(self, line: Line, columns: Columns) -> Row:
        draft = _Draft(line, columns, self._definitions, self._options)
        parent = self._model_codes.find(line["parent"]) or None
        family = self._definitions.families.find(line["family"]) or None
        if family is None and parent is not None:
            family = self._family_of_model.get(parent)
        channels = None
        if self._options.list_on:
            enabled = _TRUTH.get(line["enabled"].lower() or "1")
            if enabled is None:
                draft.refuse("enabled", line["enabled"], "must be 1 or 0")
            channels = dict.fromkeys(self._options.list_on, bool(enabled))
        wish = DescribeProduct(
            sku=line[self._definitions.identifier],
            kind="product" if parent is None else "variant",
            parent=parent,
            family=family,
        )
        return draft.row(self._products.file, wish, channels)


class _Draft:
    """One row on its way to a description."""

    def __init__(self, line: Line, columns: Columns, definitions: Definitions, options: Options) -> None:
        self._line = line
        self._columns = columns
        self._definitions = definitions
        self._options = options
        self._refusals: list[Flag] = []
        self._attributes: list[AttributeChange] = []
        self._prices: list[Price] = []
        self._media: list[MediaAdded] = []

    def refuse(self, field: str | None, value: str | None, reason: str) -> None:
        """The row will not be taken; all reasons are told."""
        self._refusals.append(Flag(field, None if value is None else value[:200], reason))

    def row(self, file: str, wish: DescribeProduct, channels: dict[str, bool] | None) -> Row:
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
            return Row(file=file, line=line.number, record=None, name=wish.sku or None, flags=flags)
        record = msgspec.structs.replace(
            wish,
            gtin=(line[self._columns.gtin] or None) if self._columns.gtin else None,
            attributes=tuple(self._attributes),
            prices=tuple(self._prices),
            categories=tuple(self._definitions.categories.find(code) for code in line.codes("categories")),
            media=tuple(self._media),
            channels=channels,
        )
        return Row(file=file, line=line.number, record=record)

    def _read_values(self) -> None:
        for column in self._columns.values:
            cell = self._line[column.name]
            if not cell:
                continue
            try:
                self._read(column, cell)
            except _Unfit as error:
                self.refuse(column.name, cell, str(error))

    def _read(self, column: Column, cell: str) -> None:
        attribute = column.attribute
        if attribute.type == "price":
            assert column.currency is not None
            self._prices.append(Price(amount=cell, currency=column.currency, price_list=self._price_list(column)))
        elif attribute.type == "media":
            media_id = slot(attribute.code, column.locale, column.scope)
            self._media.append(
                MediaAdded(media_id=media_id, url=cell, role=attribute.code, locale=column.locale, channel=column.scope)
            )
        else:
            unit = (self._line[column.unit_column] if column.unit_column else "") or attribute.unit
            value = _value(column, cell, unit, self._definitions.choices[attribute.code])
            self._attributes.append(
                AttributeChange(attribute=attribute.code, value=value, locale=column.locale, channel=column.scope)
            )

    def _price_list(self, column: Column) -> str:
        """The attribute decides; a price that differs by locale or scope has a list for each."""
        code, options = column.attribute.code, self._options
        base = options.price_list if code == options.price_attribute else code
        return ".".join(part for part in (base, column.locale, column.scope) if part)


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
