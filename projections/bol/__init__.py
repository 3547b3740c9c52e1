"""bol.com: one offer for each SKU, through the Retailer API's Offers v11, which answers at once."""

from daybook.catalogue.group import Group
from daybook.channel.contract import Manifest
from projections.bol.connector import connector
from projections.bol.listing import fold
from projections.bol.mapping import DEFAULTS, FACETS, NAME, render
from projections.bol.sandbox import BolSandbox

manifest = Manifest(
    name=NAME,
    title="bol.com",
    version=1,
    state=Group,
    fold=fold,
    render=render,
    facets=FACETS,
    defaults=DEFAULTS,
    lane="sku",
    connector=connector,
    sandbox=BolSandbox,
    in_flight_max=16,
)
