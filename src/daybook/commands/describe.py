"""One command for a whole product or a part of it: what importers and other systems of record say.

The rule, for every field and for what is inside it: **left out stays, null removes, an update never creates**.
"""

from collections.abc import Iterable, Mapping
from itertools import takewhile
from typing import Literal, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from daybook import limits
from daybook.catalogue.rules import check_categories, check_changes, check_family
from daybook.commands.decision_view import Change, DecisionView
from daybook.commands.products import check_gtin, check_media, check_said_once, said_once
from daybook.errors import InvalidValue, NotFound, Refused
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
from daybook.product.state import Product, evolve, slot, slot_parts
from daybook.stock import decisions as stock_decisions
from daybook.stock.state import Stock
from daybook.values import Money, check_limit, exponent, parse_code, parse_money

Kind = Literal["product", "model", "variant"]
IDENTITY = ("kind", "parent", "family", "axes")
"""Fields that are fixed when a product is created."""
K = TypeVar("K")
V = TypeVar("V")
_AMOUNTS = (
    (limits.VALUES, "attributes"),
    (limits.PRICES, "prices"),
    (limits.PRODUCT_CATEGORIES, "categories"),
    (limits.MEDIA, "media"),
    (limits.CHANNELS, "channels"),
    (limits.LOCATIONS, "stock"),
    (limits.AXES, "axes"),
)


class Price(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A price as decimal text in major units; null for none in this list and currency."""

    amount: str | None
    currency: str
    price_list: str = "default"


class MediaItem(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A picture or document; a URL of null takes the item with this id away."""

    media_id: str
    url: str | None
    role: str | UnsetType = UNSET
    """`image` for a new one."""
    locale: str | UnsetType | None = UNSET
    channel: str | UnsetType | None = UNSET

    @classmethod
    def of(cls, media: MediaAdded) -> "MediaItem":
        """The item as a description says it."""
        return cls(**{field: getattr(media, field) for field in MediaAdded.__struct_fields__})


class DescribeProduct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="describe_product"):
    """What is known about a product: left out stays, null removes, an update never creates.

    A field that is left out stays as it is, and so does everything that a list or an object does not name: another
    attribute, locale, price list, currency, picture, channel, location. Null removes: a field, or the value of one
    thing that is named. `categories` and `axes` are one value each and are said whole. A SKU that the book does not
    know is refused, unless the description says that it is new: see `says_new`. The same description again appends
    nothing.
    """

    sku: str
    kind: Kind | UnsetType = UNSET
    parent: str | UnsetType | None = UNSET
    family: str | UnsetType | None = UNSET
    axes: tuple[str, ...] | UnsetType | None = UNSET
    gtin: str | UnsetType | None = UNSET
    attributes: tuple[AttributeChange, ...] | UnsetType | None = UNSET
    prices: tuple[Price, ...] | UnsetType | None = UNSET
    categories: tuple[str, ...] | UnsetType | None = UNSET
    media: tuple[MediaItem, ...] | UnsetType | None = UNSET
    channels: Mapping[str, bool | None] | UnsetType | None = UNSET
    """Channel -> listed. Null takes the product off a channel on which it is."""
    stock: Mapping[str, int | None] | UnsetType | None = UNSET
    """Location -> counted pieces. Null: none are left there."""
    discontinued: bool | UnsetType | None = UNSET
    exact: bool | UnsetType = UNSET
    """True: what the lists and objects given here do not name is removed. An export says so."""

    @property
    def says_new(self) -> bool:
        """Whether it may create: it says what the product is (`kind`), or both describes it and lists it."""
        listed = any((self.channels or {}).values())
        return self.kind is not UNSET or bool(self.attributes and listed)

    def as_new(self) -> "DescribeProduct":
        """The same, said of a product that is known to be new."""
        if self.kind is not UNSET:
            return self
        return msgspec.structs.replace(self, kind="variant" if self.parent else "product")

    def fixed_otherwise(self, product: Product) -> tuple[str, ...]:
        """The fields in which it differs from what was fixed when the product was created."""
        return tuple(
            field
            for field in IDENTITY
            if (said := getattr(self, field)) is not UNSET and (said or None) != (getattr(product, field) or None)
        )

    def decide(self, scene: DecisionView) -> list[Change]:
        """Raises the first thing that is wrong; nothing is recorded then."""
        self._check_amounts()
        before = scene.product(self.sku)
        product, events = self._identity(scene, before)
        draft = _Draft(product, events, exact=self.exact is True)
        if self.attributes is not UNSET:
            draft.attributes(scene, self.attributes)
        if self.gtin is not UNSET:
            draft.add(decisions.assign_gtin(draft.product, check_gtin(self.gtin)))
        if self.prices is not UNSET:
            draft.prices(self.prices)
        if self.categories is not UNSET:
            check_categories(scene.reference, self.categories or ())
            draft.add(decisions.categorise(draft.product, self.categories or ()))
        if self.media is not UNSET:
            draft.media(self.media)
        if self.discontinued is not UNSET and not self.discontinued:
            draft.add(decisions.reinstate(draft.product))
        if self.channels is not UNSET:
            draft.channels(scene, self.channels)
        if self.discontinued is True:
            draft.add(decisions.discontinue(draft.product))
        changes = [Change(f"product/{self.sku}", self.sku, product.key, draft.events)]
        if self.stock is not UNSET:
            pieces = _stock(scene.stock(self.sku), self.stock, draft.exact)
            changes.append(Change(f"stock/{self.sku}", self.sku, product.key, pieces))
        return changes

    def _check_amounts(self) -> None:
        """Before anything is looked up: a description that is too large costs no more than its reading."""
        for limit, field in _AMOUNTS:
            check_limit(limit, len(getattr(self, field) or ()), field)

    def _identity(self, scene: DecisionView, before: Product | None) -> tuple[Product, list[ProductEvent]]:
        if before is not None:
            for field in self.fixed_otherwise(before):
                raise Refused(
                    f"{field} of {self.sku} is {getattr(before, field)!r} since it was created and can't become "
                    f"{getattr(self, field)!r}: leave {field} out to change the rest, or create another product with "
                    "it and discontinue this one",
                    field=field,
                )
            return before, []
        if not self.says_new:
            raise NotFound(
                f"there is no product {self.sku}, and an update creates none: check the SKU; if it is new, say what "
                'it is with `kind`, such as "kind": "product"',
                sku=self.sku,
            )
        new = self.as_new()
        assert not isinstance(new.kind, UnsetType)
        parent = scene.parent_of_new(self.parent or None)
        check_family(scene.reference, self.family or None)
        if new.kind == "variant" and not self.parent:
            raise InvalidValue("parent", "a variant needs a parent", None)
        wish = ProductCreated(
            sku=self.sku,
            key=parent.key if parent else self.sku,
            kind=new.kind,
            family=self.family or None,
            parent=self.parent or None,
            axes=self.axes or (),
        )
        events = decisions.create(None, wish, parent)
        created = evolve(None, wish)
        assert created is not None
        return created, events


class _Draft:
    """The product as it will be while the description is worked through."""

    def __init__(self, product: Product, events: list[ProductEvent], *, exact: bool) -> None:
        self.product = product
        self.events = events
        self.exact = exact

    def add(self, events: Iterable[ProductEvent]) -> None:
        for event in events:
            self.events.append(event)
            self.product = evolve(self.product, event) or self.product

    def attributes(self, scene: DecisionView, said: tuple[AttributeChange, ...] | None) -> None:
        if said is None:
            self.add(decisions.replace_attributes(self.product, ()))
            return
        check_said_once(said)
        # What the book holds already is not checked again: a rule that was tightened since is no reason to refuse a
        # description that changes something else. And a value may be removed that no longer fits its attribute.
        checked = [one if self._holds(one) else check_changes(scene.reference, [one])[0] for one in said]
        if self.exact:
            self.add(decisions.replace_attributes(self.product, checked))
        else:
            self.add(decisions.set_attributes(self.product, [*self._misplaced(scene, checked), *checked]))

    def _holds(self, change: AttributeChange) -> bool:
        there = self.product.attributes.get(slot(change.attribute, change.locale, change.channel))
        return there is not None and (change.value is None or not decisions.differ(there, change.value))

    def _misplaced(self, scene: DecisionView, said: Iterable[AttributeChange]) -> list[AttributeChange]:
        """Removals of values that stand where their attribute, which was defined anew, has no place any more."""
        removals = []
        named = {one.attribute for one in said}
        for where in self.product.attributes:
            attribute, locale, channel = slot_parts(where)
            definition = scene.reference.attributes.get(attribute)
            if attribute in named and definition is not None:
                fits = (locale is not None, channel is not None) == (definition.localizable, definition.scopable)
                if not fits:
                    removals.append(AttributeChange(attribute=attribute, value=None, locale=locale, channel=channel))
        return removals

    def prices(self, said: tuple[Price, ...] | None) -> None:
        listed = [((parse_code(one.price_list, "prices.price_list"), one.currency), _money(one)) for one in said or ()]
        wished = said_once(listed, "prices")
        there = [(name, currency) for name, amounts in self.product.prices.items() for currency in amounts]
        for (price_list, currency), money in _whole(wished, there, said is None or self.exact).items():
            if money is None:
                self.add(decisions.remove_price(self.product, price_list, currency))
            else:
                self.add(decisions.change_price(self.product, price_list, money))

    def media(self, said: tuple[MediaItem, ...] | None) -> None:
        named = [
            (one.media_id, _checked(one, None if self.exact else self.product.media.get(one.media_id)))
            for one in said or ()
        ]
        wished = _whole(said_once(named, "media"), self.product.media, said is None or self.exact)
        items = {media_id: item for media_id, item in wished.items() if item is not None}
        kept = [media_id for media_id in self.product.media if media_id in items]
        # Their order is the order in which they were added: from where it differs on, they are added anew.
        prefix = [one for one, _ in takewhile(lambda pair: pair[0] == pair[1], zip(kept, items, strict=False))]
        for media_id in list(self.product.media):
            if media_id in wished and media_id not in prefix:
                self.add(decisions.remove_media(self.product, media_id))
        for item in items.values():
            self.add(decisions.add_media(self.product, item))

    def channels(self, scene: DecisionView, said: Mapping[str, bool | None] | None) -> None:
        there = [name for name, on in self.product.channels.items() if on]
        for name, on in _whole(said or {}, there, said is None or self.exact).items():
            now = self.product.channels.get(name)
            scene.check_channel(name, "channels", idle=not on or now is on)
            if on is None:
                self.add(decisions.delist(self.product, name))
            elif now is not on:
                # Said outright, also while the product is discontinued: it holds when it is sold again.
                self.add([ProductListed(name) if on else ProductDelisted(name)])


def _whole(said: Mapping[K, V | None], there: Iterable[K], exact: bool) -> dict[K, V | None]:
    """What is said, and with `exact` a null for all that is there and was not named."""
    unnamed = [name for name in there if exact and name not in said]
    return {**said, **dict.fromkeys(unnamed)}


def _stock(stock: Stock | None, said: Mapping[str, int | None] | None, exact: bool) -> list[Event]:
    events: list[Event] = []
    there = stock.quantities if stock is not None else {}
    stock_decisions.check_locations(stock, said or {})
    for location, quantity in _whole(said or {}, there, said is None or exact).items():
        parse_code(location, "stock")
        if quantity is not None or there.get(location):
            events += stock_decisions.count(stock, location, quantity or 0)
    return events


def _money(price: Price) -> Money | None:
    field = f"prices.{price.price_list}.{price.currency}"
    if price.amount is None:
        exponent(price.currency, field)
        return None
    return parse_money(price.amount, price.currency, field)


def _checked(item: MediaItem, there: MediaAdded | None) -> MediaAdded | None:
    """The item, with what it leaves out as it is there."""
    if item.url is None:
        return None
    before = there or MediaAdded(media_id=item.media_id, url=item.url)
    said = {field: getattr(item, field) for field in MediaAdded.__struct_fields__ if getattr(item, field) is not UNSET}
    return check_media(msgspec.structs.replace(before, **said))
