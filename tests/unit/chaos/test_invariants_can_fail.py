"""The chaos run's checks notice what they are there for."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.chaos import shelves
from tests.chaos.book import Book
from tests.chaos.faults import Fault, nothing
from tests.chaos.truth import Truth, Wish, state_of
from tests.chaos.watch import silence

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
KIND = "product.price_changed.v1"
Row = tuple[Any, ...]


class StillWorld:
    """A log and marketplaces that say what a test wants."""

    channels = ("webshop",)

    def __init__(self, rows: list[Row], shown: Mapping[str, Any] | None = None) -> None:
        self._rows, self._shown = rows, shown or {}
        self.shops = self

    def rows(self, *_: object) -> list[Row]:
        return self._rows

    def box(self, _: str) -> "StillWorld":
        return self

    def shown(self) -> Mapping[str, Any]:
        return self._shown


def wish(number: int, position: int | None, **effect: Any) -> Wish:
    return Wish(
        id=f"chaos-{number}", sku="A", method="PUT", path="/", body=None, effect=effect, state="acknowledged",
        position=position,
    )  # fmt: skip


def truth(*wishes: Wish) -> Truth:
    made = Truth()
    for one in wishes:
        made.wish(one)
    return made


def row(position: int, command: int, source: str = "http", version: int | None = None, seconds: int = 0) -> Row:
    at, version = BEGAN + timedelta(seconds=seconds or position), version or position
    return position, f"id-{position}", f"chaos-{command}", source, KIND, at, "product/A", version, "{}"


GOOD = [row(1, 1), row(2, 2)]


@pytest.mark.parametrize(
    "rows",
    [
        [row(1, 1)],
        [*GOOD, row(3, 1)],
        [row(1, 1), row(3, 2, version=2)],
        [*GOOD, row(3, 9)],
        [*GOOD, (3, "id-3", "other", "psql", *row(3, 3)[4:])],
        [row(1, 1, seconds=9), row(2, 2, seconds=8)],
        [row(1, 1), row(2, 2, version=3)],
        [row(1, 1), (2, "id-1", *row(2, 2)[2:])],
    ],
    ids=["lost", "doubled", "a hole", "nobody's", "a stranger's", "time falls", "a version skipped", "an id twice"],
)
def test_a_log_that_is_not_what_was_acknowledged_is_noticed(rows: list[Row]) -> None:
    known = truth(wish(1, 1), wish(2, 2))

    assert Book(StillWorld(GOOD), known).wrong() == []  # type: ignore[arg-type]
    assert Book(StillWorld(rows), known).wrong() != []  # type: ignore[arg-type]


def test_an_event_that_was_changed_after_it_was_read_is_noticed() -> None:
    rows = list(GOOD)
    book = Book(StillWorld(rows), truth(wish(1, 1), wish(2, 2)))  # type: ignore[arg-type]

    assert book.wrong() == []
    rows[0] = (*rows[0][:-1], '{"price":1}')
    assert book.wrong() != []


@pytest.mark.parametrize(
    "shown",
    [
        {},
        {"A": {"price": "1.00", "stock": 3, "title": "T"}},
        {"A": {"price": "2.00", "stock": 2, "title": "T"}},
        {"A": {"price": "2.00", "stock": 3, "title": "older"}},
        {"A": {"price": "2.00", "stock": 3, "title": "T"}, "B": {}},
    ],
    ids=["not there", "an older price", "an older stock", "an older title", "what was taken off"],
)
def test_a_marketplace_that_shows_something_else_is_noticed(shown: Mapping[str, Any]) -> None:
    known = truth(
        wish(1, 1, price="1.00", stock=1, title="T", **{"channel webshop": True}),
        wish(2, 2, price="2.00"),
        wish(3, 3, received=2),
    )
    states = {"A": state_of(known, "A"), "B": {"channel webshop": False}}
    right = {"A": {"price": "2.00", "stock": 3, "title": "T"}}

    assert shelves.wrong(StillWorld([], right), states) == []  # type: ignore[arg-type]
    assert shelves.wrong(StillWorld([], shown), states) != []  # type: ignore[arg-type]


def test_a_green_light_while_a_fault_lasts_is_noticed() -> None:
    fault = Fault("relay away", lambda *_: nothing, (30.0, 30.0), ("stream_stuck",))

    assert silence(fault, {"stream_stuck": 9}, 30, 30.0) is None
    assert silence(fault, {"unanswered": 2}, 2, 30.0) is None
    assert silence(fault, {"due": 9}, 30, 30.0) is not None
