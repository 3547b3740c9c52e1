"""The library's Application over our log: load a stream's state, append a command's events."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import msgspec
from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.persistence import InfrastructureFactory, IntegrityError, JSONTranscoder, Mapper
from eventsourcing.utils import Environment

from daybook.errors import VersionConflict
from daybook.events import Event
from daybook.log import QUERIES
from daybook.log.group_commit import Outcome
from daybook.log.mapper import EventMapper
from daybook.log.pending import Appended, Context, Happened
from daybook.log.recorder import LogFactory, LogRecorder, appended
from daybook.postgres.pool import Pool, fetch, reachable

S = TypeVar("S")
Evolve = Callable[[S | None, Event], S | None]
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

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._events = EventMapper(JSONTranscoder())
        super().__init__()

    def construct_env(self, name: str, env: Any = None) -> Environment:
        """The library would read its settings from the process's environment; ours come from `daybook.config`."""
        return Environment(
            name, {"AGGREGATE_CACHE_MAXSIZE": str(CACHED_STREAMS_MAX), "DEEPCOPY_FROM_AGGREGATE_CACHE": "n"}
        )

    def construct_factory(self, env: Environment) -> InfrastructureFactory[Any]:
        """Our factory, on our pool."""
        factory = LogFactory(env)
        factory.pool = self._pool
        return factory

    def construct_mapper(self) -> Mapper[str]:
        """Stored names and plain JSON."""
        return self._events

    def load(self, stream: str, evolve: Evolve[S]) -> tuple[S | None, int]:
        """The stream's state and version now; (None, 0) for a stream that has no event."""

        def project(loaded: Loaded | None, happened: Iterable[Happened]) -> Loaded | None:
            version = loaded.version if loaded else 0
            state = loaded.state if loaded else None
            for one in happened:
                state, version = evolve(state, one.event), one.originator_version
            return Loaded(stream, version, state) if version else None

        try:
            with reachable():
                loaded: Any = self.repository.get(stream, projector_func=project)
        except AggregateNotFoundError:
            return None, 0
        return loaded.state, loaded.version

    def append(self, happened: Sequence[Happened], context: Context) -> Appended:
        """Appends a command's events, whole or not at all. Raises VersionConflict, CommandIdReused, Unavailable.

        Safe to repeat: with a command id that was carried out before, nothing is appended and the first result returns.
        """
        recorder = self.recorder
        assert isinstance(recorder, LogRecorder)
        try:
            return recorder.append(context, [self._events.to_stored_event(one) for one in happened])
        except IntegrityError as error:
            raise VersionConflict(f"{error}: somebody else was faster. Look again, then decide again") from error

    def record(self, commands: Sequence[tuple[Context, Sequence[Happened]]]) -> list[Appended]:
        """Appends what rests on no decision (receipts), many commands at once, each behind what its stream holds.

        Versions of the events must be 0. Safe to repeat with the same command ids. Raises Unavailable.
        """
        recorder = self.recorder
        assert isinstance(recorder, LogRecorder)
        return recorder.append_all(
            [(context, [self._events.to_stored_event(one) for one in happened]) for context, happened in commands]
        )

    def carried_out(self, context: Context) -> Appended | None:
        """What the command with this id appended, if it was carried out before. Raises CommandIdReused."""
        first, last, intent, recorded_at = fetch(self._pool, QUERIES["of_command"], (context.command_id,))[0]
        if first is None:
            return None
        return appended(context, Outcome("repeated", first, last, intent, None, None, recorded_at))
