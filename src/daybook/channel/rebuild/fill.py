"""Fills ranges of a new generation: read by group, fold with the channel's own code, render once, COPY.

What is kept of a group is what live running keeps, with one difference: a facet's position is that of the group's last
event that changed its state, as a group is rendered once, at its end.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import msgspec

from daybook.catalogue.reference import EMPTY
from daybook.channel import QUERIES as CHANNEL
from daybook.channel.contract import Manifest
from daybook.channel.folding import Batch, Folder
from daybook.channel.generations import Generation
from daybook.channel.leases import Lease
from daybook.channel.rebuild import QUERIES, rows
from daybook.channel.store import Superseded
from daybook.events import Recorded
from daybook.events.envelope import REFERENCE_KEY
from daybook.log import QUERIES as LOG
from daybook.log import reader
from daybook.postgres.pool import Connection, connect

PAGE_EVENTS = 4000
"""What a worker holds at once: a page of events, and the groups that end in it."""
GROUP_EVENTS_MAX = 20_000
"""A group with more events is folded piece by piece."""
_POSITION, _KEY = 0, 6


class Job(msgspec.Struct, frozen=True):
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


def fill(job: Job, manifest: Manifest, told: Callable[[int], None], stopped: Callable[[], bool]) -> None:
    """Fills one range after the other until none is left, or `stopped`.

    Any number may work on one generation. `told` hears how many events of a range are folded, and 0 when it is done. A
    range is there as a whole or not at all. Raises Superseded when another rebuild has the lease.
    """
    with connect(job.dsn, application(job.projection)) as conn:
        conn.execute(QUERIES["tune"])
        worker = _Worker(conn, job, manifest, told, stopped)
        while not stopped() and worker.range():
            told(0)


class _Stopped(Exception):
    """Told to stop in the middle of a range."""


class _Worker:
    def __init__(
        self,
        conn: Connection,
        job: Job,
        manifest: Manifest,
        told: Callable[[int], None],
        stopped: Callable[[], bool],
    ) -> None:
        self._conn, self._job, self._manifest = conn, job, manifest
        self._told, self._stopped = told, stopped
        self._names = (job.projection, job.number)
        events = [reader.recorded(row) for row in conn.execute(LOG["of_key"], (REFERENCE_KEY, 0, job.upto))]
        folder = Folder(manifest, EMPTY)
        folder.fold(events, {}, {}, each_command=False)
        self._fold = _RangeFold(folder, self._discarded())
        self._copy_states = job.generation.composed(QUERIES["copy_states"])
        self._copy_listings = job.generation.composed(QUERIES["copy_listings"])
        self._uses: dict[tuple[str, ...], bytes] = {}

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
        for size, batch in self._fold.pages(self._pages(from_key, to_key)):
            events += size
            groups += self._write(batch)
            self._told(events)
            if self._stopped():
                raise _Stopped
        lease = self._job.lease
        done = self._conn.execute(
            QUERIES["range_done"], (events, groups, *self._names, number, lease.name, lease.token)
        )
        if done.rowcount != 1:
            raise Superseded(f"another rebuild of {self._job.projection} has taken over")

    def _pages(self, from_key: str, to_key: str | None) -> Iterator[list[Any]]:
        # The cursor lives on the server: a range's events are never here all at once.
        with self._conn.cursor("events", binary=True) as cursor:
            given = {"from_key": from_key, "to_key": to_key, "upto": self._job.upto}
            cursor.execute(QUERIES["of_range"], given)
            while page := cursor.fetchmany(PAGE_EVENTS):
                yield page

    def _write(self, batch: Batch) -> int:
        states = [
            rows.state(key, msgspec.json.encode(state), self._encoded(batch.uses.get(key, ())))
            for key, state in batch.states.items()
        ]
        self._copy(self._copy_states, states)
        self._copy(self._copy_listings, [rows.listing(entry) for entry in batch.put.values()])
        if batch.parked:
            self._park(batch)
        return len(states)

    def _copy(self, query: bytes, lines: Sequence[bytes]) -> None:
        if lines:
            with self._conn.cursor() as cursor, cursor.copy(query) as copy:
                copy.write(rows.whole(lines))

    def _encoded(self, uses: tuple[str, ...]) -> bytes:
        """Most groups use one of a few sets of definitions."""
        found = self._uses.get(uses)
        if found is None:
            if len(self._uses) > 10_000:
                self._uses.clear()
            found = self._uses[uses] = rows.texts(uses)
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
            [batch.passed.get(one.key, 0) for one in found],
        )
        self._conn.execute(CHANNEL["park"], (*self._names, *columns))


class _RangeFold:
    """Pages of rows in order of key and position, as batches that hold whole groups."""

    def __init__(self, folder: Folder, discarded: frozenset[int]) -> None:
        self._folder = folder
        self._discarded = discarded

    def pages(self, pages: Iterator[list[Any]]) -> Iterator[tuple[int, Batch]]:
        """(events read, what they make) for page after page. A group is in the batch of the page in which it ends."""
        rest: list[Any] = []
        large: _Large | None = None
        for page in pages:
            found = rest + page if rest else page
            if large is not None:
                split = _end_of(found, large.key)
                large.add(self._events(found[:split]))
                found = found[split:]
                if found:
                    yield 0, large.batch
                    large = None
            # The last group may go on in the next page.
            cut = _begin_of_last(found)
            whole, rest = found[:cut], found[cut:]
            if len(rest) >= GROUP_EVENTS_MAX:
                large = _Large(self._folder, rest[0][_KEY])
                large.add(self._events(rest))
                rest = []
            yield len(page), fold_whole(self._folder, self._events(whole))
        if large is not None:
            yield 0, large.batch
        yield 0, fold_whole(self._folder, self._events(rest))

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


def fold_whole(folder: Folder, events: Sequence[Recorded], states: Mapping[str, Any] = MappingProxyType({})) -> Batch:
    """Folds groups from their beginning, or from the states given, and renders each once.

    A group on which the code raises is folded again command by command: what came before the fault stays.
    """
    batch = folder.fold(events, states, {}, each_command=False)
    for key in list(batch.parked):
        del batch.parked[key], batch.passed[key]
        mine = [one for one in events if one.key == key]
        again = folder.fold(mine, {key: states[key]} if key in states else {}, {}, each_command=True)
        for name in ("states", "uses", "parked", "passed"):
            getattr(batch, name).update(getattr(again, name))
        for (sku, facet), entry in again.put.items():
            # A facet that another group of the page lists goes in beside it: see `twice`.
            free = (sku, facet) not in batch.put
            batch.put[sku, facet if free else f"{facet} of {key}"] = entry
    return batch


class _Large:
    """A group with so many events that it is folded piece by piece. `batch` is what they make so far."""

    def __init__(self, folder: Folder, key: str) -> None:
        self.key = key
        self.batch = Batch(folder.reference)
        self._folder = folder

    def add(self, events: Sequence[Recorded]) -> None:
        if not events:
            return
        if self.key in self.batch.parked:
            self.batch.passed[self.key] += len(events)
            return
        piece = fold_whole(self._folder, events, self.batch.states)
        if self.key in piece.uses:  # it was rendered, and from nothing listed: `put` is all there is
            self.batch.put, self.batch.uses = piece.put, piece.uses
        self.batch.states.update(piece.states)
        self.batch.parked, self.batch.passed = piece.parked, piece.passed
