"""Texts as WooCommerce keeps them: what it would strip, decode or take for markup is put so that it survives. Pure.

The shop has three kinds of text. A name and a description are HTML. The text for people who can't see a picture is one
line in which entities stand. An option stands twice, on a product and on its variation, and the shop treats the two
differently: it decodes entities on the product and percent signs on the variation, where it also escapes or cuts what
follows a `<`. Buyers can choose a variation only if both read alike, so what survives on one side only is replaced.

Backslashes survive doubled, in some fields: see `bodies`.
"""

import re
import unicodedata
from html import escape, unescape

from daybook.channel import markup

_SILENT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_ENTITY = re.compile(r"&(?:#[0-9]+|#[xX][0-9A-Fa-f]+|[A-Za-z][A-Za-z0-9]*);")
_OCTET = re.compile(r"%(?=[0-9A-Fa-f]{2})")
_ZERO = "&#48;"
"""To PHP a text of a single zero is an empty one."""
_LESS_THAN = "＜"
"""U+FF1C: a `<` stays on the product and becomes `&lt;` on the variation; as an entity it is the other way round."""


def name(text: str) -> str:
    """Makes a product's name, which is HTML in the shop, of plain text."""
    found = escape(_SILENT.sub("", text).strip(), quote=False)
    return _ZERO if found == "0" else found


def description(text: str) -> str:
    """Makes HTML of a text that may be plain, with a `<` that is to be read escaped."""
    return markup.escaped(_SILENT.sub("", text))


def alternative(text: str) -> str:
    """Makes the text for people who can't see a picture."""
    found = _OCTET.sub("&#37;", escape(_line(text), quote=False))
    return _ZERO if found == "0" else found


def option(text: str) -> str:
    """Makes an option, or an attribute's name, that reads alike on a product and on its variation.

    A product keeps its options as one text with `|` between them and in single white space.
    """
    while (found := _ENTITY.sub(lambda entity: unescape(entity[0]), text)) != text:
        text = found
    return _OCTET.sub("% ", _line(text.replace("|", "/").replace("<", _LESS_THAN)))


def key(attribute: str) -> str:
    """Gives what the shop makes of an attribute's name to tell it from others: letters and digits without accents.

    Near enough to `sanitize_title` to know which names would fall together, or leave nothing.
    """
    bare = (each for each in unicodedata.normalize("NFKD", attribute.casefold()) if not unicodedata.combining(each))
    kept = "".join(each if each.isalnum() or each == "_" else "-" for each in bare if each not in _DROPPED)
    return re.sub(r"-+", "-", kept).strip("-")


def words(html: str) -> str:
    """Gives what a reader reads of a name or a description of the shop."""
    return markup.words(html)


def bare(text: object) -> str:
    """Gives the characters that are read, to compare by: without tags, entities and white space."""
    return "".join(unicodedata.normalize("NFC", markup.words(_SILENT.sub("", str(text or "")))).split())


def _line(text: str) -> str:
    return " ".join(_SILENT.sub("", text).split())


_DROPPED = frozenset("&?!'\"+*#()[]{}|~`$%^=<>:;,@\\©®™°•…«»‹›“”‘’„‚´£")
"""What leaves nothing behind in a key; other signs become a hyphen."""
