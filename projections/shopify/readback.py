"""What the shop shows of a product, in the words of the payloads that brought it. Pure.

What is untouched compares equal. Shopify tidies texts and HTML, writes prices with two decimals and keeps its own order
of variants: what says the same is given in our words. Pictures it keeps under addresses of its own, so only their
number is compared.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from daybook.channel.contract import Payload
from projections.shopify.ids import quantity
from projections.shopify.listing import FACETS, PRICE, PRODUCT, STOCK
from projections.shopify.mapping import PARENT

Node = Mapping[str, Any]
NOTHING: dict[str, Payload | None] = dict.fromkeys(FACETS)
"""What is shown of a SKU that is not in the shop."""
TEXTS = ("title", "descriptionHtml", "vendor", "productType", "status", "handle")


def root_facets(
    sku: str, product: Node, nodes: Sequence[Node], listing: Mapping[str, Payload]
) -> dict[str, Payload | None]:
    """Of the group's root: the product, and for one without variants the price and the stock of its only one."""
    facets: dict[str, Payload | None] = {PRODUCT: _product(product, nodes, listing.get(PRODUCT, {}))}
    own = next((node for node in nodes if node["sku"] == sku), None)
    if own is not None:
        facets |= _figures(own, listing)
    elif PRICE in listing or STOCK in listing:
        facets |= {PRICE: None, STOCK: None}
    return facets


def variant_facets(key: str, node: Node, listing: Mapping[str, Payload]) -> dict[str, Payload | None]:
    """Of a variant of `key`."""
    return {PRODUCT: {PARENT: key} | _entry(node), **_figures(node, listing)}


def _figures(node: Node, listing: Mapping[str, Payload]) -> dict[str, Payload | None]:
    pieces = quantity(node["inventoryItem"].get("inventoryLevel"))
    price = listing.get(PRICE, {}).get("price")
    same = price is not None and Decimal(price) == Decimal(node["price"])
    return {
        PRICE: {"price": price if same else node["price"]},
        STOCK: None if pieces is None else {"name": "available", "quantity": pieces},
    }


def _product(product: Node, nodes: Sequence[Node], brought: Payload) -> Payload:
    shown: Payload = {
        name: brought[name] if name in brought and _plain(product.get(name)) == _plain(brought[name]) else value
        for name in TEXTS
        if (value := product.get(name)) is not None and (name != "handle" or name in brought)
    }
    shown["productOptions"] = [
        {
            "name": option["name"],
            "position": option["position"],
            "values": [{"name": value["name"]} for value in option["optionValues"]],
        }
        for option in sorted(product["options"], key=lambda option: int(option["position"]))
    ]
    order = {entry["sku"]: number for number, entry in enumerate(brought.get("variants", ()))}
    entries = [_entry(node) for node in nodes]
    shown["variants"] = sorted(entries, key=lambda entry: order.get(entry["sku"], len(order)))
    if "files" in brought:
        shown["files"] = brought["files"][: int(product["mediaCount"]["count"])]
    return shown


def _entry(node: Node) -> Payload:
    return {
        "sku": node["sku"],
        "barcode": node.get("barcode") or "",
        "optionValues": [{"optionName": each["name"], "name": each["value"]} for each in node["selectedOptions"]],
        "inventoryItem": {"tracked": node["inventoryItem"]["tracked"]},
        "inventoryPolicy": node["inventoryPolicy"],
    }


def _plain(text: object) -> str:
    """Without the spaces that mean nothing in HTML: at tags, and more than one in a row."""
    return re.sub(r"\s*(<[^>]*>)\s*", r"\1", " ".join(str(text or "").split()))
