"""What happens to a product."""

from typing import Literal

import msgspec

from daybook.values import Money


class Measure(msgspec.Struct, frozen=True):
    """A quantity with its unit, the amount as exact decimal text: `Measure("500", "GRAM")`."""

    amount: str
    unit: str


Value = bool | int | float | str | list[str] | Measure
"""An attribute's value. A list is a multi-select: option codes in the order that was given."""


class ProductCreated(msgspec.Struct, frozen=True, kw_only=True):
    """A product entered the book. `key` is its product group: the SKU of its topmost parent, or its own."""

    sku: str
    key: str
    kind: Literal["product", "model", "variant"] = "product"
    family: str | None = None
    parent: str | None = None
    axes: tuple[str, ...] = ()
    """For a model: the attributes in which its variants differ."""


class AttributeChange(msgspec.Struct, frozen=True, kw_only=True):
    """One value of one attribute, for one locale and channel where the attribute has them. None removes it."""

    attribute: str
    value: Value | None
    locale: str | None = None
    channel: str | None = None


class AttributesChanged(msgspec.Struct, frozen=True):
    """Values were set or removed; values that are not named stay as they were."""

    changes: tuple[AttributeChange, ...]


class GtinAssigned(msgspec.Struct, frozen=True):
    """The product's GTIN, as given. `problem` says why it is not a valid one; None when it is valid or removed."""

    gtin: str | None
    problem: str | None = None


class PriceChanged(msgspec.Struct, frozen=True):
    """The price in one price list and currency is now `price`."""

    price_list: str
    price: Money


class PriceRemoved(msgspec.Struct, frozen=True):
    """The product has no price any more in this price list and currency."""

    price_list: str
    currency: str


class ProductCategorised(msgspec.Struct, frozen=True):
    """The product is in exactly these categories now."""

    categories: tuple[str, ...]


class MediaAdded(msgspec.Struct, frozen=True, kw_only=True):
    """A picture or document, by URL or path; `role` is the attribute that it fills (`image`, `notice`)."""

    media_id: str
    url: str
    role: str = "image"
    locale: str | None = None
    channel: str | None = None


class MediaRemoved(msgspec.Struct, frozen=True):
    """The media item is no longer the product's."""

    media_id: str


class ProductListed(msgspec.Struct, frozen=True):
    """The product is to be sold on this channel. Variants follow their parent."""

    channel: str


class ProductDelisted(msgspec.Struct, frozen=True):
    """The product is not to be sold on this channel any more."""

    channel: str


class ProductDiscontinued(msgspec.Struct, frozen=True):
    """The product is not sold anywhere any more; its history stays."""


class ProductReinstated(msgspec.Struct, frozen=True):
    """A discontinued product is sold again."""
