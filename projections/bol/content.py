"""A SKU's texts and pictures in the words of bol's content API (v10): those of one product, in one language. Pure.

bol keeps content by EAN and not by offer, and nothing of it can be taken away again: an upload that leaves an
attribute out leaves it as it is.

Each value has a `unitId`, since the published contract requires it of every value; a text has none to tell, so its is
empty. bol's own examples leave it out there. Which of the two bol takes, only bol can tell.
"""

from collections.abc import Mapping, Sequence
from html import escape

from daybook.catalogue.group import Group
from daybook.catalogue.reference import Reference
from daybook.channel.contract import Payload
from daybook.channel.markup import only, words
from daybook.events import ChannelConfigured, Measure, Value
from daybook.values import locale_parts

EAN = "EAN"
"""The attribute that says which product it is about. bol takes no upload without it."""
NAME, DESCRIPTION = "Name", "Description"
"""The title is Name in an upload; the catalogue that buyers see, and bol's reasons, call it Title."""
LANGUAGES = ("nl", "nl-BE", "fr", "fr-BE")
NAME_LENGTH_MAX = 250
VALUE_LENGTH_MAX = 10_000
VALUES_MAX = 300
ELEMENTS = ("b", "br", "h3", "li", "ol", "p", "strong", "ul")
"""All the HTML that a description may have; bol declines one with anything else."""


def content(
    group: Group,
    sku: str,
    ean: str,
    attributes: Mapping[str, str],
    pictures: list[Payload],
    settings: ChannelConfigured,
    reference: Reference,
) -> Payload | None:
    """The upload for a SKU: `attributes` is bol's attribute id -> ours. None where there is nothing to say of it.

    The language is that of the channel's first locale which bol knows; the others of the same language stand in for it.
    A value without a locale counts as being in that language. A text in another one is never sent as if it were.
    """
    spoken = {locale: language for locale in settings.locales if (language := language_of(locale)) is not None}
    if not spoken:
        return None
    first = next(iter(spoken.values()))
    locales = [locale for locale, language in spoken.items() if language[:2] == first[:2]]
    found = []
    for name, code in attributes.items():
        value = group.value(sku, code, locales, settings.scope)
        values = [] if value is None else _values(name, value, _labels(reference, code, locales))
        if values:
            found.append({"id": name, "values": values})
    if not found and not pictures:
        return None
    upload: Payload = {"language": first, "attributes": [{"id": EAN, "values": [_value(ean)]}, *found]}
    return upload | ({"assets": pictures} if pictures else {})


def language_of(locale: str) -> str | None:
    """bol's language for a locale of ours: Dutch or French, of Belgium or of all. None for any other."""
    parts = locale_parts(locale)
    if parts.script is not None or parts.region not in (None, "BE", {"nl": "NL", "fr": "FR"}.get(parts.language)):
        return None
    language = f"{parts.language}-BE" if parts.region == "BE" else parts.language
    return language if language in LANGUAGES else None


def cut(text: str, length_max: int) -> str:
    """The text in at most `length_max` characters: whole words, unless the first one alone is too long."""
    if len(text) <= length_max:
        return text
    head, space, _ = text[: length_max + 1].rpartition(" ")
    return head.rstrip() if space and head.strip() else text[:length_max]


def _values(name: str, value: Value, labels: Mapping[str, str]) -> list[Payload]:
    """What is wrong with a value or its unit is bol's to say: its own reason tells a person more than ours would."""
    match value:
        case Measure(amount=amount, unit=unit):
            return [_value(amount, unit)]
        case bool():
            return [_value("true" if value else "false")]
        case list():
            texts = [labels.get(each, each) for each in value]
        case _:
            texts = [labels.get(str(value), str(value))]
    fitting = (_fitting(name, text.strip()) for text in texts)
    return [_value(text) for text in fitting if text][:VALUES_MAX]


def _value(text: str, unit: str = "") -> Payload:
    return {"value": text, "unitId": unit}


def _fitting(name: str, text: str) -> str:
    if name == NAME:
        return cut(text, NAME_LENGTH_MAX)
    if name != DESCRIPTION:
        return cut(text, VALUE_LENGTH_MAX)
    html = only(text, ELEMENTS)
    if len(html) <= VALUE_LENGTH_MAX:
        return html
    # Cut as HTML it could end within an element: its words go without.
    plain = cut(words(text), VALUE_LENGTH_MAX)
    while len(html := escape(plain, quote=False)) > VALUE_LENGTH_MAX:
        plain = cut(plain, len(plain) - 100)
    return html


def _labels(reference: Reference, code: str, locales: Sequence[str]) -> dict[str, str]:
    """The option codes of a select attribute -> their names in the first locale that has one."""
    defined = reference.attributes.get(code)
    options = defined.options if defined else ()
    named = ((option.code, [option.labels[at] for at in locales if option.labels.get(at)]) for option in options)
    return {option: names[0] for option, names in named if names}
