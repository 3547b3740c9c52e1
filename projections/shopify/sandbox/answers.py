"""What the shop gives back of its products, as values of the schema's types; fields with arguments are functions."""

from typing import Any

from daybook.channel.contract import Payload
from daybook_projections.shopify.sandbox.execution import GraphError
from daybook_projections.shopify.sandbox.shop import LOCATION, Shop

PAGE_MAX = 250


def product_answer(shop: Shop, product: Payload | None) -> Payload | None:
    """A value of type Product."""
    if product is None:
        return None

    def variants(_: Any, first: int | None = None, after: str | None = None) -> Payload:
        if first is None or first > PAGE_MAX:
            raise GraphError("BAD_REQUEST", f"you must provide first, at most {PAGE_MAX}")
        start, count = int(after or 0), len(product["variants"])
        nodes = [variant_answer(shop, variant) for variant in product["variants"][start : start + first]]
        more = start + first < count
        return {"nodes": nodes, "pageInfo": {"hasNextPage": more, "endCursor": str(start + first) if nodes else None}}

    def published(_: Any, **named: str) -> bool:
        return named["publicationId"] in shop.published.get(product["id"], ())

    return {
        "__typename": "Product",
        "descriptionHtml": "",
        "vendor": "",
        "productType": "",
        **{name: product[name] for name in ("id", "status", "handle", "title")},
        **{name: product[name] for name in ("descriptionHtml", "vendor", "productType") if name in product},
        "options": [
            {"id": f"gid://shopify/ProductOption/{number}", "name": option["name"], "position": number}
            | {"optionValues": [{"id": "gid://shopify/ProductOptionValue/1"} | each for each in option["values"]]}
            for number, option in enumerate(product["productOptions"], start=1)
        ],
        "mediaCount": {"count": len(product.get("files", ()))},
        "publishedOnPublication": published,
        "variants": variants,
    }


def variant_answer(shop: Shop, variant: Payload) -> Payload:
    """A value of type ProductVariant."""
    return {
        **{name: variant[name] for name in ("id", "sku", "barcode", "price")},
        "inventoryPolicy": variant.get("inventoryPolicy", "DENY"),
        "selectedOptions": [{"name": each["optionName"], "value": each["name"]} for each in variant["optionValues"]],
        "inventoryItem": item_answer(shop, variant["inventoryItem"]["id"], variant["inventoryItem"]["tracked"]),
    }


def item_answer(shop: Shop, item: str, tracked: bool = True) -> Payload | None:
    """A value of type InventoryItem; None when there is no such item."""

    def level(_: Any, **named: str) -> Payload | None:
        return level_answer(shop, item) if named["locationId"] == LOCATION and item in shop.levels else None

    return {"id": item, "tracked": tracked, "inventoryLevel": level} if item in shop.items else None


def level_answer(shop: Shop, item: str) -> Payload:
    """A value of type InventoryLevel, of the shop's one location."""

    def quantities(_: Any, names: list[str]) -> list[Payload]:
        return [{"name": name, "quantity": shop.levels[item]} for name in names if name in ("available", "on_hand")]

    number = item.rpartition("/")[2]
    return {"id": f"gid://shopify/InventoryLevel/1?inventory_item_id={number}", "quantities": quantities}
