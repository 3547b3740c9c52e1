"""Shopify's ids of a SKU, as the text that is kept as its remote id.

The root of a product with variants: `gid://shopify/Product/1`. Anything that can be bought:
`gid://shopify/Product/1|gid://shopify/ProductVariant/2|gid://shopify/InventoryItem/3`.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec
from msgspec.structs import replace

from daybook.channel.contract import Payload
from daybook_projections.shopify.listing import PRICE, STOCK


class Ids(msgspec.Struct, frozen=True):
    """The product, and the variant with its inventory item where there is one."""

    product: str
    variant: str = ""
    item: str = ""

    @classmethod
    def parse(cls, remote_id: str) -> "Ids":
        """The inverse of `str`."""
        return cls(*remote_id.split("|"))

    def __str__(self) -> str:
        return "|".join(filter(None, (self.product, self.variant, self.item)))


class Found(msgspec.Struct, frozen=True):
    """A variant as the shop has it."""

    ids: Ids
    barcode: str
    options: Mapping[str, str]
    price: Decimal | None = None
    quantity: int | None = None
    """Available pieces at the location; None when that was not told, or it is not stocked there."""

    def shows(self, entry: Payload) -> bool:
        """Whether it is the variant that this entry of a productSet describes."""
        wanted = {each["optionName"]: each["name"] for each in entry["optionValues"]}
        return self.barcode == entry["barcode"] and self.options == wanted

    def holds(self, listing: Mapping[str, Payload]) -> tuple[str, ...]:
        """Which of price and stock are those of the listing already."""
        price, stock = listing.get(PRICE), listing.get(STOCK)
        held = [PRICE] if price is not None and self.price == Decimal(price["price"]) else []
        return (*held, STOCK) if stock is not None and self.quantity == stock["quantity"] else tuple(held)


def found(product: str, nodes: list[dict[str, Any]], sent: Mapping[str, int] | None = None) -> dict[str, Found]:
    """By SKU, from the nodes of a product's variants. `sent`: quantities that the answered request has set."""
    variants = {str(node["sku"]): _found(product, node) for node in nodes}
    for sku in variants.keys() & (sent or {}).keys():
        variants[sku] = replace(variants[sku], quantity=(sent or {})[sku])
    return variants


def quantity(level: Mapping[str, Any] | None) -> int | None:
    """The available pieces of an inventory level; None when there is no level."""
    if level is None:
        return None
    return next((int(each["quantity"]) for each in level["quantities"] if each["name"] == "available"), 0)


def _found(product: str, node: Mapping[str, Any]) -> Found:
    return Found(
        Ids(product, node["id"], node["inventoryItem"]["id"]),
        node.get("barcode") or "",
        {each["name"]: each["value"] for each in node.get("selectedOptions") or ()},
        Decimal(node["price"]) if node.get("price") is not None else None,
        quantity(node["inventoryItem"].get("inventoryLevel")),
    )
