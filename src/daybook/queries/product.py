"""A product at a moment, with what it inherits and where each value comes from."""

from datetime import datetime
from typing import Literal

import msgspec
from msgspec.structs import replace

from daybook.catalogue.group import Group
from daybook.catalogue.reference import Reference
from daybook.events import MediaAdded, Value
from daybook.log.reader import Reader
from daybook.product.state import Product, slot_parts
from daybook.queries.groups import GroupAt, load
from daybook.queries.moment import Moment
from daybook.values import Money


class ValueView(msgspec.Struct, frozen=True):
    """One attribute's value in one locale and channel scope, and the SKU that it comes from."""

    attribute: str
    locale: str | None
    channel: str | None
    value: Value
    sku: str


class PriceView(msgspec.Struct, frozen=True):
    """A price in major units (`19.99`) and in minor units, and the SKU that it comes from."""

    price_list: str
    currency: str
    amount: str
    minor: int
    sku: str


class CategoryView(msgspec.Struct, frozen=True):
    """A category with its labels by locale, its path from the root, and the SKU that is in it."""

    code: str
    labels: dict[str, str]
    path: tuple[str, ...]
    sku: str


class MediaView(msgspec.Struct, frozen=True):
    """A media item and the SKU that it comes from."""

    media_id: str
    url: str
    role: str
    locale: str | None
    channel: str | None
    sku: str


class ProductView(msgspec.Struct, frozen=True, kw_only=True):
    """The product as it was at `position`. Values, prices, categories and media include what it inherits."""

    sku: str
    key: str
    """The product group: the SKU of the topmost parent."""
    kind: Literal["product", "model", "variant"]
    family: str | None
    parent: str | None
    axes: tuple[str, ...]
    gtin: str | None
    """Its own: a GTIN is never inherited."""
    gtin_problem: str | None
    discontinued: bool
    """It, or a parent, is discontinued."""
    values: list[ValueView]
    prices: list[PriceView]
    stock: dict[str, int]
    """Pieces by location, of this very SKU."""
    stock_total: int
    """Pieces that lie there, those of orders included."""
    reserved: dict[str, int]
    """How many of them are orders', by location."""
    safety: dict[str, int]
    """How many are held back, by location."""
    available: int
    """Pieces that may be sold, over all locations."""
    categories: list[CategoryView]
    media: list[MediaView]
    channels: dict[str, bool]
    """Every channel that is configured or was ever named for it -> whether it is to be sold there."""
    variants: tuple[str, ...]
    """The SKUs whose parent it is, in the order of their creation."""
    position: int
    """The moment: the log up to and with this position."""
    version: int
    """Of the product's own stream: what If-Match compares."""
    stock_version: int
    """Of its stock's stream; 0 before anything happened to it."""
    last_position: int
    """Of the last event of the product's own stream."""
    last_recorded_at: datetime
    created_at: datetime


def show(reader: Reader, sku: str, moment: Moment, channels: frozenset[str] | None = None) -> ProductView:
    """The product at the moment. Raises InvalidValue, and NotFound for a SKU that is unknown or came later.

    `channels`: only these are told; None for all.
    Three indexed statements: the SKU's group, the group's events, the catalogue's definitions.
    """
    found = view(load(reader, sku, moment.position), reader.reference(moment.position), sku, moment)
    if channels is None:
        return found
    return replace(found, channels={name: on for name, on in found.channels.items() if name in channels})


def view(at: GroupAt, reference: Reference, sku: str, moment: Moment) -> ProductView:
    """The view of one product of a group. Pure."""
    group, product = at.group, at.group.products[sku]
    own = list(at.of_stream(f"product/{sku}"))
    stock = group.stock.get(sku)
    quantities = stock.quantities if stock else {}
    chain = list(group.chain(sku))
    named = dict.fromkeys([*reference.channels, *(name for each in chain for name in each.channels)])
    return ProductView(
        sku=sku,
        key=group.key,
        kind=product.kind,
        family=group.family(sku),
        parent=product.parent,
        axes=product.axes,
        gtin=product.gtin,
        gtin_problem=product.gtin_problem,
        discontinued=any(each.discontinued for each in chain),
        values=_values(chain),
        prices=_prices(chain),
        stock=quantities,
        stock_total=sum(quantities.values()),
        reserved=stock.reserved if stock else {},
        safety=stock.safety if stock else {},
        available=group.available(sku),
        categories=_categories(chain, reference),
        media=[_media(item, each.sku) for each in chain for item in each.media.values()],
        channels={name: group.listed(sku, name) for name in named},
        variants=variants(group, sku),
        position=moment.position,
        version=own[-1].version,
        stock_version=max((one.version for one in at.of_stream(f"stock/{sku}")), default=0),
        last_position=own[-1].position,
        last_recorded_at=own[-1].recorded_at,
        created_at=own[0].recorded_at,
    )


def variants(group: Group, sku: str) -> tuple[str, ...]:
    """The SKUs whose parent is this one, in the order of their creation."""
    return tuple(product.sku for product in group.products.values() if product.parent == sku)


def _values(chain: list[Product]) -> list[ValueView]:
    found: dict[str, ValueView] = {}
    for product in chain:
        for slot, value in product.attributes.items():
            found.setdefault(slot, ValueView(*slot_parts(slot), value, product.sku))
    return sorted(found.values(), key=lambda one: (one.attribute, one.locale or "", one.channel or ""))


def _prices(chain: list[Product]) -> list[PriceView]:
    found: dict[tuple[str, str], PriceView] = {}
    for product in chain:
        for price_list, amounts in product.prices.items():
            for currency, minor in amounts.items():
                amount = f"{Money(minor, currency).decimal():f}"
                price = PriceView(price_list, currency, amount, minor, product.sku)
                found.setdefault((price_list, currency), price)
    return sorted(found.values(), key=lambda one: (one.price_list, one.currency))


def _categories(chain: list[Product], reference: Reference) -> list[CategoryView]:
    found: dict[str, CategoryView] = {}
    for product in chain:
        for code in product.categories:
            path = reference.category_path(code)
            labels = path[-1].labels if path else {}
            found.setdefault(code, CategoryView(code, labels, tuple(one.code for one in path), product.sku))
    return list(found.values())


def _media(item: MediaAdded, sku: str) -> MediaView:
    return MediaView(item.media_id, item.url, item.role, item.locale, item.channel, sku)
