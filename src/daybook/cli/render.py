"""Answers on stdout, notes on stderr. With `--json` stdout has JSON only, and stderr nothing but an error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from daybook.cli.grammar import Given

if TYPE_CHECKING:
    from rich.console import Console

PIPED_WIDTH = 160
"""Columns of a table that no terminal shows."""


def answer(given: Given, value: object, show: Callable[[Console], None]) -> None:
    """The value as one JSON document, or as `show` prints it for a person."""
    if given.json:
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


def note(given: Given, text: str) -> None:
    """One dim line on stderr; nothing with `--json`."""
    if not given.json:
        stderr().print(text, style="dim", soft_wrap=True)


def stdout() -> Console:
    """For people. What a catalogue holds is printed as it is, never read as markup."""
    return _console(stderr=False)


def stderr() -> Console:
    """For notes, progress and errors."""
    return _console(stderr=True)


def _console(stderr: bool) -> Console:
    from rich.console import Console

    terminal = (sys.stderr if stderr else sys.stdout).isatty()
    return Console(stderr=stderr, markup=False, highlight=False, emoji=False, width=None if terminal else PIPED_WIDTH)


def table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], empty: str = "nothing"
) -> Callable[[Console], None]:
    """A table, or a line that says that there is none."""

    def show(console: Console) -> None:
        from rich.box import SIMPLE_HEAD
        from rich.table import Table

        drawn = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
        for name in columns:
            number = name.startswith("#")
            drawn.add_column(name.removeprefix("#"), justify="right" if number else "left", overflow="fold")
        for row in rows:
            drawn.add_row(*(cell(one) for one in row))
        if drawn.row_count:
            console.print(drawn)
        else:
            console.print(empty, style="dim")

    return show


def line(text: str) -> Callable[[Console], None]:
    """One line, however long."""
    return lambda console: console.print(cell(text), soft_wrap=True)


def stacked(*parts: Callable[[Console], None]) -> Callable[[Console], None]:
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
