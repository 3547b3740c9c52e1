"""What a group lacks, by SKU and channel, and where its texts stand, by SKU and slot. Pure."""

from typing import Any

import msgspec

from daybook.catalogue.reference import Reference
from daybook.channel.contract import Rendered
from daybook.events import ChannelConfigured
from daybook.texts.group import GroupTexts
from daybook.texts.lacks import lacks
from daybook.texts.standing import TextStanding, standings

NAME = "completeness"
ENGINES = ("deepl",)


def render(state: GroupTexts, reference: Reference) -> Rendered:
    """(SKU, channel) -> what it lacks there; (SKU, `name@de-DE`) -> where the text stands."""
    rendered: dict[tuple[str, str], Any] = {}
    texts: dict[tuple[str, str], TextStanding] = {}
    for engine in ENGINES:
        settings = reference.channels.get(engine, ChannelConfigured(name=engine))
        for sku, standing in standings(state, settings, reference):
            texts[sku, standing.slot] = standing
    for where, standing in texts.items():
        rendered[where] = msgspec.to_builtins(standing)
    for sku, channel, found in lacks(state, texts, reference):
        rendered[sku, channel] = msgspec.to_builtins(found)
    return rendered
