"""The webshop: a WooCommerce shop, brought up to date over its REST API v3."""

from daybook.channel.contract import Manifest, Stock
from projections.webshop.connector import connector
from projections.webshop.document import document
from projections.webshop.gathering import MEMBERS_MAX
from projections.webshop.listing import DEFAULTS, FACETS, NAME, Group, fold
from projections.webshop.mapping import offered, render
from projections.webshop.sandbox import WooSandbox

manifest = Manifest(
    name=NAME,
    title="Webshop (WooCommerce)",
    version=1,
    state=Group,
    fold=fold,
    render=render,
    facets=FACETS,
    defaults=DEFAULTS,
    lane="group",  # a variation is created under its parent's id
    connector=connector,
    sandbox=WooSandbox,
    in_flight_max=4,  # every request is a PHP process of the shop that also serves its buyers
    gather_max=MEMBERS_MAX,
    stock=Stock(facet="stock", price="price", amount=offered),
    variants_hang_on_root=True,
    document=document,
)
