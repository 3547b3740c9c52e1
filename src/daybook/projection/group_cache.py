"""What a runner remembers of the groups that it folded last, so that a change of one of them need not read it again.

Safe because nobody else writes the generation between two of the runner's own transactions without raising the epoch:
the next checkpoint then fails to move, and the session is thrown away with what it remembers.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from daybook.projection.folding import Batch, Facets

BYTES_MAX = 8 * 1024**2
"""Of the states as they are stored; as objects they take three to five times as much."""


class Remembered(msgspec.Struct):
    """One group as it was written last: its state, what is listed of it, and the state's length in bytes."""

    state: Any
    facets: Facets
    size: int = 0


class GroupCache:
    """The groups that were folded last, as far as `BYTES_MAX` reaches."""

    def __init__(self, bytes_max: int = BYTES_MAX) -> None:
        self._groups: OrderedDict[str, Remembered] = OrderedDict()
        self._bytes_max = bytes_max
        self._bytes = 0

    def of(self, keys: Iterable[str]) -> dict[str, Remembered]:
        """What is remembered of these groups; what is missing has to be read."""
        found = {}
        for key in keys:
            one = self._groups.get(key)
            if one is not None:
                self._groups.move_to_end(key)
                found[key] = one
        return found

    def written(
        self, batch: Batch, states: Mapping[str, Any], listed: Mapping[str, Facets], sizes: Mapping[str, int]
    ) -> None:
        """After a batch was committed that was folded from these states and listings, which hold its groups whole.

        `sizes`: bytes of the states that it wrote.
        """
        for key, facets in listed.items():
            before = self._groups.pop(key, None)
            state = batch.states[key] if key in batch.states else states.get(key)
            size = sizes.get(key, before.size if before else 0)
            self._bytes += size - (before.size if before else 0)
            self._groups[key] = Remembered(state, facets, size)
        for (sku, facet), entry in batch.put.items():
            self._facets_of(entry.key)[sku, facet] = entry.hash
        for (sku, facet), (key, _) in batch.unlisted.items():
            self._facets_of(key).pop((sku, facet), None)
        while self._bytes > self._bytes_max and self._groups:
            _, oldest = self._groups.popitem(last=False)
            self._bytes -= oldest.size

    def _facets_of(self, key: str) -> Facets:
        one = self._groups.get(key)
        return {} if one is None else one.facets
