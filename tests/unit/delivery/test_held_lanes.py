"""Which lanes a worker surely holds: counted by its own clock, whatever the database says later."""

from daybook.delivery.held_lanes import LEASE_SECONDS, MARGIN_SECONDS, HeldLanes

SURE_SECONDS = LEASE_SECONDS - MARGIN_SECONDS


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def hand(clock: Clock) -> HeldLanes:
    held = HeldLanes(clock)
    held.claimed(["A", "B"], clock.now)
    return held


def test_a_lease_counts_as_lost_a_margin_before_another_may_take_the_lane() -> None:
    clock = Clock()
    held = hand(clock)
    clock.now += SURE_SECONDS - 0.01
    assert held.surely("A")
    clock.now += 0.02
    assert not held.surely("A")


def test_a_lane_that_is_claimed_while_the_leases_are_renewed_is_held() -> None:
    clock = Clock()
    held = hand(clock)
    asked, asked_at = held.names(), clock.now + 1.0
    clock.now += 1.1
    held.claimed(["C"], clock.now)
    held.renewed(asked, ["A", "B"], ["A", "B"], asked_at)
    assert held.surely("C")


def test_a_lane_that_is_claimed_anew_while_the_leases_are_renewed_is_held() -> None:
    """The answer is about the claim before: it was let go when the database looked."""
    clock = Clock()
    held = hand(clock)
    asked, asked_at = held.names(), clock.now + 1.0
    clock.now += 1.1
    held.recorded(["A"])
    held.claimed(["A"], clock.now)
    held.renewed(asked, ["B"], ["B"], asked_at)
    assert held.surely("A")


def test_a_lane_that_another_owner_has_is_lost_and_stays_so() -> None:
    clock = Clock()
    held = hand(clock)
    clock.now += 1.0
    held.renewed(["A", "B"], ["B"], ["B"], clock.now)
    assert not held.surely("A") and held.surely("B")
    clock.now += 1.0
    held.renewed(["A", "B"], ["A", "B"], ["A", "B"], clock.now)
    assert not held.surely("A"), "whatever the database says later"


def test_a_lane_that_is_locked_while_the_leases_are_renewed_runs_on_as_it_was() -> None:
    clock = Clock()
    held = hand(clock)
    clock.now += 1.0
    held.renewed(["A", "B"], ["B"], ["A", "B"], clock.now)
    assert held.surely("A")
    clock.now += SURE_SECONDS - 0.5
    assert not held.surely("A") and held.surely("B")
