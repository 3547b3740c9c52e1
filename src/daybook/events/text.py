"""What machines drafted of a product's texts, and what people said of it. A draft is no value before it is approved."""

from typing import Any

import msgspec


class TextDrafted(msgspec.Struct, frozen=True, kw_only=True):
    """An engine translated one text. It can't be computed again, and was paid for: a work's finding."""

    engine: str
    """The work that did it, `deepl`."""
    sku: str
    attribute: str
    locale: str
    """Into which."""
    channel: str | None = None
    """The channel scope of the value, where it has one."""
    source_locale: str
    source: str
    """The hash of the text that was translated: see `daybook.texts.state.text_hash`."""
    draft: str
    characters: int
    """What it cost: the characters that the engine billed."""
    settings: dict[str, Any] = {}
    """With which it was made: the glossary, the formality, the words to keep."""
    round: int = 0
    """How often a person had asked for another one of the same text."""
    problem: str | None = None
    """What is wrong with it, so that a person has to look: a placeholder is lost."""


class TextApproved(msgspec.Struct, frozen=True, kw_only=True):
    """A draft is good: it became the product's value, in the same command."""

    engine: str
    sku: str
    attribute: str
    locale: str
    channel: str | None = None
    source: str
    """Of which source text it is the translation."""
    text: str
    """As the product has it now."""


class TextRejected(msgspec.Struct, frozen=True, kw_only=True):
    """A draft is not wanted. Nothing is drafted anew of the same text before somebody asks for it."""

    engine: str
    sku: str
    attribute: str
    locale: str
    channel: str | None = None
    source: str


class TextRetried(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody asked for another draft of the same text. It is paid for again."""

    engine: str
    sku: str
    attribute: str
    locale: str
    channel: str | None = None
    source: str
