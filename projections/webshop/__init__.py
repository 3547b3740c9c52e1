"""The webshop: a WooCommerce shop, brought up to date over its REST API v3.

The shop must answer over https: WooCommerce does not look at keys that come over http. Names and texts are HTML in a
shop, so signs such as `<` and `&` are put as entities, and in a choice, where the shop would cut or decode them, they
are replaced: `<` by `＜`, `|` by `/`, and `100%ecological` becomes `100% ecological`. Variants with the same choice are
held, but for the first. A GTIN that the book has flagged is not sent. A product that somebody put into the shop's trash
or made a draft is published again with its next change; what the shop does not show to buyers counts as refused.
"""

from daybook.channel.contract import Manifest, StockRule
from daybook_projections.webshop.connector import SETTINGS, connector
from daybook_projections.webshop.document import document
from daybook_projections.webshop.gathering import MEMBERS_MAX
from daybook_projections.webshop.listing import DEFAULTS, FACETS, NAME, Group, fold
from daybook_projections.webshop.mapping import offered, render, render_change
from daybook_projections.webshop.orders import ORDERS
from daybook_projections.webshop.sandbox.server import WooSandbox

manifest = Manifest(
    name=NAME,
    title="Webshop (WooCommerce)",
    version=2,
    state=Group,
    fold=fold,
    render=render,
    render_change=render_change,
    facets=FACETS,
    defaults=DEFAULTS,
    lane="group",  # a variation is created under its parent's id
    connector=connector,
    settings=SETTINGS,
    sandbox=WooSandbox,
    in_flight_max=4,  # every request is a PHP process of the shop that also serves its buyers
    gather_max=MEMBERS_MAX,
    stock=StockRule(facet="stock", price="price", amount=offered),
    variants_hang_on_root=True,
    document=document,
    orders=ORDERS,
)
