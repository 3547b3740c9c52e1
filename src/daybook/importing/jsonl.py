"""Reading the neutral format: the whole file is checked before the first row is given."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from daybook.importing import records
from daybook.importing.records import Header, MalformedRecord
from daybook.importing.rows import PROBLEMS_SHOWN_MAX, Fault, ImportRefused, Row

STDIN = "-"
_BOM = b"\xef\xbb\xbf"


def read(source: Path | str, stdin: IO[bytes] | None = None) -> Iterator[Row]:
    """The rows of a file, or of standard input for `-`, in order.

    Every line is decoded before this returns; ImportRefused names the bad ones (the first 20 of them), and then nothing
    has been written. Standard input is kept in a temporary file meanwhile. Blank lines are passed over.
    """
    if str(source) == STDIN:
        file, name = _spooled(stdin or sys.stdin.buffer), "stdin"
    else:
        name = str(source)
        try:
            file = Path(source).open("rb")  # noqa: SIM115 - the rows that are given later read from it
        except OSError as error:
            raise ImportRefused([Fault(name, None, f"can't be opened: {error.strerror}")]) from error
    try:
        _check(file, name)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return _rows(file, name)


def _check(file: IO[bytes], name: str) -> None:
    faults: list[Fault] = []
    count, first = 0, True
    for number, line in _lines(file):
        try:
            found = records.decode(line)
            if isinstance(found, Header) and not first:
                raise MalformedRecord("the header may stand on the first line only")
            records.check_fields(line)
        except MalformedRecord as error:
            count += 1
            if len(faults) < PROBLEMS_SHOWN_MAX:
                faults.append(Fault(name, number, error.message))
        first = False
    if first:
        faults.append(Fault(name, None, "is empty"))
    if faults:
        raise ImportRefused(faults, max(count, 1))


def _rows(file: IO[bytes], name: str) -> Iterator[Row]:
    with file:
        for number, line in _lines(file):
            record = records.decode(line)
            if not isinstance(record, Header):
                yield Row(file=name, line=number, record=record)


def _lines(file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(file, 1):
        line = line.removeprefix(_BOM) if number == 1 else line
        if line.strip():
            yield number, line


def _spooled(stdin: IO[bytes]) -> IO[bytes]:
    spool = tempfile.TemporaryFile()  # noqa: SIM115 - closed when its rows have been read
    shutil.copyfileobj(stdin, spool)
    spool.seek(0)
    return spool
