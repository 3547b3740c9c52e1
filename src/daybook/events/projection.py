"""What people decide about a projection."""

import msgspec


class EventDiscarded(msgspec.Struct, frozen=True, kw_only=True):
    """This projection leaves one event out, for a reason that a person gave: its code could not fold it.

    The event stays in the log, and every other projection folds it.
    """

    projection: str
    position: int
    reason: str
