"""What the webshop needs to know of a product group. Pure.

WooCommerce knows simple products, and variable products with variations under them: one level. So a root model becomes
a variable product, the variants anywhere below it become its variations, and the models between them only lend their
values and axes.
"""

from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from daybook.catalogue.group import Group, fold_group
from daybook.catalogue.reference import Reference
from daybook.events import AttributeDefined, ChannelConfigured
from daybook.product.state import Product
from daybook.values import Money
from projections.webshop.images import Image, images

NAME = "webshop"
FACETS = ("product", "price", "stock")
DEFAULTS = ChannelConfigured(name=NAME, scope="ecommerce", locales=("en-US",), currency="EUR")
"""`extra` may name: the attributes behind `title`, `description`, `short_description` and `brand`; `attributes`, a list
of more attributes to show; `media_base_url`, where pictures with a relative path can be fetched; `page_url`, the
address of a product's page with `{sku}` in it, for the documents that pages embed."""

fold = fold_group
"""The whole group as it is: a variation needs its parents' values, and a parent lists its variants' options."""

__all__ = ["DEFAULTS", "FACETS", "NAME", "Group", "Item", "Shown", "fold", "items", "label"]


class Shown(msgspec.Struct, frozen=True):
    """An attribute as buyers see it. The options of a variable product's axis are all that its variations have."""

    name: str
    options: tuple[str, ...]
    axis: bool = False


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One product or variation of the shop. With `problems` it can't be shown; the other fields are then incomplete."""

    sku: str
    type: Literal["simple", "variable", "variation"]
    parent: str | None = None
    """Of a variation: the SKU of its variable product."""
    title: str = ""
    description: str = ""
    short_description: str = ""
    gtin: str | None = None
    price: Money | None = None
    available: int = 0
    attributes: tuple[Shown, ...] = ()
    images: tuple[Image, ...] = ()
    problems: tuple[str, ...] = ()


def items(group: Group, settings: ChannelConfigured, reference: Reference) -> tuple[Item, ...]:
    """What the group shows: each variable product before its variations, else in the order of creation."""
    reader = _Reader(group, settings, reference)
    families: dict[str, list[Product]] = {}
    found: list[Item] = []
    for product in group.sellable(settings.name):
        root = tuple(group.chain(product.sku))[-1]
        if root.sku == product.sku:
            found.append(reader.simple(product.sku))
        else:
            families.setdefault(root.sku, []).append(product)
    for root_sku, variants in families.items():
        found.extend(reader.family(root_sku, variants))
    return tuple(found)


class _Reader:
    """Reads a group with one channel's settings."""

    def __init__(self, group: Group, settings: ChannelConfigured, reference: Reference) -> None:
        self.group, self.settings, self.reference = group, settings, reference
        self.codes: Mapping[str, str] = {
            field: str(settings.extra.get(field, default))
            for field, default in (
                ("title", "name"),
                ("description", "description"),
                ("short_description", "short_description"),
                ("brand", "brand"),
            )
        }
        self.extra_shown: tuple[str, ...] = tuple(settings.extra.get("attributes", ()))

    def simple(self, sku: str) -> Item:
        price = self.price(sku)
        problems = [] if self.text(sku, "title") else [self.missing_title(sku)]
        problems += [] if price else [self.missing_price(sku)]
        return self.content(sku, "simple", self.details(sku), price=price, problems=tuple(problems))

    def family(self, root: str, variants: list[Product]) -> Iterator[Item]:
        """The variable product and its variations. What keeps the parent away keeps its variations away too."""
        children = [self.variation(root, variant.sku) for variant in variants]
        kept = [child for child in children if not child.problems]
        problems = [] if self.text(root, "title") else [self.missing_title(root)]
        if not kept:
            problems.append(f"none of its {len(children)} listed variants can be shown")
        axes = _gathered(kept)
        taken = {axis.name for axis in axes}
        details = tuple(shown for shown in self.details(root) if shown.name not in taken)
        yield self.content(root, "variable", axes + details, problems=tuple(problems))
        orphan = () if self.text(root, "title") else (f"its parent can't be shown: {self.missing_title(root)}",)
        for child in children:
            yield msgspec.structs.replace(child, problems=child.problems + orphan)

    def variation(self, root: str, sku: str) -> Item:
        """A variation has only what sets it apart: WooCommerce shows the parent's name, text and pictures around it."""
        problems: list[str] = []
        parents = tuple(self.group.chain(sku))[1:]
        axes = tuple(dict.fromkeys(axis for model in reversed(parents) for axis in model.axes))
        if not axes:
            problems.append(f"{parents[0].sku} names no attribute in which its variants differ (axes)")
        chosen = []
        for axis in axes:
            options = self.options(sku, axis)
            if options:
                chosen.append(Shown(self.label(axis), (", ".join(options),), axis=True))
            else:
                problems.append(f"{axis} has no value, but is an axis of {parents[-1].sku}'s variants")
        price = self.price(sku)
        problems += [] if price else [self.missing_price(sku)]
        item = self.content(sku, "variation", tuple(chosen), parent=root, price=price, problems=tuple(problems))
        shared = self.text(root, "description")
        return msgspec.structs.replace(item, description="" if item.description == shared else item.description)

    def content(
        self,
        sku: str,
        kind: Literal["simple", "variable", "variation"],
        attributes: tuple[Shown, ...],
        *,
        parent: str | None = None,
        price: Money | None = None,
        problems: tuple[str, ...],
    ) -> Item:
        title = self.text(sku, "title")
        return Item(
            sku=sku,
            type=kind,
            parent=parent,
            title=title,
            description=self.text(sku, "description"),
            short_description=self.text(sku, "short_description"),
            gtin=self.group.gtin(sku),
            price=price,
            available=self.group.available(sku, self.settings.locations),
            attributes=attributes,
            images=images(self.group, sku, parent, self.settings, title),
            problems=problems,
        )

    def text(self, sku: str, field: str) -> str:
        return self.group.text(sku, self.codes[field], self.settings.locales, self.settings.scope) or ""

    def price(self, sku: str) -> Money | None:
        amount = self.group.price(sku, self.settings.price_list, self.settings.currency)
        return None if amount is None else Money(amount, self.settings.currency)

    def details(self, sku: str) -> tuple[Shown, ...]:
        """The attributes that are shown but not chosen between: the brand, and what the settings name."""
        codes = dict.fromkeys((self.codes["brand"], *self.extra_shown))
        options = ((code, self.options(sku, code)) for code in codes)
        return tuple(Shown(self.label(code), found) for code, found in options if found)

    def options(self, sku: str, code: str) -> tuple[str, ...]:
        """The value as option texts, by the labels of a select's options; empty when there is no value."""
        value = self.group.value(sku, code, self.settings.locales, self.settings.scope)
        defined = self.reference.attributes.get(code)
        if isinstance(value, list):
            return tuple(dict.fromkeys(filter(None, (self.option(defined, choice) for choice in value))))
        if isinstance(value, str):
            return tuple(filter(None, (self.option(defined, value),)))
        text = self.group.text(sku, code, self.settings.locales, self.settings.scope)
        return (_one_option(text),) if text else ()

    def option(self, defined: AttributeDefined | None, choice: str) -> str:
        labels = next((o.labels for o in defined.options if o.code == choice), {}) if defined else {}
        return _one_option(_translated(labels, self.settings) or choice)

    def label(self, code: str) -> str:
        return label(code, self.settings, self.reference)

    def missing_title(self, sku: str) -> str:
        wanted = ", ".join(self.settings.locales) or "any language"
        return f"{sku} has no {self.codes['title']} in {wanted}"

    def missing_price(self, sku: str) -> str:
        return f"{sku} has no {self.settings.currency} price in the price list {self.settings.price_list}"


def label(code: str, settings: ChannelConfigured, reference: Reference) -> str:
    """The attribute's name in the shop's language, else its code made readable."""
    defined = reference.attributes.get(code)
    named = _translated(defined.labels, settings) if defined else None
    return _one_option(named or code.replace("_", " ").capitalize())


def _translated(labels: Mapping[str, str], settings: ChannelConfigured) -> str | None:
    return next((labels[locale] for locale in settings.locales if labels.get(locale)), None)


def _gathered(children: list[Item]) -> tuple[Shown, ...]:
    """The axes with all options that the variations use, each once, in the order of the variations."""
    options: dict[str, dict[str, None]] = {}
    for child in children:
        for axis in child.attributes:
            options.setdefault(axis.name, {}).update(dict.fromkeys(axis.options))
    return tuple(Shown(name, tuple(found), axis=True) for name, found in options.items())


def _one_option(text: str) -> str:
    """One option as WooCommerce can keep it.

    It stores a product's own options as one text with `|` between them and collapses white space, so an option with
    either would come back as another one, and the variation that names it could never be chosen.
    """
    return " ".join(text.replace("|", "/").split())
