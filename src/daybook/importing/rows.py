"""What readers hand to the ingest: rows, and notices about what a file holds that Daybook does not take."""

from collections.abc import Sequence

import msgspec

from daybook.errors import DaybookError
from daybook.importing.records import Record

PROBLEMS_SHOWN_MAX = 20


class Flag(msgspec.Struct, frozen=True):
    """Something about one field of a row that a person should know."""

    field: str | None
    value: str | None
    reason: str


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One record and where it comes from.

    `record` is None for a row that the reader could not turn into a record: the flags then say why, and the row counts
    as failed. With a record, flags are reported beside it and the record is carried out.
    """

    file: str
    line: int
    """The line of the file on which the record starts, counted from 1."""
    record: Record | None
    noun: str = "product"
    """What a row without a record would have been."""
    name: str | None = None
    """The SKU or code of a row without a record, as far as it was readable."""
    flags: tuple[Flag, ...] = ()
    keep_existing: bool = False
    """The record is a first proposal: what the book has already stands."""


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
