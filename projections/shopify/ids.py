"""Shopify's ids of a SKU, as the text that is kept as its remote id.

The root of a product with variants: `gid://shopify/Product/1`. Anything that can be bought:
`gid://shopify/Product/1|gid://shopify/ProductVariant/2|gid://shopify/InventoryItem/3`.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from daybook.channel.contract import Payload


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

    def shows(self, entry: Payload) -> bool:
        """Whether it is the variant that this entry of a productSet describes."""
        wanted = {each["optionName"]: each["name"] for each in entry["optionValues"]}
        return self.barcode == entry["barcode"] and self.options == wanted


def found(product: str, nodes: list[dict[str, Any]]) -> dict[str, Found]:
    """By SKU, from the nodes of a product's variants."""
    return {
        str(node["sku"]): Found(
            Ids(product, node["id"], node["inventoryItem"]["id"]),
            node.get("barcode") or "",
            {each["name"]: each["value"] for each in node.get("selectedOptions") or ()},
        )
        for node in nodes
    }
