"""What was drafted of a product's texts, and what became of it. Pure: decisions and projections fold with this."""

import hashlib
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from daybook.events import Event, TextApproved, TextDrafted, TextEvent, TextRejected, TextRetried
from daybook.product.state import slot

DRAFTS_KEPT = 5
"""Of each text, the newest: a source that returns to what it was costs nothing again."""

DraftState = Literal["draft", "approved", "rejected"]


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
    rounds: dict[str, int] = {}
    """How often another draft was asked for."""

    def draft_of(self, where: str, source_locale: str, source: str) -> Draft | None:
        """The newest draft of this very source text; None before there is one."""
        for one in reversed(self.drafts.get(where, ())):
            if one.source == source and one.source_locale == source_locale:
                return one
        return None


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
        case TextRetried():
            return replace(before, rounds=before.rounds | {where: before.rounds.get(where, 0) + 1})


def _marked(texts: Texts, where: str, source: str, state: DraftState) -> Texts:
    drafts = list(texts.drafts.get(where, ()))
    for place in reversed(range(len(drafts))):
        if drafts[place].source == source:
            drafts[place] = replace(drafts[place], state=state)
            break
    return replace(texts, drafts=texts.drafts | {where: tuple(drafts)})
