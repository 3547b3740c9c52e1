"""Pace: requests go out as fast as the channel allows and no faster, operation by operation.

A token bucket for each operation, filled by the rate that the connector declares and corrected by what the channel's
own headers say. Whoever can't get a token soon is told how long it would take, so that its lane is put off and another
operation's request gets the place.
"""

import asyncio
import math
import time
from collections.abc import Callable, Mapping

import msgspec

WAIT_SECONDS_MAX = 1.0
"""A request waits so long for its turn while it holds a place; beyond, its lane is put off."""
HEADROOM = 0.98
"""Of the allowed rate: clocks differ."""
BURST_USED = 0.8
"""Of the allowed burst: requests bunch up on their way, and the channel counts them as they arrive."""
QUIET_SECONDS = 1.0
"""After a throttle that does not say how long."""
EPOCH_MIN = 10**6
"""A greater X-RateLimit-Reset is a moment, not a number of seconds: both have been seen."""


class Rate(msgspec.Struct, frozen=True):
    """What a channel allows: `per_second` on and on, `burst` at once after a pause."""

    per_second: float
    burst: float = 1


class TooSoon(Exception):
    """No turn within `WAIT_SECONDS_MAX`; there would be one in `seconds`."""

    def __init__(self, operation: str, seconds: float) -> None:
        super().__init__(f"{operation} has its turn in {seconds:.1f} s")
        self.operation = operation
        self.seconds = seconds


class _Bucket:
    def __init__(self, rate: Rate | None, now: float) -> None:
        self.rate = rate
        self.left = rate.burst if rate else math.inf
        self.at = now
        self.quiet_until = 0.0

    def fill(self, now: float, workers: int) -> None:
        if self.rate is not None:
            gained = (now - self.at) * self.rate.per_second * HEADROOM / workers
            self.left = min(self.left + gained, max(1.0, self.rate.burst * BURST_USED / workers))
        self.at = now

    def wait(self, now: float, workers: int) -> float:
        owed = 0.0
        if self.rate is not None and self.left < 0:
            owed = -self.left * workers / (self.rate.per_second * HEADROOM)
        return max(owed, self.quiet_until - now, 0.0)


class Pace:
    """The buckets of one connector. Operations that were never declared are only held back when the channel says so."""

    def __init__(self, rates: Mapping[str, Rate] | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._rates = dict(rates or {})
        self._buckets: dict[str, _Bucket] = {}
        self.workers = 1
        """Who shares the rates; see `share`."""

    def share(self, workers: int) -> None:
        """So many workers call this channel now: each keeps to its part of the rates."""
        self.workers = max(1, workers)

    async def turn(self, operation: str, cost: float = 1.0) -> None:
        """Waits for the operation's turn, in the order of asking. Raises TooSoon when that takes too long."""
        now = self._clock()
        bucket = self._bucket(operation)
        bucket.fill(now, self.workers)
        bucket.left -= cost
        wait = bucket.wait(now, self.workers)
        if wait > WAIT_SECONDS_MAX:
            bucket.left += cost
            raise TooSoon(operation, wait)
        if wait > 0:
            await asyncio.sleep(wait)

    def observe(
        self,
        operation: str,
        *,
        left: float | None = None,
        rate: Rate | None = None,
        quiet_seconds: float | None = None,
    ) -> None:
        """What the channel said of an operation: how many requests are left, its rate, a pause that it asks for."""
        now = self._clock()
        bucket = self._bucket(operation)
        bucket.fill(now, self.workers)
        if rate is not None:
            bucket.rate = rate
            bucket.left = min(bucket.left, rate.burst)
        if left is not None and bucket.rate is not None:
            bucket.left = min(bucket.left, left / self.workers)
        if quiet_seconds is not None:
            bucket.quiet_until = max(bucket.quiet_until, now + quiet_seconds)

    def learn(self, operation: str, status: int, headers: Mapping[str, str], retry_after: float | None) -> None:
        """From an answer's headers: Retry-After of a 429, X-RateLimit-Remaining and -Reset, x-amzn-RateLimit-Limit."""
        if status == 429:
            self.observe(operation, left=0, quiet_seconds=retry_after or QUIET_SECONDS)
        left = _number(headers.get("X-RateLimit-Remaining"))
        if left is not None:
            self.observe(operation, left=left, quiet_seconds=reset_seconds(headers) if left <= 0 else None)
        declared = self._rates.get(operation)
        now_allowed = _number(headers.get("x-amzn-RateLimit-Limit"))
        if now_allowed and declared is not None:
            self.observe(operation, rate=Rate(now_allowed, declared.burst))

    def _bucket(self, operation: str) -> _Bucket:
        if operation not in self._buckets:
            self._buckets[operation] = _Bucket(self._rates.get(operation), self._clock())
        return self._buckets[operation]


def reset_seconds(headers: Mapping[str, str]) -> float | None:
    """How long until the channel counts anew, from X-RateLimit-Reset; None without a usable one."""
    reset = _number(headers.get("X-RateLimit-Reset"))
    if reset is None:
        return None
    return max(0.0, reset - time.time()) if reset > EPOCH_MIN else max(0.0, reset)


def _number(value: str | None) -> float | None:
    try:
        found = float(value or "")
    except ValueError:
        return None
    return found if math.isfinite(found) else None
