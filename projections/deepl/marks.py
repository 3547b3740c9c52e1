"""What must come through a translation unchanged: marked before it is sent, and looked for in the answer.

Placeholders, addresses and words that the settings name are put into `<x>`, which DeepL is told to leave alone. A text
without any is sent as it is, so that nothing needs to be escaped.
"""

import re
from collections import Counter
from collections.abc import Sequence
from html import escape, unescape

import msgspec

from daybook.channel.markup import BLOCKS, INLINE

_PLACEHOLDER = r"\{[^{}\n]{0,80}\}|%(?:\(\w{1,40}\))?(?:\d\$)?[sdf]\b|https?://[^\s<>\"]+"
_TAG = re.compile(r"</?([a-zA-Z][a-zA-Z0-9]*)(?:\s[^<>]*)?/?>")
_MARK = re.compile(r"</?x\s*/?>")
_NUMBER = re.compile(r"\d+")


class Marked(msgspec.Struct, frozen=True, kw_only=True):
    """A text as it is sent."""

    text: str
    handling: str | None
    """`xml` or `html` where it holds marks or markup; None: sent as it is."""


def marked(text: str, keep: Sequence[str]) -> Marked:
    """The text with everything in marks that must stay as it is."""
    html, kept = _is_markup(text), _pattern(keep)
    pieces, last = [], 0
    for found in kept.finditer(text):
        if html and _inside_tag(text, found.start()):
            continue
        pieces += [_plain(text[last : found.start()], html), f"<x>{_plain(found.group(), html)}</x>"]
        last = found.end()
    if not pieces and not html:
        return Marked(text=text, handling=None)
    return Marked(text="".join(pieces) + _plain(text[last:], html), handling="html" if html else "xml")


def unmarked(answer: str, sent: Marked) -> str:
    """The answer as a value: without marks, and unescaped where it had been escaped."""
    if sent.handling is None:
        return answer
    without = _MARK.sub("", answer)
    return unescape(without) if sent.handling == "xml" else without


def problem(source: str, draft: str, keep: Sequence[str]) -> str | None:
    """What is wrong with a draft, in words; None when all came through."""
    kept = _pattern(keep)
    lost = Counter(kept.findall(source)) - Counter(kept.findall(draft))
    if lost:
        return f"placeholder_lost: {', '.join(sorted(lost))[:200]}"
    if _is_markup(source) and Counter(_tags(source)) != Counter(_tags(draft)):
        return "markup_changed: it has other HTML than its source"
    if Counter(_NUMBER.findall(source)) != Counter(_NUMBER.findall(draft)):
        return "number_changed: it has other numbers than its source"
    if draft.strip() == source.strip() and len(source.split()) > 1:
        return "not_translated: it is its source, word for word"
    return None


def _pattern(keep: Sequence[str]) -> re.Pattern[str]:
    words = (rf"(?<!\w){re.escape(word)}(?!\w)" for word in sorted(keep, key=len, reverse=True))
    return re.compile("|".join((_PLACEHOLDER, *words)))


def _tags(text: str) -> list[str]:
    return [found.group(1).lower() for found in _TAG.finditer(text) if found.group(1).lower() != "x"]


def _is_markup(text: str) -> bool:
    return any(name in INLINE or name in BLOCKS for name in _tags(text))


def _inside_tag(text: str, at: int) -> bool:
    return text.rfind("<", 0, at) > text.rfind(">", 0, at)


def _plain(text: str, html: bool) -> str:
    return text if html else escape(text, quote=False)
