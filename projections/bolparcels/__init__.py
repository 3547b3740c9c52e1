"""Parcels told to bol: a shipment for each that left, with its carrier and tracking number, and what is cancelled.

A work, not a listing: see `docs/how-to/write-a-work.md`. It is for orders of the channel `bol`, or of the one that
`extra.channel` names. bol takes each request for processing and says later what became of it.
"""

from daybook.channel.contract import Manifest, Reads
from daybook.events import OrderCancelled, OrderPlaced, OrderShipped, ParcelAnnounced
from daybook_projections.bolparcels.connector import SETTINGS, connector
from daybook_projections.bolparcels.listing import NAME, HandledOrder, fold
from daybook_projections.bolparcels.mapping import DEFAULTS, FACETS, render
from daybook_projections.bolparcels.sandbox.server import BolShipmentSandbox

manifest = Manifest(
    name=NAME,
    title="Parcels (bol.com)",
    version=1,
    kind="work",
    state=HandledOrder,
    fold=fold,
    render=render,
    reads=Reads(("order",), (OrderPlaced, OrderCancelled, OrderShipped, ParcelAnnounced)),
    facets=FACETS,
    defaults=DEFAULTS,
    connector=connector,
    settings=SETTINGS,
    sandbox=BolShipmentSandbox,
    in_flight_max=4,
    submission_seconds_max=24 * 3600.0,  # bol keeps what became of a request for a day
)
"""One account."""
