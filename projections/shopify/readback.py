"""What the shop shows of a product, in the words of the payloads that brought it.

What is untouched compares equal. Shopify tidies texts and HTML, writes prices with two decimals and keeps its own order
of variants: what says the same is given in our words. Pictures it keeps under addresses of its own, so only their
number is compared.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from daybook.channel.contract import Payload, Push, Shown
from daybook.channel.markup import words
from daybook_projections.shopify.custom_ids import custom_id
from daybook_projections.shopify.graphql import NotDefined, Shop
from daybook_projections.shopify.ids import Ids, quantity
from daybook_projections.shopify.listing import FACETS, PRICE, PRODUCT, STOCK
from daybook_projections.shopify.mapping import PARENT
from daybook_projections.shopify.operations import PRODUCT_READ
from daybook_projections.shopify.publication import Publication
from daybook_projections.shopify.texts import same_handle

Node = Mapping[str, Any]
NOTHING: dict[str, Payload | None] = dict.fromkeys(FACETS)
"""What is shown of a SKU that is not in the shop."""
UNPUBLISHED = "UNPUBLISHED"
"""Instead of the status of a product that is not in the publication: nobody sees it, whatever its status."""
TEXTS = ("title", "descriptionHtml", "vendor", "productType", "status", "handle")


async def read(shop: Shop, location: str, publication: Publication, push: Push) -> Shown:
    """What is shown of `push.sku`. Raises as `Shop.ask` does.

    A root is read with all its variants, a variant up to the page that it is on.
    """
    known = push.remote_id or push.remote_ids.get(push.key)
    identifier = {"id": Ids.parse(known).product} if known is not None else custom_id(push.key)
    nodes: list[Any] = []
    after: str | None = None
    while True:
        variables = {"identifier": identifier, "locationId": location, "after": after} | publication.variables
        try:
            product = await shop.ask(PRODUCT_READ, "productByIdentifier", variables)
        except NotDefined:
            product = None
        if product is None:
            return Shown(NOTHING)
        nodes += product["variants"]["nodes"]
        page = product["variants"]["pageInfo"]
        own = next((node for node in nodes if node["sku"] == push.sku), None)
        if not page["hasNextPage"] or (own is not None and push.sku != push.key):
            break
        after = page["endCursor"]
    if push.sku == push.key:
        return Shown(root_facets(push.sku, product, nodes, push.listing))
    return Shown(NOTHING if own is None else variant_facets(push.key, own, push.listing))


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
    shown: Payload = {name: _text(name, product[name], brought) for name in TEXTS if name != "handle"}
    if "handle" in brought:
        shown["handle"] = _text("handle", product["handle"], brought)
    if not product["publishedOnPublication"]:
        shown["status"] = UNPUBLISHED
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


def _text(name: str, value: str, brought: Payload) -> str:
    """The shop's text, in our words where it says the same."""
    wanted = brought.get(name)
    if wanted is None:
        return value
    if name == "vendor" and not wanted:
        return ""  # the shop puts its own name there
    same = same_handle(value, wanted) if name == "handle" else words(value) == words(str(wanted))
    return str(wanted) if same else value
