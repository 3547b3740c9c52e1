"""A product group with the drafts of its texts: what a translating work and the completeness both fold. Pure."""

import msgspec
from msgspec.structs import replace

from daybook.catalogue.group import Group, fold_group
from daybook.events import (
    AttributesChanged,
    ProductCreated,
    ProductDelisted,
    ProductDiscontinued,
    ProductListed,
    ProductReinstated,
    Recorded,
    TextApproved,
    TextDrafted,
    TextEvent,
    TextRejected,
    TextRetried,
)
from daybook.texts.state import EMPTY, Texts, evolve

TEXT_EVENTS = (TextDrafted, TextApproved, TextRejected, TextRetried)
READ = (
    *(ProductCreated, AttributesChanged, ProductListed, ProductDelisted, ProductDiscontinued, ProductReinstated),
    *TEXT_EVENTS,
)
"""What texts depend on: neither prices nor stock."""


class GroupTexts(msgspec.Struct, frozen=True, kw_only=True):
    """The products of one group, and their drafts by SKU."""

    group: Group
    texts: dict[str, Texts] = {}

    def texts_of(self, sku: str) -> Texts:
        """The drafts of one product."""
        return self.texts.get(sku, EMPTY)


def fold_texts(state: GroupTexts | None, recorded: Recorded) -> GroupTexts | None:
    """The group after one more event."""
    event = recorded.event
    if isinstance(event, TextEvent):
        if state is None:
            return None
        after = evolve(state.texts.get(event.sku), event)
        return state if after is None else replace(state, texts=state.texts | {event.sku: after})
    before = state.group if state is not None else None
    group = fold_group(before, recorded)
    if group is None or group is before:
        return state
    return replace(state, group=group) if state is not None else GroupTexts(group=group)
