"""bol.com: one offer for each SKU (Offers API v11, answers at once) and its texts (content API v10, answers later)."""

from daybook.catalogue.group import Group
from daybook.channel.contract import Manifest, Stock
from projections.bol.connector import connector
from projections.bol.listing import fold
from projections.bol.mapping import DEFAULTS, FACETS, NAME, PRICE, STOCK, amount, render
from projections.bol.sandbox import BolSandbox

manifest = Manifest(
    name=NAME,
    title="bol.com",
    version=2,
    state=Group,
    fold=fold,
    render=render,
    facets=FACETS,
    defaults=DEFAULTS,
    lane="sku",
    connector=connector,
    sandbox=BolSandbox,
    in_flight_max=16,
    stock=Stock(STOCK, PRICE, amount),
    alongside=("content",),
    submission_seconds_max=24 * 3600.0,  # an upload takes its time, and bol keeps its status for a day
)
