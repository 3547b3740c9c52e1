"""The listing in WooCommerce's own words. Pure.

A PUT changes only the fields that it names, so every field that is ours is always named: a text or a GTIN that was
removed in the book is sent as an empty one. Texts stand as they survive in the shop: see `texts`. Left out on purpose:

- `categories`: WooCommerce takes the ids of its own terms and we don't manage terms yet; that comes with the deeper
  channel work, as do brands as terms. Until then the shop's own categories stay as they are.
- a GTIN that is flagged in the book: the shop takes a number once, so the second product with a placeholder would be
  refused. A product sells well without one.
- `menu_order` of a product: the shop's own order of its products. A variation has one, as the shop would order them by
  when they came otherwise; it follows the options and not the other variations, so that none of these is sent again.
- `stock_status`: with `manage_stock` the shop derives it from the quantity.
- `meta_data` about the book, such as a position: a payload must not change when nothing that buyers see changes.

Pictures are fetched by address, and WooCommerce stores a new copy each time `images` is sent: they are part of the
`product` facet, so every change of a text uploads them again. When the book has no picture that the shop could fetch,
the field is left out: an empty list would wipe the gallery of a shop whose pictures were never in the book. The price
of that is that the last picture, once removed in the book, stays in the shop until somebody deletes it there.
"""

from collections.abc import Sequence
from typing import Any

from daybook.catalogue.reference import Reference
from daybook.channel.contract import Held, Payload, Rendered, SkuChange
from daybook_projections.webshop import texts
from daybook_projections.webshop.images import Image
from daybook_projections.webshop.listing import DEFAULTS, NAME, Group, Item, Shown, items

PARENT = "_parent"
"""Names a variation's parent by SKU, for the connector. Keys that start with _ are never sent."""


def render(group: Group, reference: Reference) -> dict[tuple[str, str], Payload | Held]:
    """(SKU, facet) -> fields of a WooCommerce product or variation, or why the SKU can't be shown."""
    settings = reference.channels.get(NAME, DEFAULTS)
    rendered: dict[tuple[str, str], Payload | Held] = {}
    for item in items(group, settings, reference):
        if item.problems:
            rendered[item.sku, "product"] = Held(item.problems)
            continue
        rendered[item.sku, "product"] = _variation(item) if item.type == "variation" else _product(item)
        if item.price is not None:
            rendered[item.sku, "price"] = {"regular_price": f"{item.price.decimal():f}"}
            rendered[item.sku, "stock"] = _stock(item.available)
    return rendered


def render_change(change: SkuChange) -> Rendered | None:
    """The stock alone, where nothing else has changed: no other facet shows it. Else None, for all of it."""
    if not change.stock_only:
        return None
    settings = change.reference.channels.get(NAME, DEFAULTS)
    stock = _stock(change.after.offered(change.sku, settings))
    return {(change.sku, "stock"): stock} if "stock" in change.listed else {}


def _stock(available: int) -> Payload:
    return {"manage_stock": True, "stock_quantity": available}


def offered(stock: Payload) -> int:
    """How many a payload of the stock facet offers."""
    return int(stock.get("stock_quantity") or 0)


def _product(item: Item) -> Payload:
    payload: Payload = {
        "sku": item.sku,
        "type": item.type,
        "status": "publish",
        "name": texts.name(item.title),
        "description": texts.description(item.description),
        "short_description": texts.description(item.short_description),
        "global_unique_id": item.gtin or "",
        "attributes": [_attribute(position, shown) for position, shown in enumerate(item.attributes)],
    }
    if item.images:
        payload["images"] = _images(item.images)
    return payload


def _variation(item: Item) -> Payload:
    payload: Payload = {
        PARENT: item.parent,
        "sku": item.sku,
        "status": "publish",
        "description": texts.description(item.description),
        "global_unique_id": item.gtin or "",
        "attributes": [{"name": shown.name, "option": shown.options[0]} for shown in item.attributes],
        "menu_order": item.order,
    }
    if item.images:
        payload["image"] = _images(item.images)[0]
    return payload


def _attribute(position: int, shown: Shown) -> dict[str, Any]:
    return {
        "name": shown.name,
        "position": position,
        "visible": True,
        "variation": shown.axis,
        "options": list(shown.options),
    }


def _images(images: Sequence[Image]) -> list[dict[str, Any]]:
    return [{"src": image.src, "alt": texts.alternative(image.alt)} for image in images]
