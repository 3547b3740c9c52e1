"""What happens to the catalogue's model. Each event is the whole new definition, so the newest one stands."""

from functools import cached_property
from typing import Any, Literal

import msgspec

AttributeType = Literal[
    "identifier",
    "text",
    "textarea",
    "boolean",
    "number",
    "measure",
    "date",
    "select",
    "multiselect",
    "media",
    "price",
]


class AttributeOption(msgspec.Struct, frozen=True):
    """One choice of a select attribute; labels by locale."""

    code: str
    labels: dict[str, str] = {}


class AttributeOptionsGiven(msgspec.Struct, frozen=True):
    """The next options of an attribute with too many for one event; the definition that follows makes them count."""

    code: str
    options: tuple[AttributeOption, ...]


class AttributeDefined(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """What an attribute is, whether its value differs by locale or channel, and what a value must satisfy."""

    code: str
    type: AttributeType
    labels: dict[str, str] = {}
    localizable: bool = False
    scopable: bool = False
    """True when a value belongs to one channel scope."""
    options: tuple[AttributeOption, ...] = ()
    """Behind those that were given just before."""
    unit: str | None = None
    """Default unit of a measure."""
    length_max: int | None = None
    minimum: str | None = None
    maximum: str | None = None
    pattern: str | None = None
    unique: bool = False

    @cached_property
    def options_by_code(self) -> dict[str, AttributeOption]:
        """The options, to look one up; of two with one code the first."""
        return {one.code: one for one in reversed(self.options)}

    @cached_property
    def option_places(self) -> dict[str, int]:
        """The order of the options: the place of each by its code."""
        return {one.code: place for place, one in reversed(tuple(enumerate(self.options)))}


class FamilyDefined(msgspec.Struct, frozen=True, kw_only=True):
    """Which attributes a family's products have and which of them each channel scope requires."""

    code: str
    labels: dict[str, str] = {}
    attributes: tuple[str, ...] = ()
    required: dict[str, tuple[str, ...]] = {}
    label_attribute: str | None = None
    image_attribute: str | None = None


class CategoryDefined(msgspec.Struct, frozen=True, kw_only=True):
    """A node of a category tree."""

    code: str
    parent: str | None = None
    labels: dict[str, str] = {}


AllocationRule = Literal["priority", "most_stock", "fewest_parcels"]


class ChannelConfigured(msgspec.Struct, frozen=True, kw_only=True):
    """How a channel reads the catalogue. `extra` holds what only that channel understands; never a credential."""

    name: str
    scope: str | None = None
    """The channel scope whose attribute values this channel shows (`ecommerce`)."""
    locales: tuple[str, ...] = ()
    """In order of preference; the first is the main one, the others are its fallbacks."""
    currency: str = "EUR"
    price_list: str = "default"
    locations: tuple[str, ...] = ()
    """Stock locations whose pieces this channel may sell; empty means all."""
    safety_stock: int = 0
    """So many pieces of each product are left to other channels."""
    allocation: AllocationRule = "priority"
    """Where the pieces of an order come from first: in the order of `locations`, where most is, or so that the fewest
    parcels are sent."""
    extra: dict[str, Any] = {}


class ChannelAdded(msgspec.Struct, frozen=True, kw_only=True):
    """There is a channel of this name from now on, of a kind that is installed; newer settings replace older ones."""

    name: str
    """Small letters and digits, at most 31: it becomes part of the names of tables and settings."""
    kind: str
    """The installed channel whose code it runs: `webhook`."""
    settings: dict[str, str] = {}
    """What its connector is told, such as `url`; never a credential, as the log is kept for ever."""


class ChannelRemoved(msgspec.Struct, frozen=True, kw_only=True):
    """The channel is no more: nothing is projected or sent, and no product can be listed on it. Its history stays."""

    name: str
    reason: str | None = None
