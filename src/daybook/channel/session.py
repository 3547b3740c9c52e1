"""Moving one generation forward, batch by batch: the same for live running and for a rebuild that catches up."""

from collections.abc import Sequence
from contextlib import suppress

import psycopg
from msgspec.structs import replace

from daybook.catalogue.reference import EMPTY, fold_reference
from daybook.channel import keeping
from daybook.channel.contract import Manifest
from daybook.channel.folding import Batch, Folder
from daybook.channel.generations import Checkpoint, Generation
from daybook.channel.leases import Lease
from daybook.channel.receipts import Settlement
from daybook.channel.store import Store
from daybook.events import ListingEvent, Recorded
from daybook.events.envelope import REFERENCE_KEY
from daybook.log import reader
from daybook.postgres.pool import AsyncConnection

BATCH_EVENTS_MAX = 1000
CATCH_UP_EVENTS = BATCH_EVENTS_MAX
"""A batch this large is catching up: groups are rendered once for the batch, not once for each command."""
AGAIN_GROUPS_MAX = 200


class Session:
    """One connection's worth of work on one generation: the checkpoint as last written, and the reference of it."""

    def __init__(
        self, manifest: Manifest, store: Store, folder: Folder, at: Checkpoint, reference_position: int
    ) -> None:
        self._manifest = manifest
        self._store = store
        self._folder = folder
        self._reference_position = reference_position
        self.at = at

    @staticmethod
    async def open(
        conn: AsyncConnection,
        manifest: Manifest,
        generation: Generation,
        at: Checkpoint,
        *,
        deliver: bool = True,
        lease: Lease | None = None,
    ) -> "Session":
        """A session from this checkpoint on; the reference of that moment is read from the log."""
        await keeping.begin(conn, generation, manifest, at.position)
        reference, position = EMPTY, 0
        for one in await reader.of_key(conn, REFERENCE_KEY, at.position):
            reference, position = fold_reference(reference, one.event), one.position
        store = Store(conn, manifest, generation, deliver=deliver, lease=lease)
        return Session(manifest, store, Folder(manifest, reference), at, position)

    async def step(self, events: Sequence[Recorded]) -> bool:
        """One batch of events, then one batch of groups that the reference touches. True when something came due.

        Raises Superseded when the generation is another's by now; nothing was written then.
        """
        due = False
        if events:
            due = await self._fold(events)
        if self.at.reference_from is not None:
            due = await self._again(self.at.reference_from) or due
        elif not events:
            await self._store.beat()
        return due

    async def _fold(self, events: Sequence[Recorded]) -> bool:
        # The stream hands over what has arrived, the log a page: both may end inside a command. A command is whole or
        # absent, on the channels too: a new product must not be there for a moment without its stock.
        while True:
            keys = list(dict.fromkeys(one.key for one in events if one.key != REFERENCE_KEY))
            groups = await self._store.groups(keys, events[-1])
            if not groups.rest:
                break
            events = [*events, *groups.rest]
        each = self._manifest.keeps_history or len(events) < CATCH_UP_EVENTS
        batch = self._folder.fold(events, groups.states, groups.listed, each_command=each, parked=groups.parked)
        now = replace(self.at, position=events[-1].position)
        if batch.touched:
            # One pass over the groups serves all changes: begun again for the new ones, none is forgotten.
            codes = batch.touched.union(self.at.reference_codes)
            now = replace(now, reference_from="", reference_codes=tuple(sorted(codes)))
        return await self._save(batch, now, self._receipts(events))

    async def _again(self, key: str) -> bool:
        groups = await self._store.groups_using(self.at.reference_codes, key, AGAIN_GROUPS_MAX)
        batch = self._folder.again(groups.states.items(), groups.listed, self._reference_position)
        if len(groups.states) < AGAIN_GROUPS_MAX:
            now = replace(self.at, reference_from=None, reference_codes=())
        else:
            now = replace(self.at, reference_from=list(groups.states)[-1])
        return await self._save(batch, now)

    async def _save(self, batch: Batch, now: Checkpoint, receipts: Sequence[Settlement] = ()) -> bool:
        due = await self._store.save(batch, self.at, now, receipts)
        self.at = now
        self._reference_position = batch.reference_position or self._reference_position
        return due

    def _receipts(self, events: Sequence[Recorded]) -> list[Settlement]:
        mine = self._manifest.name
        return [
            Settlement(one.position, one.key, one.event)
            for one in events
            if isinstance(one.event, ListingEvent) and one.event.channel == mine
        ]

    async def note(self, error: Exception) -> None:
        """Keeps what went wrong where people look, also when this process dies of it."""
        with suppress(psycopg.Error):
            await self._store.note_failure(
                {"error": f"{type(error).__name__}: {error}", "after_position": self.at.position}
            )
