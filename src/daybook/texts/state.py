"""What was drafted of a product's texts, and what became of it. Pure: decisions and projections fold with this."""

import hashlib
from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from daybook.events import Event, TextApproved, TextDrafted, TextEvent, TextRejected, TextRetried
from daybook.product.state import slot

DRAFTS_KEPT = 5
"""Of each text, the newest: a source that returns to what it was costs nothing again."""

DraftState = Literal["draft", "approved", "rejected", "retried"]
"""`retried`: somebody asked for another one of the same source, and it has not come yet."""


class Draft(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One draft of one text."""

    engine: str
    source_locale: str
    source: str
    text: str
    characters: int
    settings: dict[str, Any] = {}
    round: int = 0
    problem: str | None = None
    state: DraftState = "draft"


class Texts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One product's drafts, by slot (`name@de-DE`)."""

    drafts: dict[str, tuple[Draft, ...]] = {}
    """The newest last."""
    approved: dict[str, str] = {}
    """What was last approved: a value that is this text is a machine's, any other one a person's."""

    def draft_of(self, where: str, source_locale: str, source: str) -> Draft | None:
        """The draft of this very source text: the approved one, else the newest; None before there is one."""
        made = self.drafts.get(where, ())
        place = _place(made, source, source_locale)
        return None if place is None else made[place]


EMPTY = Texts()


def text_hash(text: str) -> str:
    """Names a source text: a draft is of this text and of no other."""
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def slot_of(event: TextEvent) -> str:
    """Where the text that an event is about lives."""
    return slot(event.attribute, event.locale, event.channel)


def evolve(texts: Texts | None, event: Event) -> Texts | None:
    """The drafts after the event; events of other nouns change nothing."""
    if not isinstance(event, TextEvent):
        return texts
    before, where = texts or EMPTY, slot_of(event)
    match event:
        case TextDrafted():
            made = Draft(
                engine=event.engine,
                source_locale=event.source_locale,
                source=event.source,
                text=event.draft,
                characters=event.characters,
                settings=event.settings,
                round=event.round,
                problem=event.problem,
            )
            kept = (*before.drafts.get(where, ()), made)[-DRAFTS_KEPT:]
            return replace(before, drafts=before.drafts | {where: kept})
        case TextApproved(source=source, text=text):
            after = _marked(before, where, source, "approved")
            return replace(after, approved=after.approved | {where: text})
        case TextRejected(source=source):
            return _marked(before, where, source, "rejected")
        case TextRetried(source=source):
            return _marked(before, where, source, "retried")


def _marked(texts: Texts, where: str, source: str, state: DraftState) -> Texts:
    drafts = list(texts.drafts.get(where, ()))
    place = _place(drafts, source)
    if place is not None:
        drafts[place] = replace(drafts[place], state=state)
    return replace(texts, drafts=texts.drafts | {where: tuple(drafts)})


def _place(drafts: Sequence[Draft], source: str, source_locale: str | None = None) -> int | None:
    """Where the draft of a source stands. One that was on its way when another was approved does not take its place."""
    found = [
        place for place, one in enumerate(drafts) if one.source == source and source_locale in (None, one.source_locale)
    ]
    return next((place for place in found if drafts[place].state == "approved"), found[-1] if found else None)
