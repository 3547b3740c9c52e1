"""Fills ranges of a new generation: read by group, fold with the channel's own code, render once, COPY.

What is kept of a group is what live running keeps, with one difference: a facet's position is that of the group's last
event that changed its state, as a group is rendered once, at its end. A projection that keeps history is rendered after
each command, as live, and its versions are copied too: a group's history depends on no other group.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import msgspec
from psycopg import sql

from daybook.catalogue.reference import EMPTY
from daybook.channel.contract import Manifest
from daybook.events import Recorded
from daybook.events.envelope import REFERENCE_KEY
from daybook.log import QUERIES as LOG
from daybook.log import reader
from daybook.postgres.pool import Connection, connect
from daybook.projection import store
from daybook.projection.folding import Batch, Folder
from daybook.projection.generations import Generation
from daybook.projection.leases import Lease
from daybook.projection.reading import condition
from daybook.projection.store import Superseded
from daybook.projection.versions import Chain, Version, Versions
from daybook.rebuild import QUERIES, copy_rows
from daybook.rebuild.give_way import GiveWay
from daybook.rebuild.priority import lower_server

PAGE_EVENTS = 4000
"""What a worker holds at once: a page of events, and the groups that end in it."""
SHORT_PAGES = 8
"""A page is so many times shorter while something that runs live is behind."""
GROUP_EVENTS_MAX = 20_000
"""A group with more events is folded piece by piece."""
_POSITION, _KEY = 0, 6


class FillJob(msgspec.Struct, frozen=True):
    """What a worker is to fill."""

    dsn: str
    projection: str
    number: int
    upto: int
    lease: Lease

    @property
    def generation(self) -> Generation:
        """The generation."""
        return Generation(self.projection, self.number)


def application(projection: str) -> str:
    """The name under which a rebuild's connections are known to Postgres, less our prefix."""
    return f"rebuild {projection}"


def fill(job: FillJob, manifest: Manifest, on_progress: Callable[[int], None], stopped: Callable[[], bool]) -> None:
    """Fills one range after the other until none is left, or `stopped`.

    Any number may work on one generation. `on_progress` hears how many events of a range are folded, and 0 when it is
    done. A range is there as a whole or not at all. Raises Superseded when another rebuild has the lease.
    """
    with connect(job.dsn, application(job.projection)) as conn:
        lower_server(conn)
        conn.execute(QUERIES["tune"])
        worker = _Worker(conn, job, manifest, on_progress, stopped)
        while not stopped() and worker.range():
            on_progress(0)


class _Stopped(Exception):
    """OnProgress to stop in the middle of a range."""


class _Worker:
    def __init__(
        self,
        conn: Connection,
        job: FillJob,
        manifest: Manifest,
        on_progress: Callable[[int], None],
        stopped: Callable[[], bool],
    ) -> None:
        self._conn, self._job, self._manifest = conn, job, manifest
        self._on_progress, self._stopped = on_progress, stopped
        self._names = (job.projection, job.number)
        events = [
            reader.recorded(row)
            for row in conn.execute(LOG["of_key"], {"key": REFERENCE_KEY, "after": 0, "upto": job.upto})
        ]
        folder = Folder(manifest, EMPTY)
        folder.fold(events, {}, {}, each_command=False)
        self._fold = _RangeFold(folder, self._discarded(), manifest.keeps_history)
        self._copy_versions = Versions(job.generation, manifest).query("copy_versions").encode()
        self._of_range = sql.SQL(QUERIES["of_range"]).format(wanted=condition(manifest)).as_bytes()
        self._copy_states = job.generation.composed(QUERIES["copy_states"])
        self._copy_listings = job.generation.composed(QUERIES["copy_listings"])
        self._uses: dict[tuple[str, ...], bytes] = {}
        self._way = GiveWay(conn)

    def _discarded(self) -> frozenset[int]:
        """What a person had this projection leave out; known beforehand, as a large group is folded in pieces."""
        stream = f"projection/{self._job.projection}"
        return frozenset(n for (n,) in self._conn.execute(QUERIES["discarded"], (stream, self._job.upto)))

    def range(self) -> bool:
        """Fills the next range; False when there is none."""
        try:
            with self._conn.transaction():
                for query in ("take_range", "await_range"):
                    row = self._conn.execute(QUERIES[query], self._names).fetchone()
                    if row is not None:
                        self._fill(*row)
                        return True
        except _Stopped:
            pass
        return False

    def _fill(self, number: int, from_key: str, to_key: str | None) -> None:
        events = groups = 0
        for made in self._fold.pages(self._pages(from_key, to_key)):
            events += made.events
            groups += self._write(made.batch)
            self._copy(self._copy_versions, [copy_rows.version(one) for one in made.versions])
            self._on_progress(events)
            self._way.wait()
            if self._stopped():
                raise _Stopped
        filled = {
            "projection": self._job.projection,
            "generation": self._job.number,
            "number": number,
            "events": events,
            "groups": groups,
            "lease": self._job.lease.name,
            "token": self._job.lease.token,
        }
        done = self._conn.execute(QUERIES["range_done"], filled)
        if done.rowcount != 1:
            raise Superseded(f"another rebuild of {self._job.projection} has taken over")

    def _pages(self, from_key: str, to_key: str | None) -> Iterator[list[Any]]:
        # The cursor lives on the server: a range's events are never here all at once.
        with self._conn.cursor("events", binary=True) as cursor:
            given = {"from_key": from_key, "to_key": to_key, "upto": self._job.upto}
            cursor.execute(self._of_range, given)
            while page := cursor.fetchmany(max(1, PAGE_EVENTS // SHORT_PAGES) if self._way.busy else PAGE_EVENTS):
                yield page

    def _write(self, batch: Batch) -> int:
        states = [
            copy_rows.state(key, msgspec.json.encode(state), self._encoded(batch.uses.get(key, ())))
            for key, state in batch.states.items()
        ]
        self._copy(self._copy_states, states)
        self._copy(self._copy_listings, [copy_rows.listing(entry) for entry in batch.put.values()])
        if batch.parked:
            self._park(batch)
        return len(states)

    def _copy(self, query: bytes, lines: Sequence[bytes]) -> None:
        if lines:
            with self._conn.cursor() as cursor, cursor.copy(query) as copy:
                copy.write(copy_rows.whole(lines))

    def _encoded(self, uses: tuple[str, ...]) -> bytes:
        """Most groups use one of a few sets of definitions."""
        found = self._uses.get(uses)
        if found is None:
            if len(self._uses) > 10_000:
                self._uses.clear()
            found = self._uses[uses] = copy_rows.texts(uses)
        return found

    def _park(self, batch: Batch) -> None:
        found = list(batch.parked.values())
        columns = (
            [one.key for one in found],
            [one.position for one in found],
            [one.event_id for one in found],
            [one.type for one in found],
            [one.sku for one in found],
            [one.error[:2000] for one in found],
            [one.where for one in found],
            [batch.left_waiting.get(one.key, 0) for one in found],
        )
        self._conn.execute(store.QUERIES["park"], (*self._names, *columns))


class _Made(msgspec.Struct):
    """What a page of events makes. Of a large group the versions come before the rest."""

    events: int
    batch: Batch
    versions: list[Version] = []


class _RangeFold:
    """Pages of rows in order of key and position, as batches that hold whole groups."""

    def __init__(self, folder: Folder, discarded: frozenset[int], keeps_history: bool) -> None:
        self._folder = folder
        self._discarded = discarded
        self._each = keeps_history

    def pages(self, pages: Iterator[list[Any]]) -> Iterator[_Made]:
        """What page after page makes. A group is in the batch of the page in which it ends."""
        rest: list[Any] = []
        large: _Large | None = None
        for page in pages:
            found = rest + page if rest else page
            if large is not None:
                split = _end_of(found, large.key)
                large.add(self._events(found[:split]))
                found = found[split:]
                if found:
                    yield large.end()
                    large = None
                else:
                    yield large.so_far()
            # The last group may go on in the next page.
            cut = _begin_of_last(found)
            whole, rest = found[:cut], found[cut:]
            if len(rest) >= GROUP_EVENTS_MAX:
                large = _Large(self._folder, rest[0][_KEY], self._each)
                large.add(self._events(rest))
                rest = []
            yield self._whole(whole, len(page))
        if large is not None:
            yield large.end()
        yield self._whole(rest, 0)

    def _whole(self, found: list[Any], read: int) -> _Made:
        events = self._events(found)
        batch = fold_whole(self._folder, events, each_command=self._each)
        chain = Chain()
        versions = chain.add(batch.versions, {one.position: one.recorded_at for one in events}) if self._each else []
        return _Made(read, batch, versions + chain.close())

    def _events(self, found: list[Any]) -> list[Recorded]:
        if self._discarded:
            found = [row for row in found if row[_POSITION] not in self._discarded]
        return [reader.recorded(row) for row in found]


def _end_of(found: list[Any], key: str) -> int:
    at = 0
    while at < len(found) and found[at][_KEY] == key:
        at += 1
    return at


def _begin_of_last(found: list[Any]) -> int:
    at = len(found)
    while at and found[at - 1][_KEY] == found[-1][_KEY]:
        at -= 1
    return at


def fold_whole(
    folder: Folder,
    events: Sequence[Recorded],
    states: Mapping[str, Any] = MappingProxyType({}),
    *,
    each_command: bool = False,
) -> Batch:
    """Folds groups from their beginning, or from the states given, and renders each once, or after each command.

    A group on which the code raises is folded again by itself, command by command: what came before the fault stays.
    """
    batch = folder.fold(events, states, {}, each_command=each_command)
    for key in list(batch.parked):
        del batch.parked[key], batch.left_waiting[key]
        batch.put = {where: entry for where, entry in batch.put.items() if entry.key != key}
        batch.versions = [one for one in batch.versions if one.key != key]
        mine = [one for one in events if one.key == key]
        again = folder.fold(mine, {key: states[key]} if key in states else {}, {}, each_command=True)
        for name in ("states", "uses", "parked", "left_waiting"):
            getattr(batch, name).update(getattr(again, name))
        for (sku, facet), entry in again.put.items():
            # A facet that another group of the page lists goes in beside it: see `twice`.
            free = (sku, facet) not in batch.put
            batch.put[sku, facet if free else f"{facet} of {key}"] = entry
        batch.versions += again.versions
    return batch


class _Large:
    """A group with so many events that it is folded piece by piece. `batch` is what they make so far."""

    def __init__(self, folder: Folder, key: str, keeps_history: bool) -> None:
        self.key = key
        self.batch = Batch(folder.reference)
        self._folder = folder
        self._each = keeps_history
        self._chain = Chain()
        self._versions: list[Version] = []
        self._begun: list[Recorded] = []

    def add(self, events: Sequence[Recorded]) -> None:
        """Folds the next events."""
        if self._each:
            events, self._begun = _whole_commands([*self._begun, *events])
        self._add(events)

    def so_far(self) -> _Made:
        """The versions that later ones have ended."""
        versions, self._versions = self._versions, []
        return _Made(0, Batch(self._folder.reference), versions)

    def end(self) -> _Made:
        """All the rest, when there are no more events."""
        self._add(self._begun)
        return _Made(0, self.batch, self._versions + self._chain.close())

    def _add(self, events: Sequence[Recorded]) -> None:
        if not events:
            return
        if self.key in self.batch.parked:
            self.batch.left_waiting[self.key] += len(events)
            return
        if self._each:
            listed = {self.key: {where: entry.hash for where, entry in self.batch.put.items()}}
            piece = self._folder.fold(events, self.batch.states, listed, each_command=True)
            self._versions += self._chain.add(piece.versions, {one.position: one.recorded_at for one in events})
            self.batch.put = {w: one for w, one in self.batch.put.items() if w not in piece.unlisted} | piece.put
            self.batch.uses.update(piece.uses)
        else:
            piece = fold_whole(self._folder, events, self.batch.states)
            if self.key in piece.uses:  # it was rendered, and from nothing listed: `put` is all there is
                self.batch.put, self.batch.uses = piece.put, piece.uses
        self.batch.states.update(piece.states)
        self.batch.parked, self.batch.left_waiting = piece.parked, piece.left_waiting


def _whole_commands(events: list[Recorded]) -> tuple[list[Recorded], list[Recorded]]:
    """The events, and those of the last command apart: it may go on in the next page."""
    cut = len(events)
    while cut and events[cut - 1].command_id == events[-1].command_id:
        cut -= 1
    return events[:cut], events[cut:]
