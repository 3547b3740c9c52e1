"""The folder as a whole: every file is checked before the first row is given."""

from collections.abc import Iterator
from pathlib import Path

from daybook.importing.akeneo.choices import choose
from daybook.importing.akeneo.definitions import Definitions
from daybook.importing.akeneo.options import AkeneoOptions
from daybook.importing.akeneo.products import Products
from daybook.importing.akeneo.tables import LABELS_HINT, Table, labels_in
from daybook.importing.rows import Entry, Fault, ImportRefused, Notice

_NEEDED: dict[str, tuple[str, ...]] = {
    "attributes.csv": ("code", "type"),
    "attribute_options.csv": ("code", "attribute"),
    "categories.csv": ("code", "parent"),
    "families.csv": ("code", "attributes"),
    "channels.csv": ("code", "locales"),
    "products.csv": (),
}
_FOR_VARIANTS: dict[str, tuple[str, ...]] = {
    "family_variants.csv": ("code", "family", "variant-axes_1"),
    "product_models.csv": ("code", "family_variant", "parent"),
}
NOT_IMPORTED = ("association_types.csv", "attribute_groups.csv", "group_types.csv", "groups.csv")
"""Files of an export that say nothing that Daybook keeps. Currencies and locales are known without their files."""


def read(folder: Path, options: AkeneoOptions | None = None) -> Iterator[Entry]:
    """The rows of an export: attributes, categories, families, channels, product models, products.

    Every file is read whole before this returns. ImportRefused lists what is missing or can't be read, and then nothing
    has been written. A row that can't be understood is given as a row without a record.
    """
    options = options or AkeneoOptions()
    if not folder.is_dir():
        raise ImportRefused([Fault(str(folder), None, "is no folder")])
    tables, faults = _tables(folder, _NEEDED)
    products = tables.get("products.csv")
    parents = products is not None and bool(products.filled.get("parent"))
    if parents or any((folder / name).is_file() for name in _FOR_VARIANTS):
        more, others = _tables(folder, _FOR_VARIANTS)
        tables |= more
        faults += others
    if faults:
        raise ImportRefused(faults)
    choices = choose(tables["attributes.csv"], tables["channels.csv"], options)
    if choices.identifier not in tables["products.csv"].header:
        labels = labels_in(tables["products.csv"], tables["attributes.csv"])
        hint = f": {LABELS_HINT} ({', '.join(labels[:3])}...)" if labels else ""
        reason = f"has no column {choices.identifier}, the identifier{hint}"
        raise ImportRefused([Fault("products.csv", 1, reason)])
    definitions = Definitions(tables, choices, options)
    return _entries(tables, definitions, Products(tables, definitions, options))


def _tables(folder: Path, needed: dict[str, tuple[str, ...]]) -> tuple[dict[str, Table], list[Fault]]:
    tables: dict[str, Table] = {}
    faults: list[Fault] = []
    for name, columns in needed.items():
        try:
            tables[name] = Table(folder / name, columns)
        except ImportRefused as error:
            faults += error.faults
    return tables, faults


def _entries(tables: dict[str, Table], definitions: Definitions, products: Products) -> Iterator[Entry]:
    for table in tables.values():
        for column in table.unknown_label_columns():
            yield Notice(table.file, column, "the labels are not imported: the locale is not known")
    yield from definitions.rows()
    yield from products.entries()
