"""Parcels told to a WooCommerce shop: a note at its order for each that left; the last one completes the order.

A work, not a listing: see `docs/how-to/write-a-work.md`. It is for orders of the channel `webshop`, or of the one that
`extra.channel` names. The customer sees the notes, with carrier and tracking number. An order that is cancelled whole
is cancelled in the shop as well.
"""

from daybook.channel.contract import Manifest, Reads
from daybook.events import OrderCancelled, OrderPlaced, OrderShipped, ParcelAnnounced
from daybook_projections.wooparcels.connector import SETTINGS, connector
from daybook_projections.wooparcels.listing import NAME, Shipped, fold
from daybook_projections.wooparcels.mapping import DEFAULTS, FACETS, render
from daybook_projections.wooparcels.sandbox.server import WooOrdersSandbox

manifest = Manifest(
    name=NAME,
    title="Parcels (WooCommerce)",
    version=1,
    kind="work",
    state=Shipped,
    fold=fold,
    render=render,
    reads=Reads(("order",), (OrderPlaced, OrderCancelled, OrderShipped, ParcelAnnounced)),
    facets=FACETS,
    defaults=DEFAULTS,
    connector=connector,
    settings=SETTINGS,
    sandbox=WooOrdersSandbox,
    in_flight_max=2,  # every request is a PHP process of the shop that also serves its buyers
)
"""One shop."""
