"""The timeline: what every product was at any position, so that questions about the past are look-ups."""

from daybook.catalogue.group import Group
from daybook.channel.contract import Manifest
from daybook.events import ChannelConfigured
from projections.timeline.listing import fold
from projections.timeline.mapping import FACETS, GROUP, NAME, render

manifest = Manifest(
    name=NAME,
    title="Timeline",
    version=1,
    state=Group,
    fold=fold,
    render=render,
    facets=FACETS,
    defaults=ChannelConfigured(name=NAME),
    keeps_history=True,
    searched=GROUP,
)
