"""One policy, run: takes the next events, folds, decides, and appends in one transaction with its checkpoint.

Reads Postgres alone, as the clock does. Whatever crashes, each thing is said once: the checkpoint moves in the append's
own transaction, from exactly where it was, while the lease holds; and the command id is of the policy and the cause.
"""

import logging
import time
from collections.abc import Callable
from typing import Any

import psycopg
from msgspec.structs import replace

from daybook.clock.lease import SoleLease
from daybook.errors import CorruptLog, DaybookError, Unavailable, VersionConflict
from daybook.events import PolicyRetried, Recorded
from daybook.events.codec import stored_names
from daybook.log.application import Log
from daybook.log.pending import Context, NewEvent
from daybook.log.reader import LAST, Reader
from daybook.policy.contract import Policy
from daybook.policy.control import UNSAID, control_of
from daybook.policy.folding import KeptGroup, context_of, fold_all, is_input, say, take
from daybook.policy.store import PolicyRow, PolicyStore, Step, events_of, shared_at
from daybook.postgres.pool import Connection, Pool, reachable

log = logging.getLogger("daybook.policy")

PAGE_EVENTS = 1000
SWEEP_GROUPS = 500
POLL_SECONDS = 0.05
IDLE_SECONDS = 0.5
PAUSE_SECONDS_MAX = 5.0
QUIET_SECONDS = 5.0
"""So long the checkpoint is not moved for events alone that are none of its business."""

Commands = list[tuple[Context, list[NewEvent]]]


class PolicyRunner:
    """Runs one policy. Several may run: one of them holds the lease, the others wait."""

    def __init__(
        self, pool: Pool, log: Log, reader: Reader, policy: Policy, appended: Callable[[], None] | None = None
    ) -> None:
        """`appended` is called after each append, to wake whoever waits for news."""
        self._pool, self._log, self._reader = pool, log, reader
        self.policy = policy
        self._appended = appended
        self._store = PolicyStore(pool, policy)
        self._lease = SoleLease(pool, f"@policy/{policy.name}")
        self._types = sorted(stored_names((*policy.reads, *policy.writes, *policy.shared)))
        self._control = UNSAID
        self._row: PolicyRow | None = None
        self._shared: Any = None
        self._passed = 0
        """Nothing of its business lies between its checkpoint and here."""
        self._moved = time.monotonic()
        self._pause = POLL_SECONDS

    def tick(self) -> float:
        """One step; after so many seconds the next. What passes by itself, or waits for a person, is not raised."""
        try:
            seconds = self._step()
            self._pause = POLL_SECONDS
            return seconds
        except (Unavailable, VersionConflict, psycopg.Error) as error:
            log.warning("the policy %s starts over: %s", self.policy.name, error)
        except Exception as error:
            # The code of the policy, or an event that this version can't read: of no group, so there is none to park.
            log.exception("the policy %s fails and is tried again", self.policy.name)
            self._note(error)
        self._row, self._control = None, UNSAID
        self._pause = min(self._pause * 2, PAUSE_SECONDS_MAX)
        return self._pause

    def stop(self) -> None:
        """Lets another process take over at once."""
        try:
            self._lease.release()
        except (DaybookError, psycopg.Error):
            log.debug("the lease of the policy %s was not released", self.policy.name, exc_info=True)

    def _note(self, error: Exception) -> None:
        try:
            self._store.note_failure(f"{type(error).__name__}: {error}")
        except (DaybookError, psycopg.Error):
            log.debug("that the policy fails could not be noted", exc_info=True)

    def _step(self) -> float:
        if not self._lease.hold():
            return IDLE_SECONDS
        row = self._row or self._open()
        self._control = control = control_of(self._reader, self.policy.name, self._control)
        if control.paused is not None:
            return POLL_SECONDS
        if row.version != self.policy.version:
            if control.approved == self.policy.version:
                self._store.start_over()
                self._row = None
                return 0.0
            return IDLE_SECONDS
        for retry in control.retries:
            if retry.version > row.retried:
                self._retry(row, retry)
                return 0.0
        if row.swept is not None:
            self._sweep(row, row.swept)
            return 0.0
        return self._next(row)

    def _open(self) -> PolicyRow:
        row = self._store.open()
        keys = self.policy.shared_keys
        self._shared = shared_at(self.policy, {key: self._reader.of_key(key, row.position) for key in keys})
        self._row, self._passed = row, row.position
        return row

    def _next(self, row: PolicyRow) -> float:
        """The next events. The first that is about every group ends the step: what is said next rests on it."""
        head = self._reader.head()
        if row.position < row.decides_from:
            head = min(head, row.decides_from)
        quiet = time.monotonic() - self._moved < QUIET_SECONDS
        if head <= row.position or (head <= self._passed and quiet):
            return POLL_SECONDS
        events = self._reader.of_types_after(self._types, self._passed, PAGE_EVENTS, head)
        upto = events[-1].position if len(events) == PAGE_EVENTS else head
        if not events and quiet and upto != row.decides_from:
            self._passed = upto
            return POLL_SECONDS
        shared, swept = self._shared, None
        if upto <= row.decides_from:
            for one in events:
                shared = self._fold_shared(shared, one)
            swept = "" if upto == row.decides_from else None
        else:
            for number, one in enumerate(events, 1):
                shared = self._fold_shared(shared, one)
                if shared is not self._shared:
                    events, upto, swept = events[:number], one.position, ""
                    break
        step, commands = self._folded(row, events, upto)
        self._commit(row, replace(row, position=upto, swept=swept), step, commands)
        self._shared = shared
        return 0.0

    def _fold_shared(self, shared: Any, one: Recorded) -> Any:
        return self.policy.fold_shared(shared, one) if isinstance(one.event, self.policy.shared) else shared

    def _folded(self, row: PolicyRow, events: list[Recorded], upto: int) -> tuple[Step, Commands]:
        """Each group with its events, and what there is to say about it after the last of them."""
        policy, step, commands = self.policy, Step(), Commands()
        ours = [one for one in events if isinstance(one.event, (*policy.reads, *policy.writes))]
        keys = dict.fromkeys(one.key for one in ours)
        kept = self._store.groups(keys)
        aside = self._store.parked_among(keys)
        causes: dict[str, Recorded] = {}
        for one in ours:
            if one.key in aside:
                continue
            try:
                now = take(policy, kept[one.key], one)
            except Exception as error:
                self._park(step, one.key, one.position, error)
                aside.add(one.key)
                continue
            if now is not kept[one.key]:
                kept[one.key] = step.kept[one.key] = now
            if is_input(policy, one):
                causes[one.key] = one
        if upto > row.decides_from:
            for key, cause in causes.items():
                if key not in aside:
                    self._say(step, commands, key, kept[key], cause)
        return step, commands

    def _say(self, step: Step, commands: Commands, key: str, kept: KeptGroup, cause: Recorded) -> None:
        try:
            now, happened = say(self.policy, key, kept, self._shared)
        except Exception as error:
            self._park(step, key, cause.position, error)
            return
        if happened:
            step.kept[key] = now
            commands.append((context_of(self.policy, cause, key), happened))

    def _park(self, step: Step, key: str, position: int, error: Exception) -> None:
        log.warning("the policy %s parks %s at position %d: %r", self.policy.name, key, position, error)
        step.parked[key] = (position, f"{type(error).__name__}: {error}"[:500])

    def _sweep(self, row: PolicyRow, after: str) -> None:
        """Decides the next groups anew, because of the event at the checkpoint."""
        step, commands = Step(), Commands()
        groups = self._store.groups_behind(after, SWEEP_GROUPS)
        found = self._reader.after(row.position - 1, 1)
        if groups and not found:
            raise CorruptLog(f"the log has no event {row.position}, which the policy {self.policy.name} has folded")
        for key, kept in groups.items():
            self._say(step, commands, key, kept, found[0])
        swept = max(groups) if len(groups) == SWEEP_GROUPS else None
        self._commit(row, replace(row, swept=swept), step, commands)

    def _retry(self, row: PolicyRow, retry: Recorded) -> None:
        """Folds parked groups from their first event on. One that fails again stays aside, with the new reason."""
        assert isinstance(retry.event, PolicyRetried)
        named = retry.event.keys
        keys = sorted(self._store.parked_among(named)) if named else self._store.parked()
        step, commands, back = Step(), Commands(), []
        for key in keys:
            try:
                step.kept[key] = fold_all(self.policy, self._of(key, row.position))
            except (DaybookError, psycopg.Error) as error:
                if isinstance(error, Unavailable):
                    raise
                self._park(step, key, row.position, error)
                continue
            except Exception as error:
                self._park(step, key, row.position, error)
                continue
            # While all are decided anew it may be behind where that is: so it is decided now in any case.
            if row.position >= row.decides_from:
                self._say(step, commands, key, step.kept[key], retry)
            if key not in step.parked:
                back.append(key)
        step.unparked = tuple(back)
        self._commit(row, replace(row, retried=retry.version), step, commands)

    def _of(self, key: str, upto: int) -> list[Recorded]:
        """A group's events up to the checkpoint, and all that the policy said itself: that may lie behind it."""
        (events,) = events_of(self._pool, self.policy, [key], LAST).values()
        return [one for one in events if one.position <= upto or isinstance(one.event, self.policy.writes)]

    def _commit(self, row: PolicyRow, now: PolicyRow, step: Step, commands: Commands) -> None:
        """Appends, and moves the checkpoint, in one transaction."""

        def fence(conn: Connection) -> None:
            self._lease.fence(conn)
            self._store.write(conn, row, now, step)

        if commands:
            self._log.append_in_order(commands, fence)
            if self._appended is not None:
                self._appended()
        else:
            with reachable(), self._pool.connection() as conn, conn.transaction():
                fence(conn)
        self._moved = time.monotonic()
        self._row, self._passed = now, max(self._passed, now.position)
