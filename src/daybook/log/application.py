"""The library's Application over our log: load a stream's state, append a command's events."""

import logging
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

import msgspec
import psycopg
import psycopg_pool
from eventsourcing.application import Application
from eventsourcing.persistence import EventStore, InfrastructureFactory, IntegrityError, JSONTranscoder, Mapper
from eventsourcing.utils import Environment

from daybook.errors import CommandIdReused, DaybookError, VersionConflict
from daybook.events import codec
from daybook.log import QUERIES
from daybook.log.bulk import append_bulk
from daybook.log.group_commit import Outcome
from daybook.log.mapper import EventMapper
from daybook.log.ordered import Fence, OrderedCommand, append_in_order
from daybook.log.pending import Appended, Context, NewEvent, PendingEvent
from daybook.log.reader import LAST
from daybook.log.recorder import LogFactory, LogRecorder, appended
from daybook.log.snapshots import (
    INTERVAL_EVENTS,
    Evolve,
    Fold,
    S,
    Snapshot,
    SnapshotMapper,
    SnapshotRecorder,
    topic,
)
from daybook.postgres.arrays import Array
from daybook.postgres.pool import Pool, fetch

log = logging.getLogger("daybook.log")
CACHED_STREAMS_MAX = 2000


class Loaded(msgspec.Struct, frozen=True):
    """A stream's state, and the event that it was brought up to: what the library calls an aggregate."""

    version: int
    event_id: str
    state: Any


NEW = Loaded(0, "", None)
"""Of a stream without events."""


class Log(Application[str]):
    """The write side's door to the log. Thread-safe; any number of processes.

    States are cached by stream and brought up to date with the events since, one indexed read each time, so what a
    decision sees is never older than the call. They are immutable, so the cache hands them out as they are.
    """

    name = "daybook"

    def __init__(self, pool: Pool, folds: Mapping[str, Fold] | None = None) -> None:
        """`folds`: by noun, the streams that get snapshots; `load` must be called with the same `evolve`."""
        self._pool = pool
        self._folds = dict(folds or {})
        self._events = EventMapper(JSONTranscoder())
        super().__init__()

    def construct_env(self, name: str, env: Any = None) -> Environment:
        """The library would read its settings from the process's environment; ours come from `daybook.config`."""
        return Environment(
            name,
            {
                "AGGREGATE_CACHE_MAXSIZE": str(CACHED_STREAMS_MAX),
                "DEEPCOPY_FROM_AGGREGATE_CACHE": "n",
                "IS_SNAPSHOTTING_ENABLED": "y" if self._folds else "n",
            },
        )

    def construct_factory(self, env: Environment) -> InfrastructureFactory[Any]:
        """Our factory, on our pool."""
        factory = LogFactory(env)
        factory.pool = self._pool
        return factory

    def construct_snapshot_store(self) -> EventStore[str]:
        """The library's event store over our snapshots."""
        topics = {topic(noun, fold) for noun, fold in self._folds.items()}
        return EventStore(SnapshotMapper(), SnapshotRecorder(self._pool, topics))

    def construct_mapper(self) -> Mapper[str]:
        """Stored names and plain JSON."""
        return self._events

    def load(self, stream: str, evolve: Evolve[S]) -> tuple[S | None, int]:
        """The stream's state and version now; (None, 0) for a stream that has no event.

        Hazard: Postgres may come back without its newest events, restored or on a replica that lacked them. So the last
        event that a known state holds is read again each time, and when it is gone, or another, the state is forgotten.
        """
        loaded = self._continued(stream, self._cached(stream), evolve)
        loaded = loaded or self._continued(stream, self._snapshot_of(stream), evolve)
        loaded = loaded or self._continued(stream, NEW, evolve) or NEW
        self._remember(stream, loaded)
        return loaded.state, loaded.version

    def load_many(self, wanted: Mapping[str, Evolve[Any]]) -> dict[str, tuple[Any, int]]:
        """The same of several streams, each with its fold, in one round trip as far as they are cached or short."""
        known: dict[str, Loaded] = {}
        for stream in wanted:
            cached = self._cached(stream)
            if cached is not None or stream.partition("/")[0] not in self._folds:
                known[stream] = cached or NEW
        given = Array.texts(list(known)), Array.integers([one.version for one in known.values()])
        rows: dict[str, list[Any]] = {stream: [] for stream in known}
        for stream, *row in fetch(self._pool, QUERIES["streams_from"], given) if known else ():
            rows[stream].append(row)
        found: dict[str, tuple[Any, int]] = {}
        for stream, evolve in wanted.items():
            loaded = _with(known[stream], rows[stream], evolve) if stream in known else None
            if loaded is None:
                found[stream] = self.load(stream, evolve)
                continue
            self._remember(stream, loaded)
            found[stream] = loaded.state, loaded.version
        return found

    def _remember(self, stream: str, loaded: Loaded) -> None:
        cache: Any = self.repository.cache
        if loaded.version:
            cache.put(stream, loaded)

    def _cached(self, stream: str) -> Loaded | None:
        cache: Any = self.repository.cache
        try:
            return cast(Loaded, cache.get(stream))
        except KeyError:
            return None

    def _continued(self, stream: str, known: Loaded | None, evolve: Evolve[S]) -> Loaded | None:
        """What is known, with the events since; None when nothing is, or the log does not have what it rests on."""
        if known is None:
            return None
        return _with(known, fetch(self._pool, QUERIES["stream_from"], (stream, known.version)), evolve)

    def _snapshot_of(self, stream: str) -> Loaded | None:
        """The newest snapshot that the log bears out."""
        noun = stream.partition("/")[0]
        if noun not in self._folds:
            return None
        fold = self._folds[noun]
        rows = fetch(
            self._pool,
            QUERIES["snapshot_of"],
            {"stream": stream, "after": 0, "upto": LAST, "types": [topic(noun, fold)]},
        )
        return Loaded(rows[0][1], rows[0][4], msgspec.json.decode(rows[0][3], type=fold.state)) if rows else None

    def append(self, happened: Sequence[NewEvent], context: Context) -> Appended:
        """Appends a command's events, whole or not at all. Raises VersionConflict, CommandIdReused, Unavailable.

        Safe to repeat: with a command id that was carried out before, nothing is appended and the first result returns.
        """
        recorder = self.recorder
        assert isinstance(recorder, LogRecorder)
        try:
            done = recorder.append(context, [self._events.to_stored_event(one) for one in happened])
        except IntegrityError as error:
            raise VersionConflict(f"{error}: somebody else was faster. Look again, then decide again") from error
        self._take_due_snapshots(happened)
        return done

    def _take_due_snapshots(self, happened: Sequence[NewEvent]) -> None:
        """After the append, which stands whatever becomes of this: a snapshot only saves later reading."""
        due = {one.originator_id for one in happened if one.originator_version % INTERVAL_EVENTS == 0}
        for stream in due:
            noun = stream.partition("/")[0]
            fold = self._folds.get(noun)
            if fold is None or self.snapshots is None:
                continue
            try:
                state, version = self.load(stream, fold.evolve)
                body = msgspec.json.encode(state)
                self.snapshots.put([Snapshot(stream, version, topic(noun, fold), body)])
            except (psycopg.Error, psycopg_pool.PoolTimeout, DaybookError):
                log.warning("no snapshot of %s was taken", stream, exc_info=True)

    def record(self, commands: Sequence[tuple[Context, Sequence[NewEvent]]]) -> list[Appended]:
        """Appends what rests on no decision (receipts), many commands at once, each behind what its stream holds.

        Versions of the events must be 0. Safe to repeat with the same command ids. Raises Unavailable.
        """
        recorder = self.recorder
        assert isinstance(recorder, LogRecorder)
        return recorder.append_all(
            [(context, [self._events.to_stored_event(one) for one in happened]) for context, happened in commands]
        )

    def bulk(
        self, commands: Iterable[tuple[Context, Sequence[NewEvent]]]
    ) -> Iterator[Appended | VersionConflict | CommandIdReused]:
        """Appends hundreds of thousands of events at the speed of COPY; yields what became of each command, in order.

        Each is whole or absent. A conflict, or an id of another command, is yielded and leaves the others alone. Safe
        to repeat with the same command ids. Nothing happens before the first result is asked for; what was yielded
        stands, whatever is raised afterwards: Unavailable, and InvalidValue for a command without events or that
        Postgres can't hold. No snapshots are taken.
        """
        contexts: deque[Context] = deque()

        def stored() -> Iterator[tuple[Context, list[PendingEvent]]]:
            for context, happened in commands:
                contexts.append(context)
                yield context, [self._events.to_stored_event(one) for one in happened]

        for outcome in append_bulk(self._pool, stored()):
            context = contexts.popleft()
            if outcome.kind == "conflict":
                yield VersionConflict(f"{outcome.stream} is at version {outcome.actual}")
                continue
            try:
                yield appended(context, outcome)
            except CommandIdReused as error:
                yield error

    def append_in_order(self, commands: Sequence[tuple[Context, Sequence[NewEvent]]], fence: Fence) -> None:
        """Appends commands in their order, all or none: see `ordered`."""
        stored = [
            OrderedCommand(context, [self._events.to_stored_event(one) for one in happened])
            for context, happened in commands
        ]
        append_in_order(self._pool, stored, fence)

    def now(self) -> datetime:
        """Postgres's time, never before the last event's. Raises Unavailable."""
        found: datetime = fetch(self._pool, QUERIES["now"])[0][0]
        return found

    def products_of(self, key: str) -> int:
        """How many products a group has."""
        return int(fetch(self._pool, QUERIES["products_of"], (key,))[0][0])

    def carried_out(self, context: Context) -> Appended | None:
        """What the command with this id appended, if it was carried out before. Raises CommandIdReused."""
        first, last, intent, recorded_at = fetch(self._pool, QUERIES["of_command"], (context.command_id,))[0]
        if first is None:
            return None
        return appended(context, Outcome("repeated", first, last, intent, None, None, recorded_at))


def _with(known: Loaded, rows: Sequence[Sequence[Any]], evolve: Evolve[Any]) -> Loaded | None:
    """What is known, with the rows from its own event on; None when that is not among them."""
    if known.version:
        if not rows or rows[0][0] != known.event_id:
            return None
        rows = rows[1:]
        if not rows:
            return known
    state = known.state
    for _, _, kind, data in rows:
        state = evolve(state, codec.decode(kind, data))
    return Loaded(rows[-1][1], rows[-1][0], state) if rows else NEW
