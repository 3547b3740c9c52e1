"""What scopes look at: the categories and channels of a product group, and the categories below others."""

from collections.abc import Iterable, Mapping

import msgspec

from daybook.access.authority import NOTHING, Reach, Touched
from daybook.access.permissions import CATEGORY, CHANNEL
from daybook.catalogue.group import Group
from daybook.catalogue.reference import Reference
from daybook.log.reader import LAST, Reader
from daybook.queries.groups import fold


def touched_by(group: Group, reference: Reference) -> Touched:
    """The categories of a group's products with those above them, and the channels on which one is to be sold.

    The group is the unit: a variant is within reach when its model is, and the other way round. Pure.
    """
    named = {name for product in group.products.values() for name in product.channels}
    listed = frozenset(name for name in named if any(group.listed(sku, name) for sku in group.products))
    return {CATEGORY: above(reference, (code for one in group.products.values() for code in one.categories))} | {
        CHANNEL: listed
    }


def above(reference: Reference, codes: Iterable[str]) -> frozenset[str]:
    """The categories with all that lie above them. One that is not defined stands for itself."""
    return frozenset(found for code in codes for found in (code, *(one.code for one in reference.category_path(code))))


def below(reference: Reference, codes: Iterable[str]) -> frozenset[str]:
    """The categories with all that lie below them."""
    wanted = frozenset(codes)
    paths = ((code, reference.category_path(code)) for code in reference.categories)
    return wanted | {code for code, path in paths if any(one.code in wanted for one in path)}


def touched_at(reader: Reader, sku: str, position: int = LAST) -> Touched:
    """The same of a SKU's group at a position; nothing for a SKU that nobody knew then. Two or three statements."""
    key = reader.key_of(sku)
    group = fold(reader.of_key(key, position)) if key is not None else None
    return NOTHING if group is None else touched_by(group, reader.reference(position))


class Within(msgspec.Struct, frozen=True):
    """A reach as the catalogue's facts are searched by: any of these suffices; in each, all that is named must hold."""

    alternatives: tuple[tuple[frozenset[str] | None, frozenset[str] | None], ...]
    """Categories, with those below them, and channels; None is any."""

    def holds(self, facts: Mapping[str, Iterable[str]]) -> bool:
        """Whether a group with these facts (`categories`, `listed_on`) is within reach."""
        categories, listed_on = facts.get("categories", ()), facts.get("listed_on", ())
        return any(
            (wanted is None or not wanted.isdisjoint(categories))
            and (channels is None or not channels.isdisjoint(listed_on))
            for wanted, channels in self.alternatives
        )

    def encoded(self) -> str:
        """For Postgres: a list of objects, each with `categories` and `listed_on` where they are named."""
        named = ({"categories": one, "listed_on": other} for one, other in self.alternatives)
        return msgspec.json.encode(
            [{field: sorted(names) for field, names in one.items() if names is not None} for one in named]
        ).decode()


def within(reach: Reach, reference: Reference) -> Within | None:
    """The reach with every category that it holds; None for everything."""
    if reach.scopes is None:
        return None
    return Within(
        tuple(
            (
                None if one.categories is None else below(reference, one.categories),
                None if one.channels is None else frozenset(one.channels),
            )
            for one in reach.scopes
        )
    )


def channels_within(reach: Reach) -> frozenset[str] | None:
    """The channels of which something may be told beside a product; None for all."""
    if reach.scopes is None or any(one.channels is None for one in reach.scopes):
        return None
    return frozenset(name for one in reach.scopes for name in one.channels or ())
