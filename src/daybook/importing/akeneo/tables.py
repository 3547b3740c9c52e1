"""One CSV file of an export: checked whole, then read row by row with its real line numbers."""

import csv
from collections.abc import Iterator
from pathlib import Path

import msgspec

from daybook.errors import InvalidValue
from daybook.importing.rows import Fault, ImportRefused
from daybook.importing.spool import spooled
from daybook.values import parse_locale

CELL_LENGTH_MAX = 2**20
COLUMNS_MAX = 20_000
LABELS_HINT = "its columns are named by labels; export it again with codes as headers, not labels"


class Line(msgspec.Struct, frozen=True):
    """A row: the file's line on which it starts (a quoted cell may span lines), and its cells by column."""

    number: int
    cells: dict[str, str]
    problem: str | None = None

    def __getitem__(self, column: str) -> str:
        """The cell; empty when the file has no such column."""
        return self.cells.get(column, "")

    def codes(self, column: str) -> list[str]:
        """The cell as a list of codes."""
        return [code for code in self[column].split(",") if code]


class Table:
    """A file that has been checked: it decodes, its quotes close, and it has the columns that are needed."""

    def __init__(self, path: Path, needed: tuple[str, ...]) -> None:
        """Reads the whole file once. Raises ImportRefused."""
        self.path = path
        self.file = path.name
        if path.is_dir() or not path.exists():
            raise ImportRefused([Fault(self.file, None, f"is missing in {path.parent}")])
        if not path.is_file():
            # A pipe: it is read several times here.
            with path.open("rb") as pipe:
                self._spool = spooled(pipe)
            self.path = Path(self._spool.name)
        self._check_encoding()
        self.header: list[str] = []
        self.filled: dict[str, int] = {}
        """Column -> how many rows have something in it."""
        self.count = 0
        self._check(needed)
        labels = {one: locale_of(one.removeprefix("label-")) for one in self.header if one.startswith("label-")}
        self._label_columns = {column: locale for column, locale in labels.items() if locale is not None}

    def __iter__(self) -> Iterator[Line]:
        """The rows in order, read anew. Empty lines are passed over."""
        numbered = self._read()
        next(numbered)
        for number, cells in numbered:
            problem = None
            if len(cells) != len(self.header):
                problem = f"has {len(cells)} cells, but the header names {len(self.header)} columns"
            yield Line(number, dict(zip(self.header, cells, strict=False)), problem)

    def labels(self, line: Line) -> dict[str, str]:
        """The row's labels by locale, from the columns `label-<locale>`. Locales that nobody knows are left out."""
        return {locale: line[column] for column, locale in self._label_columns.items() if line[column]}

    @property
    def label_locales(self) -> frozenset[str]:
        """The locales for whose labels there is a column."""
        return frozenset(self._label_columns.values())

    def unknown_label_columns(self) -> list[str]:
        """Columns with labels in a locale that nobody knows."""
        return [column for column in self.filled if column.startswith("label-") and column not in self._label_columns]

    def _check_encoding(self) -> None:
        # A UTF-8 character never holds the byte of a line's end, so lines can be decoded one by one.
        with self.path.open("rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    line.decode()
                except UnicodeDecodeError as error:
                    reason = f"is not UTF-8 (byte {error.start + 1} of the line): export it as UTF-8"
                    raise ImportRefused([Fault(self.file, number, reason)]) from None

    def _check(self, needed: tuple[str, ...]) -> None:
        numbered = self._read()
        self.header = next(numbered, (1, []))[1]
        missing = [column for column in needed if column not in self.header]
        if missing:
            hint = "" if len(self.header) != 1 else " (is the delimiter a semicolon?)"
            if any(" " in name or name[:1].isupper() for name in self.header[:5]) and not hint:
                hint = f": {LABELS_HINT}"
            reason = f"has no column {', '.join(missing)}{hint}"
            raise ImportRefused([Fault(self.file, 1, reason)])
        if len(self.header) > COLUMNS_MAX:
            reason = f"has {len(self.header)} columns; at most {COLUMNS_MAX} are read"
            raise ImportRefused([Fault(self.file, 1, reason)])
        twice = sorted({column for column in self.header if self.header.count(column) > 1})
        if twice:
            raise ImportRefused([Fault(self.file, 1, f"names a column twice: {', '.join(twice)}")])
        for _, cells in numbered:
            self.count += 1
            for column, cell in zip(self.header, cells, strict=False):
                if cell:
                    self.filled[column] = self.filled.get(column, 0) + 1

    def _read(self) -> Iterator[tuple[int, list[str]]]:
        csv.field_size_limit(CELL_LENGTH_MAX)
        with self.path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=";", strict=True)
            start = 1
            try:
                for cells in reader:
                    if cells:
                        yield start, cells
                    start = reader.line_num + 1
            except csv.Error as error:
                raise ImportRefused([Fault(self.file, start, f"is no readable CSV from here on: {error}")]) from None


def labels_in(table: Table, attributes: Table) -> list[str]:
    """Columns that are named by a label, or with a space, which no code has: the file was exported for people."""
    labels = {label for line in attributes for label in attributes.labels(line).values()}
    codes = {line["code"] for line in attributes}
    return [name for name in table.header if name not in codes and (name in labels or " " in name)]


def locale_of(text: str) -> str | None:
    """`en_US` as `en-US`; None for what is no locale."""
    try:
        return parse_locale(text)
    except InvalidValue:
        return None
