"""What people do to a channel while it runs. Who, why, and with which key is in the event's columns.

Each is recorded before it takes effect, so that nothing is done of which the book does not say who did it.
"""

import msgspec


class ChannelPaused(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing is sent to the channel until it is resumed; its listings go on."""

    name: str


class ChannelResumed(msgspec.Struct, frozen=True, kw_only=True):
    """The channel is brought to its newest state again."""

    name: str


class ChannelRetried(msgspec.Struct, frozen=True, kw_only=True):
    """What stood still is tried again: parked groups are folded, rejected facets offered. Nothing named is all."""

    name: str
    keys: tuple[str, ...] = ()
    """Only these parked product groups."""
    skus: tuple[str, ...] = ()
    """Only what was rejected of these SKUs."""
    code: str | None = None
    """Only what was rejected with this code."""
    rejected: bool = False
    """Only what was rejected, no parked groups."""
    groups: int
    """How many parked groups were chosen."""
    facets: int
    """How many rejected facets were chosen."""


class ChannelResynced(msgspec.Struct, frozen=True, kw_only=True):
    """What the channel acknowledged is sent to it again: what is chosen, or all of it."""

    name: str
    skus: tuple[str, ...] = ()
    since: int | None = None
    """Only facets whose wanted state changed after this position."""
    locale: str | None = None
    """Only product groups of which a text in this locale changed."""
    keys: tuple[str, ...] = ()
    """Only these product groups."""
    drift_only: bool = False
    """The channel is read first, and only what it shows differently is sent."""
    facets: int | None = None
    """How many facets were chosen; null when only the channel can tell."""


class ChannelPruned(msgspec.Struct, frozen=True, kw_only=True):
    """Generations of the listings are dropped: there is no way back to them. Of a channel that was removed, all."""

    name: str
    generations: tuple[int, ...]


class ChannelSwitched(msgspec.Struct, frozen=True, kw_only=True):
    """Another generation of the listings is the live one, and the channel is brought to the differences."""

    name: str
    generation: int
    before: int
    """The generation that was live."""
    facets: int
    """How many facets the channel should show otherwise."""
