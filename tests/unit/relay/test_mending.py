"""When a stream may be removed to be filled again: late, seldom, and never for what a new one would not cure."""

import pytest

from daybook.errors import DaybookError, Unavailable
from daybook.relay import mending
from daybook.relay.mending import PAUSE_SECONDS, STUCK_SECONDS, Mending
from daybook.stream.jetstream import LostTheFence, MessageTooLarge, StreamRefused


class Clock:
    """Moves only when told."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(mending, "time", made)
    return made


@pytest.mark.parametrize("error", [Unavailable("no answer"), StreamRefused("no space left on device")])
def test_a_stream_that_stores_nothing_for_long_is_due_once(clock: Clock, error: DaybookError) -> None:
    watch = Mending()
    watch.failed(7, error)
    clock.now += STUCK_SECONDS - 1
    watch.failed(7, error)
    assert not watch.due(7)
    clock.now += 1
    assert watch.due(7) and not watch.due(7)


def test_what_did_not_help_is_not_tried_again_at_once(clock: Clock) -> None:
    watch = Mending()
    watch.failed(7, StreamRefused("full"))
    clock.now += STUCK_SECONDS
    assert watch.due(7)
    watch.failed(0, StreamRefused("full"))
    clock.now += PAUSE_SECONDS - 1
    assert not watch.due(0)
    clock.now += 1
    assert watch.due(0)


@pytest.mark.parametrize("error", [LostTheFence("another relay"), MessageTooLarge("an event"), DaybookError("else")])
def test_what_a_new_stream_would_not_cure_never_makes_it_due(clock: Clock, error: DaybookError) -> None:
    watch = Mending()
    watch.failed(7, StreamRefused("full"))
    watch.failed(7, error)
    clock.now += 10 * STUCK_SECONDS
    assert not watch.due(7)


def test_a_stream_that_moves_is_never_due(clock: Clock) -> None:
    watch = Mending()
    for sequence in range(20):
        watch.failed(sequence, Unavailable("slow"))
        clock.now += STUCK_SECONDS / 2
        assert not watch.due(sequence + 1)


def test_an_outage_of_the_server_counts_for_nothing(clock: Clock) -> None:
    watch = Mending()
    watch.failed(7, Unavailable("no answer"))
    watch.forget()
    clock.now += 10 * STUCK_SECONDS
    assert not watch.due(7)
    watch.failed(7, Unavailable("no answer"))
    assert not watch.due(7)
