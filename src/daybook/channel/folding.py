"""A batch of events folded and rendered: pure, so that live running, rebuild, as-of and what-if are the same code."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import Any

import msgspec

from daybook.catalogue.reference import Reference, fold_reference
from daybook.channel.contract import Held, Manifest, Payload
from daybook.errors import DaybookError
from daybook.events import Recorded
from daybook.events.envelope import REFERENCE_KEY

HASH_BYTES = 16
Facets = dict[tuple[str, str], bytes]
"""(SKU, facet) -> hash of what is listed."""


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


class Batch(msgspec.Struct):
    """What a batch of events changes."""

    reference: Reference
    reference_position: int = 0
    """Of the last event that changed the reference in this batch; 0 when none did."""
    states: dict[str, Any] = {}
    put: dict[tuple[str, str], Entry] = {}
    gone: dict[tuple[str, str], tuple[str, int]] = {}
    """(SKU, facet) that is not listed any more -> key and position."""


class ProjectionFailed(DaybookError):
    """A channel's own fold or render raised: a fault in its code, or a situation that it was not written for."""

    code = "projection_failed"


@contextmanager
def _naming(manifest: Manifest, position: int, sku: str) -> Iterator[None]:
    """Adds to what the channel's code raises which event and product it was about."""
    try:
        yield
    except Exception as error:
        raise ProjectionFailed(
            f"{manifest.name} failed on {sku} at position {position}: {type(error).__name__}: {error}. Its listings "
            "stand still until its code is put right",
            position=position,
            sku=sku,
        ) from error


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
    entries: dict[tuple[str, str], Entry] = {}
    if state is None:
        return entries
    for (sku, facet), shown in manifest.render(state, reference).items():
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
        self.reference = reference

    def fold(
        self,
        events: Sequence[Recorded],
        states: Mapping[str, Any],
        listed: Mapping[str, Facets],
        *,
        each_command: bool,
    ) -> Batch:
        """What these events, in order, change. `states` and `listed` must hold every group that occurs.

        `each_command`: render after each command of a group, so that every facet's position names the very change that
        made it; else once for each group, which is faster for a long catch-up and lists the same in the end.
        """
        batch = Batch(self.reference)
        hashes: dict[str, Facets] = {}
        for key, run in groupby(_in_group_order(events), key=lambda one: one.key):
            if key == REFERENCE_KEY:
                for one in run:
                    batch.reference = fold_reference(batch.reference, one.event)
                    batch.reference_position = one.position
                continue
            state = before = states.get(key)
            facets = hashes.setdefault(key, dict(listed.get(key, {})))
            for _, command in groupby(run, key=lambda one: one.command_id if each_command else ""):
                position = 0
                for one in command:
                    with _naming(self._manifest, one.position, one.sku or key):
                        after = self._manifest.fold(state, one)
                    if after is not state:
                        state, position = after, one.position
                if position:
                    with _naming(self._manifest, position, key):
                        self._render(key, state, position, facets, batch)
            if state is not before:
                batch.states[key] = state
        self.reference = batch.reference
        return batch

    def again(self, groups: Iterable[tuple[str, Any]], listed: Mapping[str, Facets], position: int) -> Batch:
        """Renders groups again whose state stands, because the reference changed at `position`."""
        batch = Batch(self.reference)
        for key, state in groups:
            with _naming(self._manifest, position, key):
                self._render(key, state, position, dict(listed.get(key, {})), batch)
        return batch

    def _render(self, key: str, state: Any, position: int, facets: Facets, batch: Batch) -> None:
        """Adds to the batch what differs from `facets`, and brings `facets` up to date."""
        entries = render(self._manifest, key, state, batch.reference, position)
        for where, entry in entries.items():
            if facets.get(where) != entry.hash:
                batch.put[where] = entry
                batch.gone.pop(where, None)
                facets[where] = entry.hash
        for where in [where for where in facets if where not in entries]:
            del facets[where]
            batch.put.pop(where, None)
            batch.gone[where] = (key, position)


def _in_group_order(events: Sequence[Recorded]) -> list[Recorded]:
    """Reference changes first, then group by group, each group's events in their order.

    Groups don't see one another, so their order is free. Rendering with a reference that is newer than the event only
    anticipates what rendering again for that change would give.
    """
    return sorted(events, key=lambda one: (one.key != REFERENCE_KEY, one.key))
