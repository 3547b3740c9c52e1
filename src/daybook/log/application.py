"""The library's Application over our log: load a stream's state, append a command's events."""

import logging
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import psycopg
import psycopg_pool
from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.persistence import EventStore, InfrastructureFactory, IntegrityError, JSONTranscoder, Mapper
from eventsourcing.utils import Environment

from daybook.errors import CommandIdReused, DaybookError, VersionConflict
from daybook.log import QUERIES
from daybook.log.bulk import append_bulk
from daybook.log.group_commit import Outcome
from daybook.log.mapper import EventMapper
from daybook.log.pending import Appended, Context, Happened, PendingEvent
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
from daybook.postgres.pool import Pool, fetch, reachable

log = logging.getLogger("daybook.log")
CACHED_STREAMS_MAX = 2000


class Loaded(msgspec.Struct, frozen=True):
    """A stream's state with its version: what the library calls an aggregate."""

    id: str
    version: int
    state: Any


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
        """The stream's state and version now; (None, 0) for a stream that has no event."""

        noun = stream.partition("/")[0]

        def project(loaded: Loaded | None, happened: Iterable[Happened | Snapshot]) -> Loaded | None:
            version = loaded.version if loaded else 0
            state = loaded.state if loaded else None
            for one in happened:
                if isinstance(one, Snapshot):
                    state = msgspec.json.decode(one.body, type=self._folds[noun].state)
                else:
                    state = evolve(state, one.event)
                version = one.originator_version
            return Loaded(stream, version, state) if version else None

        try:
            with reachable():
                loaded: Any = self.repository.get(stream, projector_func=project)
        except AggregateNotFoundError:
            return None, 0
        # The library brings a cached aggregate up to date in place. Ours are immutable: without this the cache would
        # keep the state of the first load, and every later one would read all events since then.
        if self.repository.cache is not None:
            self.repository.cache.put(stream, loaded)
        return loaded.state, loaded.version

    def append(self, happened: Sequence[Happened], context: Context) -> Appended:
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

    def _take_due_snapshots(self, happened: Sequence[Happened]) -> None:
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

    def record(self, commands: Sequence[tuple[Context, Sequence[Happened]]]) -> list[Appended]:
        """Appends what rests on no decision (receipts), many commands at once, each behind what its stream holds.

        Versions of the events must be 0. Safe to repeat with the same command ids. Raises Unavailable.
        """
        recorder = self.recorder
        assert isinstance(recorder, LogRecorder)
        return recorder.append_all(
            [(context, [self._events.to_stored_event(one) for one in happened]) for context, happened in commands]
        )

    def bulk(
        self, commands: Iterable[tuple[Context, Sequence[Happened]]]
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

    def carried_out(self, context: Context) -> Appended | None:
        """What the command with this id appended, if it was carried out before. Raises CommandIdReused."""
        first, last, intent, recorded_at = fetch(self._pool, QUERIES["of_command"], (context.command_id,))[0]
        if first is None:
            return None
        return appended(context, Outcome("repeated", first, last, intent, None, None, recorded_at))
