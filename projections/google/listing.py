"""What Google needs to know of each SKU: texts, a page and a picture, a price, and whether there is stock. Pure."""

from urllib.parse import quote

import msgspec

from daybook.catalogue.group import Group, fold_group
from daybook.catalogue.reference import Reference
from daybook.events import AttributeDefined, ChannelConfigured
from daybook.product.state import Product
from daybook.values import Money, gtin_problem
from daybook_projections.google.images import image_problem, images
from daybook_projections.google.terms import Axis, Feed, Terms

OFFER_ID_LENGTH_MAX = 50

fold = fold_group
"""Google lists single SKUs, but joins the variants of one item group: what a variant inherits is in its group."""


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One SKU that is to be shown."""

    sku: str
    title: str | None
    description: str | None
    brand: str | None
    gtin: str | None
    """Only one that Google can look up: see `public_gtin`."""
    mpn: str | None
    price: Money | None
    available: int
    link: str | None
    images: tuple[str, ...]
    """Absolute addresses, the SKU's own before its parents'."""
    no_image: str | None
    """Why there is none."""
    group: str | None
    """Of a variant: the SKU of its topmost parent."""
    axes: dict[Axis, str]
    product_types: tuple[str, ...]
    """`Sport > Shoes`, one for each category."""
    google_category: str | None

    def problems(self, settings: ChannelConfigured, terms: Terms) -> tuple[str, ...]:
        """Why Google could not even be asked, for a person to read."""
        found = []
        if len(self.sku) > OFFER_ID_LENGTH_MAX:
            found.append(f"its SKU has {len(self.sku)} characters; Google's ids have at most {OFFER_ID_LENGTH_MAX}")
        if self.sku != " ".join(self.sku.split()):
            found.append("its SKU has spaces at an end or next to each other, and Google takes them out")
        locales = ", ".join(settings.locales)
        if self.title is None:
            found.append(f"it has no {terms.title} in {locales}")
        if self.description is None:
            found.append(f"it has no {terms.description} in {locales}")
        if self.price is None:
            found.append(f"it has no price in {settings.currency} in the price list {settings.price_list!r}")
        if self.link is None:
            found.append("it has no page to link to: set product_url in the google channel's extra settings")
        if self.no_image is not None:
            found.append(self.no_image)
        return tuple(found)


def items(
    group: Group, settings: ChannelConfigured, terms: Terms, feed: Feed, reference: Reference
) -> tuple[Item, ...]:
    """Every listed SKU of the group, in the order of creation. All but GTIN, MPN and stock may be the parent's."""
    reader = _Reader(group, settings, terms, feed, reference)
    return tuple(reader.item(product) for product in group.sellable(settings.name))


def public_gtin(product: Product) -> str | None:
    """The GTIN, when it is valid and from a range that is the same all over the world.

    Google looks a GTIN up, so one with a wrong check digit can only harm; the book still has it, and flags it. The
    same holds for the ranges that a company may use as it likes (prefixes 02, 04 and 2) and for coupons (05, 98 and
    99): Google calls them `restricted_gtin` and `coupon_gtin`.
    """
    gtin = product.gtin
    if gtin is None or gtin_problem(gtin) is not None:
        return None
    if len(gtin) == 8:
        return None if gtin[0] in "02" else gtin
    return None if gtin.zfill(14)[1:].startswith(("02", "04", "05", "2", "98", "99")) else gtin


class _Reader:
    """Reads a group with one channel's settings."""

    def __init__(
        self, group: Group, settings: ChannelConfigured, terms: Terms, feed: Feed, reference: Reference
    ) -> None:
        self.group, self.settings, self.terms, self.feed, self.reference = group, settings, terms, feed, reference

    def item(self, product: Product) -> Item:
        sku, group, settings, terms = product.sku, self.group, self.settings, self.terms
        amount = group.price(sku, settings.price_list, settings.currency)
        found = images(group, sku, settings, terms.media_base_url)
        # A part number names one article, so a parent's would be wrong for each of its variants.
        own = Group(group.key, {sku: product})
        return Item(
            sku=sku,
            title=self.text(sku, terms.title),
            description=self.text(sku, terms.description),
            brand=self.label(sku, terms.brand),
            gtin=public_gtin(product),
            mpn=own.text(sku, terms.mpn, settings.locales, settings.scope),
            price=None if amount is None else Money(amount, settings.currency),
            available=group.offered(sku, settings),
            link=self.link(sku),
            images=found,
            no_image=None if found else image_problem(group, sku, settings),
            group=group.key if product.parent is not None else None,
            axes={name: text for code, name in terms.axes.items() if (text := self.label(sku, code)) is not None},
            product_types=self.product_types(sku),
            google_category=self.google_category(sku),
        )

    def text(self, sku: str, attribute: str) -> str | None:
        return self.group.text(sku, attribute, self.settings.locales, self.settings.scope)

    def label(self, sku: str, attribute: str) -> str | None:
        """The value as buyers read it: a select's options by their labels, several joined by / as Google asks."""
        value = self.group.value(sku, attribute, self.settings.locales, self.settings.scope)
        defined = self.reference.attributes.get(attribute)
        if isinstance(value, list):
            return "/".join(self.option(defined, code) for code in value) or None
        if isinstance(value, str) and value.strip():
            return self.option(defined, value.strip())
        return self.text(sku, attribute)

    def option(self, defined: AttributeDefined | None, code: str) -> str:
        options = defined.options if defined is not None else ()
        return next((self.translated(one.labels, code) for one in options if one.code == code), code)

    def translated(self, labels: dict[str, str], code: str) -> str:
        return next((labels[locale] for locale in self.settings.locales if labels.get(locale)), code)

    def link(self, sku: str) -> str | None:
        # Replaced by hand, not by str.format: an address may hold braces and must not reach into objects.
        link = self.terms.product_url
        if link is not None:
            for name, value in (("sku", sku), ("group", self.group.key), ("language", self.feed.language)):
                link = link.replace(f"{{{name}}}", quote(value, safe=""))
        return link

    def product_types(self, sku: str) -> tuple[str, ...]:
        paths = (self.reference.category_path(code) for code in self.group.categories(sku))
        names = (" > ".join(self.translated(one.labels, one.code) for one in path) for path in paths)
        return tuple(dict.fromkeys(filter(None, names)))

    def google_category(self, sku: str) -> str | None:
        """The first one that is set for a category of the SKU or, going up, for one above it."""
        for code in self.group.categories(sku):
            above = [one.code for one in reversed(self.reference.category_path(code))]
            for name in above or [code]:
                if name in self.terms.google_categories:
                    return self.terms.google_categories[name]
        return None
