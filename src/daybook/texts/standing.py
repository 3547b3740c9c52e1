"""Where each text that machines are to draft stands, as a person sees it. Pure."""

from collections.abc import Iterator
from typing import Literal

import msgspec

from daybook.catalogue.reference import Reference
from daybook.events import ChannelConfigured
from daybook.product.state import slot
from daybook.texts.group import GroupTexts
from daybook.texts.state import Texts, text_hash
from daybook.texts.wanted import WantedText, wanted

TextState = Literal["wanted", "draft", "stale", "rejected", "approved"]
STATES: dict[TextState, str] = {
    "wanted": "nothing is drafted yet",
    "draft": "a draft waits for somebody to approve it",
    "stale": "its source changed since: another draft is coming",
    "rejected": "its draft was rejected",
    "approved": "the draft is the product's text",
}
"""State -> what it means."""


class TextStanding(msgspec.Struct, frozen=True, kw_only=True):
    """One text in one locale: its source, what was drafted of it, and what is to be done."""

    engine: str
    attribute: str
    locale: str
    scope: str | None
    state: TextState
    source_locale: str
    source: str
    source_hash: str
    draft: str | None = None
    """Of this source; of a stale one the draft before."""
    value: str | None = None
    """What the product has there now."""
    problem: str | None = None
    characters: int = 0
    """What the draft cost; before there is one, what it would."""

    @property
    def slot(self) -> str:
        """Where it lives: `name@de-DE`."""
        return slot(self.attribute, self.locale, self.scope)


def standings(state: GroupTexts, engine: ChannelConfigured, reference: Reference) -> Iterator[tuple[str, TextStanding]]:
    """(SKU, where a text stands), for all that one engine is to draft."""
    for one in wanted(state, engine, reference):
        yield one.sku, _standing(one, state.texts_of(one.sku), engine.name)


def _standing(one: WantedText, texts: Texts, engine: str) -> TextStanding:
    draft, before = one.draft(texts), texts.drafts.get(one.slot, ())
    state: TextState = "wanted"
    if draft is None:
        state = "stale" if before and before[-1].state not in ("rejected", "retried") else "wanted"
    elif draft.state == "approved" and one.value == draft.text:
        state = "approved"
    else:
        state = "rejected" if draft.state == "rejected" else "draft"
    shown = draft or (before[-1] if state == "stale" else None)
    return TextStanding(
        engine=engine,
        attribute=one.attribute,
        locale=one.locale,
        scope=one.channel,
        state=state,
        source_locale=one.source_locale,
        source=one.source,
        source_hash=text_hash(one.source),
        draft=shown.text if shown else None,
        value=one.value,
        problem=draft.problem if draft else None,
        characters=draft.characters if draft else len(one.source),
    )
