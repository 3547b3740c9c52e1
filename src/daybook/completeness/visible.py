"""Texts for who sees a part of the catalogue alone: those that would be wanted if there were no other channels.

A text is wanted because its product is sold on a channel, in the locale of that channel and with what is required
there. So one that only a channel outside of the reach wants would tell that the product is sold there, and how.
"""

from msgspec.structs import replace

from daybook.catalogue.reference import Reference
from daybook.completeness.drafts import TextRow
from daybook.events import ChannelConfigured
from daybook.filters.visible import Visible
from daybook.texts.group import GroupTexts, fold_texts
from daybook.texts.wanted import wanted


class VisibleTexts:
    """Which texts are within reach of one request; each product group is looked up once."""

    def __init__(self, visible: Visible) -> None:
        self._visible = visible
        self._reference = visible.reader.reference()
        self._found: dict[tuple[str, str], frozenset[tuple[str, str]]] = {}

    def holds(self, row: TextRow) -> bool:
        """Whether a channel within reach wants the text."""
        if self._visible.reach.everything:
            return True
        key = self._visible.reader.key_of(row.sku)
        if key is None:
            return False
        if (key, row.engine) not in self._found:
            self._found[key, row.engine] = self._wanted(key, row.engine)
        return (row.sku, row.slot) in self._found[key, row.engine]

    def _wanted(self, key: str, engine: str) -> frozenset[tuple[str, str]]:
        """(SKU, slot) of what the channels within reach want for the products of a group."""
        state: GroupTexts | None = None
        for one in self._visible.reader.of_key(key):
            state = fold_texts(state, one)
        if state is None:
            return frozenset()
        channels = {
            name: settings for name, settings in self._reference.channels.items() if self._visible.holds(key, name)
        }
        settings = self._reference.channels.get(engine, ChannelConfigured(name=engine))
        seen: Reference = replace(self._reference, channels=channels)
        return frozenset((one.sku, one.slot) for one in wanted(state, settings, seen))
