"""Which texts a group needs in which locales: from its families, where it is sold, and in which language. Pure.

Nobody keeps a list. A text is wanted in the main locale of each channel on which the product, or a variant under it,
is sold. What a person wrote there is never wanted from a machine.
"""

from collections.abc import Iterator

import msgspec

from daybook.catalogue.group import Group
from daybook.catalogue.reference import Reference
from daybook.events import ChannelConfigured
from daybook.product.state import Product, slot, slot_parts
from daybook.texts.group import GroupTexts
from daybook.texts.state import Draft, Texts, text_hash

TEXT_TYPES = ("text", "textarea")


class WantedText(msgspec.Struct, frozen=True, kw_only=True):
    """One text that is to be in another language."""

    sku: str
    attribute: str
    locale: str
    channel: str | None
    """The scope of the value, where it has one."""
    source_locale: str
    source: str
    value: str | None
    """What the product has there now: a machine's, or nothing."""

    @property
    def slot(self) -> str:
        """Where it lives: `name@de-DE`."""
        return slot(self.attribute, self.locale, self.channel)

    def draft(self, texts: Texts) -> Draft | None:
        """The draft of the source text as it is now, unless somebody asked for another one since."""
        found = self._newest(texts)
        return None if found is None or found.state == "retried" else found

    def round(self, texts: Texts) -> int:
        """How often another draft of the source text as it is now was asked for."""
        found = self._newest(texts)
        return 0 if found is None else found.round + (found.state == "retried")

    def _newest(self, texts: Texts) -> Draft | None:
        return texts.draft_of(self.slot, self.source_locale, text_hash(self.source))


def wanted(state: GroupTexts, engine: ChannelConfigured, reference: Reference) -> Iterator[WantedText]:
    """The texts that this engine is to draft, each once. `engine.locales` are those that people write in."""
    if not engine.locales:
        return
    for sku, channels in _sold(state.group).items():
        product, texts = state.group.products[sku], state.texts_of(sku)
        seen: set[str] = set()
        for name in sorted(channels):
            settings = reference.channels.get(name)
            if settings is None or not settings.locales:
                continue
            for one in _on_channel(state.group, product, texts, settings, engine, reference):
                if one.slot not in seen:
                    seen.add(one.slot)
                    yield one


def by_hand(product: Product, texts: Texts, where: str) -> bool:
    """Whether a person wrote what the product has there."""
    return where in product.attributes and product.attributes[where] != texts.approved.get(where)


def language(locale: str) -> str:
    """The language of a locale: `nl` of `nl-BE`."""
    return locale.partition("-")[0].lower()


def _sold(group: Group) -> dict[str, set[str]]:
    """By SKU, the channels on which it or a variant under it is sold."""
    found: dict[str, set[str]] = {}
    names = {name for product in group.products.values() for name in product.channels}
    for name in names:
        for sold in group.sellable(name):
            for product in group.chain(sold.sku):
                found.setdefault(product.sku, set()).add(name)
    return found


def _on_channel(
    group: Group,
    product: Product,
    texts: Texts,
    settings: ChannelConfigured,
    engine: ChannelConfigured,
    reference: Reference,
) -> Iterator[WantedText]:
    target = settings.locales[0]
    for attribute, scope in _written(product, settings.scope):
        definition = reference.attributes.get(attribute)
        if definition is None or not definition.localizable or definition.type not in TEXT_TYPES:
            continue
        if not _needed(group, product, attribute, settings, engine, reference):
            continue
        where = slot(attribute, target, scope)
        source = _source(product, texts, attribute, scope, engine.locales)
        if source is None or language(source[0]) == language(target) or by_hand(product, texts, where):
            continue
        value = product.attributes.get(where)
        yield WantedText(
            sku=product.sku,
            attribute=attribute,
            locale=target,
            channel=scope,
            source_locale=source[0],
            source=source[1],
            value=None if value is None else str(value),
        )


def _written(product: Product, scope: str | None) -> list[tuple[str, str | None]]:
    """The attributes that the product has texts of itself, with their scope, as far as the channel shows them."""
    parts = (slot_parts(where) for where in product.attributes)
    return sorted(
        {(attribute, of) for attribute, locale, of in parts if locale is not None and of in (None, scope)},
        key=lambda one: (one[0], one[1] or ""),
    )


def _needed(
    group: Group,
    product: Product,
    attribute: str,
    settings: ChannelConfigured,
    engine: ChannelConfigured,
    reference: Reference,
) -> bool:
    """Those that the settings name; else those that the family requires there; else all."""
    if named := engine.extra.get("attributes"):
        return attribute in named
    family = group.family(product.sku)
    definition = reference.families.get(family) if family else None
    required = definition.required.get(settings.scope or "", ()) if definition else ()
    return attribute in required if required else True


def _source(
    product: Product, texts: Texts, attribute: str, scope: str | None, locales: tuple[str, ...]
) -> tuple[str, str] | None:
    """The first locale in which a person wrote it, and what."""
    for locale in locales:
        where = slot(attribute, locale, scope)
        value = product.attributes.get(where)
        if isinstance(value, str) and value.strip() and by_hand(product, texts, where):
            return locale, value
    return None
