"""Completeness: what each product still lacks for each channel on which it is sold, and where its drafts stand.

A read model, rendered with the catalogue's definitions, so it is never older than they are. A facet without `@` is a
channel, one with it a text: `name@de-DE`.
"""

from daybook.channel.contract import Manifest, Reads
from daybook.events import ChannelConfigured, GtinAssigned, MediaAdded, MediaRemoved, PriceChanged, PriceRemoved
from daybook.texts.group import READ, GroupTexts, fold_texts
from daybook_projections.completeness.mapping import NAME, render

manifest = Manifest(
    name=NAME,
    title="Completeness",
    version=1,
    state=GroupTexts,
    fold=fold_texts,
    render=render,
    reads=Reads(("product",), (*READ, PriceChanged, PriceRemoved, GtinAssigned, MediaAdded, MediaRemoved)),
    facets=("channel",),
    open_facets=True,
    defaults=ChannelConfigured(name=NAME),
)
