"""The catalogue at any position of the log, in the neutral format that `daybook.importing` reads."""

from collections.abc import Iterator

import msgspec

from daybook.catalogue.group import Group, fold_group
from daybook.catalogue.reference import Reference
from daybook.commands import ConfigureChannel, DefineAttribute, DefineCategory, DefineFamily, DescribeProduct
from daybook.commands.describe import MediaItem, Price
from daybook.events import AttributeChange, CategoryDefined
from daybook.importing import records
from daybook.importing.records import Header, Record
from daybook.log.reader import Reader
from daybook.product.state import Product, slot_parts
from daybook.queries.timeline import Past, groups
from daybook.queries.walk import Walk
from daybook.values import Money

_KIND_ORDER = {"model": 0, "product": 1, "variant": 1}


def export(reader: Reader, *, upto: int | None = None, then: Past | None = None) -> Iterator[bytes]:
    """The lines of the catalogue as it was at position `upto` (now when it is None), each with its newline.

    With `then`, the catalogue at that position as the timeline tells it: the same bytes, looked up and not folded.

    Header, attributes, categories with parents first, families, channels, products group by group; all in order of
    their codes, and in a group models before their variants, each in the order in which they were created, which is
    the order in which they are sold. The position is fixed at the first line, so what is written
    meanwhile does not show. The same state gives the same bytes, whatever history led to it. One group is in memory at
    a time. Raises Unavailable and CorruptLog.
    """
    position = then.position if then is not None else reader.head() if upto is None else upto
    yield records.encode(Header())
    reference = reader.reference(position)
    for record in definitions(reference):
        yield records.encode(record)
    if then is not None:
        for told in groups(then):
            for description in told.descriptions():
                yield records.encode(_importable(description, reference))
        return
    for _, events in Walk(reader, "", position, bounded=False):
        group: Group | None = None
        for one in events:
            group = fold_group(group, one)
        if group is not None:
            for description in descriptions(group):
                yield records.encode(_importable(description, reference))


def _importable(description: DescribeProduct, reference: Reference) -> DescribeProduct:
    """As the whole product, without the channels that were removed: another book has never heard of them."""
    kept = {name: on for name, on in (description.channels or {}).items() if name not in reference.removed}
    return msgspec.structs.replace(description, channels=kept, exact=True)


def definitions(reference: Reference) -> Iterator[Record]:
    """The catalogue's model, so ordered that what a definition names stands above it."""
    for _, attribute in sorted(reference.attributes.items()):
        yield DefineAttribute(attribute=attribute)

    def depth(category: CategoryDefined) -> tuple[int, str]:
        return len(reference.category_path(category.code)), category.code

    for category in sorted(reference.categories.values(), key=depth):
        yield DefineCategory(category=category)
    for _, family in sorted(reference.families.items()):
        yield DefineFamily(family=family)
    for _, channel in sorted(reference.channels.items()):
        yield ConfigureChannel(channel=channel)


def descriptions(group: Group) -> Iterator[DescribeProduct]:
    """Every product of the group, complete: models from the root down, then what is sold, each in order of creation."""

    def order(product: Product) -> tuple[int, int]:
        return _KIND_ORDER[product.kind], len(tuple(group.chain(product.sku)))

    for product in sorted(group.products.values(), key=order):
        yield _description(product, group)


def _description(product: Product, group: Group) -> DescribeProduct:
    stock = group.stock.get(product.sku)
    return DescribeProduct(
        sku=product.sku,
        kind=product.kind,
        parent=product.parent,
        family=product.family,
        axes=product.axes,
        gtin=product.gtin,
        attributes=tuple(
            AttributeChange(attribute=attribute, locale=locale, channel=channel, value=product.attributes[where])
            for where in sorted(product.attributes)
            for attribute, locale, channel in (slot_parts(where),)
        ),
        prices=tuple(
            Price(amount=f"{Money(amount, currency).decimal():f}", currency=currency, price_list=price_list)
            for price_list, prices in sorted(product.prices.items())
            for currency, amount in sorted(prices.items())
        ),
        categories=product.categories,
        media=tuple(MediaItem.of(item) for item in product.media.values()),
        channels={**product.channels},
        # A location may be below zero when a sale beat the count; a count can't say so.
        stock={name: max(0, pieces) for name, pieces in stock.quantities.items()} if stock else {},
        discontinued=product.discontinued,
    )
