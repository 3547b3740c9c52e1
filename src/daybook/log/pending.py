"""Events on their way into the log, and who sends them."""

from dataclasses import dataclass
from datetime import datetime

import msgspec
from eventsourcing.persistence import StoredEvent

from daybook import limits
from daybook.events import Event
from daybook.ids import new_id
from daybook.values import check_text


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """Who, why and where from: the columns that a command's events carry.

    `command_id` makes a retry harmless: an append with an id that the log has already seen changes nothing and
    returns the first result. `command_hash` tells a retry from another command, which is refused, also where one of the
    two hashes is None, as that of a receipt is.
    """

    actor: str
    source: str
    command_id: str
    reason: str | None = None
    correlation_id: str | None = None
    """What this command belongs to; its own command id when nothing else is named."""
    causation_id: str | None = None
    command_hash: int | None = None
    access: str | None = None
    """The key and the grants that allowed it, as `Recorded.access` has them."""

    def told(self) -> dict[str, str | None]:
        """What people write, field by field: it is recorded for ever."""
        written = ("actor", "reason", "command_id", "correlation_id", "causation_id")
        return {field: getattr(self, field) for field in written}

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
        """A context with a command id of its own where none was given. Raises InvalidValue for what is too long."""
        names = {
            "actor": actor,
            "source": source,
            "command_id": command_id,
            "correlation_id": correlation_id,
            "causation_id": causation_id,
        }
        for field, name in names.items():
            if name is not None:
                check_text(name, field, limits.NAME)
        if reason is not None:
            check_text(reason, "reason", limits.REASON)
        return Context(
            actor=actor,
            source=source,
            reason=reason,
            command_id=command_id or new_id(),
            correlation_id=correlation_id,
            causation_id=causation_id,
        )


class NewEvent(msgspec.Struct, frozen=True):
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
