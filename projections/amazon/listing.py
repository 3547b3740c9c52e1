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
from daybook.values import Money, gtin_problem, locale_parts
from daybook_projections.amazon.images import image_problem, images

NAME = "amazon"
FACETS = ("product", "price", "stock")
MARKETPLACE_NL = "A1805IZSGTT6HS"
DEFAULTS = ChannelConfigured(name=NAME, locales=("nl-NL",))
"""`extra` may name: marketplace_id, product_types (family -> type), product_type, axes (our attribute -> Amazon's),
media_base_url (where pictures with a relative path can be fetched), and the attributes title, description and brand."""
SKU_LENGTH_MAX = 40
"""Amazon calls a longer one invalid, in whatever request: https://github.com/jrl84/amazon-sp-api/issues/126."""

_TEXTS = (("title", "name"), ("description", "description"), ("brand", "brand"))
"""What `extra` may name, and the attribute otherwise."""

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
    """Only one that the book has found nothing wrong with."""
    images: tuple[str, ...] = ()
    """The first one is the main picture."""
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

    A parent is listed while at least one child is. A SKU that Amazon could not even be told of is held.
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
        twins = look.twins(family, theme)
        found |= {sku: Held((reason,)) for sku, reason in twins.items()}
        alone = [product for product in family if product.sku not in twins]
        if alone:
            found[root_sku] = look.parent(root_sku, alone, theme)
        for product in alone:
            found[product.sku] = look.offer(product.sku, root_sku, theme)
    return found


def language_tag(locale: str) -> str | None:
    """Amazon's name of a locale: a language and a region (`zh_CN`). None where these two would not say it all."""
    parts = locale_parts(locale)
    if parts.script is not None or parts.region is None or not parts.region.isalpha() or len(parts.language) != 2:
        return None
    return f"{parts.language}_{parts.region}"


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
        found = [
            f"{whose} SKU {name} has {len(name)} characters; Amazon takes at most {SKU_LENGTH_MAX}"
            for whose, name in (("its", sku), ("its parent's", tuple(self.group.chain(sku))[-1].sku))
            if len(name) > SKU_LENGTH_MAX and (whose == "its" or name != sku)
        ]
        if self.text(sku, "title", "name") is None:
            where = ", ".join(settings.locales) or "any language"
            found.append(f"no title: attribute {self.code('title', 'name')!r} has no value for {where}")
        if self.price(sku) is None:
            found.append(f"no price in {settings.currency} in price list {settings.price_list!r}")
        found += [
            f"a text in {locale}, which Amazon has no tag for: it names a language and a region, such as nl-NL"
            for locale in self.locales(sku)
            if language_tag(locale) is None
        ]
        picture = image_problem(self.group, sku, settings)
        return tuple(found if picture is None else [*found, picture])

    def locales(self, sku: str) -> tuple[str, ...]:
        """The locales of all texts that are sent of the SKU, each once."""
        texts = [self.text(sku, name, otherwise) for name, otherwise in _TEXTS]
        texts += [self.located(sku, code) for product in self.group.chain(sku) for code in product.axes]
        return tuple(dict.fromkeys(text.locale for text in texts if text is not None))

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
            gtin=self.gtin(sku),
            images=images(self.group, sku, self.settings),
            price=self.price(sku),
            stock=self.group.offered(sku, self.settings),
            parent=parent,
            theme=tuple((theme or {}).values()),
            axes={name: text for name, text in axes.items() if text is not None},
        )

    def parent(self, sku: str, family: list[Product], theme: Mapping[str, str]) -> Item:
        """The frame that holds a variation family together. What it lacks itself, it takes from its first child."""
        candidates = (sku, *(child.sku for child in family))
        titles = [self.tagged(self.text(name, "title", "name")) for name in candidates]
        brands = [self.tagged(self.text(name, "brand", "brand")) for name in candidates]
        return Item(
            sku=sku,
            level="parent",
            product_type=self.product_type(sku),
            title=next(filter(None, titles)),
            description=self.tagged(self.text(sku, "description", "description")),
            brand=next(filter(None, brands), None),
            images=images(self.group, sku, self.settings),
            theme=tuple(theme.values()),
        )

    def tagged(self, text: Text | None) -> Text | None:
        """The text, if Amazon can be told its language."""
        return text if text is not None and language_tag(text.locale) is not None else None

    def theme(self, family: list[Product]) -> dict[str, str]:
        """Our attribute -> Amazon's, for every axis of the models above these children, the root's first."""
        names: Mapping[str, Any] = self.settings.extra.get("axes", {})
        return {
            code: str(names.get(code, code))
            for child in family
            for product in reversed(tuple(self.group.chain(child.sku)))
            for code in product.axes
        }

    def twins(self, family: list[Product], theme: Mapping[str, str]) -> dict[str, str]:
        """Children that would offer the same choice, with the reason why none of them is listed."""
        chosen: dict[tuple[str, ...], list[str]] = {}
        for product in family:
            texts = [self.located(product.sku, code) for code in theme]
            if texts and all(texts):  # what is missing is Amazon's to miss
                key = tuple(text.value.casefold() for text in texts if text is not None)
                chosen.setdefault(key, []).append(product.sku)
        names = ", ".join(theme.values())
        return {
            sku: f"the same {names} as {' and '.join(other for other in same if other != sku)}: buyers could not choose"
            for same in chosen.values()
            if len(same) > 1
            for sku in same
        }

    def gtin(self, sku: str) -> str | None:
        """A placeholder is no identifier: Amazon would put the listing on whatever product it stands for there."""
        gtin = self.group.gtin(sku)
        return None if gtin is None or gtin_problem(gtin) else gtin

    def product_type(self, sku: str) -> str:
        extra = self.settings.extra
        types: Mapping[str, Any] = extra.get("product_types", {})
        return str(types.get(self.group.family(sku) or "") or extra.get("product_type") or "PRODUCT")

    def price(self, sku: str) -> Money | None:
        amount = self.group.price(sku, self.settings.price_list, self.settings.currency)
        return None if amount is None else Money(amount, self.settings.currency)

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
