"""Which events a projection is made of: by what they are about, and by their types."""

from collections.abc import Callable
from functools import lru_cache

import msgspec

from daybook.events.envelope import KEY_BEGINS, KeyKind, Recorded, of_group


class Reads(msgspec.Struct, frozen=True):
    """What a projection folds. Everything else is neither decoded nor folded for it.

    The catalogue's definitions and the channels' settings reach every projection: they are its `reference`.
    """

    keys: tuple[KeyKind, ...] = ("product",)
    """One state is kept for each product group, each order, each person. Its fold sees no other key's events."""
    events: tuple[type, ...] = ()
    """Classes of events; empty: all that there are about such a key."""

    def of_key(self, key: str) -> bool:
        """Whether events of this key are of one of the kinds."""
        return key_test(self.keys)(key)

    def folds(self, recorded: Recorded) -> bool:
        """Whether the projection's fold sees the event."""
        return self.of_key(recorded.key) and (not self.events or isinstance(recorded.event, self.events))

    def key_of(self, kind: KeyKind, subject: str) -> str:
        """The key of a product group, an order or a person by its own name."""
        return KEY_BEGINS.get(kind, "") + subject


@lru_cache
def key_test(kinds: tuple[KeyKind, ...]) -> Callable[[str], bool]:
    """Whether a key is of one of these kinds, as fast as it can be told."""
    begins = tuple(KEY_BEGINS[kind] for kind in kinds if kind in KEY_BEGINS)
    if not begins:
        return of_group
    if "product" in kinds:
        return lambda key: not key.startswith("@") or key.startswith(begins)
    return lambda key: key.startswith(begins)


PRODUCTS = Reads()
"""What a sales channel reads: product groups, with all that happens to them."""
