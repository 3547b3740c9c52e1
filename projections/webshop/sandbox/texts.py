"""What WordPress makes of texts: the functions of `formatting.php` and `kses.php` that products go through. Pure."""

import html
import re
import unicodedata
from functools import lru_cache
from html.entities import name2codepoint
from urllib.parse import unquote_to_bytes

ELEMENTS = frozenset(
    {
        *("address", "a", "abbr", "acronym", "area", "article", "aside", "audio", "b", "bdo", "big", "blockquote"),
        *("br", "button", "caption", "cite", "code", "col", "colgroup", "data", "del", "dd", "dfn", "details"),
        *("div", "dialog", "dl", "dt", "em", "fieldset", "figure", "figcaption", "font", "footer", "h1", "h2", "h3"),
        *("h4", "h5", "h6", "header", "hgroup", "hr", "i", "img", "ins", "kbd", "label", "legend", "li", "main"),
        *("map", "mark", "menu", "meter", "nav", "object", "p", "pre", "progress", "q", "rb", "rp", "rt", "rtc"),
        *("ruby", "s", "samp", "search", "span", "section", "small", "strike", "strong", "sub", "summary", "sup"),
        *("table", "tbody", "td", "textarea", "tfoot", "th", "thead", "time", "title", "tr", "track", "tt", "u"),
        *("ul", "ol", "var", "video", "wbr"),
    }
)
"""What `wp_kses_allowed_html('post')` lets through, without MathML."""
ATTRIBUTES = frozenset(
    {
        *("class", "dir", "hidden", "id", "lang", "style", "title", "role", "xml:lang", "href", "rel", "rev"),
        *("name", "target", "download", "alt", "align", "src", "cite", "type", "value", "span", "width", "height"),
        *("valign", "datetime", "open", "color", "face", "size", "border", "hspace", "vspace", "loading", "bgcolor"),
        *("cellpadding", "cellspacing", "colspan", "headers", "rowspan", "scope", "cols", "rows", "label", "start"),
        *("reversed", "poster", "controls"),
    }
)
"""The same for attributes, whatever their element; beside them `aria-` and `data-`."""
_TOKEN = re.compile(r"(<!--.*?(?:-->|\Z)|</[^a-zA-Z][^>]*>|<![^>]*>)|(<[^>]*(?:>|\Z)|>)")
_ELEMENT = re.compile(r"<\s*(/\s*)?([a-zA-Z0-9-]+)([^>]*)>?\Z")
_ATTRIBUTE = re.compile(r"""\s+([-a-zA-Z:]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s"'>]+))?""")
_LESS_THAN = re.compile(r"<[^>]*?((?=<)|>|\Z)")
_STRIPPED = " \t\n\r\0\x0b"
"""What PHP's `trim` takes off."""
_SILENT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_OCTET = re.compile(r"%[a-fA-F0-9]{2}")


def unslashed(text: str) -> str:
    """Takes off the backslashes that PHP's `addslashes` would have put (`wp_unslash`)."""
    return re.sub(r"\\(.?)", lambda found: "\0" if found[1] == "0" else found[1], text, flags=re.DOTALL)


def text_field(text: str) -> str:
    """Makes one line of plain text (`sanitize_text_field`, which is `wc_clean`)."""
    if "<" in text:
        text = _tagless(_LESS_THAN.sub(_escaped_less_than, text)).replace("<\n", "&lt;\n")
    text = re.sub(r"[\r\n\t ]+", " ", text).strip(_STRIPPED)
    found = False
    while octet := _OCTET.search(text):
        text, found = text.replace(octet[0], ""), True
    return re.sub(r" +", " ", text).strip(_STRIPPED) if found else text


def option(text: str) -> str:
    """Makes the option of a variation: `wc_clean( rawurldecode( stripslashes( $option ) ) )`."""
    try:
        return text_field(unquote_to_bytes(unslashed(text)).decode())
    except UnicodeDecodeError:
        return ""  # wp_check_invalid_utf8


def options(given: list[str]) -> list[str]:
    """Makes the options of a product's own attribute, which are kept as one text and decoded when they are read."""
    text = re.sub(r"&(#\d+|#[xX][0-9a-fA-F]+|[A-Za-z]+\d*);", _decoded, " | ".join(given))
    return [each for each in (part.strip(_STRIPPED) for part in text.split("|")) if each] or [""]


def post_html(text: str) -> str:
    """Lets through the HTML that a post may hold (`wp_kses_post`)."""
    text = _normal_entities(_SILENT.sub("", text))
    return _TOKEN.sub(_allowed, _LESS_THAN.sub(_escaped_less_than, text))


def alternative(text: str) -> str:
    """Makes the text for people who can't see a picture; an empty one and a zero are not kept."""
    return "" if text in ("", "0") else unslashed(text_field(text))


def slug(title: str) -> str:
    """Makes the key of an attribute from its name (`sanitize_title`)."""
    text = re.sub(r"<(?!\s)[^>]*(>|\Z)", "", _without_accents(title))
    octets = re.sub(r"%([a-fA-F0-9]{2})", r"---\1---", text).replace("%", "")
    encoded = _percent_encoded(re.sub(r"---([a-fA-F0-9]{2})---", r"%\1", octets).lower())
    for code, kept in _REPLACED.items():
        encoded = encoded.replace(code, kept)
    encoded = re.sub(r"&.+?;", "", encoded.replace("/", "-")).replace(".", "-")
    return re.sub(r"-+", "-", re.sub(r"\s+", "-", re.sub(r"[^%a-z0-9 _-]", "", encoded))).strip("-")


def file_name(name: str) -> str:
    """Makes the name of an uploaded file (`sanitize_file_name`). A `%` goes before `%20` is looked for."""
    text = re.sub(r"[^\S\t\n\r]", " ", _without_accents(name))
    text = re.sub(r"[?\[\]/\\=<>:;,'\"&$#*()|~`!{}%+’«»”“\0]", "", text)
    text = re.sub(r"[\r\n\t -]+", "-", re.sub(r"\.{2,}", ".", text)).strip(".-_")
    return text if "." in text else f"unnamed-file.{text}"


def on_a_page(text: str) -> str:
    """Puts a text on a page (`wptexturize`, then `wpautop`), as far as plain sentences go."""
    if not text:
        return ""
    curly = re.sub(r'"([^"]*)"', r"&#8220;\1&#8221;", text).replace("'", "&#8217;").replace("...", "&#8230;")
    paragraphs = re.split(r"\n\s*\n", curly.replace(" - ", " &#8211; ").strip())
    return "".join(f"<p>{each}</p>\n" for each in paragraphs)


@lru_cache(maxsize=100_000)
def collated(text: str) -> str:
    """What MySQL compares of a text (`utf8mb4_unicode_520_ci`): neither capitals nor accents count."""
    return "".join(each for each in unicodedata.normalize("NFD", text.casefold()) if not unicodedata.combining(each))


def _escaped_less_than(found: re.Match[str]) -> str:
    if ">" in found[0]:
        return found[0]
    entities = re.sub(r"&(?!#?\w+;)", "&amp;", found[0])
    return entities.replace("<", "&lt;").replace('"', "&quot;").replace("'", "&#039;")


def _tagless(text: str) -> str:
    text = re.sub(r"<(script|style)[^>]*?>.*?</\1>", "", text, flags=re.DOTALL | re.IGNORECASE)
    return re.sub(r"<(?!\s)[^>]*(>|\Z)", "", text).strip(_STRIPPED)


def _normal_entities(text: str) -> str:
    def normal(found: re.Match[str]) -> str:
        name = found[1]
        if name.startswith("#"):
            digits = name[2:] if name[1] in "xX" else name[1:]
            return f"&#x{digits.lstrip('0')};" if name[1] in "xX" else f"&#{digits.lstrip('0').rjust(3, '0')};"
        return f"&{name};" if name in name2codepoint or name == "apos" else f"&amp;{name};"

    named = r"[A-Za-z]{2,8}[0-9]{0,2}"
    return re.sub(rf"&amp;(#0*[0-9]{{1,7}}|#[xX]0*[0-9A-Fa-f]{{1,6}}|{named});", normal, text.replace("&", "&amp;"))


def _allowed(found: re.Match[str]) -> str:
    piece = found[0].replace('\\"', '"')
    if piece == ">":
        return "&gt;"
    if piece.startswith("<!--"):
        inner = post_html(piece.removeprefix("<!--").removesuffix("-->"))
        return f"<!--{re.sub('--+', '-', inner).removesuffix('-')}-->" if inner else ""
    if found[1]:
        return piece
    element = _ELEMENT.match(piece)
    if element is None or element[2].lower() not in ELEMENTS:
        return ""
    if element[1]:
        return f"</{element[2]}>"
    kept = "".join(
        each[0].rstrip("/") if each[2] and each[2][0] not in "\"'" else each[0]
        for each in _ATTRIBUTE.finditer(element[3])
        if each[1].lower() in ATTRIBUTES or each[1].lower().startswith(("data-", "aria-"))
    )
    end = " /" if re.search(r"/\s*\Z", element[3]) else ""
    return f"<{element[2]}{re.sub('[<>]', '', kept)}{end}>"


def _decoded(found: re.Match[str]) -> str:
    known = found[1].startswith("#") or found[1] in name2codepoint
    return html.unescape(found[0]) if known else found[0]


def _without_accents(text: str) -> str:
    found = []
    for each in unicodedata.normalize("NFC", text):
        bare = unicodedata.normalize("NFD", each)
        plain = bare[0] if len(bare) > 1 and bare[0].isascii() and all(map(unicodedata.combining, bare[1:])) else each
        found.append(_LETTERS.get(plain, plain))
    return "".join(found)


def _percent_encoded(text: str) -> str:
    found, length = [], 0
    for each in text:
        code = each if each.isascii() else "".join(f"%{octet:02x}" for octet in each.encode())
        length += len(code)
        if length > 200:
            break
        found.append(code)
    return "".join(found)


def _codes(characters: str) -> list[str]:
    return ["".join(f"%{octet:02x}" for octet in each.encode()) for each in characters]


_LETTERS = {
    **dict(zip("ªºßðøđħıĸŀłŉŋŧſǝɑÐØĐĦĿŁŊŦƏ€", "aosdodhikllnntseaDODHLLNTEE", strict=True)),
    "£": "",
    "Æ": "AE",
    "æ": "ae",
    "Þ": "TH",
    "þ": "th",
    "Ĳ": "IJ",
    "ĳ": "ij",
    "Œ": "OE",
    "œ": "oe",
}
"""What `remove_accents` makes of letters that are no letter with an accent."""
_REPLACED = {
    **dict.fromkeys(_codes("\u00a0\u2011\u2013\u2014"), "-"),
    **dict.fromkeys(("&nbsp;", "&#8209;", "&#160;", "&ndash;", "&#8211;", "&mdash;", "&#8212;"), "-"),
    **dict.fromkeys(
        _codes("\u00ad¡¿«»‹›‘’“”‚‛„‟•©®°…™´ˊ\u0301\u0341\u0300\u0304\u030c\u200b\u200c\u200d\ufeff\ufffc"), ""
    ),
    **dict.fromkeys(_codes("".join(map(chr, (*range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F)))), "-"),
    "%c3%97": "x",
}
"""What `sanitize_title_with_dashes` does with characters that are neither letters nor digits."""
