"""Group commit: writers that wait share one transaction, hence one disk sync.

A writer that finds nobody at work becomes the leader: it takes everything that waits, appends it in one call and gives
each writer its own outcome, then hands the lead to the next one waiting. A lone writer never waits. Across processes
the head's row lock takes turns in the same way.

Hazard: when the connection breaks after COMMIT was sent, nobody knows whether it took place. The batch is sent again;
every command carries its id, so what had been committed comes back as `repeated` and is reported as the success it was.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import chain
from typing import Any, LiteralString, Protocol

import msgspec
import psycopg
import psycopg_pool
import tenacity

from daybook.errors import InvalidValue, Unavailable
from daybook.ids import new_ids
from daybook.log import QUERIES
from daybook.log.pending import Context, PendingEvent
from daybook.postgres.arrays import Array
from daybook.postgres.pool import Pool

COMMANDS_MAX = 512
EVENTS_MAX = 4096
ATTEMPTS_MAX = 6
ATTEMPTS_SECONDS_MAX = 15.0
"""No further try begins after this; the pool alone waits up to 20 s for a connection."""

_Column = tuple[Callable[[Any], Array], list[Any]]


def trying_again(pool: Pool) -> tenacity.Retrying:
    """Calls again what lost its connection, with pauses that grow; the last error is raised.

    Only for what may be done twice, as an append with its command ids may.
    """
    return tenacity.Retrying(
        stop=tenacity.stop_after_attempt(ATTEMPTS_MAX) | tenacity.stop_after_delay(ATTEMPTS_SECONDS_MAX),
        wait=tenacity.wait_random_exponential(multiplier=0.05, max=2.0),
        retry=tenacity.retry_if_exception_type((psycopg.OperationalError, psycopg_pool.PoolTimeout)),
        # After a restart of the server every idle connection is broken: find out about all of them at once.
        before_sleep=lambda _: pool.check(),
        reraise=True,
    )


class Outcome(msgspec.Struct, frozen=True):
    """What became of one command: see `append_commands` in the migrations."""

    kind: str
    first: int | None
    last: int | None
    command_hash: int | None
    stream: str | None
    actual: int | None
    recorded_at: datetime


class SentCommand(Protocol):
    """A command on its way: who and why, and its events."""

    @property
    def context(self) -> Context: ...
    @property
    def events(self) -> Sequence[PendingEvent]: ...


class _Waiting:
    """One command in the queue. It is woken when it has its outcome or when its writer is to lead."""

    __slots__ = ("_asleep", "context", "error", "events", "outcome", "streams")

    def __init__(self, context: Context, events: Sequence[PendingEvent]) -> None:
        self.context = context
        self.events = events
        self.streams = frozenset(str(event.originator_id) for event in events)
        # A bare lock, held while there is nothing to wake for: an Event costs each command more than its own insert.
        self._asleep = threading.Lock()
        self._asleep.acquire()
        self.outcome: Outcome | None = None
        self.error: BaseException | None = None

    @property
    def ended(self) -> bool:
        return self.outcome is not None or self.error is not None

    def wait(self) -> None:
        """Until it is woken."""
        self._asleep.acquire()

    def wake(self) -> None:
        """Wakes its writer, now or when it comes to wait. Twice is once."""
        with suppress(RuntimeError):  # it is awake
            self._asleep.release()

    def result(self) -> Outcome:
        if self.error is not None:
            raise self.error
        assert self.outcome is not None
        return self.outcome


class GroupCommit:
    """Appends commands, many threads at once. Commands of one thread are appended in the order in which it calls."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._lock = threading.Lock()
        self._queue: deque[_Waiting] = deque()
        self._leader: _Waiting | None = None

    def append(self, context: Context, events: Sequence[PendingEvent]) -> Outcome:
        """Appends the command's events whole, or not at all.

        Raises Unavailable when Postgres stays out of reach, InvalidValue when it can't hold the command.
        """
        return self.append_all([(context, events)])[0]

    def append_all(self, commands: Sequence[tuple[Context, Sequence[PendingEvent]]]) -> list[Outcome]:
        """Appends several commands, each for itself: one that conflicts leaves the others alone."""
        assert all(events for _, events in commands), "a command without events has nothing to append"
        mine = [_Waiting(context, events) for context, events in commands]
        try:
            with self._lock:
                self._queue.extend(mine)
            for waiting in mine:
                self._see_through(waiting)
        except BaseException:
            self._abandon(mine)
            raise
        return [waiting.result() for waiting in mine]

    def _see_through(self, waiting: _Waiting) -> None:
        with self._lock:
            if self._leader is None and not waiting.ended:
                self._leader = waiting
            leads = self._leader is waiting
        if not leads:
            waiting.wait()
        # Woken without an outcome: the lead was handed over. Its batch may stop short of this very command, when one
        # before it in the queue is for the same stream; then it leads again.
        while not waiting.ended:
            self._lead(waiting)

    def _abandon(self, mine: Sequence[_Waiting]) -> None:
        """After Ctrl-C: what was not sent leaves the queue, and a lead is handed over, or everybody waits for ever."""
        with self._lock:
            self._queue = deque(waiting for waiting in self._queue if waiting not in mine)
            if self._leader in mine:
                self._hand_over()

    def _hand_over(self) -> None:
        """Under the lock: the first in the queue leads, or nobody does."""
        while self._queue and self._queue[0].ended:
            self._queue.popleft()
        self._leader = self._queue[0] if self._queue else None
        if self._leader is not None:
            self._leader.wake()

    def _lead(self, mine: _Waiting) -> None:
        batch: list[_Waiting] = []
        try:
            self._take(batch)
            self._carry(batch)
        except BaseException:
            for waiting in batch:
                if not waiting.ended:
                    waiting.error = Unavailable(
                        "the append was interrupted: repeat the command with the same command id"
                    )
            raise
        finally:
            with self._lock:
                # A leader that is not done yet keeps the lead and takes the next batch. The next one is woken first:
                # Postgres works while those who are done prepare their next commands.
                if mine.ended:
                    self._hand_over()
            for waiting in batch:
                waiting.wake()

    def _take(self, batch: list[_Waiting]) -> None:
        """What is sent together: in order, each stream and each command id once; a second one waits for the next."""
        later: deque[_Waiting] = deque()
        streams: set[str] = set()
        ids: set[str] = set()
        amount = 0
        with self._lock:
            pending = iter(self._queue)
            for waiting in pending:
                if len(batch) == COMMANDS_MAX or amount >= EVENTS_MAX:
                    later.append(waiting)
                    later.extend(pending)
                    break
                if waiting.context.command_id in ids or not streams.isdisjoint(waiting.streams):
                    later.append(waiting)
                else:
                    batch.append(waiting)
                    amount += len(waiting.events)
                streams |= waiting.streams
                ids.add(waiting.context.command_id)
            self._queue = later

    def _carry(self, batch: list[_Waiting]) -> None:
        """Sends the batch and gives each command what became of it."""
        try:
            for waiting, outcome in zip(batch, self._send(batch), strict=True):
                waiting.outcome = outcome
        except Unavailable as error:
            for waiting in batch:
                waiting.error = error
        except Exception as error:
            # One command that Postgres can't hold (a NUL in a text) must not fail its neighbours: they are sent alone.
            if len(batch) > 1:
                for waiting in batch:
                    self._carry([waiting])
            elif isinstance(error, (psycopg.DataError, UnicodeError)):
                batch[0].error = InvalidValue("command", f"holds something that Postgres can't: {error}")
            else:
                batch[0].error = error

    def _send(self, batch: list[_Waiting]) -> list[Outcome]:
        statement, parameters = append_statement(batch)
        try:
            try:
                rows = self._execute(statement, parameters)
            except psycopg.OperationalError:
                rows = trying_again(self._pool)(self._execute, statement, parameters)
        except (psycopg.OperationalError, psycopg_pool.PoolTimeout) as error:
            raise Unavailable(
                f"Postgres can't be reached: {error}. Repeat the command with the same command id: "
                "it is carried out once, whatever became of this try"
            ) from error
        if rows[0][0] == 0:
            return _all_appended(batch, rows[0][2], rows[0][7])
        outcomes: list[Outcome | None] = [None] * len(batch)
        for number, kind, first, last, intent, stream, actual, at in rows:
            outcomes[number - 1] = Outcome(kind, first, last, intent, stream, actual, at)
        assert all(outcomes), "append_commands gave no outcome for a command"
        return outcomes  # type: ignore[return-value]

    def _execute(self, statement: LiteralString, parameters: Sequence[Any]) -> list[Any]:
        with self._pool.connection() as conn:
            return conn.execute(statement, parameters, prepare=True, binary=True).fetchall()


def _all_appended(batch: Sequence[_Waiting], position: int, at: datetime) -> list[Outcome]:
    outcomes = []
    for waiting in batch:
        after = position + len(waiting.events)
        outcomes.append(Outcome("appended", position, after - 1, None, None, None, at))
        position = after
    return outcomes


def append_statement(batch: Sequence[SentCommand]) -> tuple[LiteralString, Sequence[Any]]:
    """The statement that appends the batch, and its parameters: a column of the commands or of the events each."""
    contexts = [waiting.context for waiting in batch]
    events = list(chain.from_iterable(waiting.events for waiting in batch))
    about_commands: tuple[_Column, ...] = (
        (Array.texts, [context.command_id for context in contexts]),
        (Array.integers, [context.command_hash for context in contexts]),
        (Array.texts, [context.actor for context in contexts]),
        (Array.texts, [context.reason for context in contexts]),
        (Array.texts, [context.source for context in contexts]),
        (Array.texts, [context.correlation_id or context.command_id for context in contexts]),
        (Array.texts, [context.causation_id for context in contexts]),
        (Array.texts, [context.access for context in contexts]),
    )
    about_events: tuple[_Column, ...] = (
        (Array.uuids, new_ids(len(events))),
        (Array.texts, [str(event.originator_id) for event in events]),
        (Array.integers, [event.originator_version for event in events]),
        (Array.texts, [event.topic for event in events]),
        (Array.texts, [event.sku for event in events]),
        (Array.texts, [event.key for event in events]),
        (Array.texts, [event.state.decode() for event in events]),
    )
    if len(events) == 1:
        one = [column[0] for _, column in about_commands + about_events]
        return QUERIES["append_one"], [value.hex() if isinstance(value, bytes) else value for value in one]
    numbers = [number for number, waiting in enumerate(batch, 1) for _ in waiting.events]
    columns = (*about_commands, (Array.integers, numbers), *about_events)
    return QUERIES["append"], [encoded(column) for encoded, column in columns]
