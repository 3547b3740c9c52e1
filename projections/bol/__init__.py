"""bol.com: one offer for each SKU (Offers API v11, answers at once) and its texts (content API v10, answers later)."""

from daybook.catalogue.group import Group
from daybook.channel.contract import Manifest, StockRule
from daybook_projections.bol.connector import SETTINGS, connector
from daybook_projections.bol.listing import fold
from daybook_projections.bol.mapping import DEFAULTS, FACETS, NAME, PRICE, STOCK, amount, render, render_change
from daybook_projections.bol.orders import ORDERS
from daybook_projections.bol.sandbox.server import BolSandbox

manifest = Manifest(
    name=NAME,
    title="bol.com",
    version=3,
    state=Group,
    fold=fold,
    render=render,
    render_change=render_change,
    facets=FACETS,
    defaults=DEFAULTS,
    lane="sku",
    connector=connector,
    settings=SETTINGS,
    sandbox=BolSandbox,
    in_flight_max=16,
    stock=StockRule(STOCK, PRICE, amount),
    last_facets=("content",),
    orders=ORDERS,
    submission_seconds_max=24 * 3600.0,  # an upload takes its time, and bol keeps its status for a day
)
