"""What a product is, after these events. Pure: the aggregate, every channel and every as-of answer fold with this."""

from typing import Literal

import msgspec
from msgspec.structs import replace

from daybook.events import (
    AttributesChanged,
    Event,
    GtinAssigned,
    MediaAdded,
    MediaRemoved,
    PriceChanged,
    PriceRemoved,
    ProductCategorised,
    ProductCreated,
    ProductDelisted,
    ProductDiscontinued,
    ProductListed,
    ProductReinstated,
    Value,
)


class Product(msgspec.Struct, frozen=True, kw_only=True):
    """One product's own values; what it inherits is its group's business."""

    sku: str
    key: str
    kind: Literal["product", "model", "variant"] = "product"
    family: str | None = None
    parent: str | None = None
    axes: tuple[str, ...] = ()
    gtin: str | None = None
    gtin_problem: str | None = None
    attributes: dict[str, Value] = {}
    """By slot: see `slot`."""
    prices: dict[str, dict[str, int]] = {}
    """Price list -> currency -> minor units."""
    categories: tuple[str, ...] = ()
    media: dict[str, MediaAdded] = {}
    channels: dict[str, bool] = {}
    """Channel -> listed (True) or taken off (False); a channel that is not named is decided by the parent."""
    discontinued: bool = False


def slot(attribute: str, locale: str | None = None, channel: str | None = None) -> str:
    """Where a value lives: `name`, `name@nl-NL`, `text#ecommerce`, `text@nl-NL#ecommerce`."""
    if locale is None:
        return attribute if channel is None else f"{attribute}#{channel}"
    return f"{attribute}@{locale}" if channel is None else f"{attribute}@{locale}#{channel}"


def slot_parts(name: str) -> tuple[str, str | None, str | None]:
    """The attribute, locale and channel of a slot: the inverse of `slot`."""
    rest, _, channel = name.partition("#")
    attribute, _, locale = rest.partition("@")
    return attribute, locale or None, channel or None


def evolve(product: Product | None, event: Event) -> Product | None:
    """The product after the event. Events of other nouns change nothing; an event before creation is ignored."""
    if isinstance(event, ProductCreated):
        return Product(
            sku=event.sku,
            key=event.key,
            kind=event.kind,
            family=event.family,
            parent=event.parent,
            axes=event.axes,
        )
    if product is None:
        return None
    match event:
        case AttributesChanged(changes=changes):
            attributes = dict(product.attributes)
            for change in changes:
                where = slot(change.attribute, change.locale, change.channel)
                if change.value is None:
                    attributes.pop(where, None)
                else:
                    attributes[where] = change.value
            return replace(product, attributes=attributes)
        case PriceChanged(price_list=price_list, price=price):
            listed = product.prices.get(price_list, {}) | {price.currency: price.amount}
            return replace(product, prices=product.prices | {price_list: listed})
        case PriceRemoved(price_list=price_list, currency=currency):
            left = {name: amount for name, amount in product.prices.get(price_list, {}).items() if name != currency}
            others = {name: prices for name, prices in product.prices.items() if name != price_list}
            return replace(product, prices=others | {price_list: left} if left else others)
        case GtinAssigned(gtin=gtin, problem=problem):
            return replace(product, gtin=gtin, gtin_problem=problem)
        case ProductCategorised(categories=categories):
            return replace(product, categories=categories)
        case MediaAdded(media_id=media_id):
            return replace(product, media=product.media | {media_id: event})
        case MediaRemoved(media_id=media_id):
            return replace(product, media={name: item for name, item in product.media.items() if name != media_id})
        case ProductListed(channel=channel):
            return replace(product, channels=product.channels | {channel: True})
        case ProductDelisted(channel=channel):
            return replace(product, channels=product.channels | {channel: False})
        case ProductDiscontinued():
            return replace(product, discontinued=True)
        case ProductReinstated():
            return replace(product, discontinued=False)
        case _:
            return product
