"""A text that is wanted in another language as DeepL's work: all that its translation depends on. Pure.

Hazard: a text that is not wanted for a while, as its product was taken off a channel, comes back as new work, because
the delivery forgets what was taken back. So what the log has a draft of is rendered as known, which costs nothing:
once is once for the log, not for the delivery. Other settings are other work only for a draft that still waits.
"""

from typing import Any

from daybook.catalogue.reference import Reference
from daybook.channel.contract import Held, Payload, Rendered
from daybook.events import ChannelConfigured
from daybook.texts.group import GroupTexts
from daybook.texts.state import Texts, text_hash
from daybook.texts.wanted import WantedText, language, wanted

NAME = "deepl"
DEFAULTS = ChannelConfigured(name=NAME)
SOURCE_BYTES_MAX = 40_000
"""Of one text: DeepL takes 131,072 in one body, and JSON and marks take their part."""
FORMALITIES = ("default", "more", "less", "prefer_more", "prefer_less")
_VARIANTS = {"EN": ("EN-GB", {"US": "EN-US"}), "PT": ("PT-PT", {"BR": "PT-BR"})}
"""Languages that DeepL writes in more than one way: the usual one, and those of regions."""


def render(state: GroupTexts, reference: Reference) -> Rendered:
    """(SKU, `name@de-DE`) -> the text and how to translate it."""
    settings = reference.channels.get(NAME, DEFAULTS)
    return {
        (one.sku, one.slot): _work(one, state.texts_of(one.sku), settings) for one in wanted(state, settings, reference)
    }


def _work(one: WantedText, texts: Texts, settings: ChannelConfigured) -> Payload | Held:
    said, draft = how(settings, one), one.draft(texts)
    if draft is not None and (draft.state != "draft" or draft.settings == said):
        return {"known": draft.source}
    size = len(one.source.encode())
    if size > SOURCE_BYTES_MAX:
        return Held((f"{one.attribute} has {size:,} bytes: at most {SOURCE_BYTES_MAX:,} are translated at once",))
    if wrong := _wrong(said):
        return Held((wrong,))
    work: dict[str, Any] = {
        "text": one.source,
        "source": text_hash(one.source),
        "source_locale": one.source_locale,
        "from": language(one.source_locale).upper(),
        "to": target(one.locale),
        "settings": said,
    }
    rounds = one.round(texts)
    return work | {"round": rounds} if rounds else work


def how(settings: ChannelConfigured, one: WantedText) -> dict[str, Any]:
    """What of the settings this text's translation depends on."""
    extra = settings.extra
    pair = f"{one.source_locale}>{one.locale}"
    found = {
        "formality": extra.get("formality"),
        "glossary": _mapping(extra.get("glossaries")).get(pair),
        "keep": [word for word in _words(extra.get("keep")) if word in one.source],
    }
    return {name: value for name, value in found.items() if value}


def target(locale: str) -> str:
    """The locale in DeepL's words: `DE` of `de-AT`, `EN-US` of `en-US`."""
    name, _, region = locale.partition("-")
    usual, regions = _VARIANTS.get(name.upper(), (name.upper(), {}))
    return regions.get(region.upper(), usual)


def _wrong(said: dict[str, Any]) -> str | None:
    formality = said.get("formality")
    if formality is None or formality in FORMALITIES:
        return None
    return f"extra.formality of {NAME} is {str(formality)[:50]!r}; there are: {', '.join(FORMALITIES)}"


def _mapping(value: object) -> dict[str, str]:
    return {str(name): str(one) for name, one in value.items()} if isinstance(value, dict) else {}


def _words(value: object) -> list[str]:
    return [str(one) for one in value if str(one).strip()] if isinstance(value, list) else []
