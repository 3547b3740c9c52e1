"""Asks the shop what it shows of one SKU."""

from daybook.channel.contract import Push, Shown
from projections.shopify.documents import PRODUCT_READ
from projections.shopify.graphql import Node, Shop
from projections.shopify.ids import Ids
from projections.shopify.inputs import custom_id
from projections.shopify.readback import NOTHING, root_facets, variant_facets


async def read(shop: Shop, location: str, push: Push) -> Shown:
    """What is shown of `push.sku`. Raises as `Shop.ask` does.

    A root is read with all its variants, a variant up to the page that it is on.
    """
    known = push.remote_id or push.remote_ids.get(push.key)
    identifier = {"id": Ids.parse(known).product} if known is not None else custom_id(push.key)
    nodes: list[Node] = []
    after: str | None = None
    while True:
        variables = {"identifier": identifier, "locationId": location, "after": after}
        product = await shop.ask(PRODUCT_READ, "productByIdentifier", variables)
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
