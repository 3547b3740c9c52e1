"""How much one caller may ask for: a bucket of requests that fills at a steady rate, and how many are under way."""

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable

CALLERS_MAX = 10_000
"""Whose buckets are kept. Of more, those that have been quiet for the longest begin anew, with a full one."""
BURST_SECONDS = 2.0


def client_of(address: str) -> str:
    """What one client has: an IPv4 address, or the half of an IPv6 address that a provider hands out."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return str(ip.ipv4_mapped)
        return str(ipaddress.ip_network((int(ip) >> 64 << 64, 64)))
    return str(ip)


class _Bucket:
    __slots__ = ("at", "left", "under_way")

    def __init__(self, left: float, at: float) -> None:
        self.left, self.at, self.under_way = left, at, 0


class Rates:
    """Buckets by caller, whatever names one. For one thread: an event loop's."""

    def __init__(self, per_second: float, concurrent: int, clock: Callable[[], float] = time.monotonic) -> None:
        """`per_second` for long, with a burst of two seconds; `concurrent` at once."""
        self._rate, self._most = per_second, max(1.0, per_second * BURST_SECONDS)
        self._concurrent, self._clock = concurrent, clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def begin(self, caller: str) -> float | None:
        """Counts a request in, and None; or the seconds after which to come again. Whoever is in calls `end`."""
        now = self._clock()
        bucket = self._buckets.get(caller)
        if bucket is None:
            bucket = self._buckets[caller] = _Bucket(self._most, now)
            self._forget()
        else:
            self._buckets.move_to_end(caller)
            bucket.left = min(self._most, bucket.left + (now - bucket.at) * self._rate)
            bucket.at = now
        if bucket.left < 1:
            return (1 - bucket.left) / self._rate
        if bucket.under_way >= self._concurrent:
            return 1.0
        bucket.left -= 1
        bucket.under_way += 1
        return None

    def end(self, caller: str) -> None:
        """The caller's request is answered, or given up."""
        bucket = self._buckets.get(caller)
        if bucket is not None and bucket.under_way:
            bucket.under_way -= 1

    def _forget(self) -> None:
        while len(self._buckets) > CALLERS_MAX:
            oldest = next(iter(self._buckets))
            if self._buckets[oldest].under_way:
                return
            del self._buckets[oldest]
