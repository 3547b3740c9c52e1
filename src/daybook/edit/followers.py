"""Which listings show something of a product, and so may follow when it is changed."""

from daybook.log.reader import Reader
from daybook.queries.groups import fold


def listings_below(reader: Reader, sku: str) -> list[tuple[str, str]]:
    """(SKU, channel) of what is to be sold of this product and of those below it. Two statements."""
    key = reader.key_of(sku)
    group = fold(reader.of_key(key)) if key is not None else None
    if group is None:
        return []
    below = [one for one in group.products.values() if any(above.sku == sku for above in group.chain(one.sku))]
    names = sorted({name for one in group.products.values() for name in one.channels})
    sold = {name: {one.sku for one in group.sellable(name)} for name in names}
    return [(one.sku, name) for one in below for name in names if one.sku in sold[name]]
