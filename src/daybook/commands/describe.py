"""One command for a whole product: what importers and other systems of record say."""

from collections.abc import Iterable
from itertools import takewhile
from typing import Literal

import msgspec

from daybook.catalogue.rules import check_categories, check_changes, check_family
from daybook.commands.products import check_gtin, check_media
from daybook.commands.scene import Change, Scene
from daybook.errors import InvalidValue, Refused
from daybook.events import (
    AttributeChange,
    Event,
    MediaAdded,
    ProductCreated,
    ProductDelisted,
    ProductEvent,
    ProductListed,
)
from daybook.product import decisions
from daybook.product.state import Product, evolve
from daybook.stock import decisions as stock_decisions
from daybook.values import Money, parse_code, parse_money, parse_sku


class Price(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A price as decimal text in major units."""

    amount: str
    currency: str
    price_list: str = "default"


class DescribeProduct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="describe_product"):
    """The product is exactly this: it is created when it is not there; else only the differences are recorded.

    A field that is left out is none of this description's business and stays as it is (so does one that is null, but
    for `gtin`, where null means that there is none); an empty list empties it. The same description again appends
    nothing.
    """

    sku: str
    kind: Literal["product", "model", "variant"] = "product"
    parent: str | None = None
    family: str | None = None
    axes: tuple[str, ...] = ()
    gtin: str | msgspec.UnsetType | None = msgspec.UNSET
    attributes: tuple[AttributeChange, ...] | None = None
    prices: tuple[Price, ...] | None = None
    categories: tuple[str, ...] | None = None
    media: tuple[MediaAdded, ...] | None = None
    channels: dict[str, bool] | None = None
    """Channel -> listed; channels that are not named stay as they are."""
    stock: dict[str, int] | None = None
    """Location -> counted pieces; locations that are not named stay as they are."""
    discontinued: bool | None = None

    def decide(self, scene: Scene) -> list[Change]:
        """Raises the first thing that is wrong; nothing is recorded then."""
        before = scene.product(self.sku)
        product, events = self._identity(scene, before)
        draft = _Draft(product, events)
        if self.attributes is not None:
            changes = check_changes(scene.reference, self.attributes)
            draft.add(decisions.replace_attributes(draft.product, changes))
        if self.gtin is not msgspec.UNSET:
            draft.add(decisions.assign_gtin(draft.product, check_gtin(self.gtin)))
        if self.prices is not None:
            draft.prices(self.prices)
        if self.categories is not None:
            check_categories(scene.reference, self.categories)
            draft.add(decisions.categorise(draft.product, self.categories))
        if self.media is not None:
            draft.media([check_media(item) for item in self.media])
        if self.discontinued is False:
            draft.add(decisions.reinstate(draft.product))
        for name, on in (self.channels or {}).items():
            idle = not on or draft.product.channels.get(name) is on
            scene.check_channel(name, "channels", idle=idle)
        draft.channels(self.channels or {})
        if self.discontinued:
            draft.add(decisions.discontinue(draft.product))
        changes_ = [Change(f"product/{self.sku}", self.sku, product.key, draft.events)]
        if self.stock:
            changes_.append(self._stock(scene, product.key))
        return changes_

    def _identity(self, scene: Scene, before: Product | None) -> tuple[Product, list[ProductEvent]]:
        if before is not None:
            for field in ("kind", "parent", "family", "axes"):
                now = getattr(before, field)
                if getattr(self, field) != now:
                    raise Refused(
                        f"{field} of {self.sku} is {now!r} since it was created and can't become "
                        f"{getattr(self, field)!r}: discontinue it and create another product",
                        field=field,
                    )
            return before, []
        parent = scene.product(parse_sku(self.parent, "parent")) if self.parent is not None else None
        check_family(scene.reference, self.family)
        if self.kind == "variant" and self.parent is None:
            raise InvalidValue("parent", "a variant needs a parent", None)
        wish = ProductCreated(
            sku=self.sku,
            key=parent.key if parent else self.sku,
            kind=self.kind,
            family=self.family,
            parent=self.parent,
            axes=self.axes,
        )
        events = decisions.create(None, wish, parent)
        created = evolve(None, wish)
        assert created is not None
        return created, events

    def _stock(self, scene: Scene, key: str) -> Change:
        stock = scene.stock(self.sku)
        events: list[Event] = []
        for location, quantity in (self.stock or {}).items():
            events += stock_decisions.count(stock, parse_code(location, "stock"), quantity)
        return Change(f"stock/{self.sku}", self.sku, key, events)


class _Draft:
    """The product as it will be while the description is worked through."""

    def __init__(self, product: Product, events: list[ProductEvent]) -> None:
        self.product = product
        self.events = events

    def add(self, events: Iterable[ProductEvent]) -> None:
        for event in events:
            self.events.append(event)
            self.product = evolve(self.product, event) or self.product

    def prices(self, wished: Iterable[Price]) -> None:
        keep: dict[tuple[str, str], Money] = {}  # of two prices for one list and currency the last stands
        for price in wished:
            money = parse_money(price.amount, price.currency, f"prices.{price.price_list}.{price.currency}")
            keep[parse_code(price.price_list, "prices.price_list"), price.currency] = money
        for (price_list, _), money in keep.items():
            self.add(decisions.change_price(self.product, price_list, money))
        for price_list, currencies in self.product.prices.items():
            for currency in currencies:
                if (price_list, currency) not in keep:
                    self.add(decisions.remove_price(self.product, price_list, currency))

    def media(self, wished: list[MediaAdded]) -> None:
        items = {item.media_id: item for item in wished}  # of two items with one id the last stands
        kept = [media_id for media_id in self.product.media if media_id in items]
        # Their order is the order in which they were added: from where it differs on, they are added anew.
        prefix = [one for one, _ in takewhile(lambda pair: pair[0] == pair[1], zip(kept, items, strict=False))]
        for media_id in list(self.product.media):
            if media_id not in prefix:
                self.add(decisions.remove_media(self.product, media_id))
        for item in items.values():
            self.add(decisions.add_media(self.product, item))

    def channels(self, wished: dict[str, bool]) -> None:
        for channel, on in wished.items():
            # Said outright, also while the product is discontinued: it holds when it is sold again.
            if self.product.channels.get(channel) is not on:
                self.add([ProductListed(channel) if on else ProductDelisted(channel)])
