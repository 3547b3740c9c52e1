"""A CSV or Excel file as rows of texts: its kind, encoding and separator are seen, never guessed in silence."""

import csv
import datetime
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from daybook.importing.rows import Fault, ImportRefused

BYTES_MAX = 512 * 1024 * 1024
UNPACKED_BYTES_MAX = 1024 * 1024 * 1024
"""Of an Excel file, which is a ZIP archive: what it says it unpacks to."""
CELL_MAX = 200_000
COLUMNS_MAX = 12_000
SEPARATORS = (",", ";", "\t", "|")
NEVER_CALCULATED = "holds a formula that was never calculated: open the file, save it, and take it again"

Cells = tuple[str, ...]


class Sheet(msgspec.Struct, frozen=True):
    """A file's header, and what was seen of its form."""

    file: str
    header: Cells
    decimal_comma: bool
    """Cells are parted by semicolons: where that is so, decimals have commas."""
    notices: tuple[str, ...]
    path: Path
    form: str
    """The separator and the encoding; empty for Excel."""

    def rows(self) -> Iterator[tuple[int, Cells]]:
        """(line, cells) of each row that holds something, as many cells as the header has. Raises ImportRefused."""
        found = _excel(self.path) if not self.form else _csv(self.path, self.form[0], self.form[1:])
        width = len(self.header)
        next(found)
        for line, cells in found:
            if not any(cells):
                continue
            if any(cells[width:]):
                reason = f"has {len(cells)} cells, the header {width}: a separator inside of a text needs quotes"
                raise _refused(self.file, line, reason)
            yield line, (*cells[:width], *[""] * (width - len(cells)))


def opened(path: Path) -> Sheet:
    """The file's header. Raises ImportRefused."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            begin = file.read(4)
    except OSError as error:
        raise _refused(str(path), None, f"can't be opened: {error.strerror}") from error
    if size > BYTES_MAX:
        raise _refused(str(path), None, f"has {size:,} bytes; at most {BYTES_MAX:,} are taken: split it")
    if begin.startswith(b"PK"):
        return _with_header(path, _excel(path), "", ())
    if begin.startswith(b"\xd0\xcf\x11\xe0"):
        raise _refused(str(path), None, "is an Excel file of the old kind (.xls): save it as .xlsx or CSV")
    encoding, notices = _encoding(path, begin)
    first = _first_line(path, encoding)
    separator = max(SEPARATORS, key=first.count)
    if not first.count(separator):
        separator = ","
    return _with_header(path, _csv(path, separator, encoding), separator + encoding, notices)


def _with_header(path: Path, found: Iterator[tuple[int, Cells]], form: str, notices: tuple[str, ...]) -> Sheet:
    _, header = next(found, (1, ()))
    while header and not header[-1].strip():
        header = header[:-1]
    if not header:
        raise _refused(str(path), 1, "has no header: its first row names the columns, such as sku")
    if len(header) > COLUMNS_MAX:
        raise _refused(str(path), 1, f"has {len(header):,} columns; at most {COLUMNS_MAX:,} are taken")
    names = tuple(name.strip() for name in header)
    return Sheet(str(path), names, form.startswith(";"), notices, path, form)


def _encoding(path: Path, begin: bytes) -> tuple[str, tuple[str, ...]]:
    if begin.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16", ()
    try:
        with path.open(encoding="utf-8-sig", newline="") as text:
            while text.read(1 << 20):
                pass
    except UnicodeDecodeError:
        return "cp1252", ("is no UTF-8: read as Windows-1252, look at accents in the plan",)
    return "utf-8-sig", ()


def _first_line(path: Path, encoding: str) -> str:
    with path.open(encoding=encoding, newline="", errors="replace") as text:
        return text.readline(CELL_MAX)


def _csv(path: Path, separator: str, encoding: str) -> Iterator[tuple[int, Cells]]:
    csv.field_size_limit(CELL_MAX)
    with path.open(encoding=encoding, newline="", errors="replace") as text:
        found = csv.reader(text, delimiter=separator, strict=True)
        line = 1
        try:
            for cells in found:
                yield line, tuple(cells)
                line = found.line_num + 1
        except csv.Error as error:
            raise _refused(str(path), line, f"can't be read as CSV: {error}") from error


def _excel(path: Path) -> Iterator[tuple[int, Cells]]:
    from openpyxl import load_workbook

    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(one.file_size for one in archive.infolist())
        if unpacked > UNPACKED_BYTES_MAX:
            raise _refused(str(path), None, f"unpacks to {unpacked:,} bytes; at most {UNPACKED_BYTES_MAX:,} are taken")
        content = io.BytesIO(path.read_bytes())
        values, formulas = (load_workbook(content, read_only=True, data_only=one) for one in (True, False))
    except ImportRefused:
        raise
    except Exception as error:  # the library raises whatever its parsers do
        raise _refused(str(path), None, f"can't be read as an Excel file: {error}") from error
    try:
        if len(values.sheetnames) > 1:
            names = ", ".join(values.sheetnames[:5])
            raise _refused(str(path), None, f"has several sheets ({names}): keep the one that is meant")
        sheets = zip(values.worksheets[0].iter_rows(), formulas.worksheets[0].iter_rows(), strict=True)
        for line, (shown, written) in enumerate(sheets, 1):
            for cell, formula in zip(shown, written, strict=True):
                if cell.value is None and formula.data_type == "f":
                    raise _refused(str(path), line, f"cell {formula.coordinate} {NEVER_CALCULATED}")
            yield line, tuple(_text(path, line, cell.value) for cell in shown)
    finally:
        values.close()
        formulas.close()


def _text(path: Path, line: int, value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case float():
            # Excel keeps 15 digits: what a computer makes of 0.1 + 0.2 is not what the person saw.
            return f"{value:.15g}"
        case datetime.datetime() if value.time() == datetime.time():
            return value.date().isoformat()
        case datetime.datetime() | datetime.date() | datetime.time():
            return value.isoformat()
        case str() if value.startswith("#") and value in ("#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!"):
            raise _refused(str(path), line, f"holds the error {value}: repair the formula")
    return str(value)


def _refused(file: str, line: int | None, reason: str) -> ImportRefused:
    return ImportRefused([Fault(file, line, reason)])
