"""A product as flat fields, so that two states can be compared and a change can be named.

Fields: `kind`, `family`, `parent`, `axes`, `gtin`, `gtin_problem`, `discontinued`, `categories`,
`attributes.<slot>` (`attributes.name@nl-NL`), `prices.<list>.<currency>` (decimal text),
`stock.<location>` (pieces that lie there), `reserved.<location>` (pieces of orders), `safety.<location>` (held back),
`media.<id>` and `channels.<name>`. A field that a product does not have is absent.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from daybook.catalogue.group import Group
from daybook.product.state import Product
from daybook.values import Money

Fields = dict[str, Any]
"""Field -> value as plain JSON: what `FieldChange` holds."""


class FieldChange(msgspec.Struct, frozen=True):
    """One field, before and after. None: it was not there, or is gone."""

    field: str
    before: Any
    after: Any


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[FieldChange]:
    """The fields that differ: those of `after` in their order, then those that are gone."""
    names = [*after, *(name for name in before if name not in after)]
    return [
        FieldChange(name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)
    ]


def own(group: Group | None, sku: str) -> Fields:
    """The product's own fields, without what it inherits; empty when it does not exist."""
    product = group.products.get(sku) if group else None
    found = _identity(product) if product else {}
    if product is not None:
        found |= _values(product)
        found |= {f"channels.{name}": listed for name, listed in product.channels.items()}
        if product.discontinued:
            found["discontinued"] = True
    return found | (_stock(group, sku) if group else {})


def effective(group: Group | None, sku: str) -> Fields:
    """The fields that hold for the product, inherited ones included; empty when it does not exist."""
    product = group.products.get(sku) if group else None
    if group is None or product is None:
        return {}
    found: Fields = {}
    for ancestor in group.chain(sku):
        found = _values(ancestor, own=ancestor is product) | found
    found = _identity(product) | found
    if group.family(sku):
        found["family"] = group.family(sku)
    if group.categories(sku):
        found["categories"] = list(group.categories(sku))
    channels = dict.fromkeys(name for ancestor in group.chain(sku) for name in ancestor.channels)
    found |= {f"channels.{name}": group.listed(sku, name) for name in channels}
    if any(ancestor.discontinued for ancestor in group.chain(sku)):
        found["discontinued"] = True
    return found | _stock(group, sku)


def _identity(product: Product) -> Fields:
    found: Fields = {"kind": product.kind}
    found |= {"family": product.family} if product.family else {}
    found |= {"parent": product.parent} if product.parent else {}
    return found | ({"axes": list(product.axes)} if product.axes else {})


def _values(product: Product, own: bool = True) -> Fields:
    found: Fields = {}
    if own and product.gtin is not None:
        found["gtin"] = product.gtin
        found |= {"gtin_problem": product.gtin_problem} if product.gtin_problem else {}
    found |= {f"attributes.{slot}": msgspec.to_builtins(value) for slot, value in product.attributes.items()}
    for price_list, amounts in product.prices.items():
        for currency, minor in amounts.items():
            found[f"prices.{price_list}.{currency}"] = f"{Money(minor, currency).decimal():f}"
    if product.categories:
        found["categories"] = list(product.categories)
    return found | {f"media.{name}": msgspec.to_builtins(item) for name, item in product.media.items()}


def _stock(group: Group, sku: str) -> Fields:
    stock = group.stock.get(sku)
    if stock is None:
        return {}
    named = {"stock": stock.quantities, "reserved": stock.reserved, "safety": stock.safety}
    return {f"{noun}.{location}": pieces for noun, each in named.items() for location, pieces in each.items()}
