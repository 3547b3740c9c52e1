"""Intents about one product."""

from collections.abc import Iterable
from typing import Literal, TypeVar

import msgspec

from daybook import limits
from daybook.catalogue.rules import check_categories, check_changes, check_family
from daybook.commands.decision_view import Change, DecisionView, of_product
from daybook.commands.media_address import check_address
from daybook.errors import InvalidValue
from daybook.events import AttributeChange, MediaAdded, ProductCreated
from daybook.product import decisions
from daybook.product.state import slot
from daybook.values import check_money, check_text, exponent, parse_code, parse_locale, parse_money

K = TypeVar("K")
V = TypeVar("V")


class CreateProduct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="create_product"):
    """A new product: plain, a model (which has variants), or with `parent` a variant of a model."""

    sku: str
    family: str | None = None
    parent: str | None = None
    kind: Literal["product", "model", "variant"] | None = None
    axes: tuple[str, ...] = ()

    def decide(self, scene: DecisionView) -> list[Change]:
        """See `decisions.create`."""
        before = scene.product(self.sku)
        parent = scene.parent_of_new(self.parent)
        check_family(scene.reference, self.family)
        wish = ProductCreated(
            sku=self.sku,
            key=parent.key if parent else self.sku,
            kind=self.kind or ("variant" if self.parent else "product"),
            family=self.family,
            parent=self.parent,
            axes=self.axes,
        )
        if wish.kind == "variant" and wish.parent is None:
            raise InvalidValue("parent", "a variant needs a parent", None)
        return [Change(f"product/{wish.sku}", wish.sku, wish.key, decisions.create(before, wish, parent))]


class SetAttributes(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="set_attributes"):
    """These values; a value of null removes it; values that are not named stay."""

    sku: str
    changes: tuple[AttributeChange, ...]

    def decide(self, scene: DecisionView) -> list[Change]:
        """See `decisions.set_attributes`."""
        product = scene.known_product(self.sku)
        check_said_once(self.changes)
        return of_product(product, decisions.set_attributes(product, check_changes(scene.reference, self.changes)))


class AssignGtin(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="assign_gtin"):
    """The GTIN, or null for none. One that is wrong is kept and flagged."""

    sku: str
    gtin: str | None

    def decide(self, scene: DecisionView) -> list[Change]:
        """See `decisions.assign_gtin`."""
        product = scene.known_product(self.sku)
        return of_product(product, decisions.assign_gtin(product, check_gtin(self.gtin)))


class ChangePrice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="change_price"):
    """The price in a price list: a decimal text such as "19.99", and its currency."""

    sku: str
    amount: str
    currency: str
    price_list: str = "default"

    def decide(self, scene: DecisionView) -> list[Change]:
        """See `decisions.change_price`."""
        price = check_money(parse_money(self.amount, self.currency, "amount"), "amount")
        price_list = parse_code(self.price_list, "price_list")
        product = scene.known_product(self.sku)
        return of_product(product, decisions.change_price(product, price_list, price))


class RemovePrice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="remove_price"):
    """No price any more in this list and currency."""

    sku: str
    currency: str
    price_list: str = "default"

    def decide(self, scene: DecisionView) -> list[Change]:
        """See `decisions.remove_price`."""
        exponent(self.currency)
        price_list = parse_code(self.price_list, "price_list")
        product = scene.known_product(self.sku)
        return of_product(product, decisions.remove_price(product, price_list, self.currency))


class CategoriseProduct(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="categorise_product"
):
    """Exactly these categories."""

    sku: str
    categories: tuple[str, ...]

    def decide(self, scene: DecisionView) -> list[Change]:
        """See `decisions.categorise`."""
        check_categories(scene.reference, self.categories)
        product = scene.known_product(self.sku)
        return of_product(product, decisions.categorise(product, self.categories))


class AddMedia(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="add_media"):
    """A picture or document; an item with the same id is replaced."""

    sku: str
    media: MediaAdded

    def decide(self, scene: DecisionView) -> list[Change]:
        """See `decisions.add_media`."""
        product = scene.known_product(self.sku)
        return of_product(product, decisions.add_media(product, check_media(self.media)))


class RemoveMedia(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="remove_media"):
    """The media item goes."""

    sku: str
    media_id: str

    def decide(self, scene: DecisionView) -> list[Change]:
        """See `decisions.remove_media`."""
        product = scene.known_product(self.sku)
        return of_product(product, decisions.remove_media(product, self.media_id))


class ListProduct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="list_product"):
    """Sell it on this channel; variants follow their model unless they are taken off themselves."""

    sku: str
    channel: str

    def decide(self, scene: DecisionView) -> list[Change]:
        """See `decisions.list_on`."""
        product = scene.known_product(self.sku)
        return of_product(product, decisions.list_on(product, scene.check_channel(self.channel)))


class DelistProduct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="delist_product"):
    """Do not sell it on this channel."""

    sku: str
    channel: str

    def decide(self, scene: DecisionView) -> list[Change]:
        """See `decisions.delist`."""
        product = scene.known_product(self.sku)
        return of_product(product, decisions.delist(product, scene.check_channel(self.channel, idle=True)))


class DiscontinueProduct(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="discontinue_product"
):
    """Sell it nowhere any more; its history stays."""

    sku: str

    def decide(self, scene: DecisionView) -> list[Change]:
        """See `decisions.discontinue`."""
        product = scene.known_product(self.sku)
        return of_product(product, decisions.discontinue(product))


class ReinstateProduct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="reinstate_product"):
    """Sell it again where it is listed."""

    sku: str

    def decide(self, scene: DecisionView) -> list[Change]:
        """See `decisions.reinstate`."""
        product = scene.known_product(self.sku)
        return of_product(product, decisions.reinstate(product))


def said_once(said: Iterable[tuple[K, V]], field: str) -> dict[K, V]:
    """The same, by name. Raises InvalidValue for two things about one: which of them counts would be a guess."""
    found: dict[K, V] = {}
    for name, value in said:
        if found.setdefault(name, value) != value:
            words = " ".join(map(str, name)) if isinstance(name, tuple) else name
            raise InvalidValue(field, f"says two things about {words}: say one", None)
    return found


def check_said_once(changes: Iterable[AttributeChange]) -> None:
    """Raises InvalidValue for two values of one attribute, locale and channel."""
    said_once(((slot(one.attribute, one.locale, one.channel), one.value) for one in changes), "attributes")


def check_gtin(gtin: str | None) -> str | None:
    """A GTIN may be wrong, but it is a short text."""
    return None if gtin is None else check_text(gtin, "gtin", limits.GTIN)


def check_media(media: MediaAdded) -> MediaAdded:
    """Raises InvalidValue for a URL, id, role, scope or locale that is malformed."""
    check_address(media.url, "media.url")
    check_text(media.media_id, "media.media_id", limits.ADDRESS)
    parse_code(media.role, "media.role")
    if media.channel is not None:
        parse_code(media.channel, "media.channel")
    if media.locale is None:
        return media
    return msgspec.structs.replace(media, locale=parse_locale(media.locale, "media.locale"))
