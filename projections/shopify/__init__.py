"""Shopify: one product with its variants for each product group, through the Admin GraphQL API, version 2026-07.

The app needs the scopes write_products, write_inventory and write_publications. A product is found by its SKU in the
metafield `daybook.sku`; the first create makes that metafield's definition, which must stay. What is made is published
in the publication that is named, such as the online store: without that no buyer sees it. To take its orders in, the
app needs read_orders as well.
"""

from daybook.catalogue.group import Group
from daybook.channel.contract import Manifest, StockRule
from daybook_projections.shopify.connection import SETTINGS, connector
from daybook_projections.shopify.connector import GATHER_MAX, IN_FLIGHT_MAX
from daybook_projections.shopify.listing import DEFAULTS, FACETS, NAME, PRICE, STOCK, fold
from daybook_projections.shopify.mapping import render, render_change
from daybook_projections.shopify.orders import ORDERS
from daybook_projections.shopify.sandbox.server import ShopifySandbox

BULK_SECONDS_MAX = 25 * 3600.0
"""Shopify ends a bulk operation itself when it has not come to its end within a day."""

manifest = Manifest(
    name=NAME,
    title="Shopify",
    version=2,
    state=Group,
    fold=fold,
    render=render,
    render_change=render_change,
    facets=FACETS,
    defaults=DEFAULTS,
    lane="group",  # a variant lives in its product: the product first, then its variants' prices and stock
    connector=connector,
    settings=SETTINGS,
    sandbox=ShopifySandbox,
    in_flight_max=IN_FLIGHT_MAX,
    stock=StockRule(facet=STOCK, price=PRICE, amount=lambda payload: int(payload["quantity"])),
    gather_max=GATHER_MAX,
    submission_seconds_max=BULK_SECONDS_MAX,
    variants_hang_on_root=True,
    orders=ORDERS,
)
