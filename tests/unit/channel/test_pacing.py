"""Pace: as fast as the channel allows and no faster, operation by operation. A clock that is moved by hand."""

import asyncio

import pytest

from daybook.channel.pacing import BURST_USED, HEADROOM, Pace, Rate, TooSoon


class Clock:
    """Stands still until it is moved; sleeping moves it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0

        async def sleep(seconds: float) -> None:
            self.now += seconds

        monkeypatch.setattr("daybook.channel.pacing.asyncio.sleep", sleep)

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def turns(pace: Pace, clock: Clock, number: int, operation: str = "put") -> float:
    """How long so many turns take, one after the other; a turn that is too far off is waited for."""
    begun = clock.now

    async def main() -> None:
        for _ in range(number):
            while True:
                try:
                    await pace.turn(operation)
                    break
                except TooSoon as said:
                    clock.now += said.seconds

    asyncio.run(main())
    return clock.now - begun


def test_after_the_burst_requests_go_out_evenly(clock: Clock) -> None:
    pace = Pace({"put": Rate(5.0, 10)}, clock)
    assert turns(pace, clock, 8) == 0
    assert turns(pace, clock, 50) == pytest.approx(50 / 5 / HEADROOM)


def test_a_pause_earns_a_burst_and_no_more(clock: Clock) -> None:
    pace = Pace({"put": Rate(5.0, 10)}, clock)
    turns(pace, clock, 30)
    clock.now += 3600
    assert turns(pace, clock, int(10 * BURST_USED)) == 0
    assert turns(pace, clock, 5) > 0.9


def test_operations_do_not_hold_each_other_back(clock: Clock) -> None:
    pace = Pace({"put": Rate(1.0), "patch": Rate(1.0)}, clock)
    turns(pace, clock, 3)
    assert turns(pace, clock, 1, "patch") == 0


def test_what_was_never_declared_is_only_held_back_when_the_channel_says_so(clock: Clock) -> None:
    pace = Pace({}, clock)
    assert turns(pace, clock, 100, "get") == 0
    pace.learn("get", 429, {}, 7.0)
    assert turns(pace, clock, 1, "get") == pytest.approx(7.0)


async def test_a_turn_that_is_far_off_is_refused_and_costs_nothing(clock: Clock) -> None:
    pace = Pace({"put": Rate(0.1)}, clock)

    await pace.turn("put")
    for _ in range(3):
        with pytest.raises(TooSoon) as said:
            await pace.turn("put")
        assert said.value.seconds == pytest.approx(10 / HEADROOM)


def test_workers_share_the_rate(clock: Clock) -> None:
    pace = Pace({"put": Rate(10.0)}, clock)
    pace.share(4)
    turns(pace, clock, 1)
    assert turns(pace, clock, 20) == pytest.approx(20 / (10 / 4) / HEADROOM)


def test_the_channels_own_headers_win(clock: Clock) -> None:
    pace = Pace({"put": Rate(5.0, 10)}, clock)
    pace.learn("put", 200, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "2"}, None)
    assert turns(pace, clock, 1) == pytest.approx(2.0)
    pace.learn("put", 200, {"x-amzn-RateLimit-Limit": "50.0"}, None)
    turns(pace, clock, 10)
    assert turns(pace, clock, 100) == pytest.approx(100 / 50 / HEADROOM)


async def test_a_request_may_cost_more_than_one(clock: Clock) -> None:
    pace = Pace({"graphql": Rate(50.0, 100)}, clock)

    await pace.turn("graphql", 80)
    await pace.turn("graphql", 25)
    assert clock.now == pytest.approx(100.0 + 25 / 50 / HEADROOM)


@pytest.mark.parametrize("nonsense", ["", "soon", "nan", "inf"])
def test_headers_that_make_no_sense_are_passed_over(clock: Clock, nonsense: str) -> None:
    pace = Pace({"put": Rate(5.0, 10)}, clock)
    pace.learn("put", 200, {"X-RateLimit-Remaining": nonsense, "x-amzn-RateLimit-Limit": nonsense}, None)
    assert turns(pace, clock, 8) == 0
