"""A product group: a product with its variants, and the fold that most channels use as it is. Pure.

A group is the unit of every projection: a variant's parent is fixed when it is created, so inheritance and
product-with-variants payloads need no look-ups.
"""

from collections.abc import Iterator, Sequence

import msgspec
from msgspec.structs import replace

from daybook.events import (
    ChannelConfigured,
    ListingEvent,
    Measure,
    MediaAdded,
    ProductCreated,
    Recorded,
    StockEvent,
    Value,
)
from daybook.product.state import Product, slot
from daybook.product.state import evolve as evolve_product
from daybook.stock.state import Stock
from daybook.stock.state import evolve as evolve_stock

_NO_STOCK = Stock()


class Group(msgspec.Struct, frozen=True):
    """The products of one group and their stock, by SKU, in the order in which they were created."""

    key: str
    products: dict[str, Product] = {}
    stock: dict[str, Stock] = {}

    def chain(self, sku: str) -> Iterator[Product]:
        """The product, then its parent, and so on to the root."""
        at: str | None = sku
        while at is not None and at in self.products:
            product = self.products[at]
            yield product
            at = product.parent

    def value(self, sku: str, attribute: str, locales: Sequence[str] = (), scope: str | None = None) -> Value | None:
        """The value that holds for this product: its own, else its parent's; in the first locale that has one.

        In each product the scoped value beats the plain one and a locale beats no locale, so one call serves
        attributes of every kind.
        """
        for product in self.chain(sku):
            for locale in (*locales, None):
                for channel in (scope, None) if scope else (None,):
                    found = product.attributes.get(slot(attribute, locale, channel))
                    if found is not None:
                        return found
        return None

    def text(self, sku: str, attribute: str, locales: Sequence[str] = (), scope: str | None = None) -> str | None:
        """The value as text for a person or a channel; None when there is none or it is blank."""
        found = self.value(sku, attribute, locales, scope)
        match found:
            case None:
                return None
            case Measure(amount=amount, unit=unit):
                return f"{amount} {unit}"
            case list():
                return ", ".join(found) or None
            case bool():
                return "true" if found else "false"
            case _:
                return str(found).strip() or None

    def price(self, sku: str, price_list: str, currency: str) -> int | None:
        """The price in minor units: the product's own, else its parent's."""
        for product in self.chain(sku):
            found = product.prices.get(price_list, {}).get(currency)
            if found is not None:
                return found
        return None

    def available(self, sku: str, locations: tuple[str, ...] = ()) -> int:
        """Pieces of this very SKU that may be sold."""
        return self.stock.get(sku, _NO_STOCK).available(locations)

    def offered(self, sku: str, settings: ChannelConfigured) -> int:
        """Pieces of this very SKU that a channel may be shown: from its locations, without what it leaves to others."""
        return max(0, self.available(sku, settings.locations) - settings.safety_stock)

    def gtin(self, sku: str) -> str | None:
        """The SKU's own GTIN, valid or not: it is never inherited."""
        return self.products[sku].gtin

    def family(self, sku: str) -> str | None:
        """The product's family, or its parent's."""
        return next((product.family for product in self.chain(sku) if product.family), None)

    def categories(self, sku: str) -> tuple[str, ...]:
        """All categories of the product and its parents, each once, the product's own first."""
        return tuple(dict.fromkeys(code for product in self.chain(sku) for code in product.categories))

    def media(self, sku: str, scope: str | None = None) -> tuple[MediaAdded, ...]:
        """The media that hold for the product, its own first, then its parents'."""
        return tuple(
            item
            for product in self.chain(sku)
            for item in product.media.values()
            if item.channel is None or item.channel == scope
        )

    def listed(self, sku: str, channel: str) -> bool:
        """Whether the SKU is to be sold on the channel: the nearest of it and its parents that says so decides."""
        chain = tuple(self.chain(sku))
        if not chain or any(product.discontinued for product in chain):
            return False
        return next((product.channels[channel] for product in chain if channel in product.channels), False)

    def sellable(self, channel: str) -> tuple[Product, ...]:
        """What is sold on the channel: listed products and variants; models are only their frame."""
        return tuple(
            product
            for product in self.products.values()
            if product.kind != "model" and self.listed(product.sku, channel)
        )


def fold_group(group: Group | None, recorded: Recorded) -> Group | None:
    """The group after the event. Receipts and catalogue events leave it as it was."""
    event, sku = recorded.event, recorded.sku
    if sku is None or isinstance(event, ListingEvent):
        return group
    if group is None:
        group = Group(recorded.key)
    if isinstance(event, StockEvent):
        stock = evolve_stock(group.stock.get(sku), event)
        return group if stock is None else replace(group, stock=group.stock | {sku: stock})
    before = group.products.get(sku)
    if before is None and not isinstance(event, ProductCreated):
        return group
    product = evolve_product(before, event)
    return group if product is None or product is before else replace(group, products=group.products | {sku: product})
