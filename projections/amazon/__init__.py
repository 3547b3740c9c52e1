"""Amazon: the Selling Partner API's listings items (version 2021-08-01), one by one or many in a feed."""

from daybook.catalogue.group import Group
from daybook.channel.contract import Manifest, Payload, StockRule
from daybook_projections.amazon.bulk import GATHER_MAX
from daybook_projections.amazon.connector import SETTINGS, connector
from daybook_projections.amazon.listing import DEFAULTS, FACETS, NAME, fold
from daybook_projections.amazon.mapping import render, render_change
from daybook_projections.amazon.sandbox.server import AmazonSandbox


def offered(payload: Payload) -> int:
    """How many pieces a payload of `stock` offers."""
    return sum(int(entry.get("quantity", 0)) for entry in payload["fulfillment_availability"])


manifest = Manifest(
    name=NAME,
    title="Amazon",
    version=2,
    state=Group,
    fold=fold,
    render=render,
    render_change=render_change,
    facets=FACETS,
    defaults=DEFAULTS,
    lane="sku",
    connector=connector,
    settings=SETTINGS,
    sandbox=AmazonSandbox,
    stock=StockRule(facet="stock", price="price", amount=offered),
    gather_max=GATHER_MAX,
)
