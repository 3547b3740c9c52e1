"""Snapshots, through the library's own repository: a long stream is loaded from its newest one and the events since.

They are derived and may be dropped at any time. A snapshot names the fold that made it and the event that it was taken
at; after the fold's version was raised, or the log lost that event, it is ignored and the stream is read from its
beginning once more.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeVar

import msgspec
from eventsourcing.persistence import AggregateRecorder, JSONTranscoder, Mapper, StoredEvent

from daybook.events import Event
from daybook.log import QUERIES
from daybook.postgres.pool import Pool, fetch

S = TypeVar("S")
Evolve = Callable[[S | None, Event], S | None]

INTERVAL_EVENTS = 100
"""A snapshot is taken each time a stream's version passes a multiple of this."""


class Fold(msgspec.Struct, frozen=True):
    """How a noun's streams are folded. Raise `version` when `evolve` or the state's shape changes."""

    evolve: Evolve[Any]
    state: type[Any]
    version: int


class Snapshot(msgspec.Struct, frozen=True):
    """A stream's state at a version, as JSON: to the library, an event that comes before the others."""

    originator_id: str
    originator_version: int
    topic: str
    body: bytes


def topic(noun: str, fold: Fold) -> str:
    """The stored name of a fold's snapshots."""
    return f"{noun}.snapshot.v{fold.version}"


class SnapshotMapper(Mapper[str]):
    """Snapshots <-> the library's stored events. The body stays JSON until the fold that knows its type decodes it."""

    def __init__(self) -> None:
        super().__init__(JSONTranscoder())

    def to_stored_event(self, domain_event: Any) -> StoredEvent:
        """The stored form of a `Snapshot`."""
        return StoredEvent(
            domain_event.originator_id, domain_event.originator_version, domain_event.topic, domain_event.body
        )

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        """The `Snapshot` of a stored form."""
        return Snapshot(
            str(stored_event.originator_id), stored_event.originator_version, stored_event.topic, stored_event.state
        )


class SnapshotRecorder(AggregateRecorder):
    """Keeps the newest snapshot of each stream. Thread-safe. Only snapshots of these topics are found again."""

    def __init__(self, pool: Pool, topics: Collection[str]) -> None:
        self._pool = pool
        self._topics = list(topics)

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        """Keeps each snapshot, unless there is a newer one of the same fold."""
        with self._pool.connection() as conn:
            for one in stored_events:
                given = {
                    "stream": str(one.originator_id),
                    "version": one.originator_version,
                    "type": one.topic,
                    "state": one.state.decode(),
                }
                conn.execute(QUERIES["put_snapshot"], given)
        return None

    def select_events(
        self,
        originator_id: Any,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """The stream's snapshot, when its version lies within the bounds."""
        bounds = {
            "stream": str(originator_id),
            "after": gt or 0,
            "upto": lte if lte is not None else 2**62,
            "types": self._topics,
        }
        rows = fetch(self._pool, QUERIES["snapshot_of"], bounds)
        return [StoredEvent(stream, version, kind, state.encode()) for stream, version, kind, state, _ in rows]
