"""The vocabulary: every event that the book can hold, newest shape.

An event says what happened in the business's words: noun, then past verb. Its stored name (`product.price_changed.v1`)
is fixed for ever in `codec.NAMES` and apart from the Python path, so renaming a class can't break history.
"""

from daybook.events.access import (
    AccessGranted,
    AccessRefused,
    AccessScope,
    AccessWithdrawn,
    IdentityLinked,
    IdentityUnlinked,
    KeyMade,
    KeyRevoked,
    KeyRotated,
    SessionBegan,
    SessionEnded,
    UserAdded,
)
from daybook.events.catalogue import (
    AttributeDefined,
    AttributeOption,
    AttributeOptionsGiven,
    CategoryDefined,
    ChannelAdded,
    ChannelConfigured,
    ChannelRemoved,
    FamilyDefined,
)
from daybook.events.envelope import Recorded
from daybook.events.listing import (
    FacetReceipt,
    ListingAccepted,
    ListingConfirmed,
    ListingRejected,
    Rejection,
)
from daybook.events.person import PersonAdded, PersonChanged, PersonDisclosed, PersonErased
from daybook.events.product import (
    AttributeChange,
    AttributesChanged,
    GtinAssigned,
    Measure,
    MediaAdded,
    MediaRemoved,
    PriceChanged,
    PriceRemoved,
    ProductCategorised,
    ProductCreated,
    ProductDelisted,
    ProductDiscontinued,
    ProductListed,
    ProductReinstated,
    Value,
)
from daybook.events.projection import EventDiscarded
from daybook.events.stock import StockAdjusted, StockCounted, StockReceived

ProductEvent = (
    ProductCreated
    | AttributesChanged
    | GtinAssigned
    | PriceChanged
    | PriceRemoved
    | ProductCategorised
    | MediaAdded
    | MediaRemoved
    | ProductListed
    | ProductDelisted
    | ProductDiscontinued
    | ProductReinstated
)
StockEvent = StockCounted | StockReceived | StockAdjusted
CatalogueEvent = (
    AttributeOptionsGiven
    | AttributeDefined
    | FamilyDefined
    | CategoryDefined
    | ChannelConfigured
    | ChannelAdded
    | ChannelRemoved
)
ListingEvent = ListingAccepted | ListingConfirmed | ListingRejected
AccessEvent = (
    UserAdded
    | AccessGranted
    | AccessWithdrawn
    | KeyMade
    | KeyRotated
    | KeyRevoked
    | IdentityLinked
    | IdentityUnlinked
    | SessionBegan
    | SessionEnded
    | AccessRefused
)
PersonEvent = PersonAdded | PersonChanged | PersonDisclosed | PersonErased
Event = ProductEvent | StockEvent | CatalogueEvent | ListingEvent | EventDiscarded | AccessEvent | PersonEvent

__all__ = [
    "AccessEvent",
    "AccessGranted",
    "AccessRefused",
    "AccessScope",
    "AccessWithdrawn",
    "AttributeChange",
    "AttributeDefined",
    "AttributeOption",
    "AttributeOptionsGiven",
    "AttributesChanged",
    "CatalogueEvent",
    "CategoryDefined",
    "ChannelAdded",
    "ChannelConfigured",
    "ChannelRemoved",
    "Event",
    "EventDiscarded",
    "FacetReceipt",
    "FamilyDefined",
    "GtinAssigned",
    "IdentityLinked",
    "IdentityUnlinked",
    "KeyMade",
    "KeyRevoked",
    "KeyRotated",
    "ListingAccepted",
    "ListingConfirmed",
    "ListingEvent",
    "ListingRejected",
    "Measure",
    "MediaAdded",
    "MediaRemoved",
    "PersonAdded",
    "PersonChanged",
    "PersonDisclosed",
    "PersonErased",
    "PersonEvent",
    "PriceChanged",
    "PriceRemoved",
    "ProductCategorised",
    "ProductCreated",
    "ProductDelisted",
    "ProductDiscontinued",
    "ProductEvent",
    "ProductListed",
    "ProductReinstated",
    "Recorded",
    "Rejection",
    "SessionBegan",
    "SessionEnded",
    "StockAdjusted",
    "StockCounted",
    "StockEvent",
    "StockReceived",
    "UserAdded",
    "Value",
]
