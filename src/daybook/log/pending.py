"""Events on their way into the log, and who sends them."""

from dataclasses import dataclass
from datetime import datetime

import msgspec
from eventsourcing.persistence import StoredEvent

from daybook.events import Event
from daybook.ids import new_id


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """Who, why and where from: the columns that a command's events carry.

    `command_id` makes a retry harmless: an append with an id that the log has already seen changes nothing and
    returns the first result. `intent` is a hash of the command; an id that returns with another intent is refused.
    """

    actor: str
    source: str
    command_id: str
    reason: str | None = None
    correlation_id: str | None = None
    """What this command belongs to; its own command id when nothing else is named."""
    causation_id: str | None = None
    intent: int | None = None

    @staticmethod
    def new(
        actor: str,
        source: str,
        *,
        reason: str | None = None,
        command_id: str | None = None,
        correlation_id: str | None = None,
        causation_id: str | None = None,
    ) -> "Context":
        """A context with a command id of its own where none was given."""
        return Context(
            actor=actor,
            source=source,
            reason=reason,
            command_id=command_id or new_id(),
            correlation_id=correlation_id,
            causation_id=causation_id,
        )


class Happened(msgspec.Struct, frozen=True):
    """An event with its place in a stream: what `eventsourcing` calls a domain event."""

    originator_id: str
    """The stream, `product/SKU-1`."""
    originator_version: int
    event: Event
    sku: str | None = None
    key: str = ""


@dataclass(frozen=True)
class PendingEvent(StoredEvent):
    """A stored event with the columns that the library does not know."""

    sku: str | None = None
    key: str = ""


class Appended(msgspec.Struct, frozen=True):
    """Where a command's events are. `repeated`: it had been carried out before, and nothing was appended now."""

    first: int
    last: int
    recorded_at: datetime
    repeated: bool = False
