"""Shopify: one product with its variants for each product group, through the Admin GraphQL API, version 2026-07."""

from daybook.catalogue.group import Group
from daybook.channel.contract import Manifest, Stock
from projections.shopify.connector import GATHER_MAX, IN_FLIGHT_MAX, connector
from projections.shopify.listing import DEFAULTS, FACETS, NAME, PRICE, STOCK, fold
from projections.shopify.mapping import render
from projections.shopify.sandbox import ShopifySandbox

BULK_SECONDS_MAX = 25 * 3600.0
"""Shopify ends a bulk operation itself when it has not come to its end within a day."""

manifest = Manifest(
    name=NAME,
    title="Shopify",
    version=1,
    state=Group,
    fold=fold,
    render=render,
    facets=FACETS,
    defaults=DEFAULTS,
    lane="group",  # a variant lives in its product: the product first, then its variants' prices and stock
    connector=connector,
    sandbox=ShopifySandbox,
    in_flight_max=IN_FLIGHT_MAX,
    stock=Stock(facet=STOCK, price=PRICE, amount=lambda payload: int(payload["quantity"])),
    gather_max=GATHER_MAX,
    submission_seconds_max=BULK_SECONDS_MAX,
    variants_hang_on_root=True,
)
