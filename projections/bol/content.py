"""A SKU's texts in the words of bol's content API (v10): attributes of one product, in one language. Pure.

bol keeps content by EAN and not by offer, and nothing of it can be taken away again: an upload that leaves an
attribute out leaves it as it is.
"""

from collections.abc import Mapping, Sequence

from daybook.catalogue.group import Group
from daybook.catalogue.reference import Reference
from daybook.channel.contract import Payload
from daybook.events import ChannelConfigured, Measure, Value

EAN = "EAN"
"""The attribute that says which product it is about. bol takes no upload without it."""
LANGUAGES = {"nl": "nl", "nl-NL": "nl", "nl-BE": "nl-BE", "fr": "fr", "fr-FR": "fr", "fr-BE": "fr-BE"}
"""Our locale -> bol's language. There are no others."""
VALUE_LENGTH_MAX = 10_000


def content(
    group: Group, sku: str, ean: str, attributes: Mapping[str, str], settings: ChannelConfigured, reference: Reference
) -> Payload | None:
    """The upload for a SKU: `attributes` is bol's attribute id -> ours. None where there is nothing to say of it.

    The language is that of the channel's first locale which bol knows; the others of the same language stand in for it.
    A value without a locale counts as being in that language. A text in another one is never sent as if it were.
    """
    spoken = [locale for locale in settings.locales if locale in LANGUAGES]
    if not spoken:
        return None
    locales = [locale for locale in spoken if locale[:2] == spoken[0][:2]]
    found = []
    for name, code in attributes.items():
        value = group.value(sku, code, locales, settings.scope)
        values = [] if value is None else _values(value, _labels(reference, code, locales))
        if values:
            found.append({"id": name, "values": values})
    if not found:
        return None
    return {"language": LANGUAGES[spoken[0]], "attributes": [{"id": EAN, "values": [{"value": ean}]}, *found]}


def cut(text: str, length_max: int) -> str:
    """The text in at most `length_max` characters: whole words, unless the first one alone is too long."""
    if len(text) <= length_max:
        return text
    head, space, _ = text[: length_max + 1].rpartition(" ")
    return head.rstrip() if space and head.strip() else text[:length_max]


def _values(value: Value, labels: Mapping[str, str]) -> list[Payload]:
    """What is wrong with a value or its unit is bol's to say: its own reason tells a person more than ours would."""
    match value:
        case Measure(amount=amount, unit=unit):
            return [{"value": amount, "unitId": unit}]
        case bool():
            return [{"value": "true" if value else "false"}]
        case list():
            texts = [labels.get(each, each) for each in value]
        case _:
            texts = [labels.get(str(value), str(value))]
    return [{"value": cut(text.strip(), VALUE_LENGTH_MAX)} for text in texts if text.strip()]


def _labels(reference: Reference, code: str, locales: Sequence[str]) -> dict[str, str]:
    """The option codes of a select attribute -> their names in the first locale that has one."""
    defined = reference.attributes.get(code)
    options = defined.options if defined else ()
    named = ((option.code, [option.labels[at] for at in locales if option.labels.get(at)]) for option in options)
    return {option: names[0] for option, names in named if names}
