"""Tables that can be read however wide the terminal is.

On a terminal rows stand in columns while each column keeps `READABLE_WIDTH`; where that does not fit, each row is a
block of its own. Into a pipe each row is one line that is never folded, for grep and awk, unless COLUMNS says a width.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from daybook.terminal.render import UNFOLDED_WIDTH, Show, cell, indented

if TYPE_CHECKING:
    from rich.console import Console

READABLE_WIDTH = 24
"""Columns of text narrower than this can't be read; what is shorter is never folded."""
GAP = 3


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], empty: str = "nothing") -> Show:
    """A table, or a line that says that there is none.

    A column of numbers begins with `#`. A row may end early, and leave the last columns empty.
    """

    def show(console: Console) -> None:
        texts = [[cell(one) for one in row] + [""] * (len(columns) - len(row)) for row in rows]
        if not texts:
            console.print(empty, style="dim")
        elif console.width >= UNFOLDED_WIDTH:
            _lines(console, columns, texts)
        elif _needed(columns, texts) <= console.width:
            _folded(console, columns, texts)
        elif _needed(*_filled(columns, texts)) <= console.width:
            _folded(console, *_filled(columns, texts))
        else:
            _blocks(console, columns, texts)

    return show


def _filled(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[list[str], list[list[str]]]:
    """The table without the columns that hold nothing."""
    kept = [at for at in range(len(columns)) if any(row[at] for row in rows)]
    return [columns[at] for at in kept], [[row[at] for at in kept] for row in rows]


def _name(column: str) -> str:
    return column.removeprefix("#")


def _width(text: str) -> int:
    from rich.cells import cell_len

    return max((cell_len(line) for line in text.split("\n")), default=0)


def _widths(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(_width(_name(name)), *(_width(row[at]) for row in rows)) for at, name in enumerate(columns)]


def _needed(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    return sum(min(one, READABLE_WIDTH) for one in _widths(columns, rows)) + GAP * (len(columns) - 1)


def _folded(console: Console, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    drawn = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for name in columns:
        drawn.add_column(_name(name), justify="right" if name.startswith("#") else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*row)
    console.print(drawn)


def _lines(console: Console, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    flat = [[" ".join(text.split("\n")) for text in row] for row in rows]
    widths = _widths(columns, flat)
    for row in ([_name(name) for name in columns], *flat):
        padded = (
            " " * (room - _width(text)) + text if name.startswith("#") else text + " " * (room - _width(text))
            for name, room, text in zip(columns, widths, row, strict=True)
        )
        console.print((" " * GAP).join(padded).rstrip(), soft_wrap=True)


def _blocks(console: Console, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A block for each row: its first two columns as the heading, then what is short, then what is long."""
    names = [_name(name) for name in columns]
    for row in rows:
        said = [(name, text) for name, text in zip(names, row, strict=True) if text]
        short = [f"{name} {text}".strip() for name, text in said if _is_short(text)]
        heading = [f"{name} {text}".strip() for name, text in said[:2] if _is_short(text)]
        console.print(", ".join(heading) or names[0], style="bold")
        for paragraph in _paragraphs(short[len(heading) :], console.width - 4):
            indented(console, paragraph)
        for name, text in said:
            if not _is_short(text):
                indented(console, f"{name}: {text}".removeprefix(": "))


def _is_short(text: str) -> bool:
    return _width(text) <= READABLE_WIDTH and "\n" not in text


def _paragraphs(parts: Iterable[str], width: int) -> Iterator[str]:
    """The parts in lines, none of them broken."""
    so_far = ""
    for part in parts:
        if so_far and _width(f"{so_far}, {part}") > width:
            yield so_far
            so_far = part
        else:
            so_far = f"{so_far}, {part}" if so_far else part
    if so_far:
        yield so_far
