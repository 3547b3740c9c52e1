"""What a product still lacks for a channel on which it is sold, with the reason and the next step. Pure.

Required are the attributes that the product's family names for the channel's scope, and what the channel's settings
name as `extra.requires`: a price and a picture where they name nothing. A wrong GTIN is told wherever there is one.
"""

from collections.abc import Iterator, Mapping

import msgspec

from daybook.catalogue.group import Group
from daybook.catalogue.reference import Reference
from daybook.events import ChannelConfigured
from daybook.product.state import slot
from daybook.texts.group import GroupTexts
from daybook.texts.standing import STATES, TextStanding

REQUIRED = ("price", "picture")
KINDS = ("price", "picture", "gtin")


class Lack(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is missing or wrong."""

    field: str
    """`price`, `picture`, `gtin`, the attribute: `name@de-DE`; or the channel's `settings`."""
    reason: str
    next_step: str
    """A command that can be typed."""
    engine: str | None = None
    """Who is to draft it, while nothing is drafted."""
    text_of: str | None = None
    """The SKU whose text is to be drafted: the product's, or one above it."""


class ChannelLacks(msgspec.Struct, frozen=True, kw_only=True):
    """How complete a product is for a channel."""

    channel: str
    locale: str | None
    family: str | None
    needed: int
    """How many things were looked at."""
    missing: list[Lack]


Texts = Mapping[tuple[str, str], TextStanding]


def lacks(state: GroupTexts, texts: Texts, reference: Reference) -> Iterator[tuple[str, str, ChannelLacks]]:
    """(SKU, channel, what it lacks there), for every SKU and every channel on which it is sold.

    A channel that nobody configured runs on its kind's settings, which are not in the log: what is missing there is
    not known, and that is what its products lack.
    """
    names = sorted({name for product in state.group.products.values() for name in product.channels})
    for name in names:
        if name in reference.removed:
            continue
        settings = reference.channels.get(name)
        for product in state.group.sellable(name):
            sku = product.sku
            if settings is None:
                yield sku, name, _unknown(state.group, sku, name)
            else:
                yield sku, name, _of(state.group, sku, settings, texts, reference)


def _unknown(group: Group, sku: str, channel: str) -> ChannelLacks:
    given = f'{{"type":"configure_channel","channel":{{"name":"{channel}"}}}}'
    lack = Lack(
        field="settings",
        reason=f"{channel} is not configured, so what is missing there is not known",
        next_step=f"echo '{given}' | daybook import jsonl -",
    )
    return ChannelLacks(channel=channel, locale=None, family=group.family(sku), needed=1, missing=[lack])


def _of(group: Group, sku: str, settings: ChannelConfigured, texts: Texts, reference: Reference) -> ChannelLacks:
    family = group.family(sku)
    definition = reference.families.get(family) if family else None
    attributes = definition.required.get(settings.scope or "", ()) if definition else ()
    named = settings.extra.get("requires")
    kinds = [one for one in (named if isinstance(named, list) else REQUIRED) if one in KINDS]
    missing = [found for code in attributes if (found := _attribute(group, sku, code, settings, texts, reference))]
    missing += [found for kind in kinds if (found := _kind(group, sku, kind, settings))]
    problem = group.products[sku].gtin_problem
    if problem is not None:
        step = f"daybook product gtin {sku} GTIN"
        missing.append(Lack(field="gtin", reason=f"its GTIN is wrong: {problem}", next_step=step))
    return ChannelLacks(
        channel=settings.name,
        locale=settings.locales[0] if settings.locales else None,
        family=family,
        needed=len(attributes) + len(kinds),
        missing=missing,
    )


def _attribute(
    group: Group, sku: str, code: str, settings: ChannelConfigured, texts: Texts, reference: Reference
) -> Lack | None:
    definition = reference.attributes.get(code)
    if definition is None:
        reason = f"the family requires {code}, and there is no such attribute"
        return Lack(field=code, reason=reason, next_step="daybook catalogue export")
    scope = settings.scope if definition.scopable else None
    if not definition.localizable or not settings.locales:
        if group.text(sku, code, settings.locales, scope) is not None:
            return None
        return Lack(field=code, reason="it has no value", next_step=f"daybook product set {sku} {code} VALUE")
    locale = settings.locales[0]
    if group.text(sku, code, (locale,), scope) is not None:
        return None
    return _translation(group, sku, code, locale, scope, texts)


def _translation(group: Group, sku: str, code: str, locale: str, scope: str | None, texts: Texts) -> Lack:
    """A text that is not there in the channel's own locale, and how far a machine is with it."""
    for product in group.chain(sku):
        for of in (scope, None) if scope else (None,):
            standing = texts.get((product.sku, slot(code, locale, of)))
            if standing is None:
                continue
            where, reason = slot(code, locale, of), STATES[standing.state]
            if standing.state not in ("wanted", "stale"):
                return Lack(field=where, reason=reason, next_step=f"daybook text list --sku {product.sku}")
            step = f"daybook channel show {standing.engine}"
            return Lack(field=where, reason=reason, next_step=step, engine=standing.engine, text_of=product.sku)
    step = f"daybook product set {sku} {code} VALUE --locale {locale}"
    return Lack(field=slot(code, locale, scope), reason=f"it has no text in {locale}", next_step=step)


def _kind(group: Group, sku: str, kind: str, settings: ChannelConfigured) -> Lack | None:
    if kind == "price" and group.price(sku, settings.price_list, settings.currency) is None:
        reason = f"it has no price in {settings.currency} in the list {settings.price_list}"
        step = f"daybook product price {sku} AMOUNT {settings.currency} --list {settings.price_list}"
        return Lack(field="price", reason=reason, next_step=step)
    if kind == "picture" and not group.media(sku, settings.scope):
        reason = "it has no picture: say the address of one"
        given = f'{{"type":"describe_product","sku":"{sku}","media":[{{"media_id":"1","url":"ADDRESS"}}]}}'
        return Lack(field="picture", reason=reason, next_step=f"echo '{given}' | daybook import jsonl -")
    if kind == "gtin" and group.gtin(sku) is None:
        return Lack(field="gtin", reason="it has no GTIN", next_step=f"daybook product gtin {sku} GTIN")
    return None
