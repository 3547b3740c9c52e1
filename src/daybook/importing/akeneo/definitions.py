"""Attributes, categories, families and channels of an export, as definitions of the book."""

import math
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import cached_property
from typing import TypeVar

from daybook.catalogue.rules import parse_date
from daybook.commands import ConfigureChannel, DefineAttribute, DefineCategory, DefineFamily
from daybook.errors import InvalidValue
from daybook.events import AttributeDefined, AttributeOption, CategoryDefined, ChannelConfigured, FamilyDefined
from daybook.events.catalogue import AttributeType
from daybook.importing.akeneo.choices import Choices
from daybook.importing.akeneo.options import AkeneoOptions
from daybook.importing.akeneo.patterns import translated
from daybook.importing.akeneo.tables import Line, Table
from daybook.importing.records import Noun
from daybook.importing.rows import Flag, Row, Said
from daybook.values import parse_code

TYPES: dict[str, AttributeType] = {
    "pim_catalog_identifier": "identifier",
    "pim_catalog_text": "text",
    "pim_catalog_textarea": "textarea",
    "pim_catalog_boolean": "boolean",
    "pim_catalog_number": "number",
    "pim_catalog_metric": "measure",
    "pim_catalog_date": "date",
    "pim_catalog_simpleselect": "select",
    "pim_catalog_multiselect": "multiselect",
    "pim_reference_data_simpleselect": "select",
    "pim_reference_data_multiselect": "multiselect",
    "pim_catalog_image": "media",
    "pim_catalog_file": "media",
    "pim_catalog_price_collection": "price",
}
_FIELDS = {
    "localizable": "localizable",
    "scopable": "scopable",
    "unique": "unique",
    "default_metric_unit": "unit",
    "max_characters": "length_max",
    "number_min": "minimum",
    "date_min": "minimum",
    "negative_allowed": "minimum",
    "number_max": "maximum",
    "date_max": "maximum",
    "validation_regexp": "pattern",
}
"""Column of attributes.csv -> the field of an attribute that it fills."""
_FAMILY_FIELDS = {"attribute_as_label": "label_attribute", "attribute_as_image": "image_attribute"}
T = TypeVar("T")
_TRUE = ("1", "true")
_FALSE = ("0", "false")
_OF_NUMBERS = frozenset({"number_min", "number_max", "negative_allowed"})
_OF_DATES = frozenset({"date_min", "date_max"})
_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,15})?")


class Codes:
    """The codes of one noun. Akeneo takes no notice of case in a code, so a reference may be spelled otherwise."""

    def __init__(self) -> None:
        self._spelling: dict[str, str] = {}

    def add(self, code: str) -> None:
        """The spelling of the definition is the one that counts."""
        self._spelling.setdefault(code.lower(), code)

    def find(self, code: str) -> str:
        """The code as it was defined; as it was given when it was not."""
        return self._spelling.get(code.lower(), code)

    @cached_property
    def all(self) -> frozenset[str]:
        """Every one of them, once all are known."""
        return frozenset(self._spelling.values())


class Definitions:
    """What the definitions' files say. Made from checked tables; raises ImportRefused for what can't be decided."""

    def __init__(self, tables: dict[str, Table], choices: Choices, options: AkeneoOptions) -> None:
        self._tables = tables
        self._options = options
        self.choices = choices
        self.gtin: AttributeDefined | None = None
        """The attribute that is the product's GTIN, when the file has it."""
        self.attributes: dict[str, AttributeDefined] = {}
        """Those that are taken."""
        self.untaken: dict[str, str] = {}
        """Attribute -> why it is not taken."""
        self.option_codes: dict[str, Codes] = {}
        """Attribute -> its options."""
        self.families = Codes()
        self.categories = Codes()
        self._rows = {"attribute": list(self._attributes()), "family": list(self._families())}
        self._rows["category"] = list(self._categories())
        self._rows["channel"] = list(self._channels())

    def rows(self) -> Iterator[Row]:
        """Attributes, categories, families, channels."""
        for noun in ("attribute", "category", "family", "channel"):
            yield from self._rows[noun]

    def _attributes(self) -> Iterator[Row]:
        table = self._tables["attributes.csv"]
        choices, orphans = self._options_by_attribute()
        locales, option_locales = self._label_locales("attributes.csv"), self._label_locales("attribute_options.csv")
        ordered = "sort_order" in self._tables["attribute_options.csv"].header
        for line in table:
            code, kind = line["code"], line["type"]
            if code == self._options.gtin_attribute and kind in TYPES:
                self.gtin, _ = _attribute(line, table, TYPES[kind], ())
                if code != self.choices.identifier:
                    self.untaken[code] = "the product's GTIN"
                    continue
            reason = line.problem or _code_problem(code)
            if reason is None and kind not in TYPES:
                reason = f"type {kind!r} is not supported"
            if reason is not None:
                self.untaken[code] = f"the attribute was not taken: {reason}"
                yield _refused(table, line, "attribute", code, "type" if code and not line.problem else None, reason)
                continue
            defined, flags = _attribute(line, table, TYPES[kind], tuple(choices.get(code, ())))
            self.attributes[code] = defined
            codes = self.option_codes[code] = Codes()
            for choice in defined.options:
                codes.add(choice.code)
            record = DefineAttribute(attribute=defined)
            fields = frozenset({"code", "type", "options", *_fields_said(table, line, TYPES[kind])})
            said = Said(fields, locales, option_locales, options_ordered=ordered)
            yield Row(file=table.file, line=line.number, record=record, flags=flags, said=said)
        for line, attribute in orphans:
            if attribute not in self.attributes:
                reason = f"belongs to attribute {attribute!r}, which attributes.csv does not define"
                yield _refused(self._tables["attribute_options.csv"], line, "attribute", attribute, "attribute", reason)

    def _options_by_attribute(self) -> tuple[dict[str, list[AttributeOption]], list[tuple[Line, str]]]:
        """The options by their `sort_order`, those without one last, and for each attribute one line that names it."""
        table = self._tables.get("attribute_options.csv")
        found: dict[str, list[tuple[float, AttributeOption]]] = {}
        named: dict[str, Line] = {}
        for line in table or ():
            assert table is not None
            order = float(line["sort_order"]) if _NUMBER.fullmatch(line["sort_order"]) else math.inf
            found.setdefault(line["attribute"], []).append((order, AttributeOption(line["code"], table.labels(line))))
            named.setdefault(line["attribute"], line)
        ordered = {code: [one for _, one in sorted(some, key=lambda pair: pair[0])] for code, some in found.items()}
        return ordered, [(line, attribute) for attribute, line in named.items()]

    def _families(self) -> Iterator[Row]:
        table = self._tables["families.csv"]
        known = frozenset(self.attributes) | frozenset(self.untaken)
        fields = {field for column, field in _FAMILY_FIELDS.items() if column in table.header}
        said = Said(frozenset(fields), self._label_locales("families.csv"), known=known)
        scopes = {column: column.removeprefix("requirements-") for column in table.header if "requirements-" in column}
        for line in table:
            code = line["code"]
            reason = line.problem or _code_problem(code)
            if reason is not None:
                yield _refused(table, line, "family", code, "code", reason)
                continue
            self.families.add(code)
            record = DefineFamily(
                family=FamilyDefined(
                    code=code,
                    labels=table.labels(line),
                    attributes=self._known(line.codes("attributes")),
                    required={scope: self._known(line.codes(column)) for column, scope in scopes.items()},
                    label_attribute=line["attribute_as_label"] or None,
                    image_attribute=line["attribute_as_image"] or None,
                )
            )
            untaken = [one for one in line.codes("attributes") if one in self.untaken]
            flags = tuple(
                Flag("attributes", one, f"the family does without {one}: {self.untaken[one]}")
                for one in untaken
                if one != self._options.gtin_attribute
            )
            yield Row(file=table.file, line=line.number, record=record, flags=flags, said=said)

    def _label_locales(self, file: str) -> frozenset[str]:
        return self._tables[file].label_locales if file in self._tables else frozenset()

    def _known(self, codes: list[str]) -> tuple[str, ...]:
        return tuple(code for code in codes if code not in self.untaken)

    def _categories(self) -> Iterator[Row]:
        table = self._tables["categories.csv"]
        waiting: list[tuple[Line, CategoryDefined]] = []
        said = Said(frozenset(), self._label_locales("categories.csv"))
        for line in table:
            reason = line.problem or _code_problem(line["code"])
            if reason is not None:
                yield _refused(table, line, "category", line["code"], "code", reason)
                continue
            self.categories.add(line["code"])
            wish = CategoryDefined(code=line["code"], parent=line["parent"] or None, labels=table.labels(line))
            waiting.append((line, wish))
        # Parents first. What is left at the end names a parent that is missing: the book says so row by row.
        given: set[str | None] = {None}
        while waiting:
            ready = [pair for pair in waiting if self._parent(pair[1]) in given]
            waiting = [pair for pair in waiting if self._parent(pair[1]) not in given]
            if not ready:
                ready, waiting = waiting, []
            for line, wish in ready:
                given.add(wish.code)
                placed = CategoryDefined(code=wish.code, parent=self._parent(wish), labels=wish.labels)
                yield Row(file=table.file, line=line.number, record=DefineCategory(category=placed), said=said)

    def _parent(self, category: CategoryDefined) -> str | None:
        return None if category.parent is None else self.categories.find(category.parent)

    def _channels(self) -> Iterator[Row]:
        options, choices, table = self._options, self.choices, self._tables["channels.csv"]
        flags = tuple(
            Flag("locales", code, f"{code!r} is no known locale, so the channel does without it")
            for code in choices.unknown_locales
        )
        for name in options.list_on:
            record = ConfigureChannel(
                channel=ChannelConfigured(
                    name=name,
                    scope=choices.scope,
                    locales=choices.locales,
                    currency=choices.currency,
                    price_list=options.price_list,
                )
            )
            yield Row(file=table.file, line=choices.line, record=record, flags=flags, keep_existing=True)


def _fields_said(table: Table, line: Line, kind: AttributeType) -> set[str]:
    """The fields for which the file has a column: the limits of numbers say nothing about dates, nor the other way."""
    others = _OF_NUMBERS if kind == "date" else _OF_DATES
    columns = {column for column in _FIELDS if column in table.header} - others
    if line["negative_allowed"] not in _FALSE:
        columns.discard("negative_allowed")
    return {_FIELDS[column] for column in columns}


def _attribute(
    line: Line, table: Table, kind: AttributeType, choices: tuple[AttributeOption, ...]
) -> tuple[AttributeDefined, tuple[Flag, ...]]:
    """The definition. A limit that can't be read is left out and flagged: it would refuse products wrongly."""
    flags: list[Flag] = []

    def read(column: str, parse: Callable[[str], T]) -> T | None:
        try:
            return parse(line[column]) if line[column] else None
        except ValueError as error:
            flags.append(Flag(column, line[column], f"was left out, so values are not held to it: {error}"))
            return None

    dated = kind == "date"
    limit: Callable[[str], str] = _day if dated else _decimal
    lowest = read("date_min" if dated else "number_min", limit)
    if lowest is None and kind in ("number", "measure") and line["negative_allowed"] in _FALSE:
        lowest = "0"
    defined = AttributeDefined(
        code=line["code"],
        type=kind,
        labels=table.labels(line),
        localizable=line["localizable"] in _TRUE,
        scopable=line["scopable"] in _TRUE,
        options=choices if kind in ("select", "multiselect") else (),
        unit=(line["default_metric_unit"] or None) if kind == "measure" else None,
        length_max=read("max_characters", _characters) or None,
        minimum=lowest,
        maximum=read("date_max" if dated else "number_max", limit),
        pattern=read("validation_regexp", translated),
        unique=line["unique"] in _TRUE,
    )
    return defined, tuple(flags)


def _decimal(text: str) -> str:
    if not _NUMBER.fullmatch(text):
        raise ValueError("is no decimal number")
    return text


def _characters(text: str) -> int:
    """`255`, also with decimals, as exports write it."""
    return int(Decimal(_decimal(text)))


def _day(text: str) -> str:
    """`2020-01-01`, also with a time behind it, as exports write it."""
    day = parse_date(text[:10]) if text[10:11] in ("", "T", " ") else None
    if day is None:
        raise ValueError("is no date like 2026-03-01")
    return day.isoformat()


def _code_problem(code: str) -> str | None:
    try:
        parse_code(code, "code")
    except InvalidValue as error:
        return str(error.details["reason"])
    return None


def _refused(table: Table, line: Line, noun: Noun, name: str, field: str | None, reason: str) -> Row:
    flag = Flag(field, (line[field][:200] or None) if field else None, reason)
    return Row(file=table.file, line=line.number, record=None, noun=noun, name=name or None, flags=(flag,))
