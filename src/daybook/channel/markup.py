"""Texts that may hold HTML, and may as well hold a plain `<`: what of them is markup, and what a reader should read.

A browser takes the `<M and >` of "Fits <M and >S." for a tag, and so does a parser of HTML: what stood there is gone. A
catalogue's texts are typed by people, half of them as HTML and half as plain text, and nobody says which. So a tag
counts as one only if it is complete, has the name of an element, and its attributes have values; everything else is
what its author wanted to be read. Not told apart: a lone `<b>` that is meant to be read.
"""

import re
from collections.abc import Collection, Iterator
from html import escape, unescape

import msgspec

INLINE = frozenset(
    {
        *("a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "del", "dfn", "em", "font", "i", "ins"),
        *("kbd", "mark", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "tt", "u", "var", "wbr"),
    }
)
BLOCKS = frozenset(
    {
        *("address", "area", "article", "aside", "audio", "blockquote", "body", "br", "button", "canvas", "caption"),
        *("center", "col", "colgroup", "dd", "details", "div", "dl", "dt", "embed", "fieldset", "figcaption"),
        *("figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "head", "header", "hr", "html", "iframe"),
        *("img", "input", "label", "legend", "li", "link", "main", "map", "meta", "nav", "noscript", "o:p", "object"),
        *("ol", "optgroup", "option", "p", "param", "picture", "pre", "script", "section", "select", "source"),
        *("style", "summary", "svg", "table", "tbody", "td", "template", "textarea", "tfoot", "th", "thead", "title"),
        *("tr", "track", "ul", "video"),
    }
)
"""What separates the words before it from those behind it. With INLINE: all that counts as an element."""
_HIDDEN = (
    ("<!--", "-->"),
    *((f"<{name}{after}", f"</{name}>") for name in ("script", "style") for after in "> \n\t"),
)
"""Where something begins that is not for readers, and where it ends."""
WORDS_TOO = frozenset(
    {
        *("area", "article", "button", "details", "form", "input", "label", "legend", "link", "main", "map", "object"),
        *("option", "q", "s", "section", "select", "source", "summary", "template", "title", "track", "u", "video"),
    }
)
"""Elements with names that are words too (a size S, press <select>): tags only where they have attributes, or where
their end stands in the text as well."""

# No part of it reads on beyond the next `<`: a text full of them must not take the square of its length.
_TAG = re.compile(
    r"""<(?P<end>/)?(?P<name>[A-Za-z][A-Za-z0-9:]*)"""
    r"""(?P<attributes>(?:\s+[A-Za-z_:@][\w:.-]*\s*=\s*(?:"[^"<]*"|'[^'<]*'|[^\s"'=<>`]+)"""
    r"""|\s+(?:allowfullscreen|autoplay|checked|controls|disabled|loop|muted|nowrap|reversed|selected))*)\s*/?>"""
)
_ENTITY = re.compile(r"&(?:[A-Za-z][A-Za-z0-9]{1,31}|#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6});")


class Tag(msgspec.Struct, frozen=True):
    """The begin or the end of an element, without its attributes."""

    name: str
    ends: bool


def words(text: str) -> str:
    """Gives what a reader reads, as plain text in single white space."""
    found = []
    for piece in _pieces(text):
        if isinstance(piece, str):
            found.append(piece)
        elif piece.name not in INLINE:
            found.append(" ")
    return " ".join("".join(found).split())


def only(text: str, allowed: Collection[str]) -> str:
    """Gives HTML with the allowed elements, without attributes; of all others the words stay, as text.

    Where an element that parts words is left out, a space takes its place.
    """
    found = []
    for piece in _pieces(text):
        if isinstance(piece, str):
            found.append(escape(piece, quote=False))
        elif piece.name in allowed:
            found.append(f"</{piece.name}>" if piece.ends else f"<{piece.name}>")
        elif piece.name not in INLINE:
            found.append(" ")
    return re.sub(r"[ \t]+", " ", "".join(found)).strip()


def escaped(text: str) -> str:
    """Gives HTML with its markup as it stands; a `<` that was meant to be read is escaped, and no script is left."""
    found = []
    for raw, tag in _spans(text):
        if tag is None:
            found.append(raw.replace("<", "&lt;"))
        elif tag.name not in ("script", "style"):  # one that has no end would hide all that follows
            found.append(raw)
    return "".join(found)


def _pieces(text: str) -> Iterator[str | Tag]:
    """The text in order: words with their entities read, and tags. Comments and what is silent are left out."""
    return (_read(raw) if tag is None else tag for raw, tag in _spans(text))


def _spans(text: str) -> Iterator[tuple[str, Tag | None]]:
    """The text in order as it stands, each part with its tag; None for words."""
    reader = _Reader(text)
    plain_from = at = 0
    while (at := text.find("<", at)) >= 0:
        found = reader.hidden(at) or reader.tag(at)
        if found is None:
            at += 1
            continue
        end, tag = found
        if plain_from < at:
            yield text[plain_from:at], None
        if tag is not None:
            yield text[at:end], tag
        plain_from = at = end
    if plain_from < len(text):
        yield text[plain_from:], None


class _Reader:
    """One text; what was looked for in vain is not looked for again."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lowered = text.lower()
        self._no_tags = {name for name in WORDS_TOO if f"</{name}" not in self._lowered}
        self._unended: set[str] = set()

    def tag(self, at: int) -> tuple[int, Tag] | None:
        """The tag that begins here, and where it ends."""
        found = _TAG.match(self._text, at)
        name = found["name"].lower() if found is not None else ""
        if found is None or (name not in INLINE and name not in BLOCKS):
            return None
        if name in self._no_tags and not found["attributes"]:
            return None
        return found.end(), Tag(name, found["end"] is not None)

    def hidden(self, at: int) -> tuple[int, None] | None:
        """Where a comment, a script or a style ends that begins here and has an end."""
        for begin, end in _HIDDEN:
            if self._lowered.startswith(begin, at) and end not in self._unended:
                found = self._lowered.find(end, at + len(begin))
                if found >= 0:
                    return found + len(end), None
                self._unended.add(end)
        return None


def _read(text: str) -> str:
    # Only entities that are complete: `html.unescape` alone would make "Q¬es" of "Q&notes".
    return _ENTITY.sub(lambda found: unescape(found[0]), text)
