"""The search: every product with the words and marks that it is found by."""

from daybook.catalogue.group import Group
from daybook.channel.contract import Manifest
from daybook.events import ChannelConfigured
from daybook_projections.search.listing import fold
from daybook_projections.search.mapping import FACETS, FOUND, NAME, render, render_change

manifest = Manifest(
    name=NAME,
    title="Search",
    version=1,
    state=Group,
    fold=fold,
    render=render,
    render_change=render_change,
    facets=FACETS,
    defaults=ChannelConfigured(name=NAME),
    found_by=FOUND,
)
