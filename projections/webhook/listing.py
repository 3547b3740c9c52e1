"""What an endpoint is told of each SKU: the product as it stands, parents' values included, in every language. Pure.

An endpoint has no rules of its own, so nothing is ever missing: a product without a name, a GTIN or a price is told
as just that. Models are not told; what they give their variants is in the variants.
"""

from collections.abc import Iterator, Sequence

import msgspec

from daybook.catalogue.group import Group, fold_group
from daybook.catalogue.reference import Reference
from daybook.events import ChannelConfigured, MediaAdded, Value
from daybook.product.state import Product, slot_parts
from daybook.stock.state import Stock
from daybook.values import Money

NAME = "webhook"
FACETS = ("product", "price", "stock")

fold = fold_group
"""The whole group as it is: a variant is told with what it inherits."""

__all__ = ["FACETS", "NAME", "Group", "Item", "Narrowed", "Told", "defaults", "fold", "items"]


def defaults(name: str) -> ChannelConfigured:
    """Every scope, language, price list and location. The main price is the one in EUR in the list `default`."""
    return ChannelConfigured(name=name)


class Narrowed(msgspec.Struct, frozen=True):
    """What `extra` of the channel's settings may hold, to tell an endpoint less. Empty: everything is told."""

    attributes: tuple[str, ...] = ()
    price_lists: tuple[str, ...] = ()


class Told(msgspec.Struct, frozen=True):
    """The value that holds in one language and scope, its own or inherited; None: where there is no other."""

    locale: str | None
    scope: str | None
    value: Value


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One SKU that the endpoint is to know."""

    product: Product
    group: str
    family: str | None
    axes: tuple[str, ...]
    """The attributes in which it differs from its siblings, the topmost parent's first."""
    attributes: dict[str, tuple[Told, ...]]
    categories: tuple[tuple[str, ...], ...]
    """Each as the path of codes from the root of its tree."""
    media: tuple[MediaAdded, ...]
    price: Money | None
    """In the channel's own price list and currency."""
    prices: dict[str, dict[str, Money]]
    """Price list -> currency -> price, its own or inherited."""
    available: int
    """Pieces that may be sold, never below zero."""
    locations: dict[str, int]
    """Pieces that may be sold, by location; below zero where a sale beat the count."""


def items(group: Group, settings: ChannelConfigured, narrowed: Narrowed, reference: Reference) -> tuple[Item, ...]:
    """Every listed SKU of the group, in the order of creation."""
    return tuple(_item(group, product, settings, narrowed, reference) for product in group.sellable(settings.name))


def _item(
    group: Group, product: Product, settings: ChannelConfigured, narrowed: Narrowed, reference: Reference
) -> Item:
    sku = product.sku
    chain = tuple(group.chain(sku))
    prices = _prices(chain, narrowed.price_lists)
    return Item(
        product=product,
        group=group.key,
        family=group.family(sku),
        axes=tuple(dict.fromkeys(axis for model in reversed(chain[1:]) for axis in model.axes)),
        attributes=dict(_attributes(group, chain, settings, narrowed.attributes)),
        categories=tuple(_path(code, reference) for code in group.categories(sku)),
        media=tuple(item for parent in chain for item in parent.media.values() if _wanted(item, settings)),
        price=prices.get(settings.price_list, {}).get(settings.currency),
        prices=prices,
        available=group.offered(sku, settings),
        locations=locations(group, sku, settings),
    )


def locations(group: Group, sku: str, settings: ChannelConfigured) -> dict[str, int]:
    """Pieces that may be sold, by location: those that the settings name, or all."""
    stock = group.stock.get(sku, Stock())
    return {name: stock.unheld(name) for name in settings.locations or stock.locations()}


def _attributes(
    group: Group, chain: Sequence[Product], settings: ChannelConfigured, wanted: Sequence[str]
) -> Iterator[tuple[str, tuple[Told, ...]]]:
    """Each attribute, in every language and scope in which it or a parent has a value of it.

    What holds in a language is what any channel with this one language would show: the same rule of inheritance, so
    that a product's own value without a language beats its parent's value in that language.
    """
    places: dict[str, set[tuple[str, str]]] = {}
    for product in chain:
        for name in product.attributes:
            code, locale, scope = slot_parts(name)
            if not wanted or code in wanted:
                places.setdefault(code, set()).add((locale or "", scope or ""))
    for code, found in places.items():
        locales = {""} | {locale for locale, _ in found if not settings.locales or locale in settings.locales}
        scopes = {settings.scope} if settings.scope else {""} | {scope for _, scope in found}
        told = []
        for at, within in sorted((locale, scope) for locale in locales for scope in scopes):
            value = group.value(chain[0].sku, code, (at,) if at else (), within or None)
            if value is not None:
                told.append(Told(at or None, within or None, value))
        if told:
            yield code, tuple(told)


def _prices(chain: Sequence[Product], wanted: Sequence[str]) -> dict[str, dict[str, Money]]:
    found: dict[str, dict[str, Money]] = {}
    for product in chain:
        for price_list, amounts in product.prices.items():
            for currency, amount in amounts.items():
                if not wanted or price_list in wanted:
                    found.setdefault(price_list, {}).setdefault(currency, Money(amount, currency))
    return found


def _path(code: str, reference: Reference) -> tuple[str, ...]:
    """A category that was never defined is a path of itself."""
    return tuple(each.code for each in reference.category_path(code)) or (code,)


def _wanted(item: MediaAdded, settings: ChannelConfigured) -> bool:
    in_language = item.locale is None or not settings.locales or item.locale in settings.locales
    return in_language and (item.channel is None or not settings.scope or item.channel == settings.scope)
