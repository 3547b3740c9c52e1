"""How many products wait to be brought singly: when it is very many, the others go as one bulk operation."""

import time
from collections.abc import Callable

from daybook.channel.contract import Push

FORGOTTEN_SECONDS = 600.0
"""A product that was let in so long ago and is still not brought: its push was given up and never came."""


class BulkThreshold:
    """Products that were let in and are not done. Kept by SKU and position, so that a newer state is another one."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._waiting: dict[tuple[str, int], float] = {}

    def lets_in(self, push: Push, most: int) -> bool:
        """Whether the push may go singly, because fewer than `most` wait. It counts from now on, until it is `done`."""
        now = self._clock()
        if len(self._waiting) >= most:
            for mark in [mark for mark, at in self._waiting.items() if at < now - FORGOTTEN_SECONDS]:
                del self._waiting[mark]
        if len(self._waiting) >= most:
            return False
        self._waiting[push.sku, push.position] = now
        return True

    def done(self, push: Push) -> None:
        """The push has its outcome. One that was never let in is none of ours."""
        self._waiting.pop((push.sku, push.position), None)
