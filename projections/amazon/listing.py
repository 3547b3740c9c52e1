"""What Amazon needs to know of a product group. Pure.

`fold` is the shared group fold: Amazon shows names, prices and stock as the book has them, so there is nothing to
keep that a group does not keep already.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from daybook.catalogue.group import Group, fold_group
from daybook.catalogue.reference import Reference
from daybook.channel.contract import Held
from daybook.events import ChannelConfigured
from daybook.product.state import Product, slot
from daybook.values import Money

NAME = "amazon"
FACETS = ("product", "price", "stock")
MARKETPLACE_NL = "A1805IZSGTT6HS"
DEFAULTS = ChannelConfigured(name=NAME, locales=("nl-NL",))
"""`extra` may name: marketplace_id, product_types (family -> type), product_type, axes (our attribute -> Amazon's),
and the attributes title, description and brand."""

fold = fold_group


class Text(msgspec.Struct, frozen=True):
    """A text and the locale that it is in."""

    value: str
    locale: str


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One listing: a product on its own, the parent of a variation family, or one of its children."""

    sku: str
    level: Literal["single", "parent", "child"]
    product_type: str
    title: Text
    description: Text | None
    brand: Text | None
    gtin: str | None = None
    image: str | None = None
    price: Money | None = None
    """None for a parent only: it can't be bought."""
    stock: int = 0
    parent: str | None = None
    theme: tuple[str, ...] = ()
    """Amazon's names of the attributes in which the family's children differ."""
    axes: Mapping[str, Text] = {}
    """For a child: its own value of each of them."""


def settings_of(reference: Reference) -> ChannelConfigured:
    """The channel's settings, or its defaults."""
    return reference.channels.get(NAME, DEFAULTS)


def marketplace_of(settings: ChannelConfigured) -> str:
    """The marketplace whose buyers see these listings."""
    return str(settings.extra.get("marketplace_id", MARKETPLACE_NL))


def items(group: Group, reference: Reference) -> dict[str, Item | Held]:
    """The group's listings by SKU, a variation family's parent before its children.

    A parent is listed while at least one child is; a SKU that lacks a title or a price is held.
    """
    look = _Look(group, reference)
    found: dict[str, Item | Held] = {}
    children: dict[str, list[Product]] = {}
    for product in group.sellable(NAME):
        root = tuple(group.chain(product.sku))[-1]
        problems = look.problems(product.sku)
        if problems:
            found[product.sku] = Held(problems)
        elif root.sku == product.sku:
            found[product.sku] = look.offer(product.sku)
        else:
            children.setdefault(root.sku, []).append(product)
    for root_sku, family in children.items():
        theme = look.theme(family)
        found[root_sku] = look.parent(root_sku, family, theme)
        for product in family:
            found[product.sku] = look.offer(product.sku, root_sku, theme)
    return found


class _Look:
    """One group seen through the channel's settings."""

    def __init__(self, group: Group, reference: Reference) -> None:
        self.group = group
        self.reference = reference
        self.settings = settings_of(reference)
        self.language = (self.settings.locales or DEFAULTS.locales)[0]

    def problems(self, sku: str) -> tuple[str, ...]:
        """Why the SKU can't be offered as things are."""
        settings = self.settings
        found = []
        if self.text(sku, "title", "name") is None:
            where = ", ".join(settings.locales) or "any language"
            found.append(f"no title: attribute {self.code('title', 'name')!r} has no value for {where}")
        if self.price(sku) is None:
            found.append(f"no price in {settings.currency} in price list {settings.price_list!r}")
        return tuple(found)

    def offer(self, sku: str, parent: str | None = None, theme: Mapping[str, str] | None = None) -> Item:
        """A SKU that buyers can buy."""
        axes = {name: self.located(sku, code) for code, name in (theme or {}).items()}
        title = self.text(sku, "title", "name")
        assert title is not None, "items() holds what has no title"
        return Item(
            sku=sku,
            level="single" if parent is None else "child",
            product_type=self.product_type(sku),
            title=title,
            description=self.text(sku, "description", "description"),
            brand=self.text(sku, "brand", "brand"),
            gtin=self.group.gtin(sku),
            image=self.image(sku),
            price=self.price(sku),
            stock=self.group.available(sku, self.settings.locations),
            parent=parent,
            theme=tuple((theme or {}).values()),
            axes={name: text for name, text in axes.items() if text is not None},
        )

    def parent(self, sku: str, family: list[Product], theme: Mapping[str, str]) -> Item:
        """The frame that holds a variation family together. What it lacks itself, it takes from its first child."""
        candidates = (sku, *(child.sku for child in family))
        title = next(filter(None, (self.text(name, "title", "name") for name in candidates)))
        return Item(
            sku=sku,
            level="parent",
            product_type=self.product_type(sku),
            title=title,
            description=self.text(sku, "description", "description"),
            brand=next(filter(None, (self.text(name, "brand", "brand") for name in candidates)), None),
            image=self.image(sku),
            theme=tuple(theme.values()),
        )

    def theme(self, family: list[Product]) -> dict[str, str]:
        """Our attribute -> Amazon's, for every axis of the models above these children, the root's first."""
        names: Mapping[str, Any] = self.settings.extra.get("axes", {})
        return {
            code: str(names.get(code, code))
            for child in family
            for product in reversed(tuple(self.group.chain(child.sku)))
            for code in product.axes
        }

    def product_type(self, sku: str) -> str:
        extra = self.settings.extra
        types: Mapping[str, Any] = extra.get("product_types", {})
        return str(types.get(self.group.family(sku) or "") or extra.get("product_type") or "PRODUCT")

    def price(self, sku: str) -> Money | None:
        amount = self.group.price(sku, self.settings.price_list, self.settings.currency)
        return None if amount is None else Money(amount, self.settings.currency)

    def image(self, sku: str) -> str | None:
        """The first picture that Amazon can fetch: an absolute URL, in no language or one of ours."""
        for item in self.group.media(sku, self.settings.scope):
            absolute = item.url.startswith(("https://", "http://"))
            if item.role == "image" and absolute and item.locale in (None, *self.settings.locales):
                return item.url
        return None

    def code(self, wanted: str, otherwise: str) -> str:
        return str(self.settings.extra.get(wanted, otherwise))

    def text(self, sku: str, wanted: str, otherwise: str) -> Text | None:
        return self.located(sku, self.code(wanted, otherwise))

    def located(self, sku: str, attribute: str) -> Text | None:
        """The text that holds for the SKU and its locale; a select's option by its label in the main locale."""
        settings = self.settings
        text = self.group.text(sku, attribute, settings.locales, settings.scope)
        if text is None:
            return None
        label = next(iter(self._labels(attribute, text)), None)
        if label is not None:
            return label
        return Text(text, next(self._locales(sku, attribute), None) or self.language)

    def _locales(self, sku: str, attribute: str) -> Iterator[str | None]:
        """Where `Group.value` looks, in its order, as far as there is something to find."""
        settings = self.settings
        for product in self.group.chain(sku):
            for locale in (*settings.locales, None):
                for scope in dict.fromkeys((settings.scope, None)):
                    if slot(attribute, locale, scope) in product.attributes:
                        yield locale

    def _labels(self, attribute: str, code: str) -> Iterator[Text]:
        defined = self.reference.attributes.get(attribute)
        for option in defined.options if defined else ():
            if option.code == code:
                for locale in self.settings.locales:
                    if option.labels.get(locale):
                        yield Text(option.labels[locale], locale)
