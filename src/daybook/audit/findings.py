"""What a check says: how much it read, and the first thing that is wrong."""

from collections.abc import Callable

import msgspec

Progress = Callable[[str, int, int], None]
"""(what, done, of how many)"""


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What was read, and the first thing that is wrong; None when nothing is."""

    events: int
    """Events that hold: all up to the head, or those before the problem."""
    streams: int
    messages: int | None
    """Messages that were compared and hold; None without NATS or a stream, or after a problem."""
    problem: str | None
    position: int | None = None
    """Where the problem is: a position of the log, or the sequence of a message."""
    stream: str | None = None
    """The event's own stream (`product/SKU-1`); None when the problem belongs to none."""

    @property
    def ok(self) -> bool:
        """Whether everything holds."""
        return self.problem is None


class Wrong(Exception):
    """The first thing that is wrong. Never leaves this package: `verify` tells it as `Verified.problem`."""

    def __init__(self, problem: str, position: int, stream: str | None = None) -> None:
        super().__init__(problem)
        self.position = position
        self.stream = stream
