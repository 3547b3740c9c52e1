"""A bucket for each caller: a burst, then a steady rate; requests under way; and an end to how many are kept."""

from types import SimpleNamespace

import pytest

from daybook.web import rates
from daybook.web.rates import Rates


def limited(per_second: float = 2, concurrent: int = 100) -> tuple[Rates, SimpleNamespace]:
    clock = SimpleNamespace(now=100.0)
    return Rates(per_second, concurrent, lambda: clock.now), clock


def test_a_burst_is_let_in_then_as_many_as_the_rate_gives() -> None:
    found, clock = limited()
    assert [found.begin("a") for _ in range(5)] == [None] * 4 + [0.5]
    assert found.begin("b") is None
    clock.now += 0.5
    assert [found.begin("a") is None, found.begin("a") is None] == [True, False]
    clock.now += 3600
    assert [found.begin("a") is None for _ in range(5)] == [True] * 4 + [False]


def test_requests_under_way_are_bounded_and_one_that_ends_makes_room() -> None:
    found, _ = limited(per_second=100, concurrent=2)
    assert [found.begin("a") for _ in range(3)] == [None, None, 1.0]
    found.end("a")
    assert found.begin("a") is None
    found.end("nobody")


def test_a_flood_of_callers_is_forgotten_but_nobody_with_a_request_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "CALLERS_MAX", 10)
    found, _ = limited(concurrent=1)
    found.begin("busy")
    for number in range(1000):
        found.begin(f"{number}")
        found.end(f"{number}")
    assert found.begin("busy") == 1.0
