"""A batch of events folded and rendered: pure, so that live running, rebuild, as-of and what-if are the same code.

A group on which the channel's own code raises is parked: it stays as it was before that command, its later events
included, until somebody has it folded again. The others go on.
"""

import hashlib
import traceback
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from types import MappingProxyType
from typing import Any

import msgspec

from daybook.catalogue.reference import Reference, fold_references
from daybook.catalogue.tracked import TrackedReference, touched_by
from daybook.channel.contract import Held, Manifest, Payload, Rendered, SkuChange
from daybook.channel.reads import key_test
from daybook.errors import DaybookError
from daybook.events import EventDiscarded, Recorded, StockEvent
from daybook.events.envelope import REFERENCE_KEY

HASH_BYTES = 16
RENDERED_FACETS_MAX = 20_000
"""Of one group in one batch, command by command."""
CHANGED_SKUS_MAX = 20
"""When more SKUs of a group change at once, it is rendered whole."""
Facets = dict[tuple[str, str], bytes]
"""(SKU, facet) -> hash of what is listed."""
Owners = Mapping[tuple[str, str], str]
"""(SKU, facet) -> key of the other group that lists it already."""
_command = attrgetter("command_id")
_NONE: Owners = MappingProxyType({})


class ListedTwice(DaybookError):
    """Two product groups render the same facet of the same SKU. The later one is parked: a SKU has one group."""

    code = "listed_twice"


class Entry(msgspec.Struct, frozen=True):
    """One facet as it is listed now: a payload, or the reasons for holding it."""

    sku: str
    facet: str
    key: str
    payload: bytes | None
    held: tuple[str, ...] | None
    hash: bytes
    position: int
    """Of the last change that made a difference to it."""

    @property
    def wanted(self) -> bytes | None:
        """The hash that the channel should acknowledge; None when it should not show this."""
        return None if self.payload is None else self.hash


class Ended(msgspec.Struct, frozen=True):
    """One facet that is not listed any more, from `position` on."""

    sku: str
    facet: str
    key: str
    position: int


class Parked(msgspec.Struct, frozen=True):
    """A group that the channel's code could not fold or render, and the event on which it raised."""

    key: str
    position: int
    event_id: str | None
    """None when it was rendered again for a change of the reference."""
    type: str | None
    sku: str | None
    error: str
    where: str
    """The traceback's last line: file, line, function."""


class Batch(msgspec.Struct):
    """What a batch of events changes."""

    reference: Reference
    reference_position: int = 0
    """Of the last event that changed the reference in this batch; 0 when none did."""
    touched: set[str] = msgspec.field(default_factory=set)
    """What the reference events changed: see `catalogue.tracked`."""
    states: dict[str, Any] = msgspec.field(default_factory=dict)
    uses: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    """By group that was rendered: what it looked up in the reference."""
    put: dict[tuple[str, str], Entry] = msgspec.field(default_factory=dict)
    unlisted: dict[tuple[str, str], tuple[str, int]] = msgspec.field(default_factory=dict)
    """(SKU, facet) that is not listed any more -> key and position."""
    versions: list[Entry | Ended] = msgspec.field(default_factory=list)
    """For a projection that keeps history: every change of a listing, in the order in which each group made them."""
    parked: dict[str, Parked] = msgspec.field(default_factory=dict)
    """Groups that were parked in this batch."""
    unparked: set[str] = msgspec.field(default_factory=set)
    """Groups that were parked and are not any more."""
    left_waiting: dict[str, int] = msgspec.field(default_factory=dict)
    """By parked group: how many of its events were left for later in this batch."""


def encode(payload: Payload) -> bytes:
    """A payload's canonical bytes: keys sorted, so equal payloads are equal bytes."""
    return msgspec.json.encode(payload, order="sorted")


def digest(body: bytes) -> bytes:
    """The hash by which a payload is known."""
    return hashlib.blake2b(body, digest_size=HASH_BYTES).digest()


def render(
    manifest: Manifest, key: str, state: Any, reference: Reference, position: int
) -> dict[tuple[str, str], Entry]:
    """The group's facets, hashed."""
    return {} if state is None else _entries(key, manifest.render(state, reference), position)


def _entries(key: str, rendered: Rendered, position: int) -> dict[tuple[str, str], Entry]:
    entries: dict[tuple[str, str], Entry] = {}
    for (sku, facet), shown in rendered.items():
        if isinstance(shown, Held):
            mark = digest(b"held\n" + "\n".join(shown.reasons).encode())
            entries[sku, facet] = Entry(sku, facet, key, None, shown.reasons, mark, position)
        else:
            body = encode(shown)
            entries[sku, facet] = Entry(sku, facet, key, body, None, digest(body), position)
    return entries


class Folder:
    """Folds batches for one projection. The caller hands in the states and listed hashes of the groups concerned."""

    def __init__(self, manifest: Manifest, reference: Reference) -> None:
        self._manifest = manifest
        self._of_key = key_test(manifest.reads.keys)
        self.reference = reference
        self._tracked = TrackedReference(reference)

    def fold(
        self,
        events: Sequence[Recorded],
        states: Mapping[str, Any],
        listed: Mapping[str, Facets],
        *,
        each_command: bool,
        parked: Collection[str] = (),
        taken: Owners = _NONE,
    ) -> Batch:
        """What these events, in order, change. `states` and `listed` must hold every group that occurs.

        `each_command`: render after each command of a group, so that every facet's position names the very change that
        made it; else once for each group, which is faster for a long catch-up and lists the same in the end.
        `parked`: groups whose events are left for later. `taken`: what other groups list already.
        """
        batch = Batch(self.reference)
        for key, run in _by_group(events):
            if key == REFERENCE_KEY:
                batch.reference = fold_references(batch.reference, (one.event for one in run))
                batch.reference_position = run[-1].position
                batch.touched.update(code for one in run for code in touched_by(one.event))
                self._use(batch.reference)
            elif not self._of_key(key) or not (mine := self._read(run)):
                continue
            elif key in parked:
                batch.left_waiting[key] = len(mine)
            else:
                work = self._group(key, states.get(key), listed, batch, taken)
                work.fold(mine, each_command)
                work.into(batch)
        return batch

    def _read(self, run: Sequence[Recorded]) -> Sequence[Recorded]:
        """Those of a key's events that the projection reads; what a person had it leave out is looked for first."""
        wanted = self._manifest.reads.events
        if not wanted:
            return run
        kept = _without_discarded(self._manifest.name, run)
        return [one for one in kept if isinstance(one.event, wanted)]

    def rerender(
        self, groups: Iterable[tuple[str, Any]], listed: Mapping[str, Facets], position: int, taken: Owners = _NONE
    ) -> Batch:
        """Renders groups again whose state stands, because the reference changed at `position`."""
        batch = Batch(self.reference)
        for key, state in groups:
            work = self._group(key, state, listed, batch, taken)
            work.rerender(position)
            work.into(batch)
        return batch

    def _group(self, key: str, state: Any, listed: Mapping[str, Facets], batch: Batch, taken: Owners) -> "_Group":
        def owner(where: tuple[str, str]) -> str | None:
            entry = batch.put.get(where)
            return entry.key if entry is not None else taken.get(where)

        return _Group(self._manifest, self._tracked, key, state, listed.get(key, {}), owner)

    def _use(self, reference: Reference) -> None:
        self.reference = reference
        self._tracked = TrackedReference(reference)


class _Group:
    """One group's part of a batch: all of it, or up to where it was parked."""

    def __init__(
        self,
        manifest: Manifest,
        tracked: TrackedReference,
        key: str,
        state: Any,
        facets: Facets,
        owner: Callable[[tuple[str, str]], str | None],
    ) -> None:
        self._manifest = manifest
        self._owner = owner
        self._tracked = tracked
        self._key = key
        self._before = self._state = state
        self._facets = dict(facets)
        self._uses: tuple[str, ...] | None = None
        self._put: dict[tuple[str, str], Entry] = {}
        self._gone: dict[tuple[str, str], tuple[str, int]] = {}
        self._kept: list[Entry | Ended] = []
        self._parked: Parked | None = None
        self._passed = 0

    def fold(self, run: Sequence[Recorded], each_command: bool) -> None:
        """Folds the group's events, in order, and renders."""
        at: Recorded | None = None
        good = self._state
        run = _without_discarded(self._manifest.name, run)
        try:
            for command in self._commands(run) if each_command else [run]:
                before, changed = self._state, []
                for one in command:
                    at = one
                    after = self._manifest.fold(self._state, one)
                    if after is not self._state:
                        self._state = after
                        changed.append(one)
                if changed:
                    self._render_changed(before, changed)
                good = self._state
        except Exception as error:
            assert at is not None
            self._state = good
            self._park(error, at.position, at)
            self._passed = sum(1 for one in run if one.position >= at.position)

    def _commands(self, run: Sequence[Recorded]) -> list[Sequence[Recorded]]:
        commands: list[Sequence[Recorded]] = [list(some) for _, some in groupby(run, key=_command)]
        # A large group that changed often is rendered once, or others would wait for it.
        often = len(commands) > 1 and len(commands) * len(self._facets) > RENDERED_FACETS_MAX
        return [run] if often and not self._manifest.keeps_history else commands

    def rerender(self, position: int) -> None:
        """Renders the state as it stands."""
        try:
            self._render(position)
        except Exception as error:
            self._park(error, position, None)

    def _render_changed(self, before: Any, changed: Sequence[Recorded]) -> None:
        """Renders what these events can have changed, where the channel's code can tell, else all."""
        position = changed[-1].position
        part = self._part(before, changed)
        if part is None:
            self._render(position)
        else:
            self._note(_entries(self._key, part, position))

    def _part(self, before: Any, changed: Sequence[Recorded]) -> Rendered | None:
        skus = {one.sku for one in changed}
        alone = self._manifest.render_change
        # What nothing is listed of was perhaps never rendered, so there is nothing that could stay as it was.
        if alone is None or before is None or self._state is None or not self._facets or len(skus) > CHANGED_SKUS_MAX:
            return None
        found: dict[tuple[str, str], Payload | Held] = {}
        for sku in skus:
            if sku is None:
                return None
            change = SkuChange(
                sku=sku,
                before=before,
                after=self._state,
                reference=self._tracked.reference,
                listed=tuple(facet for facet in self._manifest.facets if (sku, facet) in self._facets),
                stock_only=all(isinstance(one.event, StockEvent) for one in changed if one.sku == sku),
            )
            part = alone(change)
            if part is None:
                return None
            found.update(part)
        return found

    def _render(self, position: int) -> None:
        """Notes what differs from what is listed, and brings that up to date."""
        entries = render(self._manifest, self._key, self._state, self._tracked.begin(), position)
        uses = self._tracked.used()
        self._note(entries)
        self._uses = uses
        for where in [where for where in self._facets if where not in entries]:
            del self._facets[where]
            self._put.pop(where, None)
            self._gone[where] = (self._key, position)
            self._kept.append(Ended(*where, self._key, position))

    def _note(self, entries: Mapping[tuple[str, str], Entry]) -> None:
        # All is looked at before anything is noted: a group that is parked keeps what it had before this command.
        for where in entries:
            if where not in self._facets and self._owner(where) not in (None, self._key):
                raise ListedTwice(
                    f"{self._key} and {self._owner(where)} both list {where[1]} of {where[0]}: "
                    "a SKU belongs to one group, so one of them must stop rendering it"
                )
        for where, entry in entries.items():
            if self._facets.get(where) != entry.hash:
                self._put[where] = entry
                self._kept.append(entry)
                self._gone.pop(where, None)
                self._facets[where] = entry.hash

    def _park(self, error: Exception, position: int, at: Recorded | None) -> None:
        frames = traceback.extract_tb(error.__traceback__)
        last = frames[-1] if frames else None
        self._parked = Parked(
            key=self._key,
            position=position,
            event_id=at.event_id if at else None,
            type=at.type if at else None,
            sku=at.sku if at else None,
            error=f"{type(error).__name__}: {error}",
            where=f"{last.filename}:{last.lineno} in {last.name}" if last else "",
        )

    def into(self, batch: Batch) -> None:
        """Adds what changed to the batch; of a group that was parked, what came before that."""
        if self._parked is not None:
            batch.parked[self._key] = self._parked
            batch.left_waiting[self._key] = self._passed
        if self._state is not self._before:
            batch.states[self._key] = self._state
        if self._uses is not None:
            batch.uses[self._key] = self._uses
        batch.put.update(self._put)
        batch.unlisted.update(self._gone)
        if self._manifest.keeps_history:
            batch.versions += self._kept


def _by_group(events: Sequence[Recorded]) -> list[tuple[str, list[Recorded]]]:
    """Reference changes first, then group by group as they come up, each group's events in their order.

    Groups don't see one another, so their order is free. Rendering with a reference that is newer than the event only
    anticipates what rendering again for that change would give.
    """
    groups: dict[str, list[Recorded]] = {}
    for one in events:
        groups.setdefault(one.key, []).append(one)
    reference = groups.pop(REFERENCE_KEY, None)
    return [*([(REFERENCE_KEY, reference)] if reference else ()), *groups.items()]


def _without_discarded(projection: str, run: Sequence[Recorded]) -> Sequence[Recorded]:
    """The events less those that a person had this projection leave out, when that is in the same run.

    Live, the event failed and its group was parked before it was discarded; the group is then folded again from its
    beginning, so event and discard are in one run, as they are in a rebuild.
    """
    left_out = {
        one.event.position
        for one in run
        if isinstance(one.event, EventDiscarded) and one.event.projection == projection
    }
    return [one for one in run if one.position not in left_out] if left_out else run
