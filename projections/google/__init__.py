"""Google Merchant Center: one product input for each SKU, through the Merchant API v1, which shows it minutes later."""

from daybook.catalogue.group import Group
from daybook.channel.contract import Manifest
from daybook_projections.google.connector import SETTINGS, connector
from daybook_projections.google.listing import fold
from daybook_projections.google.mapping import render, render_change
from daybook_projections.google.sandbox.server import GoogleSandbox
from daybook_projections.google.terms import DEFAULTS, FACETS, NAME

REFRESH_SECONDS = 25 * 24 * 3600.0
"""Google drops a product about 30 days after its last insert; the five days are for a long outage."""

manifest = Manifest(
    name=NAME,
    title="Google Merchant",
    version=2,
    state=Group,
    fold=fold,
    render=render,
    render_change=render_change,
    facets=FACETS,
    defaults=DEFAULTS,
    lane="sku",
    connector=connector,
    settings=SETTINGS,
    sandbox=GoogleSandbox,
    in_flight_max=8,
    refresh_seconds=REFRESH_SECONDS,
)
