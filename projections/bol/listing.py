"""What bol needs to know of each SKU: an EAN, a price in euros, the stock and, for a product new to it, a title."""

import msgspec

from daybook.catalogue.group import Group, fold_group
from daybook.events import ChannelConfigured
from daybook.values import gtin_problem
from daybook_projections.bol.content import LANGUAGES, language_of

CURRENCY = "EUR"

fold = fold_group
"""bol lists single SKUs and asks for nothing that spans them, so the product group as it is serves as the state."""


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One SKU that is to be sold on bol."""

    sku: str
    gtin: str | None
    title: str | None
    price: int | None
    """Cents."""
    stock: int
    """Pieces that this channel may sell, never below zero, not capped yet."""

    def problems(self, settings: ChannelConfigured) -> tuple[str, ...]:
        """Why bol could not even be asked, for a person to read."""
        found = []
        if settings.currency != CURRENCY:
            found.append(f"bol sells in {CURRENCY} only, but the channel is set to {settings.currency}")
        if self.gtin is None:
            found.append("it has no GTIN, and bol finds the product by its EAN")
        elif (wrong := gtin_problem(self.gtin)) is not None:
            found.append(f"its GTIN {self.gtin!r} {wrong}, and bol finds the product by its EAN")
        if settings.locales and not any(map(language_of, settings.locales)):
            spoken = ", ".join(settings.locales)
            found.append(f"none of the bol channel's locales ({spoken}) is a language of bol: {', '.join(LANGUAGES)}")
        if self.price is None:
            found.append(f"it has no price in {settings.currency} in the price list {settings.price_list!r}")
        return tuple(found)


def items(group: Group, settings: ChannelConfigured, title_attribute: str) -> tuple[Item, ...]:
    """Every listed SKU of the group, in the order of creation. Titles and prices may be the parent's; a GTIN never."""
    return tuple(
        Item(
            sku=product.sku,
            gtin=group.gtin(product.sku),
            title=group.text(product.sku, title_attribute, settings.locales, settings.scope),
            price=group.price(product.sku, settings.price_list, settings.currency),
            stock=group.offered(product.sku, settings),
        )
        for product in group.sellable(settings.name)
    )
