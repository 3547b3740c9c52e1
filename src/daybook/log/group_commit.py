"""Group commit: writers that wait share one transaction, hence one disk sync.

A writer that finds nobody at work becomes the leader: it takes everything that waits, appends it in one call and gives
each writer its own outcome, then hands the lead to the next one waiting. A lone writer never waits. Across processes
the head's row lock takes turns in the same way.

Hazard: when the connection breaks after COMMIT was sent, nobody knows whether it took place. The batch is sent again;
every command carries its id, so what had been committed comes back as `repeated` and is reported as the success it was.
"""

import threading
from collections import deque
from collections.abc import Sequence
from datetime import datetime
from itertools import chain
from typing import Any

import msgspec
import psycopg
import psycopg_pool
import tenacity

from daybook.errors import Unavailable
from daybook.ids import new_ids
from daybook.log import QUERIES
from daybook.log.pending import Context, PendingEvent
from daybook.postgres.pool import Pool

COMMANDS_MAX = 512
EVENTS_MAX = 4096
ATTEMPTS_MAX = 6


class Outcome(msgspec.Struct, frozen=True):
    """What became of one command: see `append_commands` in the migrations."""

    kind: str
    first: int | None
    last: int | None
    intent: int | None
    stream: str | None
    actual: int | None
    recorded_at: datetime


class _Waiting:
    """One command in the queue. `wake` is set when it has its outcome or when its writer is to lead."""

    __slots__ = ("context", "error", "events", "outcome", "streams", "wake")

    def __init__(self, context: Context, events: Sequence[PendingEvent]) -> None:
        self.context = context
        self.events = events
        self.streams = frozenset(str(event.originator_id) for event in events)
        self.wake = threading.Event()
        self.outcome: Outcome | None = None
        self.error: BaseException | None = None

    @property
    def ended(self) -> bool:
        return self.outcome is not None or self.error is not None

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
        self._led = False

    def append(self, context: Context, events: Sequence[PendingEvent]) -> Outcome:
        """Appends the command's events whole, or not at all. Raises Unavailable when Postgres stays out of reach."""
        return self.append_all([(context, events)])[0]

    def append_all(self, commands: Sequence[tuple[Context, Sequence[PendingEvent]]]) -> list[Outcome]:
        """Appends several commands, each for itself: one that conflicts leaves the others alone."""
        mine = [_Waiting(context, events) for context, events in commands]
        with self._lock:
            self._queue.extend(mine)
        for waiting in mine:
            with self._lock:
                lead = not self._led and not waiting.ended
                self._led = self._led or lead
            if not lead:
                self._wait(waiting)
            # Woken without an outcome: the lead was handed over. Its batch may stop short of this very command, when
            # one before it in the queue is for the same stream; then it leads again.
            while not waiting.ended:
                self._lead(waiting)
        return [waiting.result() for waiting in mine]

    def _wait(self, waiting: _Waiting) -> None:
        try:
            waiting.wake.wait()
        except BaseException:
            # Ctrl-C while waiting. The command leaves the queue; a lead that was just handed to it goes on to the next.
            with self._lock:
                if waiting in self._queue:
                    self._queue.remove(waiting)
                if waiting.wake.is_set() and not waiting.ended:
                    self._hand_over()
            raise

    def _hand_over(self) -> None:
        """Under the lock: the first in the queue leads, or nobody does."""
        if self._queue:
            self._queue[0].wake.set()
        else:
            self._led = False

    def _lead(self, mine: _Waiting) -> None:
        batch = self._take()
        try:
            for waiting, outcome in zip(batch, self._send(batch), strict=True):
                waiting.outcome = outcome
        except BaseException as error:
            interrupted = Unavailable("the append was interrupted: repeat the command with the same command id")
            for waiting in batch:
                waiting.error = error if waiting is mine or isinstance(error, Exception) else interrupted
        finally:
            for waiting in batch:
                waiting.wake.set()
            with self._lock:
                # A leader that is not done yet keeps the lead and takes the next batch.
                if mine.ended:
                    self._hand_over()

    def _take(self) -> list[_Waiting]:
        """What is sent together: in order, each stream and each command id once; a second one waits for the next."""
        batch: list[_Waiting] = []
        later: deque[_Waiting] = deque()
        streams: set[str] = set()
        ids: set[str] = set()
        amount = 0
        with self._lock:
            while self._queue and len(batch) < COMMANDS_MAX and (not batch or amount < EVENTS_MAX):
                waiting = self._queue.popleft()
                if waiting.context.command_id in ids or not streams.isdisjoint(waiting.streams):
                    later.append(waiting)
                else:
                    batch.append(waiting)
                    amount += len(waiting.events)
                streams |= waiting.streams
                ids.add(waiting.context.command_id)
            later.extend(self._queue)
            self._queue = later
        return batch

    def _send(self, batch: list[_Waiting]) -> list[Outcome]:
        parameters = _parameters(batch)
        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(ATTEMPTS_MAX),
            wait=tenacity.wait_random_exponential(multiplier=0.05, max=2.0),
            retry=tenacity.retry_if_exception_type((psycopg.OperationalError, psycopg_pool.PoolTimeout)),
            reraise=True,
        )
        try:
            rows = retrying(self._execute, parameters)
        except (psycopg.OperationalError, psycopg_pool.PoolTimeout) as error:
            raise Unavailable(
                f"Postgres can't be reached: {error}. Repeat the command with the same command id: "
                "it is carried out once, whatever became of this try"
            ) from error
        outcomes: list[Outcome | None] = [None] * len(batch)
        for number, kind, first, last, intent, stream, actual, at in rows:
            outcomes[number - 1] = Outcome(kind, first, last, intent, stream, actual, at)
        assert all(outcomes), "append_commands gave no outcome for a command"
        return outcomes  # type: ignore[return-value]

    def _execute(self, parameters: list[Any]) -> list[Any]:
        with self._pool.connection() as conn:
            return conn.execute(QUERIES["append"], parameters, prepare=True, binary=True).fetchall()


def _parameters(batch: list[_Waiting]) -> list[Any]:
    contexts = [waiting.context for waiting in batch]
    events = list(chain.from_iterable(waiting.events for waiting in batch))
    numbers = [number for number, waiting in enumerate(batch, 1) for _ in waiting.events]
    return [
        [context.command_id for context in contexts],
        [context.intent for context in contexts],
        [context.actor for context in contexts],
        [context.reason for context in contexts],
        [context.source for context in contexts],
        [context.correlation_id or context.command_id for context in contexts],
        [context.causation_id for context in contexts],
        numbers,
        [one.hex() for one in new_ids(len(events))],
        [str(event.originator_id) for event in events],
        [event.originator_version for event in events],
        [event.topic for event in events],
        [event.sku for event in events],
        [event.key for event in events],
        [event.state.decode() for event in events],
    ]
