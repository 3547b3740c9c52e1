"""What readers hand to the ingest: rows, and notices about what a file holds that Daybook does not take."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from daybook.commands import DescribeProduct
from daybook.errors import DaybookError
from daybook.importing.records import Noun, Record
from daybook.product.state import Product

PROBLEMS_SHOWN_MAX = 20


class Flag(msgspec.Struct, frozen=True):
    """Something about one field of a row that a person should know."""

    field: str | None
    value: str | None
    reason: str


class Said(msgspec.Struct, frozen=True):
    """What a file of definitions has something to say about."""

    fields: frozenset[str]
    """Fields of the definition for which it has a column."""
    locales: frozenset[str]
    """Locales for whose labels it has a column."""
    option_locales: frozenset[str] = frozenset()
    """The same for options."""
    options_ordered: bool = True
    """Whether it says the order of options; else they stay in that of the book."""
    known: frozenset[str] = frozenset()
    """Attributes that it knows: others in a family stay."""
    whole: bool = False
    """Each field that is said is all of it: a JSON line's labels are the labels. The others stay."""


Derived = Callable[[Product | None], tuple[DescribeProduct, tuple[Flag, ...]]]
"""From a product to what is said of it. Raises the domain's errors."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One record and where it comes from.

    `record` is None for a row that the reader could not turn into a record: the flags then say why, and the row counts
    as failed. With a record, flags are reported beside it and the record is carried out.
    """

    file: str
    line: int
    """The line of the file on which the record starts, counted from 1."""
    record: Record | None
    noun: Noun = "product"
    """What a row without a record would have been."""
    name: str | None = None
    """The SKU or code of a row without a record, as far as it was readable."""
    flags: tuple[Flag, ...] = ()
    said: Said | None = None
    """What of a definition the file says: the rest of one that is there stays. None: the record is all of it."""
    keep_existing: bool = False
    """The record is a first proposal: what the book has already stands."""
    if_new: Mapping[str, Any] = {}
    """Fields of a description that are said in addition when the book does not know the product."""
    may_create: bool = True
    """False: the file holds single values only, so a product that the book does not know is a mistake."""
    only_updates: str = "a file without the column `family` only updates"
    """Why it may not create."""
    known_categories: frozenset[str] | None = None
    """The categories that the file knows: others that the product is in stay. None: the record says them all."""
    derived: Derived | None = None
    """What is said depends on what the product has. The record then tells only which fields that is about."""
    command_id: str | None = None
    """Chosen so that the book takes the row once. None: the row may be taken again, and changes nothing then."""
    access: str | None = None
    """The key and the grants that allowed it, as its events tell."""


class Notice(msgspec.Struct, frozen=True):
    """A part of a file that is not imported: told once, not per row."""

    file: str
    field: str
    reason: str


Entry = Row | Notice


class Fault(msgspec.Struct, frozen=True):
    """Why an input can't be read, and where."""

    file: str
    line: int | None
    reason: str

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}, line {self.line}"
        return f"{where}: {self.reason}"


class ImportRefused(DaybookError):
    """An input is malformed and was refused whole, before anything was written. `details["faults"]` lists why."""

    code = "import_refused"

    def __init__(self, faults: Sequence[Fault], count: int | None = None) -> None:
        self.faults = list(faults)
        count = len(faults) if count is None else count
        shown = list(faults[:PROBLEMS_SHOWN_MAX])
        more = f"\n  and {count - len(shown)} more" if count > len(shown) else ""
        listed = "".join(f"\n  {fault}" for fault in shown)
        super().__init__(
            f"nothing was imported, because the input can't be read:{listed}{more}\nRepair it and import again.",
            faults=[msgspec.to_builtins(fault) for fault in shown],
            count=count,
        )
