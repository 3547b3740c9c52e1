"""Every product, listed somewhere or not, in the words of the neutral format's `describe_product`. Own values only.

A SKU's facets together are its description, and its rank in the group. They are apart because a version is kept for
every change: a new price must not store the texts again. The group's own facet stands under its key: what a page of the
catalogue is searched by.
"""

from typing import Any

import msgspec

from daybook.catalogue.group import Group
from daybook.catalogue.reference import Reference
from daybook.channel.contract import Payload, Rendered, SkuChange
from daybook.product.state import Product, slot_parts
from daybook.values import Money

NAME = "timeline"
PRODUCT, PRICES, STOCK, GROUP = "product", "prices", "stock", "group"
RANK = "rank"
"""How many of the group were created before: the order in which they are sold."""
FACETS = (PRODUCT, PRICES, STOCK, GROUP)


def render(group: Group, reference: Reference) -> Rendered:
    """(SKU, facet) -> fields of the description. The reference has no part in it: see `Manifest.keeps_history`."""
    rendered: dict[tuple[str, str], Payload] = {}
    for rank, product in enumerate(group.products.values()):
        rendered |= _facets(group, product, rank)
    if group.key in group.products:
        rendered[group.key, GROUP] = _group(group)
    return rendered


def render_change(change: SkuChange) -> Rendered | None:
    """The SKU's own facets, and the group's where what it is found by differs. No product shows anything of another."""
    before, group = change.before.products.get(change.sku), change.after
    product = group.products.get(change.sku)
    if product is None:
        return {}
    rendered = _facets(group, product, list(group.products).index(change.sku))
    if {*change.listed} - {GROUP} - {facet for _, facet in rendered}:
        return None  # something is not listed any more
    if not change.stock_only and _found_by(before) != _found_by(product):
        rendered[group.key, GROUP] = _group(group)
    return rendered


def _facets(group: Group, product: Product, rank: int) -> dict[tuple[str, str], Payload]:
    sku = product.sku
    rendered: dict[tuple[str, str], Payload] = {(sku, PRODUCT): {**_product(product), RANK: rank}}
    if product.prices:
        rendered[sku, PRICES] = {"prices": _prices(product)}
    if sku in group.stock:
        # A location may be below zero when a sale beat the count; a description can't say so.
        pieces = {name: max(0, number) for name, number in group.stock[sku].quantities.items()}
        rendered[sku, STOCK] = {"stock": pieces}
    return rendered


def _found_by(product: Product | None) -> tuple[Any, ...] | None:
    if product is None:
        return None
    return product.family, product.categories, product.channels, product.discontinued


def _product(product: Product) -> Payload:
    return {
        "sku": product.sku,
        "kind": product.kind,
        "parent": product.parent,
        "family": product.family,
        "axes": list(product.axes),
        "gtin": product.gtin,
        "attributes": [_attribute(where, product.attributes[where]) for where in sorted(product.attributes)],
        "categories": list(product.categories),
        "media": [msgspec.to_builtins(item) for item in product.media.values()],
        "channels": product.channels,
        "discontinued": product.discontinued,
    }


def _attribute(where: str, value: Any) -> Payload:
    attribute, locale, channel = slot_parts(where)
    return {"attribute": attribute, "value": msgspec.to_builtins(value), "locale": locale, "channel": channel}


def _prices(product: Product) -> list[Payload]:
    return [
        {"amount": f"{Money(amount, currency).decimal():f}", "currency": currency, "price_list": price_list}
        for price_list, amounts in sorted(product.prices.items())
        for currency, amount in sorted(amounts.items())
    ]


def _group(group: Group) -> Payload:
    """Of all its products together, each sorted."""
    products = group.products.values()
    named = {name for product in products for name in product.channels}
    return {
        "families": sorted({product.family for product in products if product.family}),
        "categories": sorted({code for product in products for code in product.categories}),
        "listed_on": sorted(name for name in named if any(group.listed(sku, name) for sku in group.products)),
    }
