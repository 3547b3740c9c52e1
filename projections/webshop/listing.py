"""What the webshop needs to know of a product group. Pure.

WooCommerce knows simple products, and variable products with variations under them: one level. So a root model becomes
a variable product, the variants anywhere below it become its variations, and the models between them only lend their
values and axes.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import msgspec

from daybook.catalogue.group import Group, fold_group
from daybook.catalogue.reference import Reference
from daybook.events import AttributeDefined, ChannelConfigured
from daybook.product.state import Product
from daybook.values import Money, gtin_problem
from daybook_projections.webshop import texts
from daybook_projections.webshop.images import Image, images

NAME = "webshop"
FACETS = ("product", "price", "stock")
DEFAULTS = ChannelConfigured(name=NAME, scope="ecommerce", locales=("en-US",), currency="EUR")
"""`extra` may name: the attributes behind `title`, `description`, `short_description` and `brand`; `attributes`, a list
of more attributes to show; `media_base_url`, where pictures with a relative path can be fetched; `page_url`, the
address of a product's page with `{sku}` in it, for the documents that pages embed."""

fold = fold_group
"""The whole group as it is: a variation needs its parents' values, and a parent lists its variants' options."""

ORDER_MAX = 2**31 - 1
"""The column `menu_order` of WordPress takes no more."""

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
    order: int | None = None
    """Of a variation: its place, from 1, which other variations that come and go do not change."""
    images: tuple[Image, ...] = ()
    lost: tuple[str, ...] = ()
    """Why pictures can't be sent."""
    problems: tuple[str, ...] = ()


def items(group: Group, settings: ChannelConfigured, reference: Reference) -> tuple[Item, ...]:
    """What the group shows: each variable product before its variations, which are in the order of their options."""
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
        found.extend(_Family(reader, root_sku, variants).items())
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
        shown: Sequence[str] = settings.extra.get("attributes", ())
        self.detailed = tuple(dict.fromkeys((self.codes["brand"], *shown)))
        """The attributes that are shown but not chosen between."""
        self._places: dict[str, dict[str, int]] = {}

    def simple(self, sku: str) -> Item:
        names = self.names(self.detailed)
        item = self.content(sku, "simple", self.details(sku, names), price=self.price(sku))
        problems: tuple[str, ...] = () if item.title else (self.missing_title(sku),)
        problems += () if item.price else (self.missing_price(sku),)
        return msgspec.structs.replace(item, problems=problems + self.unseen(item))

    def content(
        self,
        sku: str,
        kind: Literal["simple", "variable", "variation"],
        attributes: tuple[Shown, ...],
        *,
        parent: str | None = None,
        price: Money | None = None,
        problems: tuple[str, ...] = (),
    ) -> Item:
        title = self.text(sku, "title")
        pictures = images(self.group, sku, parent, self.settings, title)
        return Item(
            sku=sku,
            type=kind,
            parent=parent,
            title=title,
            description=self.text(sku, "description"),
            short_description=self.text(sku, "short_description"),
            gtin=self.gtin(sku),
            price=price,
            available=self.group.offered(sku, self.settings),
            attributes=attributes,
            images=pictures.sent,
            lost=pictures.lost,
            problems=problems,
        )

    def text(self, sku: str, field: str) -> str:
        return self.group.text(sku, self.codes[field], self.settings.locales, self.settings.scope) or ""

    def gtin(self, sku: str) -> str | None:
        """The GTIN, unless it is flagged: a placeholder is no product's number, and the shop takes each only once."""
        found = self.group.gtin(sku)
        wrong = found is None or self.group.products[sku].gtin_problem or gtin_problem(found)
        return None if wrong else found

    def price(self, sku: str) -> Money | None:
        amount = self.group.price(sku, self.settings.price_list, self.settings.currency)
        return None if amount is None else Money(amount, self.settings.currency)

    def details(self, sku: str, names: Mapping[str, str]) -> tuple[Shown, ...]:
        options = ((code, self.options(sku, code)) for code in self.detailed)
        return tuple(Shown(names[code], found) for code, found in options if found)

    def names(self, codes: Sequence[str]) -> dict[str, str]:
        """Code -> name in the shop. Where the shop would take two names for one, or a name for none, the code helps."""
        found: dict[str, str] = {}
        taken = {"", "0"}  # to PHP a name of a single zero is none
        for code in codes:
            name = self.label(code)
            if texts.key(name) in taken:
                name = f"{name} ({code})"
            taken.add(texts.key(name))
            found[code] = name
        return found

    def options(self, sku: str, code: str) -> tuple[str, ...]:
        """The value as option texts, by the labels of a select's options; empty when there is no value."""
        value = self.group.value(sku, code, self.settings.locales, self.settings.scope)
        defined = self.reference.attributes.get(code)
        if isinstance(value, list):
            return tuple(dict.fromkeys(filter(None, (self.option(defined, choice) for choice in value))))
        if isinstance(value, str):
            return tuple(filter(None, (self.option(defined, value),)))
        text = self.group.text(sku, code, self.settings.locales, self.settings.scope)
        return (texts.option(text),) if text else ()

    def option(self, defined: AttributeDefined | None, choice: str) -> str:
        found = defined.options_by_code.get(choice) if defined else None
        return texts.option(_translated(found.labels if found else {}, self.settings) or choice)

    def rank(self, sku: str, axis: str) -> int:
        """The place of the SKU's option among those of the attribute; behind them what is not among them."""
        value = self.group.value(sku, axis, self.settings.locales, self.settings.scope)
        places = self._options(axis)
        return places.get(value, len(places)) if isinstance(value, str) else len(places)

    def places(self, axis: str) -> int:
        """How many options the attribute has."""
        return len(self._options(axis))

    def _options(self, axis: str) -> dict[str, int]:
        if axis not in self._places:
            defined = self.reference.attributes.get(axis)
            self._places[axis] = dict(defined.option_places) if defined else {}
        return self._places[axis]

    def label(self, code: str) -> str:
        return label(code, self.settings, self.reference)

    def missing_title(self, sku: str) -> str:
        wanted = ", ".join(self.settings.locales) or "any language"
        return f"{sku} has no {self.codes['title']} in {wanted}"

    def missing_price(self, sku: str) -> str:
        return f"{sku} has no {self.settings.currency} price in the price list {self.settings.price_list}"

    @staticmethod
    def unseen(item: Item) -> tuple[str, ...]:
        """That it would be shown without any picture, though the book has some."""
        return (f"none of its pictures can be sent: {'; '.join(item.lost)}",) if item.lost and not item.images else ()


class _Family:
    """One variable product and its variations."""

    def __init__(self, reader: _Reader, root: str, variants: Sequence[Product]) -> None:
        self.reader, self.root = reader, root
        models = {variant.sku: tuple(reader.group.chain(variant.sku))[1:] for variant in variants}
        self.nearest = {sku: above[0].sku for sku, above in models.items()}
        self.axes = tuple(
            dict.fromkeys(axis for above in models.values() for model in reversed(above) for axis in model.axes)
        )
        """In what the variants differ. A variation without an option of one of them would fit every choice."""
        self.names = reader.names(tuple(dict.fromkeys((*self.axes, *reader.detailed))))
        self.ranks = {sku: [reader.rank(sku, axis) for axis in self.axes] for sku in models}
        self.skus = sorted(models, key=lambda sku: self.ranks[sku])
        self.created = {sku: place for place, sku in enumerate(reader.group.products)}

    def items(self) -> Iterator[Item]:
        """The product, then its variations. What keeps the product away keeps its variations away too."""
        reader = self.reader
        untitled = () if reader.text(self.root, "title") else (reader.missing_title(self.root),)
        children = self.apart([self.variation(sku) for sku in self.skus])
        kept = [child for child in children if not child.problems]
        problems = untitled if kept else (*untitled, f"none of its {len(children)} listed variants can be shown")
        axes = self.offered(kept)
        taken = {axis.name for axis in axes}
        details = tuple(shown for shown in reader.details(self.root, self.names) if shown.name not in taken)
        parent = reader.content(self.root, "variable", axes + details, problems=problems)
        unseen = () if any(child.images for child in kept) else reader.unseen(parent)
        yield msgspec.structs.replace(parent, problems=parent.problems + unseen)
        above = tuple(f"its parent can't be shown: {problem}" for problem in (*untitled, *unseen))
        for child in children:
            alone = () if parent.images else reader.unseen(child)
            yield msgspec.structs.replace(child, problems=child.problems + above + alone)

    def variation(self, sku: str) -> Item:
        """A variation has only what sets it apart: WooCommerce shows the parent's name, text and pictures around it."""
        reader = self.reader
        problems: list[str] = []
        if not self.axes:
            problems.append(f"{self.nearest[sku]} names no attribute in which its variants differ (axes)")
        chosen = []
        for axis in self.axes:
            options = reader.options(sku, axis)
            if options:
                chosen.append(Shown(self.names[axis], (", ".join(options),), axis=True))
            else:
                problems.append(f"{axis} has no value, but is an axis of {self.root}'s variants")
        price = reader.price(sku)
        problems += [] if price else [reader.missing_price(sku)]
        item = reader.content(sku, "variation", tuple(chosen), parent=self.root, price=price, problems=tuple(problems))
        own = "" if item.description == reader.text(self.root, "description") else item.description
        return msgspec.structs.replace(item, description=own, order=self.order(sku))

    def order(self, sku: str) -> int:
        """The place by its options; behind all of those, by creation, when one is not among its attribute's options."""
        counts = [self.reader.places(axis) for axis in self.axes]
        place = 0
        for rank, count in zip(self.ranks[sku], counts, strict=True):
            place = place * count + rank
        known = all(rank < count for rank, count in zip(self.ranks[sku], counts, strict=True))
        return min(1 + (place if known else math.prod(counts) + self.created[sku]), ORDER_MAX)

    def apart(self, children: Sequence[Item]) -> list[Item]:
        """The same, with a problem for each variant that has the choice of another one: only one can be chosen.

        An option in other capital letters is the same to some parts of a shop, and is written as its first one is.
        """
        taken: dict[tuple[str, ...], str] = {}
        spelt: dict[tuple[str, str], str] = {}
        found: list[Item] = []
        for child in children:
            options = [
                spelt.setdefault((each.name, each.options[0].casefold()), each.options[0]) for each in child.attributes
            ]
            attributes = tuple(
                Shown(each.name, (option,), axis=True) for each, option in zip(child.attributes, options, strict=True)
            )
            problems = child.problems
            other = child.sku if problems else taken.setdefault(tuple(options), child.sku)
            if other != child.sku:
                names = " and ".join(each.name for each in attributes)
                problems = (f"{child.sku} has the same {names} as {other}: {', '.join(options)}",)
            found.append(msgspec.structs.replace(child, attributes=attributes, problems=problems))
        return found

    def offered(self, kept: Sequence[Item]) -> tuple[Shown, ...]:
        """The axes with all options that the variations use, each once, in the order that the attribute has."""
        options: dict[str, dict[str, int]] = {self.names[axis]: {} for axis in self.axes}
        for child in kept:
            for shown, rank in zip(child.attributes, self.ranks[child.sku], strict=True):
                options[shown.name].setdefault(shown.options[0], rank)
        return tuple(
            Shown(name, tuple(sorted(found, key=found.__getitem__)), axis=True)
            for name, found in options.items()
            if found
        )


def label(code: str, settings: ChannelConfigured, reference: Reference) -> str:
    """The attribute's name in the shop's language, else its code made readable."""
    defined = reference.attributes.get(code)
    named = _translated(defined.labels, settings) if defined else None
    return texts.option(named or code.replace("_", " ").capitalize())


def _translated(labels: Mapping[str, str], settings: ChannelConfigured) -> str | None:
    return next((labels[locale] for locale in settings.locales if labels.get(locale)), None)
