"""Tables that a person can read at 80, 120 and 200 columns, and that grep can read in a pipe."""

import io
from collections.abc import Iterator, Sequence

import pytest
from rich.cells import cell_len
from rich.console import Console

from daybook.terminal.render import UNFOLDED_WIDTH, stdout
from daybook.terminal.tables import table

NUMBERS = ("listings", "held", "due", "in flight", "accepted", "confirmed", "rejected", "parked", "lag", "workers")
CHANNELS = ("channel", "state", *(f"#{name}" for name in NUMBERS), "next try (UTC)", "last error")
ERROR = "POST https://api.example.com/retailer/offers was not answered: connection refused"
ROWS = [
    ("bol", "level", 8, 1, 0, 0, 0, 24, 1, 0, 0, 1, None, None),
    ("shop", "down", 1200, 0, 3600, 0, 0, 0, 0, 0, 0, 1, "2026-11-29 06:10:33", ERROR),
]
HISTORY = ("#position", "when (UTC)", "SKU", "what", "who", "why", "channels")
CHANGES = [(12, "2026-11-29 06:10:33", "A", "price 19.99 EUR, was 18.99 EUR", "anna", None, "bol confirmed")]


def drawn(width: int, columns: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> list[str]:
    said = io.StringIO()
    table(columns, rows)(Console(width=width, file=said, markup=False, highlight=False, emoji=False))
    return [line.rstrip() for line in said.getvalue().splitlines() if line.strip()]


def words(lines: list[str]) -> Iterator[str]:
    return (word.strip(",:") for line in lines for word in line.split())


@pytest.mark.parametrize("width", [40, 80, 120, 200])
@pytest.mark.parametrize(("columns", "rows"), [(CHANNELS, ROWS), (HISTORY, CHANGES)])
def test_nothing_is_lost_or_wider_than_the_terminal(
    width: int, columns: tuple[str, ...], rows: Sequence[tuple[object, ...]]
) -> None:
    lines = drawn(width, columns, rows)
    assert max(map(cell_len, lines)) <= width
    shown = "".join(words(lines))
    assert all("".join(words([str(one)])) in shown for row in rows for one in row[:3])


def test_what_does_not_fit_in_columns_is_a_block_for_each_row() -> None:
    assert drawn(80, CHANNELS, ROWS) == [
        "channel bol, state level",
        "    listings 8, held 1, due 0, in flight 0, accepted 0, confirmed 24, rejected 1",
        "    parked 0, lag 0, workers 1",
        "channel shop, state down",
        "    listings 1200, held 0, due 3600, in flight 0, accepted 0, confirmed 0",
        "    rejected 0, parked 0, lag 0, workers 1, next try (UTC) 2026-11-29 06:10:33",
        "    last error: POST https://api.example.com/retailer/offers was not answered:",
        "    connection refused",
    ]


def test_a_row_stands_in_columns_as_soon_as_they_can_be_read() -> None:
    lines = drawn(120, HISTORY, CHANGES)
    assert lines[0].split() == ["position", "when", "(UTC)", "SKU", "what", "who", "why", "channels"]
    assert lines[2].split()[:4] == ["12", "2026-11-29", "06:10:33", "A"]


def test_in_a_pipe_a_row_is_one_line_that_is_never_folded_with_every_column() -> None:
    lines = drawn(UNFOLDED_WIDTH, CHANNELS, [*ROWS, ("web", "two\nlines")])
    assert len(lines) == 4
    assert lines[0].endswith("last error") and lines[2].endswith(ERROR) and lines[3] == "web       two lines"


@pytest.mark.parametrize(("said", "width"), [("80", 80), ("0", 20), ("wide", UNFOLDED_WIDTH), (None, UNFOLDED_WIDTH)])
def test_the_width_of_a_pipe_is_what_columns_says(
    monkeypatch: pytest.MonkeyPatch, said: str | None, width: int
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    if said is not None:
        monkeypatch.setenv("COLUMNS", said)
    monkeypatch.setattr("sys.stdout", io.StringIO())
    assert stdout().width == width
