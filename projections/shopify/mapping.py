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
from daybook.channel.contract import Held, Payload, Rendered
from projections.shopify.listing import DEFAULTS, NAME, PRICE, PRODUCT, STOCK, Item, Terms, Variant, items

TITLE_LENGTH_MAX = 255
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
    variants = item.variants + item.held
    if item.problems:
        orphan = () if item.alone else (f"its product can't be shown: {'; '.join(item.problems)}",)
        found: dict[tuple[str, str], Payload | Held] = {
            (variant.sku, PRODUCT): Held(variant.problems + orphan) for variant in variants
        }
        return found | {(item.sku, PRODUCT): Held(item.problems)}
    found = {(item.sku, PRODUCT): _product(item)}
    for variant in item.held:
        found[variant.sku, PRODUCT] = Held(variant.problems)
    for variant in item.variants:
        if not item.alone:
            found[variant.sku, PRODUCT] = {PARENT: item.sku} | _variant(variant)
        assert variant.price is not None, "items() holds what has no price"
        found[variant.sku, PRICE] = {"price": f"{variant.price.decimal():f}"}
        found[variant.sku, STOCK] = {"name": "available", "quantity": variant.available}
    return found


def _product(item: Item) -> Payload:
    values: dict[str, dict[str, None]] = {}
    for variant in item.variants:
        for name, value in variant.options:
            values.setdefault(name, {})[value] = None
    product: Payload = {
        "title": cut(item.title, TITLE_LENGTH_MAX),
        "descriptionHtml": item.description,
        "vendor": item.vendor,
        "productType": item.product_type,
        "status": "ACTIVE",
        "productOptions": [
            {"name": name, "position": position, "values": [{"name": value} for value in found]}
            for position, (name, found) in enumerate(values.items(), start=1)
        ],
        "variants": [_variant(variant) for variant in item.variants],
    }
    if item.handle is not None:
        product["handle"] = item.handle
    if item.images:
        product["files"] = [
            {"originalSource": url, "alt": item.title, "contentType": "IMAGE"} for url in item.images[:FILES_MAX]
        ]
    return product


def _variant(variant: Variant) -> Payload:
    """A GTIN that is no GTIN is sent as it is: a barcode is free text to Shopify."""
    return {
        "sku": variant.sku,
        "barcode": variant.barcode or "",
        "optionValues": [{"optionName": name, "name": value} for name, value in variant.options],
        "inventoryItem": {"tracked": True},
        "inventoryPolicy": "DENY",
    }


def cut(text: str, length_max: int) -> str:
    """The text in at most `length_max` characters: whole words, unless the first one alone is too long."""
    if len(text) <= length_max:
        return text
    head, space, _ = text[: length_max + 1].rpartition(" ")
    return head.rstrip() if space and head.strip() else text[:length_max]
