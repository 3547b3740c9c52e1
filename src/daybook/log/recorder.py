"""The library's recorder on our table: dense positions, group commit, metadata columns, no DDL and no pool."""

import json
from collections.abc import Sequence
from typing import Any

from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    InfrastructureFactory,
    IntegrityError,
    Notification,
    ProcessRecorder,
    StoredEvent,
    Subscription,
    TrackingRecorder,
)

from daybook.errors import CommandIdReused
from daybook.log import QUERIES
from daybook.log.group_commit import GroupCommit, Outcome
from daybook.log.pending import Appended, Context, PendingEvent
from daybook.postgres.pool import Pool, fetch


class LogRecorder(ApplicationRecorder):
    """Records into `events`. Thread-safe; any number of processes."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self._commits = GroupCommit(pool)

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        """Appends one command. Keyword `context` says who and why; positions come back in the order of the events.

        Raises IntegrityError when a stream is at another version. A command that was carried out before gives the
        positions of then.
        """
        if not stored_events:
            return []
        context: Context = kwargs.get("context") or Context.new("eventsourcing", "library")
        appended = self.append(context, [_pending(event) for event in stored_events])
        return list(range(appended.first, appended.last + 1))

    def append(self, context: Context, events: Sequence[PendingEvent]) -> Appended:
        """Appends one command and says where it stands. Raises IntegrityError, CommandIdReused, Unavailable."""
        outcome = self._commits.append(context, events)
        if outcome.kind == "conflict":
            raise IntegrityError(f"{outcome.stream} is at version {outcome.actual}")
        return appended(context, outcome)

    def append_all(self, commands: Sequence[tuple[Context, Sequence[PendingEvent]]]) -> list[Appended]:
        """Appends several commands, none of which can conflict, and says where each stands."""
        outcomes = self._commits.append_all(commands)
        return [appended(context, outcome) for (context, _), outcome in zip(commands, outcomes, strict=True)]

    def select_events(
        self,
        originator_id: Any,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """The stream's events in order of version."""
        bounds = {"stream": str(originator_id), "after": gt or 0, "upto": lte if lte is not None else 2**62}
        rows = fetch(self.pool, QUERIES["stream_events"], bounds)
        events = [StoredEvent(originator_id, version, kind, _state(data)) for _, version, kind, data in rows]
        chosen = events[::-1] if desc else events
        return chosen if limit is None else chosen[:limit]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Events in order of position: what the library calls notifications."""
        bounds = {
            "after": (start or 0) - (1 if inclusive_of_start and start is not None else 0),
            "upto": stop if stop is not None else 2**62,
            "types": list(topics),
            "limit": limit,
        }
        rows = fetch(self.pool, QUERIES["notifications"], bounds)
        return [
            Notification(stream, version, kind, _state(data), position)
            for position, stream, version, kind, data in rows
        ]

    def max_notification_id(self) -> int | None:
        """The last position, None in an empty log."""
        return fetch(self.pool, QUERIES["head"])[0][0] or None

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> Subscription[ApplicationRecorder]:
        """Refused: the library's subscription needs NOTIFY inside the append, which serialises every commit."""
        raise NotImplementedError("tail the log through the JetStream stream, or poll daybook.log.reader")


def appended(context: Context, outcome: Outcome) -> Appended:
    """The result of an append that stands, now or from before. Raises CommandIdReused for another command's id.

    A receipt has no hash, and neither had commands of earlier versions whose id nobody chose: a command equals none
    of these.
    """
    repeated = outcome.kind == "repeated"
    if repeated and outcome.command_hash != context.command_hash:
        raise CommandIdReused(
            f"command id {context.command_id!r} was used for another command, at position {outcome.first}; "
            "give every command an id of its own, and repeat an id only to retry the same command",
            command_id=context.command_id,
            position=outcome.first,
        )
    assert outcome.first is not None and outcome.last is not None
    return Appended(outcome.first, outcome.last, outcome.recorded_at, repeated)


def _pending(event: StoredEvent) -> PendingEvent:
    if isinstance(event, PendingEvent):
        return event
    return PendingEvent(event.originator_id, event.originator_version, event.topic, _body(event.state))


def _body(state: bytes) -> bytes:
    """The column is JSON. The library's own users may store anything; what is no JSON is kept as a JSON text."""
    try:
        json.loads(state)
    except ValueError:
        return json.dumps({"opaque": state.hex()}).encode()
    return state


def _state(data: str) -> bytes:
    if data.startswith('{"opaque": "'):
        return bytes.fromhex(json.loads(data)["opaque"])
    return data.encode()


class LogFactory(InfrastructureFactory[TrackingRecorder]):
    """Gives the library's Application our recorder. Set `pool` before the application is made."""

    pool: Pool

    def application_recorder(self) -> ApplicationRecorder:
        """Our recorder."""
        return LogRecorder(self.pool)

    def aggregate_recorder(self, purpose: str = "events") -> AggregateRecorder:
        """Refused: everything is in one log."""
        raise NotImplementedError(f"there is no table of its own for {purpose}")

    def tracking_recorder(self, tracking_recorder_class: Any = None) -> Any:
        """Refused: a projection's checkpoint is in its own transaction; see daybook.projection.runner."""
        raise NotImplementedError("projections keep their own checkpoints")

    def process_recorder(self) -> ProcessRecorder:
        """Refused, for the same reason."""
        raise NotImplementedError("projections keep their own checkpoints")
