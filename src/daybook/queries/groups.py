"""A product group as it was at a moment: what most questions begin with."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from daybook.catalogue.group import Group, fold_group
from daybook.errors import NotFound
from daybook.events import ListingEvent, Recorded
from daybook.events.envelope import KEY_BEGINS, KeyKind
from daybook.log.reader import Reader
from daybook.values import parse_sku

Facts = Sequence[Recorded]


class GroupAt(msgspec.Struct, frozen=True):
    """A group's events up to a position, in order, and the group that they make."""

    group: Group
    events: list[Recorded]

    def of_stream(self, stream: str) -> Iterator[Recorded]:
        """The events of one of the group's streams, in order."""
        return (one for one in self.events if one.stream == stream)


def key_of(reader: Reader, sku: str) -> str:
    """The SKU's product group. Raises InvalidValue and NotFound. One indexed statement."""
    key = reader.key_of(parse_sku(sku))
    if key is None:
        raise NotFound(f"there is no product {sku}: create it first, or check the SKU", sku=sku)
    return key


def key_of_subject(reader: Reader, subject: str, kinds: Iterable[KeyKind] = ("product", "order", "person")) -> str:
    """The key of what a work or a listing is about: a SKU's product group, an order, a person. Raises as `key_of`."""
    for kind in kinds:
        key = reader.key_of(subject) if kind == "product" else KEY_BEGINS[kind] + subject
        if key is not None and (kind == "product" or reader.of_key(key)):
            return key
    return key_of(reader, subject)


def load(reader: Reader, sku: str, position: int) -> GroupAt:
    """The SKU's group at a position. Raises NotFound, also for a SKU that came later. Two indexed statements."""
    events = reader.of_key(key_of(reader, sku), upto=position)
    group = fold(events)
    if group is None or sku not in group.products:
        raise NotFound(f"product {sku} did not exist yet at position {position}: it came later", sku=sku)
    return GroupAt(group, events)


def fold(events: Iterable[Recorded], group: Group | None = None) -> Group | None:
    """The group after these events of one key."""
    for one in events:
        group = fold_group(group, one)
    return group


def related(group: Group, sku: str) -> frozenset[str]:
    """The SKU, its parents and everything that inherits from it: those whose listings a change of it may show in."""
    above = {product.sku for product in group.chain(sku)}
    below = {other for other in group.products if any(product.sku == sku for product in group.chain(other))}
    return frozenset(above | below)


def is_receipt(recorded: Recorded) -> bool:
    """Whether a channel said it, and not somebody about the product."""
    return isinstance(recorded.event, ListingEvent)
