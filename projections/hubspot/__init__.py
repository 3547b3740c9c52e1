"""HubSpot: each order is a deal, and who ordered is its contact.

A work, not a listing: see `docs/how-to/write-a-work.md`. Deals and contacts are known by properties of our own that
HubSpot keeps unique, so they are upserted, never searched for: its search lags behind. A person's data is asked of the
vault when the request is made, a change of it is passed on, and an erasure has HubSpot forget the contact for good.
"""

from daybook.channel.contract import Manifest, Reads
from daybook.events import (
    OrderCancelled,
    OrderPaid,
    OrderPlaced,
    OrderRefunded,
    OrderReturned,
    OrderShipped,
    PersonChanged,
    PersonErased,
)
from daybook_projections.hubspot.connector import SETTINGS, connector
from daybook_projections.hubspot.listing import NAME, Customer, fold
from daybook_projections.hubspot.mapping import DEFAULTS, FACETS, render
from daybook_projections.hubspot.sandbox.server import HubSpotSandbox

ABOUT_ORDERS = (OrderPlaced, OrderPaid, OrderCancelled, OrderShipped, OrderReturned, OrderRefunded)

manifest = Manifest(
    name=NAME,
    title="CRM (HubSpot)",
    version=1,
    kind="work",
    state=Customer,
    fold=fold,
    render=render,
    reads=Reads(("order", "person"), (*ABOUT_ORDERS, PersonChanged, PersonErased)),
    facets=FACETS,
    defaults=DEFAULTS,
    connector=connector,
    settings=SETTINGS,
    sandbox=HubSpotSandbox,
    in_flight_max=4,
)
