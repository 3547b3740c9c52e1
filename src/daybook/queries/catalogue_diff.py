"""What differs between two moments of the whole catalogue, or of what a channel should show of it.

The work follows what changed and not the catalogue's size: only groups with events in between are folded. Of a channel
all groups are, when its settings or a definition changed in between: any listing may differ then.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from daybook.access.authority import EVERYWHERE, NOTHING, Reach, Touched
from daybook.catalogue.group import Group
from daybook.channel.contract import Held, Manifest
from daybook.errors import InvalidValue, NotFound
from daybook.events import Recorded
from daybook.log.reader import Reader
from daybook.queries.fields import FieldChange, Fields, differences, own
from daybook.queries.groups import fold
from daybook.queries.moment import Moment
from daybook.queries.reach import channels_within, touched_by
from daybook.queries.walk import PAGE_KEYS, WALK_EVENTS_MAX

LIMIT_MAX = 200
Kind = Literal["new", "gone", "discontinued", "reinstated", "changed"]


class ProductDifference(msgspec.Struct, frozen=True, kw_only=True):
    """One product that is otherwise at the second moment."""

    sku: str
    kind: Kind
    """`new` and `gone` mean that it was not there, or not sold on the channel, at the first or the second moment."""
    changes: list[FieldChange]
    """Its own fields; of a channel, facet by facet, what should be shown."""


class CatalogueDiff(msgspec.Struct, frozen=True, kw_only=True):
    """Some of what differs, and the cursor that gives the next page; None on the last one.

    A page may be short, or empty, while there is a next one: what one request reads is bounded.
    """

    from_position: int
    to_position: int
    channel: str | None
    products: list[ProductDifference]
    next: str | None


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """Which products are compared: those that matched at one of the moments."""

    family: str | None = None
    category: str | None = None

    def match(self, group: Group | None, sku: str) -> bool:
        """Whether the product has each of them."""
        if group is None or sku not in group.products:
            return False
        family = self.family is None or group.family(sku) == self.family
        return family and (self.category is None or self.category in group.categories(sku))


EVERY = Filters()
_ONE = {"families": "family", "categories": "category"}


class Comparison:
    """Two moments of a catalogue, or of a channel's listings."""

    def __init__(
        self,
        reader: Reader,
        first: Moment,
        last: Moment,
        *,
        channel: Manifest | None = None,
        filters: Filters = EVERY,
        reach: Reach = EVERYWHERE,
    ) -> None:
        """The moments may be given in either order: the changes then read backwards. Raises NotFound for a filter."""
        self._reader, self._channel, self._filters, self._reach = reader, channel, filters, reach
        self.moments = first.position, last.position
        self._references = reader.reference(first.position), reader.reference(last.position)
        self._channels = channels_within(reach)
        for noun, code in (("families", filters.family), ("categories", filters.category)):
            if code is not None and not any(code in getattr(one, noun) for one in self._references):
                raise NotFound(f"there was no {_ONE[noun]} {code} at either moment: check its code")

    def page(self, after: str = "", limit: int = 50) -> CatalogueDiff:
        """What differs in the groups behind a key, of at most `limit` (1 to 200) of them. Raises InvalidValue."""
        if not 1 <= limit <= LIMIT_MAX:
            raise InvalidValue("limit", f"must be between 1 and {LIMIT_MAX}", limit)
        found: list[ProductDifference] = []
        groups = read = 0
        at: str | None = after
        for key in self._keys(after):
            if groups == limit or read >= WALK_EVENTS_MAX:
                break
            events = self._reader.of_key(key)
            here = list(self._compared(events))
            read, groups, at = read + len(events), groups + bool(here), key
            found += here
        else:
            at = None
        first, last = self.moments
        name = None if self._channel is None else self._channel.name
        return CatalogueDiff(from_position=first, to_position=last, channel=name, products=found, next=at)

    def _keys(self, after: str) -> Iterator[str]:
        low, high = sorted(self.moments)
        everything = self._channel is not None and self._references[0] != self._references[1]
        while True:
            if everything:
                page = [key for key, _ in self._reader.groups_after(after, PAGE_KEYS)]
            else:
                page = self._reader.changed_groups(low, high, after, PAGE_KEYS)
            yield from page
            if len(page) < PAGE_KEYS:
                return
            after = page[-1]

    def _compared(self, events: list[Recorded]) -> Iterator[ProductDifference]:
        pasts = [[one for one in events if one.position <= position] for position in self.moments]
        if not self._reach.everything and not self._reach.holds(self._touched_now(events)):
            return
        groups = [fold(past) for past in pasts]
        states = self._shown(pasts) if self._channel is not None else [_products(group) for group in groups]
        for sku in dict.fromkeys(sku for state in states for sku in state):
            if not any(self._filters.match(group, sku) for group in groups):
                continue
            before, now = (state.get(sku, {}) for state in states)
            changes = [one for one in differences(before, now) if self._told(one)]
            if changes:
                yield ProductDifference(sku=sku, kind=_kind(before, now), changes=changes)

    def _touched_now(self, events: list[Recorded]) -> Touched:
        """What a scope looks at: who may see a product now may see its past, and nobody else."""
        group = fold(events)
        return NOTHING if group is None else touched_by(group, self._reader.reference())

    def _told(self, change: FieldChange) -> bool:
        noun, _, name = change.field.partition(".")
        return self._channel is not None or self._channels is None or noun != "channels" or name in self._channels

    def _shown(self, pasts: list[list[Recorded]]) -> list[dict[str, Fields]]:
        assert self._channel is not None
        found = []
        for past, reference in zip(pasts, self._references, strict=True):
            state: Any = None
            for one in past:
                state = self._channel.fold(state, one)
            shown: dict[str, Fields] = {}
            for (sku, facet), payload in {} if state is None else self._channel.render(state, reference).items():
                told = {"held": list(payload.reasons)} if isinstance(payload, Held) else payload
                shown.setdefault(sku, {})[facet] = told
            found.append(shown)
        return found


def _products(group: Group | None) -> Mapping[str, Fields]:
    return {} if group is None else {sku: own(group, sku) for sku in group.products}


def _kind(before: Fields, now: Fields) -> Kind:
    if not before or not now:
        return "new" if now else "gone"
    was, is_now = before.get("discontinued"), now.get("discontinued")
    return "changed" if was == is_now else "discontinued" if is_now else "reinstated"


def counted(products: list[ProductDifference]) -> dict[str, int]:
    """How many products by kind, and in how many each sort of field differs: `prices`, `attributes`, or a facet."""
    found: dict[str, int] = {}
    for one in products:
        fields = {change.field.partition(".")[0]: None for change in one.changes}
        for name in (one.kind, *(name for name in fields if name not in ("kind", "discontinued"))):
            found[name] = found.get(name, 0) + 1
    return found
