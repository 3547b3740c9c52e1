"""Reading the neutral format: the whole file is checked before the first row is given."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from daybook.importing import records
from daybook.importing.records import Header, MalformedRecord
from daybook.importing.rows import PROBLEMS_SHOWN_MAX, Fault, ImportRefused, Row, Said
from daybook.importing.spool import spooled

STDIN = "-"
LINE_BYTES_MAX = 8 * 1024 * 1024
_BOM = b"\xef\xbb\xbf"
_GZIP = b"\x1f\x8b"


def read(source: Path | str, stdin: IO[bytes] | None = None) -> Iterator[Row]:
    """The rows of a file, or of standard input for `-`, in order.

    Every line is decoded before this returns; ImportRefused names the bad ones (the first 20 of them), and then nothing
    has been written. What can be read only once, a pipe or standard input, is kept in a temporary file meanwhile. Blank
    lines are passed over.
    """
    if str(source) == STDIN:
        file, name = spooled(stdin or sys.stdin.buffer), "stdin"
    else:
        name = str(source)
        try:
            file = Path(source).open("rb")  # noqa: SIM115 - the rows that are given later read from it
            if not file.seekable():
                with file as pipe:
                    file = spooled(pipe)
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
    for number, line in _lines(file, name):
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
        for number, line in _lines(file, name):
            record = records.decode(line)
            if not isinstance(record, Header):
                fields = records.fields_said(line, record)
                said = None if fields is None else Said(fields, frozenset(), whole=True)
                yield Row(file=name, line=number, record=record, said=said)


def _lines(file: IO[bytes], name: str) -> Iterator[tuple[int, bytes]]:
    number = 0
    while line := file.readline(LINE_BYTES_MAX + 1):
        number += 1
        if number == 1 and line.startswith(_GZIP):
            raise ImportRefused([Fault(name, None, "is compressed: unpack it first, such as by zcat FILE | ... -")])
        if len(line) > LINE_BYTES_MAX:
            raise ImportRefused([Fault(name, number, f"is longer than {LINE_BYTES_MAX:,} bytes")])
        line = line.removeprefix(_BOM) if number == 1 else line
        if line.strip():
            yield number, line
