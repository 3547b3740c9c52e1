"""Amazon: the Selling Partner API's listings items, one SKU at a time (version 2021-08-01)."""

from daybook.catalogue.group import Group
from daybook.channel.contract import Manifest
from projections.amazon.connector import connector
from projections.amazon.listing import DEFAULTS, FACETS, NAME, fold
from projections.amazon.mapping import render
from projections.amazon.sandbox import AmazonSandbox

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
)
