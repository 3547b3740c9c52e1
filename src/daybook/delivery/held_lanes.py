"""Which lanes a worker surely holds, measured by its own clock.

Hazard: a worker that is stopped (SIGSTOP, a swapping or suspended machine) goes on, when it wakes, with rows that are
old by then, while another worker has brought newer ones. The database's lease can't stop it: between a look at it and
the request anything may pass. So it counts by itself, from before it asked, on a clock that goes on while the machine
sleeps, and less a margin; and it asks right before a request leaves. See decision 19.
"""

import time
from collections.abc import Callable, Iterable

LEASE_SECONDS = 5.0
MARGIN_SECONDS = 1.0
"""A lease counts as lost so long before another may take the lane: for what lies between a look and a socket."""


def now() -> float:
    """Seconds on a clock that nobody sets and that does not stop while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class HeldLanes:
    """Lanes that were claimed and are not recorded yet, with the moment until which they are surely held."""

    def __init__(self, clock: Callable[[], float] = now) -> None:
        self.clock = clock
        self._until: dict[str, float] = {}
        self._claimed_at: dict[str, float] = {}

    def __bool__(self) -> bool:
        return bool(self._until)

    def names(self) -> list[str]:
        """All lanes in hand, also those whose lease has run out."""
        return list(self._until)

    def claimed(self, lanes: Iterable[str], asked_at: float) -> None:
        """The database gave these, in answer to a question of that moment."""
        for lane in lanes:
            self._until[lane] = asked_at + LEASE_SECONDS - MARGIN_SECONDS
            self._claimed_at[lane] = asked_at

    def renewed(self, asked: Iterable[str], kept: Iterable[str], owned: Iterable[str], asked_at: float) -> None:
        """The database was asked for these, and renewed the `kept`. The others that are `owned` run on as they were:
        somebody had them locked. What is not is lost, and not held again, whatever the database says later.
        """
        renewed, mine = set(kept), set(owned)
        for lane in asked:
            until = self._until.get(lane)
            if until is None or self._claimed_at[lane] >= asked_at:
                continue  # recorded meanwhile, and perhaps claimed anew: the answer is about what was
            if lane in renewed and until > self.clock():
                self._until[lane] = max(until, asked_at + LEASE_SECONDS - MARGIN_SECONDS)
            elif lane not in renewed and lane not in mine:
                self._until[lane] = 0.0

    def recorded(self, lanes: Iterable[str]) -> None:
        """What these came to is written down, or never will be."""
        for lane in lanes:
            self._until.pop(lane, None)
            self._claimed_at.pop(lane, None)

    def surely(self, lane: str) -> bool:
        """Whether the lane is this worker's now, so that a request may leave."""
        return self._until.get(lane, 0.0) > self.clock()
