"""A sheet as rows that the ingest carries out: what is not in the file stays, an unknown SKU is refused."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from daybook.catalogue.reference import Reference
from daybook.commands.described import described
from daybook.errors import InvalidValue
from daybook.importing.rows import PROBLEMS_SHOWN_MAX, Entry, Fault, Flag, ImportRefused, Notice, Row
from daybook.importing.sheet.columns import SheetColumn, column, said
from daybook.importing.sheet.table import Cells, Sheet, opened


class SheetOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a person decides about a sheet."""

    create: bool = False
    """A SKU that the book does not know is a new product."""
    empty_removes: bool = False
    """An empty cell removes the value; else it leaves it."""


def read(path: Path, reference: Reference, options: SheetOptions) -> Iterator[Entry]:
    """The rows of a CSV or Excel file, in order.

    The whole file is looked at before this returns: ImportRefused names columns that mean nothing, and SKUs that stand
    twice and say different things; nothing has been written then. A cell that can't be is its row's problem alone.
    """
    table = opened(path)
    columns = _columns(table, reference)
    _check_once(table, columns)
    return _entries(table, columns, reference, options)


def _columns(table: Sheet, reference: Reference) -> list[SheetColumn]:
    found = [column(name, reference) for name in table.header]
    faults = [Fault(table.file, 1, one) for one in found if isinstance(one, str)]
    names = [one.field for one in found if isinstance(one, SheetColumn)]
    faults += [Fault(table.file, 1, f"the column {name!r} stands twice") for name in names if names.count(name) > 1]
    if not faults and "sku" not in names:
        faults = [Fault(table.file, 1, "has no column sku: it says which product a row is about")]
    if faults:
        raise ImportRefused(faults[:PROBLEMS_SHOWN_MAX], len(faults))
    return [one for one in found if isinstance(one, SheetColumn)]


def _check_once(table: Sheet, columns: Sequence[SheetColumn]) -> None:
    at = next(number for number, one in enumerate(columns) if one.noun == "sku")
    seen: dict[str, tuple[int, bytes]] = {}
    faults: list[Fault] = []
    for line, cells in table.rows():
        sku = cells[at].strip()
        mark = hashlib.blake2b("\x1f".join(cells).encode(), digest_size=8).digest()
        first, was = seen.setdefault(sku, (line, mark))
        if sku and was != mark:
            faults.append(Fault(table.file, line, f"says something else of {sku} than line {first}: keep one of them"))
    if faults:
        raise ImportRefused(faults[:PROBLEMS_SHOWN_MAX], len(faults))


def _entries(
    table: Sheet, columns: Sequence[SheetColumn], reference: Reference, options: SheetOptions
) -> Iterator[Entry]:
    for reason in table.notices:
        yield Notice(table.file, "encoding", reason)
    for line, cells in table.rows():
        yield _row(table, line, cells, columns, reference, options)


def _row(
    table: Sheet, line: int, cells: Cells, columns: Sequence[SheetColumn], reference: Reference, options: SheetOptions
) -> Row:
    sku, flags = "", list[Flag]()
    wanted: dict[str, Any] = {}
    for one, cell in zip(columns, cells, strict=True):
        if one.noun == "sku":
            sku = cell.strip()
        elif cell.strip() or options.empty_removes:
            try:
                wanted[one.field] = said(one, cell, reference, decimal_comma=table.decimal_comma)
            except InvalidValue as error:
                flags.append(Flag(one.name, cell[:200], error.message))
    if not flags:
        try:
            record = described(sku, wanted)
        except (InvalidValue, msgspec.ValidationError) as error:
            flags.append(Flag(None, None, str(error)))
    if flags:
        return Row(file=table.file, line=line, record=None, name=sku or None, flags=tuple(flags))
    new = {"kind": record.kind or ("variant" if record.parent else "product")} if options.create else {}
    only = "a sheet creates none unless --create is given"
    return Row(file=table.file, line=line, record=record, if_new=new, may_create=options.create, only_updates=only)
