"""Sendcloud: each order that is paid becomes a shipment with a label, over the API v3.

A work, not a listing: see `docs/how-to/write-a-work.md`. Sendcloud knows a shipment by `external_reference_id`, which
is made of the order and of what is in the parcel, so a request that is repeated, replayed or sent out of a restored
book buys no second label. An order that changes before its parcel left has its label cancelled and another one made.
"""

from daybook.channel.contract import Manifest, Reads
from daybook.events import (
    OrderCancelled,
    OrderPaid,
    OrderPlaced,
    OrderShipped,
    ParcelAnnounced,
    ParcelCancelled,
)
from daybook_projections.sendcloud.connector import SETTINGS, connector
from daybook_projections.sendcloud.listing import NAME, ToShip, fold
from daybook_projections.sendcloud.mapping import DEFAULTS, PARCEL, render
from daybook_projections.sendcloud.sandbox.server import SendcloudSandbox

manifest = Manifest(
    name=NAME,
    title="Shipping (Sendcloud)",
    version=1,
    kind="work",
    state=ToShip,
    fold=fold,
    render=render,
    reads=Reads(("order",), (OrderPlaced, OrderPaid, OrderCancelled, OrderShipped, ParcelAnnounced)),
    findings=(ParcelAnnounced, ParcelCancelled),
    facets=(PARCEL,),
    defaults=DEFAULTS,
    connector=connector,
    settings=SETTINGS,
    sandbox=SendcloudSandbox,
    in_flight_max=4,
    submission_seconds_max=15 * 24 * 3600.0,  # a cancellation may be decided after 14 days
)
