"""Answers on stdout, notes on stderr. With `--json` stdout has JSON only, and stderr nothing but an error."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from daybook.terminal.options import CommonOptions

if TYPE_CHECKING:
    from rich.console import Console

Show = Callable[["Console"], None]
"""Prints an answer for a person."""

TEXT_SHOWN_MAX = 400
"""Characters of a long text; the whole one is in --json."""

UNFOLDED_WIDTH = 10_000
"""Of what no terminal shows: nothing is folded, so that each row is one line for grep. COLUMNS says otherwise."""
WIDTH_MIN = 20


def answer(common: CommonOptions, value: object, show: Show) -> None:
    """The value as one JSON document, or as `show` prints it for a person."""
    if common.json:
        document(value)
    else:
        show(stdout())


def document(value: object) -> None:
    """One JSON document on one line."""
    import msgspec

    write(msgspec.json.encode(value) + b"\n")


def write(line: bytes) -> None:
    """Bytes to stdout, at once."""
    sys.stdout.flush()
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()


def note(common: CommonOptions, text: str) -> None:
    """One dim line on stderr; nothing with `--json`."""
    if not common.json:
        stderr().print(text, style="dim", soft_wrap=True)


@contextmanager
def working(common: CommonOptions, what: str) -> Iterator[Callable[[str], None]]:
    """A line on the terminal's stderr while something takes long; call what is given to say how far it is."""
    console = stderr()
    if common.json or not console.is_terminal:
        yield lambda far: None
        return
    with console.status(what) as status:
        yield lambda far: status.update(f"{what}: {cell(far)}")


def stdout() -> Console:
    """For people. What a catalogue holds is printed as it is, never read as markup."""
    return _console(stderr=False)


def stderr() -> Console:
    """For notes, progress and errors."""
    return _console(stderr=True)


def _console(stderr: bool) -> Console:
    from rich.console import Console

    width = None if (sys.stderr if stderr else sys.stdout).isatty() else UNFOLDED_WIDTH
    columns = os.environ.get("COLUMNS", "")
    if columns.isdigit():
        width = max(int(columns), WIDTH_MIN)
    return Console(stderr=stderr, markup=False, highlight=False, emoji=False, width=width)


def indented(console: Console, text: str) -> None:
    """A paragraph that stands a bit to the right on each of its lines."""
    from rich.padding import Padding

    if console.width >= UNFOLDED_WIDTH:
        console.print(f"    {' '.join(text.split())}", soft_wrap=True)
    else:
        console.print(Padding(text, (0, 0, 0, 4), expand=False), overflow="fold")


def line(text: str) -> Show:
    """One line, however long."""
    return lambda console: console.print(cell(text), soft_wrap=True)


def stacked(*parts: Show) -> Show:
    """One below the other."""

    def show(console: Console) -> None:
        for part in parts:
            part(console)

    return show


def cell(value: Any) -> str:
    """A value for a person. Control characters are made visible: a product's text must not steer a terminal."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
        case str():
            return "".join(one if one.isprintable() or one == "\n" else repr(one)[1:-1] for one in value)
        case list() | tuple():
            return ", ".join(cell(one) for one in value)
        case dict():
            return ", ".join(f"{name} {cell(one)}" for name, one in value.items())
        case _:
            return str(value)


def plain(value: Any) -> str:
    """A value as short text: JSON when it has parts."""
    import msgspec

    text = value if isinstance(value, str) else "" if value is None else msgspec.json.encode(value).decode()
    return text if len(text) <= TEXT_SHOWN_MAX else f"{text[: TEXT_SHOWN_MAX - 1]}…"
