"""A text that is wanted in another language as DeepL's work: all that its translation depends on. Pure.

Hazard: what was approved must stay as it was made, or a change of settings would pay for all that ever was anew. So it
is rendered with the settings that its draft tells of.
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
    size = len(one.source.encode())
    if size > SOURCE_BYTES_MAX:
        return Held((f"{one.attribute} has {size:,} bytes: at most {SOURCE_BYTES_MAX:,} are translated at once",))
    said, rounds = how(settings, one), texts.rounds.get(one.slot, 0)
    if wrong := _wrong(said):
        return Held((wrong,))
    draft = one.draft(texts)
    if draft is not None and draft is not texts.drafts[one.slot][-1]:
        # The source is what it was once: its draft is there, and nothing is to be asked.
        return {"known": draft.source, "round": draft.round}
    if draft is not None and draft.state == "approved":
        said, rounds = draft.settings, draft.round
    work: dict[str, Any] = {
        "text": one.source,
        "source": text_hash(one.source),
        "source_locale": one.source_locale,
        "from": language(one.source_locale).upper(),
        "to": target(one.locale),
        "settings": said,
    }
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
