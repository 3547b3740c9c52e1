"""Writing an export's lines where they shall go."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from daybook.cli.grammar import Given
from daybook.cli.render import answer, line, note, write
from daybook.errors import InvalidValue

STDOUT = "-"


def write_to(given: Given, file: str, lines: Iterator[bytes], position: int) -> None:
    """The lines to stdout, or to a file that is whole or is not there. Raises InvalidValue when it can't be written."""
    if file == STDOUT:
        count = _copy(lines, write)
        note(given, f"{count} lines, as of position {position}")
        return
    count = whole(Path(file), lines)
    told = {"file": file, "lines": count, "position": position}
    answer(given, told, line(f"{count} lines in {file}, as of position {position}"))


def whole(target: Path, lines: Iterable[bytes]) -> int:
    """Writes a file that is whole or is not there, over one that was; how many lines. Raises InvalidValue."""
    part = target.with_name(f"{target.name}.part-{os.getpid()}")
    try:
        with part.open("wb") as out:
            count = _copy(lines, out.write)
        part.replace(target)
    except OSError as error:
        raise InvalidValue("FILE", f"can't be written: {error.strerror}", str(target)) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return count


def _copy(lines: Iterable[bytes], put: Callable[[bytes], object]) -> int:
    count = 0
    for one in lines:
        put(one)
        count += 1
    return count
