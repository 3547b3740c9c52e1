"""The timeline: what every product was at any position, so that questions about the past are look-ups."""

from daybook.catalogue.group import Group
from daybook.channel.contract import Manifest
from daybook.events import ChannelConfigured
from daybook_projections.timeline.listing import fold
from daybook_projections.timeline.mapping import FACETS, GROUP, NAME, render, render_change

manifest = Manifest(
    name=NAME,
    title="Timeline",
    version=2,
    state=Group,
    fold=fold,
    render=render,
    render_change=render_change,
    facets=FACETS,
    defaults=ChannelConfigured(name=NAME),
    keeps_history=True,
    searched=GROUP,
)
