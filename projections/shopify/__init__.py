"""Shopify: one product with its variants for each product group, through the Admin GraphQL API, version 2026-07."""

from daybook.catalogue.group import Group
from daybook.channel.contract import Manifest
from projections.shopify.connector import connector
from projections.shopify.listing import DEFAULTS, FACETS, NAME, fold
from projections.shopify.mapping import render
from projections.shopify.sandbox import ShopifySandbox

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
    in_flight_max=8,  # the points of a standard shop's bucket come back at 100 a second, and a mutation takes 10
)
