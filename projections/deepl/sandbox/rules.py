"""What the pretended DeepL makes of a text: a mark before it, markup and ignored tags as they were."""

import re

_TAG = re.compile(r"(<[^<>]+>)")


def translated(text: str, target: str, ignored: frozenset[str], glossary: dict[str, str], tagged: bool) -> str:
    """`[DE] …` before each text; the glossary's words are put in; what stands in ignored tags stays."""
    if not tagged:
        return f"[{target}] {_words(text, glossary)}"
    made, inside = [], 0
    for piece in _TAG.split(text):
        if _TAG.fullmatch(piece):
            name = piece.strip("</> ").partition(" ")[0]
            if name in ignored:
                inside += -1 if piece.startswith("</") else 1
            made.append(piece)
        else:
            made.append(piece if inside else _words(piece, glossary))
    return f"[{target}] {''.join(made)}"


def without_tags(text: str, ignored: frozenset[str]) -> str:
    """What has lost its ignored tags with what stood in them: it has been seen to happen."""
    for name in ignored:
        text = re.sub(rf"<{name}>.*?</{name}>", "", text)
    return text


def _words(text: str, glossary: dict[str, str]) -> str:
    for word, its in glossary.items():
        text = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", its, text)
    return text
