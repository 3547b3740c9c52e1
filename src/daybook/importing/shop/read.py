"""A shop's file as rows that the ingest carries out: looked at whole before the first row is given."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from daybook.catalogue.reference import Reference
from daybook.commands import DefineAttribute
from daybook.commands.book import Book
from daybook.commands.described import described
from daybook.errors import InvalidValue
from daybook.importing.rows import PROBLEMS_SHOWN_MAX, Entry, Fault, Flag, ImportRefused, Notice, Row
from daybook.importing.sheet.columns import unguarded
from daybook.importing.sheet.table import Sheet, opened
from daybook.importing.shop.cells import ShopCells, ShopOptions, Undecided
from daybook.importing.shop.format import ShopFormat, recognised
from daybook.importing.shop.items import ParentOf, ShopFile, ShopItem, ShopItems, ShopLine

ONLY_UPDATES = "an import of a shop's file creates none unless --create is given"
_TEXTS = ("text.", "option", "axis.")
"""What is taken with the blanks around it, as a text has them."""
Columns = list[tuple[int, str]]


def read(
    path: Path, reference: Reference, options: ShopOptions, parent_of: ParentOf, chosen: ShopFormat | None = None
) -> Iterator[Entry]:
    """The rows of a CSV or Excel file, definitions first.

    Raises ImportRefused before anything is given: for a format that nobody knows, a column twice, a file that can't be
    read to its end, and a SKU that stands twice. What a product is not understood in is its row's problem alone.
    """
    table = opened(path)
    form = recognised(table.file, table.header, chosen)
    columns = _columns(table, form)
    cells = ShopCells(reference, options)
    context = ShopFile(form, _lines(table, columns), cells)
    first = ShopItems(form, cells, lambda sku: (False, None))
    try:
        _check_once(table, first.of(_lines(table, columns), context))
    except Undecided as error:
        raise ImportRefused([Fault(table.file, None, error.message)]) from error
    return _entries(table, form, columns, ShopItems(form, cells, parent_of), cells, context, options)


def parents_in(book: Book) -> ParentOf:
    """What this book knows of a SKU."""

    def parent_of(sku: str) -> tuple[bool, str | None]:
        try:
            product, _ = book.product(sku)
        except InvalidValue:
            return False, None
        return product is not None, None if product is None else product.parent

    return parent_of


def _check_once(table: Sheet, items: Iterator[ShopItem]) -> None:
    seen: dict[str, int] = {}
    faults: list[Fault] = []
    for item in items:
        if item.kind != "model" and item.sku and item.sku in seen:
            faults.append(Fault(table.file, item.line, f"tells {item.sku} again, as line {seen[item.sku]}: keep one"))
        seen.setdefault(item.sku, item.line)
    if faults:
        raise ImportRefused(faults[:PROBLEMS_SHOWN_MAX], len(faults))


def _columns(table: Sheet, form: ShopFormat) -> Columns:
    found = [(at, target) for at, name in enumerate(table.header) if (target := form.target(name)) is not None]
    targets = [target for _, target in found]
    twice = sorted({target for target in targets if targets.count(target) > 1})
    if twice:
        names = [name for name in table.header if form.target(name) in twice]
        raise ImportRefused([Fault(table.file, 1, f"the columns {', '.join(names)} say the same: keep one")])
    return found


def _lines(table: Sheet, columns: Columns) -> Iterator[ShopLine]:
    for number, cells in table.rows():
        said = {target: unguarded(cells[at]) for at, target in columns if cells[at].strip()}
        texts = {target: cell if target.startswith(_TEXTS) else cell.strip() for target, cell in said.items()}
        yield ShopLine(number, texts)


def _entries(
    table: Sheet,
    form: ShopFormat,
    columns: Columns,
    items: ShopItems,
    cells: ShopCells,
    context: ShopFile,
    options: ShopOptions,
) -> Iterator[Entry]:
    yield Notice(table.file, "format", f"read as {form.name}")
    for reason in table.notices:
        yield Notice(table.file, "encoding", reason)
    for name in _not_understood(table, columns):
        yield Notice(table.file, name, "is not understood: what it says is not imported")
    if options.create:
        for definition in cells.defined.values():
            yield Row(file=table.file, line=1, record=DefineAttribute(attribute=definition), keep_existing=True)
    for item in items.of(_lines(table, columns), context):
        yield _row(table.file, item, options)


def _not_understood(table: Sheet, columns: Columns) -> Sequence[str]:
    """Columns that hold something and say nothing here."""
    left = set(range(len(table.header))) - {at for at, _ in columns}
    filled: set[int] = set()
    for _, cells in table.rows():
        filled |= {at for at in left - filled if cells[at].strip()}
    return [table.header[at] or f"column {at + 1}" for at in sorted(filled)]


def _row(file: str, item: ShopItem, options: ShopOptions) -> Row:
    record, wrong = None, list(item.wrong)
    if not wrong:
        try:
            record = described(item.sku, item.fields)
        except (InvalidValue, msgspec.ValidationError) as error:
            wrong.append(Flag(None, None, str(error)))
    if record is None:
        return Row(file=file, line=item.line, record=None, name=item.sku or None, flags=(*item.flags, *wrong))
    new = {"kind": item.kind, "parent": item.parent, "axes": item.axes} if options.create else {}
    return Row(
        file=file,
        line=item.line,
        record=record,
        flags=tuple(item.flags),
        if_new={name: said for name, said in new.items() if said},
        may_create=options.create,
        only_updates=ONLY_UPDATES,
    )
