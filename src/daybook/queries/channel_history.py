"""What was done to a channel and who did it: added, configured, paused, retried, sent again, switched, removed."""

from datetime import datetime
from typing import Any

import msgspec

from daybook import limits
from daybook.channel.registry import Registry
from daybook.errors import InvalidValue
from daybook.events import Recorded
from daybook.log.reader import Reader
from daybook.queries.sentences import sentence


class ChannelChange(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was done to a channel."""

    position: int
    recorded_at: datetime
    type: str
    """The event's stored name, `channel.paused.v1`."""
    sentence: str
    actor: str
    access: str | None
    """The key and the grants that it was done with; null for what came from the machine itself."""
    reason: str | None
    source: str
    data: dict[str, Any]
    """The event's body."""


def history(reader: Reader, registry: Registry, name: str, *, after: int = 0, limit: int = 100) -> list[ChannelChange]:
    """What was done to the channel after a position, oldest first, at most `limit` (1 to 1000).

    Two indexed statements. Raises InvalidValue, and NotFound for a channel that never was.
    """
    if not 1 <= limit <= limits.ROWS.most:
        raise InvalidValue("limit", f"must be between 1 and {limits.ROWS.most}", limit)
    return [one for one in _all(reader, registry, name) if one.position > after][:limit]


def newest(reader: Reader, registry: Registry, name: str, number: int) -> list[ChannelChange]:
    """The last things that were done to the channel, the newest first. Raises NotFound."""
    return _all(reader, registry, name)[::-1][:number]


def _all(reader: Reader, registry: Registry, name: str) -> list[ChannelChange]:
    """All of it: people do these things by hand."""
    registry.get_even_removed(name)
    found = [*reader.of_stream(f"channel/{name}"), *reader.of_stream(f"projection/{name}")]
    return [_view(one) for one in sorted(found, key=lambda one: one.position)]


def _view(one: Recorded) -> ChannelChange:
    return ChannelChange(
        position=one.position,
        recorded_at=one.recorded_at,
        type=one.type,
        sentence=sentence(one.event, ()),
        actor=one.actor,
        access=one.access,
        reason=one.reason,
        source=one.source,
        data=msgspec.to_builtins(one.event),
    )
