"""What may happen to a product, given what it is. Pure: state and wish in, events or a domain error out.

A wish that is already true gives no events: saying it twice changes nothing.
"""

from collections.abc import Iterable, Sequence

from daybook import limits
from daybook.errors import NotFound, Refused
from daybook.events import (
    AttributeChange,
    AttributesChanged,
    GtinAssigned,
    MediaAdded,
    MediaRemoved,
    PriceChanged,
    PriceRemoved,
    ProductCategorised,
    ProductCreated,
    ProductDelisted,
    ProductDiscontinued,
    ProductEvent,
    ProductListed,
    ProductReinstated,
    Value,
)
from daybook.events.parts import in_parts
from daybook.limits import Limit
from daybook.product.state import Product, slot, slot_parts
from daybook.values import Money, check_limit, gtin_problem, parse_code

Events = list[ProductEvent]


def known(product: Product | None, sku: str) -> Product:
    """The product, or NotFound."""
    if product is None:
        raise NotFound(f"there is no product {sku}: create it first, or check the SKU", sku=sku)
    return product


def create(product: Product | None, wish: ProductCreated, parent: Product | None) -> Events:
    """A new product. A variant's parent must be a model; the parent decides the group and is fixed for ever."""
    if product is not None:
        raise Refused(f"product {wish.sku} exists already", sku=wish.sku)
    if wish.parent is not None:
        if parent is None:
            raise NotFound(f"parent {wish.parent} of {wish.sku} does not exist: create it first", field="parent")
        if parent.kind != "model":
            raise Refused(f"parent {wish.parent} of {wish.sku} is no model, so it can't have variants", field="parent")
    check_limit(limits.AXES, len(wish.axes), "axes")
    for axis in wish.axes:
        parse_code(axis, "axes")
    return [wish]


def set_attributes(product: Product, changes: Iterable[AttributeChange]) -> Events:
    """Only what differs; the last of several changes to one slot stands."""
    wished = {slot(change.attribute, change.locale, change.channel): change for change in changes}
    real = [change for where, change in wished.items() if differ(product.attributes.get(where), change.value)]
    if len(product.attributes) + len(real) > limits.VALUES.most:
        removed = {where for where, change in wished.items() if change.value is None}
        after = len((product.attributes.keys() | wished.keys()) - removed)
        _check_growth(limits.VALUES, len(product.attributes), after, "attributes")
    return [AttributesChanged(part) for part in in_parts(real)]


def _check_growth(limit: Limit, before: int, after: int, field: str) -> None:
    """What was there before there was a limit may stay and change, only not grow."""
    if after > before:
        check_limit(limit, after, field)


def differ(one: Value | None, other: Value | None) -> bool:
    """Whether they are different values."""
    # In Python True equals 1; in a catalogue yes is no number.
    return one != other or isinstance(one, bool) != isinstance(other, bool)


def replace_attributes(product: Product, changes: Sequence[AttributeChange]) -> Events:
    """The product has exactly these values: others are removed."""
    wished = {slot(change.attribute, change.locale, change.channel) for change in changes}
    gone = [slot_parts(where) for where in product.attributes if where not in wished]
    removed = [AttributeChange(attribute=a, value=None, locale=locale, channel=channel) for a, locale, channel in gone]
    return set_attributes(product, [*changes, *removed])


def change_price(product: Product, price_list: str, price: Money) -> Events:
    """The price in this list and currency."""
    there = product.prices.get(price_list, {})
    if there.get(price.currency) == price.amount:
        return []
    if price.currency not in there:
        check_limit(limits.PRICES, sum(map(len, product.prices.values())) + 1, "prices")
    return [PriceChanged(price_list, price)]


def remove_price(product: Product, price_list: str, currency: str) -> Events:
    """No price in this list and currency."""
    return [PriceRemoved(price_list, currency)] if currency in product.prices.get(price_list, {}) else []


def assign_gtin(product: Product, gtin: str | None) -> Events:
    """The GTIN as given; a wrong one is kept with what is wrong about it. None removes it."""
    if product.gtin == gtin:
        return []
    return [GtinAssigned(gtin, None if gtin is None else gtin_problem(gtin))]


def categorise(product: Product, categories: Sequence[str]) -> Events:
    """Exactly these categories."""
    wished = tuple(dict.fromkeys(categories))
    return [] if wished == product.categories else [ProductCategorised(wished)]


def add_media(product: Product, media: MediaAdded) -> Events:
    """One media item; an item with the same id is replaced."""
    if media.media_id not in product.media:
        check_limit(limits.MEDIA, len(product.media) + 1, "media")
    return [] if product.media.get(media.media_id) == media else [media]


def remove_media(product: Product, media_id: str) -> Events:
    """The item is gone."""
    return [MediaRemoved(media_id)] if media_id in product.media else []


def list_on(product: Product, channel: str) -> Events:
    """To be sold on the channel."""
    if product.discontinued:
        raise Refused(f"product {product.sku} is discontinued: reinstate it before listing it", sku=product.sku)
    return [] if product.channels.get(channel) else [ProductListed(channel)]


def delist(product: Product, channel: str) -> Events:
    """Not to be sold on the channel. A variant may so be taken off while its siblings stay."""
    listed = product.channels.get(channel)
    return [ProductDelisted(channel)] if listed or (listed is None and product.parent is not None) else []


def discontinue(product: Product) -> Events:
    """Not sold anywhere any more."""
    return [] if product.discontinued else [ProductDiscontinued()]


def reinstate(product: Product) -> Events:
    """Sold again, on the channels on which it is listed."""
    return [ProductReinstated()] if product.discontinued else []
