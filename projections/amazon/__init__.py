"""Amazon: the Selling Partner API's listings items (version 2021-08-01), one by one or many in a feed."""

from daybook.catalogue.group import Group
from daybook.channel.contract import Manifest, Payload, Stock
from projections.amazon.bulk import GATHER_MAX
from projections.amazon.connector import connector
from projections.amazon.listing import DEFAULTS, FACETS, NAME, fold
from projections.amazon.mapping import render
from projections.amazon.sandbox import AmazonSandbox


def offered(payload: Payload) -> int:
    """How many pieces a payload of `stock` offers."""
    return sum(int(entry.get("quantity", 0)) for entry in payload["fulfillment_availability"])


manifest = Manifest(
    name=NAME,
    title="Amazon",
    version=1,
    state=Group,
    fold=fold,
    render=render,
    facets=FACETS,
    defaults=DEFAULTS,
    lane="sku",
    connector=connector,
    sandbox=AmazonSandbox,
    stock=Stock(facet="stock", price="price", amount=offered),
    gather_max=GATHER_MAX,
)
