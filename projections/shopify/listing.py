"""What Shopify needs to know of a product group. Pure.

Shopify knows products with variants under them, one level deep and with at most three options. So a root model becomes
a product, the variants anywhere below it become its variants, and the models between them lend their values and axes.
A product without variants becomes a product with one nameless variant.
"""

from collections.abc import Mapping, Sequence
from posixpath import splitext
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec

from daybook.catalogue.group import Group, fold_group
from daybook.catalogue.reference import Reference
from daybook.events import ChannelConfigured
from daybook.product.state import Product
from daybook.values import Money
from daybook_projections.shopify.texts import option_text

NAME = "shopify"
FACETS = PRODUCT, PRICE, STOCK = ("product", "price", "stock")
DEFAULTS = ChannelConfigured(name=NAME, scope="ecommerce", locales=("en-US",), currency="EUR")
OPTIONS_MAX = 3
NO_OPTION = ("Title", "Default Title")
"""The option and its value by which Shopify knows the one variant of a product without options."""
VARIANTS_MAX = 2048
"""A request with more fails whole."""
FORMATS = frozenset({".jpg", ".jpeg", ".png", ".gif", ".webp", ".heic"})
"""File endings of pictures that Shopify fetches; it looks at the content when there is none."""
PICTURE = "image"
"""The role under which a file without an ending is taken for a picture."""
OTHER_FORMATS = frozenset({".avif", ".bmp", ".eps", ".psd", ".svg", ".tif", ".tiff"})
"""File endings of pictures that it does not. What has any other ending is no picture, such as a manual."""

fold = fold_group
"""The whole group as it is: a product's payload holds all of its variants with what they inherit."""


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What `extra` of the channel's settings may hold; other keys are left alone."""

    title: str = "name"
    """The attribute that names the product."""
    description: str = "description"
    brand: str = "brand"
    handle: str | None = None
    """The attribute with the product's part of the shop's address; without it Shopify makes one from the title."""
    media_base_url: str | None = None
    """Where pictures with a relative path can be fetched."""


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to buy. With `problems` it can't be shown; the other fields are then incomplete."""

    sku: str
    options: tuple[tuple[str, str], ...] = ()
    """(option, its value), in the product's order of options."""
    places: tuple[int, ...] = ()
    """Of each value among its option's: as the attribute lists its options, others behind them as they come."""
    barcode: str | None = None
    price: Money | None = None
    available: int = 0
    problems: tuple[str, ...] = ()


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One product page. With `problems` neither it nor its variants can be shown."""

    sku: str
    """The group's root. For a product without variants also that of its only variant."""
    variants: tuple[Variant, ...]
    """Those that can be shown, in the order of their values."""
    held: tuple[Variant, ...] = ()
    """Those that can't."""
    title: str = ""
    description: str = ""
    vendor: str = ""
    product_type: str = ""
    handle: str | None = None
    images: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def alone(self) -> bool:
        """Whether it is a product without variants in the book."""
        return any(variant.sku == self.sku for variant in (*self.variants, *self.held))


def items(group: Group, settings: ChannelConfigured, terms: Terms, reference: Reference) -> tuple[Item, ...]:
    """The group's product, or none when nothing of it is listed. Variants are in the order of their creation."""
    look = _Look(group, settings, terms, reference)
    families: dict[str, list[Product]] = {}
    for product in group.sellable(settings.name):
        families.setdefault(tuple(group.chain(product.sku))[-1].sku, []).append(product)
    return tuple(look.item(root, listed) for root, listed in families.items())


class _Look:
    """One group seen through the channel's settings."""

    def __init__(self, group: Group, settings: ChannelConfigured, terms: Terms, reference: Reference) -> None:
        self.group, self.settings, self.terms, self.reference = group, settings, terms, reference

    def item(self, root: str, listed: Sequence[Product]) -> Item:
        alone = [product.sku for product in listed] == [root]
        axes = {} if alone else self.axes(listed)
        taken: dict[tuple[str, ...], str] = {}
        spelt: dict[tuple[str, str], tuple[str, int]] = {}
        shown: list[Variant] = []
        held: list[Variant] = []
        for product in listed:
            variant = self.variant(product.sku, axes, alone, taken, spelt)
            (held if variant.problems else shown).append(variant)
        shown.sort(key=lambda variant: variant.places)
        title = next(filter(None, (self.text(sku, self.terms.title) for sku in (root, *(v.sku for v in shown)))), "")
        problems = [] if title else [f"{root} has no {self.terms.title} in {', '.join(self.settings.locales)}"]
        if not shown:
            problems += held[0].problems if alone else [f"none of its {len(held)} listed variants can be shown"]
        if len(axes) > OPTIONS_MAX:
            problems.append(f"its variants differ in {len(axes)} attributes ({', '.join(axes)}); Shopify takes 3")
        if len(shown) > VARIANTS_MAX:
            problems.append(f"{root} has {len(shown)} variants; Shopify takes {VARIANTS_MAX}")
        images, lost = self.images((root, *(variant.sku for variant in shown)))
        if lost and not images:
            problems.append(f"none of its pictures can be sent: {'; '.join(lost)}")
        return Item(
            sku=root,
            variants=tuple(shown),
            held=tuple(held),
            title=title,
            description=self.text(root, self.terms.description) or "",
            vendor=self.text(root, self.terms.brand) or "",
            product_type=self.product_type(root),
            handle=self.text(root, self.terms.handle) if self.terms.handle else None,
            images=images,
            problems=tuple(problems),
        )

    def variant(
        self,
        sku: str,
        axes: Mapping[str, str],
        alone: bool,
        taken: dict[tuple[str, ...], str],
        spelt: dict[tuple[str, str], tuple[str, int]],
    ) -> Variant:
        """`taken` has the choices of the variants before, and `spelt` their values with the place of each.

        Two variants with the same choice would make Shopify refuse all. A value in other capital letters is the same.
        """
        settings, problems = self.settings, []
        amount = self.group.price(sku, settings.price_list, settings.currency)
        if amount is None:
            problems.append(f"{sku} has no {settings.currency} price in the price list {settings.price_list}")
        chosen = {axis: self.option(sku, axis) for axis in axes}
        problems += [
            f"{sku} has no {axis}, in which the variants differ" for axis, value in chosen.items() if not value
        ]
        if not alone and not axes:
            problems.append(f"no parent of {sku} names an attribute in which its variants differ (axes)")
        marks = [(axis, value.casefold()) for axis, value in chosen.items()]
        values = [spelt.setdefault(mark, (chosen[mark[0]], self.place(sku, mark[0], len(spelt)))) for mark in marks]
        if not problems:
            other = taken.setdefault(tuple(folded for _, folded in marks), sku)
            if other != sku:
                problems.append(f"{sku} has the same {' and '.join(axes)} as {other}")
        return Variant(
            sku=sku,
            options=(NO_OPTION,)
            if alone
            else tuple((axes[axis], v) for axis, (v, _) in zip(axes, values, strict=True)),
            places=(0,) if alone else tuple(place for _, place in values),
            barcode=None if self.group.products[sku].gtin_problem else self.group.gtin(sku),
            price=None if amount is None else Money(amount, settings.currency),
            available=self.group.offered(sku, settings),
            problems=tuple(problems),
        )

    def axes(self, listed: Sequence[Product]) -> dict[str, str]:
        """Attribute -> option name, for every axis of the models above these variants, the root's first."""
        codes = dict.fromkeys(
            axis
            for product in listed
            for model in reversed(tuple(self.group.chain(product.sku))[1:])
            for axis in model.axes
        )
        names = {code: self.label(code) for code in codes}
        unique = len({name.casefold() for name in names.values()}) == len(names)
        return names if unique else {code: code for code in codes}

    def text(self, sku: str, attribute: str) -> str | None:
        return self.group.text(sku, attribute, self.settings.locales, self.settings.scope)

    def option(self, sku: str, axis: str) -> str:
        """The value by the label of its option; empty when there is none."""
        text = self.text(sku, axis) or ""
        defined = self.reference.attributes.get(axis)
        found = defined.options_by_code.get(text) if defined else None
        return option_text(self.translated(found.labels if found else {}) or text)

    def place(self, sku: str, axis: str, seen: int) -> int:
        """Where the value stands among the options of its attribute; behind them all when it is none of them."""
        defined = self.reference.attributes.get(axis)
        places = defined.option_places if defined else {}
        return places.get(self.text(sku, axis) or "", len(places) + seen)

    def label(self, code: str) -> str:
        defined = self.reference.attributes.get(code)
        named = self.translated(defined.labels) if defined else None
        return option_text(named or code.replace("_", " ").capitalize())

    def translated(self, labels: Mapping[str, Any]) -> str | None:
        return next((labels[locale] for locale in self.settings.locales if labels.get(locale)), None)

    def product_type(self, sku: str) -> str:
        """The name of its first category."""
        code = next(iter(self.group.categories(sku)), None)
        defined = self.reference.categories.get(code) if code is not None else None
        return (self.translated(defined.labels) if defined else None) or code or ""

    def images(self, skus: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The pictures of the product and then its variants', each once; and why others can't be sent.

        Whatever attribute a picture is under: its file ending tells that it is one.
        """
        locales = (None, *self.settings.locales)
        media = (item for sku in skus for item in self.group.media(sku, self.settings.scope) if item.locale in locales)
        urls: dict[str, None] = {}
        lost: dict[str, None] = {}
        for item in media:
            ending = splitext(urlsplit(item.url).path)[1].lower()
            address = self.address(item.url)
            if ending in OTHER_FORMATS:
                lost[f"{item.url} is in a format that Shopify does not take"] = None
            elif ending not in FORMATS and (ending or item.role != PICTURE):
                continue
            elif address is None:
                lost[f"{item.url} has no address: set extra.media_base_url"] = None
            else:
                urls[address] = None
        return tuple(urls), tuple(lost)

    def address(self, url: str) -> str | None:
        if url.startswith(("https://", "http://")):
            return url
        base = self.terms.media_base_url
        return f"{base.rstrip('/')}/{quote(url.lstrip('/'))}" if base and "://" not in url else None
