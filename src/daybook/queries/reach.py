"""What scopes look at: the categories and channels of a product group, and the categories below others."""

from collections.abc import Iterable

from daybook.access.authority import NOTHING, Touched
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
