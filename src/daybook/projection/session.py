"""Moving one generation forward, batch by batch: the same for live running and for a rebuild that catches up."""

import logging
import time
from collections.abc import Sequence
from contextlib import suppress

import psycopg
from msgspec.structs import replace

from daybook.channel.contract import Manifest
from daybook.events import EventDiscarded, ListingEvent, Recorded
from daybook.events.envelope import REFERENCE_KEY
from daybook.log import reader
from daybook.postgres.pool import AsyncConnection
from daybook.projection import versions
from daybook.projection.beyond import refuse_beyond
from daybook.projection.folding import Batch, Folder, Owners
from daybook.projection.found import make_found
from daybook.projection.generations import Checkpoint, Generation
from daybook.projection.leases import Lease
from daybook.projection.reading import Passed, Reading
from daybook.projection.receipts import Settlement
from daybook.projection.store import Groups, Store

log = logging.getLogger("daybook.projection")

BATCH_EVENTS_MAX = 1000
CATCH_UP_EVENTS = BATCH_EVENTS_MAX
"""A batch this large is catching up: groups are rendered once for the batch, not once for each command."""
AGAIN_GROUPS_MAX = 200
DEFERRED_SECONDS_MAX = 0.25
DEFERRED_EVENTS_MAX = 2000


class Session:
    """Work on one generation, on one connection at a time: the checkpoint as last written, and the reference of it."""

    def __init__(
        self,
        manifest: Manifest,
        store: Store,
        folder: Folder,
        at: Checkpoint,
        reference_position: int,
        *,
        deliver: bool = True,
        defer: bool = False,
    ) -> None:
        self._manifest = manifest
        self.reading = Reading(manifest)
        self._live = deliver
        self._store = store
        self._folder = folder
        self._reference_position = reference_position
        self._defer = defer
        self._parked: set[str] = set()
        self._owed: list[Settlement] = []
        self._deferred_since: float | None = None
        self.at = at
        self.position = at.position
        """What was read: past the checkpoint by what is deferred."""

    @staticmethod
    async def open(
        conn: AsyncConnection,
        manifest: Manifest,
        generation: Generation,
        at: Checkpoint,
        *,
        deliver: bool = True,
        defer: bool = False,
        lease: Lease | None = None,
    ) -> "Session":
        """A session from this checkpoint on; the reference of that moment is read from the log.

        `defer`: a batch of nothing but receipts, and of what this projection does not read, is written with the next
        one, or a quarter of a second later. Most receipts are other channels', and the worker that wrote one has
        settled it already: each change would else cost every channel a transaction for every other channel's answer.
        Raises CheckpointBeyond.
        """
        await refuse_beyond(conn, generation)
        await versions.begin(conn, generation, manifest, at.position)
        await make_found(conn, generation, manifest)
        reference, position = await reader.reference_at(conn, at.position)
        store = Store(conn, manifest, generation, deliver=deliver, lease=lease)
        folder = Folder(manifest, reference)
        session = Session(manifest, store, folder, at, position, deliver=deliver, defer=defer)
        session._parked = await store.parked()
        return session

    def use(self, conn: AsyncConnection) -> None:
        """Works on this connection from now on."""
        self._store.use(conn)

    @property
    def put_off(self) -> bool:
        """Whether something was read and waits for the next batch, or for a moment, to be written."""
        return self._deferred_since is not None

    def can_wait(self, events: Sequence[Recorded | Passed], upto: int = 0) -> bool:
        """Whether this batch needs no transaction now. What may be put off is put off, and not to be handed in anew."""
        upto = max(upto, events[-1].position if events else 0)
        if upto > self.position:
            if not self._deferrable(events):
                return False
            self._put_off(self.reading.of(events), upto)
        return self.at.reference_from is None and not self._overdue()

    async def step(self, events: Sequence[Recorded | Passed], upto: int = 0) -> bool:
        """One batch of events, then one batch of groups that the reference touches. True when something came due.

        `upto`: where the batch ends, when what is behind its last event is not read here. Raises Superseded when the
        generation is another's by now; nothing was written then.
        """
        upto = max(upto, events[-1].position if events else 0, self.position)
        if upto > self.position and self._deferrable(events):
            if self.can_wait(events, upto):
                return False
            events = ()
        due, mine = False, self.reading.of(events)
        if mine:
            due = await self._take(mine, upto)
        elif upto > self.at.position:
            now = replace(self.at, position=upto)
            due = await self._save(Batch(self._folder.reference), now)
        if self.at.reference_from is not None:
            due = await self._rerender(self.at.reference_from) or due
        elif not mine:
            await self._store.record_heartbeat()
        return due

    def _deferrable(self, events: Sequence[Recorded | Passed]) -> bool:
        if not self._defer or self.at.reference_from is not None:
            return False
        takes = self.reading.takes
        return all(
            isinstance(one, Passed) or isinstance(one.event, ListingEvent) or not takes(one.type, one.key)
            for one in events
        )

    def _put_off(self, mine: Sequence[Recorded], upto: int) -> None:
        self._owed += self._own_receipts(mine)
        self.position = upto
        self._deferred_since = self._deferred_since or time.monotonic()

    def _overdue(self) -> bool:
        long = self._deferred_since is not None and time.monotonic() - self._deferred_since > DEFERRED_SECONDS_MAX
        return long or self.position - self.at.position > DEFERRED_EVENTS_MAX

    async def _take(self, events: Sequence[Recorded], upto: int) -> bool:
        # The stream hands over what has arrived, the log a page: both may end inside a command. A command is whole or
        # absent, on the channels too: a new product must not be there for a moment without its stock.
        while True:
            keys = list(dict.fromkeys(one.key for one in events if one.key != REFERENCE_KEY))
            groups = await self._store.groups(keys, events[-1])
            if not groups.rest:
                break
            upto = max(upto, groups.rest[-1].position)
            more = self.reading.of(groups.rest)
            if not more:
                break
            events = [*events, *more]
        batch = await self._with_discards(events, groups)
        now = replace(self.at, position=upto)
        if batch.touched:
            # One pass over the groups serves all changes: begun again for the new ones, none is forgotten.
            codes = batch.touched.union(self.at.reference_codes)
            now = replace(now, reference_from="", reference_codes=tuple(sorted(codes)))
        self._owed += self._own_receipts(events)
        return await self._save(batch, now, groups)

    async def _with_discards(self, events: Sequence[Recorded], groups: Groups) -> Batch:
        retold = self._to_replay(events)
        while True:
            batch = await self._replay(events, groups, retold)
            failed = retold & batch.parked.keys()
            if not failed:
                return batch
            retold -= failed

    async def _replay(self, events: Sequence[Recorded], groups: Groups, retold: set[str]) -> Batch:
        """The batch, with these groups folded from their beginning."""
        each = self._manifest.keeps_history or len(events) < CATCH_UP_EVENTS
        told, states, listed = events, groups.states, groups.listed
        if retold:
            told = [one for one in events if one.key not in retold]
            for key in retold:
                told += await self._store.history(key, events[-1].position)
            states = {key: state for key, state in states.items() if key not in retold}
            if self._manifest.keeps_history:
                listed = {key: facets for key, facets in listed.items() if key not in retold}

        def fold(taken: Owners) -> Batch:
            parked = self._parked - retold
            return self._folder.fold(told, states, listed, each_command=each, parked=parked, taken=taken)

        batch = await self._store.with_owners(fold, listed)
        batch.unparked = set(retold)
        for key in retold - batch.states.keys() - batch.parked.keys():
            batch.states[key] = None  # nothing is left of it
            batch.unlisted |= dict.fromkeys(listed.get(key, ()), (key, events[-1].position))
        return batch

    def _to_replay(self, events: Sequence[Recorded]) -> set[str]:
        """Groups that are folded again from their beginning, as a person had one of their events left out.

        Live, the group was parked, and whoever discards has it folded again at once: mostly nothing is left to do. A
        generation that is not live meets the discard here, and may have folded the event without a fault.
        """
        mine = self._manifest.name
        return {
            one.key
            for one in events
            if isinstance(one.event, EventDiscarded)
            and one.event.projection == mine
            and (one.key in self._parked or not self._live)
        }

    async def _rerender(self, key: str) -> bool:
        groups = await self._store.groups_using(self.at.reference_codes, key, AGAIN_GROUPS_MAX)

        def again(taken: Owners) -> Batch:
            return self._folder.rerender(groups.states.items(), groups.listed, self._reference_position, taken)

        batch = await self._store.with_owners(again, groups.listed)
        if len(groups.states) < AGAIN_GROUPS_MAX:
            now = replace(self.at, reference_from=None, reference_codes=())
        else:
            now = replace(self.at, reference_from=list(groups.states)[-1])
        return await self._save(batch, now, groups)

    async def _save(self, batch: Batch, now: Checkpoint, groups: Groups | None = None) -> bool:
        due = await self._store.save(batch, self.at, now, self._owed)
        if groups is not None:
            self._store.remember(batch, groups)
        for key, one in batch.parked.items():
            if key not in self._parked:
                where = f"{one.error} ({one.where})"
                name = self._manifest.name
                fields = {"channel": name, "group": key, "position": one.position}
                log.warning("%s parked %s at position %d: %s", name, key, one.position, where, extra=fields)
        self._parked.update(batch.parked)
        self._parked -= batch.unparked
        self.at, self.position = now, max(self.position, now.position)
        if self.position == now.position:
            self._owed, self._deferred_since = [], None
        self._reference_position = batch.reference_position or self._reference_position
        return due

    def _own_receipts(self, events: Sequence[Recorded]) -> list[Settlement]:
        mine = self._manifest.name
        return [
            Settlement(one.position, one.recorded_at, one.key, one.event)
            for one in events
            if isinstance(one.event, ListingEvent) and one.event.channel == mine
        ]

    async def note(self, error: Exception) -> None:
        """Keeps what went wrong where people look, also when this process dies of it."""
        with suppress(psycopg.Error):
            await self._store.note_failure(
                {"error": f"{type(error).__name__}: {error}", "after_position": self.at.position}
            )
