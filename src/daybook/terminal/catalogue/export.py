"""Writing an export's lines where they shall go."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from daybook.errors import InvalidValue
from daybook.terminal.options import CommonOptions
from daybook.terminal.render import answer, line, note, working, write

STDOUT = "-"
TOLD_EVERY = 100
"""Lines after which it is said how many there are."""


def write_to(common: CommonOptions, file: str, lines: Iterator[bytes], position: int) -> None:
    """The lines to stdout, or to a file that is whole or is not there. Raises InvalidValue when it can't be written."""
    if file == STDOUT:
        count = _copy(lines, write)
        note(common, f"{count} lines, as of position {position}")
        return
    with working(common, f"writing {file}") as on_progress:
        count = whole(Path(file), _counted(lines, on_progress))
    told = {"file": file, "lines": count, "position": position}
    answer(common, told, line(f"{count} lines in {file}, as of position {position}"))


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


def _counted(lines: Iterable[bytes], on_progress: Callable[[str], None]) -> Iterator[bytes]:
    for number, one in enumerate(lines, 1):
        yield one
        if number % TOLD_EVERY == 0:
            on_progress(f"{number:,} lines")


def _copy(lines: Iterable[bytes], put: Callable[[bytes], object]) -> int:
    count = 0
    for one in lines:
        put(one)
        count += 1
    return count
