"""A product group as inputs of Shopify's Admin GraphQL API, version 2026-07. Pure.

- `product` of the group's root is one `ProductSetInput` with every variant that can be shown: productSet replaces
  lists, so a variant that is not sent is deleted. It has no price and no quantity, so that a change of a price is not
  sent twice: those are facets of each variant's own SKU. The connector adds both when it creates a product that has
  one variant, which the API allows. (A product with variants is created without: see the connector.)
- `product` of a variant is that variant's entry in its root's input. It is sent with the root; what the connector does
  with it is to make sure that it is there, and to learn its ids.

A field that is ours is always named, so that what was removed in the book is emptied in the shop. Left out on purpose:
`tags`, `collections` and (after creation) `metafields`, because those lists are replaced as well, and what the shop's
people keep there is not in the book. `files` is left out when the book has no picture that could be fetched.
"""

import msgspec

from daybook.catalogue.group import Group
from daybook.catalogue.reference import Reference
from daybook.channel.contract import Held, Payload, Rendered, SkuChange
from daybook.channel.markup import escaped
from daybook_projections.shopify.listing import DEFAULTS, NAME, PRICE, PRODUCT, STOCK, Item, Terms, Variant, items
from daybook_projections.shopify.texts import cut

FILES_MAX = 250
PARENT = "_parent"
"""Names a variant's product by SKU. Keys that start with _ are never sent."""


def render(group: Group, reference: Reference) -> Rendered:
    """(SKU, facet) -> input fields, or why the SKU is held. Settings that make no sense hold every SKU."""
    settings = reference.channels.get(NAME, DEFAULTS)
    try:
        terms = msgspec.convert(settings.extra, Terms)
    except msgspec.ValidationError as error:
        held = Held((f"the shopify channel's settings are wrong: {error}",))
        return {(sku, PRODUCT): held for product in group.sellable(NAME) for sku in (product.key, product.sku)}
    rendered: dict[tuple[str, str], Payload | Held] = {}
    for item in items(group, settings, terms, reference):
        rendered |= _rendered(item)
    return rendered


def _rendered(item: Item) -> dict[tuple[str, str], Payload | Held]:
    variants, alone = item.variants + item.held, item.alone
    if item.problems:
        orphan = () if alone else (f"its product can't be shown: {'; '.join(item.problems)}",)
        found: dict[tuple[str, str], Payload | Held] = {
            (variant.sku, PRODUCT): Held(variant.problems + orphan) for variant in variants
        }
        return found | {(item.sku, PRODUCT): Held(item.problems)}
    found = {(item.sku, PRODUCT): _product(item)}
    for variant in item.held:
        found[variant.sku, PRODUCT] = Held(variant.problems)
    for variant in item.variants:
        if not alone:
            found[variant.sku, PRODUCT] = {PARENT: item.sku} | _variant(variant)
        assert variant.price is not None, "items() holds what has no price"
        found[variant.sku, PRICE] = {"price": f"{variant.price.decimal():f}"}
        found[variant.sku, STOCK] = _stock(variant.available)
    return found


def render_change(change: SkuChange) -> Rendered | None:
    """The stock alone, where nothing else has changed: no other facet shows it. Else None, for all of it."""
    if not change.stock_only:
        return None
    settings = change.reference.channels.get(NAME, DEFAULTS)
    stock = _stock(change.after.offered(change.sku, settings))
    return {(change.sku, STOCK): stock} if STOCK in change.listed else {}


def _stock(available: int) -> Payload:
    return {"name": "available", "quantity": available}


def _product(item: Item) -> Payload:
    places: dict[str, dict[str, int]] = {}
    for variant in item.variants:
        for (name, value), place in zip(variant.options, variant.places, strict=True):
            places.setdefault(name, {})[value] = place
    product: Payload = {
        "title": cut(item.title),
        "descriptionHtml": escaped(item.description),
        "vendor": cut(item.vendor),
        "productType": cut(item.product_type),
        "status": "ACTIVE",
        "productOptions": [
            {
                "name": name,
                "position": position,
                "values": [{"name": value} for value in sorted(found, key=found.__getitem__)],
            }
            for position, (name, found) in enumerate(places.items(), start=1)
        ],
        "variants": [_variant(variant) for variant in item.variants],
    }
    if item.handle is not None:
        product["handle"] = cut(item.handle)
    if item.images:
        product["files"] = [
            {"originalSource": url, "alt": cut(item.title), "contentType": "IMAGE"} for url in item.images[:FILES_MAX]
        ]
    return product


def _variant(variant: Variant) -> Payload:
    """A GTIN that the book has found wrong is not sent: buyers scan a barcode, and feeds pass it on as a GTIN."""
    return {
        "sku": variant.sku,
        "barcode": variant.barcode or "",
        "optionValues": [{"optionName": name, "name": value} for name, value in variant.options],
        "inventoryItem": {"tracked": True},
        "inventoryPolicy": "DENY",
    }
