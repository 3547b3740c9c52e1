"""Events <-> stored events, for the library. The body is plain JSON; the topic is the event's stored name."""

from typing import Any

from eventsourcing.persistence import Mapper, StoredEvent

from daybook.errors import InvalidValue
from daybook.events import codec
from daybook.limits import EVENT_BYTES_MAX
from daybook.log.pending import NewEvent, PendingEvent


class EventMapper(Mapper[str]):
    """The library's mapper with our codec in place of its transcoder, compressor and cipher."""

    def to_stored_event(self, domain_event: Any) -> PendingEvent:
        """The stored event of a `Happened`. Raises InvalidValue for one that is larger than what the stream takes."""
        topic, state = codec.NAMES[type(domain_event.event)], codec.encode(domain_event.event)
        if len(state) > EVENT_BYTES_MAX:
            raise InvalidValue(
                topic,
                f"would be an event of {len(state):,} bytes; at most {EVENT_BYTES_MAX:,} are taken. Say it in several "
                "commands, or shorten what it holds",
            )
        return PendingEvent(
            originator_id=domain_event.originator_id,
            originator_version=domain_event.originator_version,
            topic=topic,
            state=state,
            sku=domain_event.sku,
            key=domain_event.key,
        )

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        """The event, lifted to its newest shape. Raises CorruptLog."""
        return NewEvent(
            str(stored_event.originator_id),
            stored_event.originator_version,
            codec.decode(stored_event.topic, stored_event.state),
        )
