"""Parcels told to a Shopify shop: a fulfilment for each that left, with its carrier and tracking number.

A work, not a listing: see `docs/how-to/write-a-work.md`. It is for orders of the channel `shopify`, or of the one that
`extra.channel` names. The shop mails each fulfilment to its customer, unless `extra.notify` is false. The app needs the
scopes read_orders and write_merchant_managed_fulfillment_orders.
"""

from daybook.channel.contract import Manifest, Reads
from daybook.events import OrderCancelled, OrderPlaced, OrderShipped, ParcelAnnounced
from daybook_projections.shopifyparcels.connector import SETTINGS, connector
from daybook_projections.shopifyparcels.listing import NAME, SentOrder, fold
from daybook_projections.shopifyparcels.mapping import DEFAULTS, FACETS, render
from daybook_projections.shopifyparcels.sandbox.server import ShopifyFulfillmentSandbox

manifest = Manifest(
    name=NAME,
    title="Parcels (Shopify)",
    version=1,
    kind="work",
    state=SentOrder,
    fold=fold,
    render=render,
    reads=Reads(("order",), (OrderPlaced, OrderCancelled, OrderShipped, ParcelAnnounced)),
    facets=FACETS,
    defaults=DEFAULTS,
    connector=connector,
    settings=SETTINGS,
    sandbox=ShopifyFulfillmentSandbox,
    in_flight_max=4,
)
"""One shop."""
