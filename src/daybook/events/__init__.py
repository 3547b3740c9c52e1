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
    UserLocked,
    UserUnlocked,
)
from daybook.events.catalogue import (
    AllocationRule,
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
from daybook.events.operations import (
    ChannelPaused,
    ChannelPruned,
    ChannelResumed,
    ChannelResynced,
    ChannelRetried,
    ChannelSwitched,
)
from daybook.events.order import (
    Allocation,
    CancelCause,
    LineQuantity,
    OrderCancelled,
    OrderLine,
    OrderPaid,
    OrderPlaced,
    OrderRefunded,
    OrderReturned,
    OrderShipped,
    StockMove,
)
from daybook.events.parcel import ParcelAnnounced, ParcelCancelled
from daybook.events.person import PersonAdded, PersonChanged, PersonDisclosed, PersonErased
from daybook.events.policy import PolicyPaused, PolicyResumed, PolicyRetried
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
from daybook.events.schedule import (
    ScheduleFellDue,
    ScheduleMoved,
    SchedulePlanned,
    ScheduleRefused,
    ScheduleWithdrawn,
)
from daybook.events.stock import (
    SafetyStockSet,
    StockAdjusted,
    StockCounted,
    StockReceived,
    StockReleased,
    StockReserved,
    StockReturned,
    StockShipped,
)
from daybook.events.text import TextApproved, TextDrafted, TextRejected, TextRetried

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
StockEvent = (
    StockCounted
    | StockReceived
    | StockAdjusted
    | StockReserved
    | StockReleased
    | StockShipped
    | StockReturned
    | SafetyStockSet
)
OrderEvent = OrderPlaced | OrderPaid | OrderCancelled | OrderShipped | OrderReturned | OrderRefunded
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
    | UserLocked
    | UserUnlocked
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
OperationEvent = ChannelPaused | ChannelResumed | ChannelRetried | ChannelResynced | ChannelSwitched | ChannelPruned
PersonEvent = PersonAdded | PersonChanged | PersonDisclosed | PersonErased
ParcelEvent = ParcelAnnounced | ParcelCancelled
PolicyEvent = PolicyPaused | PolicyResumed | PolicyRetried
ScheduleEvent = SchedulePlanned | ScheduleMoved | ScheduleWithdrawn | ScheduleFellDue | ScheduleRefused
TextEvent = TextDrafted | TextApproved | TextRejected | TextRetried
Event = (
    ProductEvent
    | StockEvent
    | CatalogueEvent
    | ListingEvent
    | EventDiscarded
    | OperationEvent
    | AccessEvent
    | PersonEvent
    | OrderEvent
    | ParcelEvent
    | ScheduleEvent
    | TextEvent
    | PolicyEvent
)

__all__ = [
    "AccessEvent",
    "AccessGranted",
    "AccessRefused",
    "AccessScope",
    "AccessWithdrawn",
    "Allocation",
    "AllocationRule",
    "AttributeChange",
    "AttributeDefined",
    "AttributeOption",
    "AttributeOptionsGiven",
    "AttributesChanged",
    "CancelCause",
    "CatalogueEvent",
    "CategoryDefined",
    "ChannelAdded",
    "ChannelConfigured",
    "ChannelPaused",
    "ChannelPruned",
    "ChannelRemoved",
    "ChannelResumed",
    "ChannelResynced",
    "ChannelRetried",
    "ChannelSwitched",
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
    "LineQuantity",
    "ListingAccepted",
    "ListingConfirmed",
    "ListingEvent",
    "ListingRejected",
    "Measure",
    "MediaAdded",
    "MediaRemoved",
    "OperationEvent",
    "OrderCancelled",
    "OrderEvent",
    "OrderLine",
    "OrderPaid",
    "OrderPlaced",
    "OrderRefunded",
    "OrderReturned",
    "OrderShipped",
    "ParcelAnnounced",
    "ParcelCancelled",
    "ParcelEvent",
    "PersonAdded",
    "PersonChanged",
    "PersonDisclosed",
    "PersonErased",
    "PersonEvent",
    "PolicyEvent",
    "PolicyPaused",
    "PolicyResumed",
    "PolicyRetried",
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
    "SafetyStockSet",
    "ScheduleEvent",
    "ScheduleFellDue",
    "ScheduleMoved",
    "SchedulePlanned",
    "ScheduleRefused",
    "ScheduleWithdrawn",
    "SessionBegan",
    "SessionEnded",
    "StockAdjusted",
    "StockCounted",
    "StockEvent",
    "StockMove",
    "StockReceived",
    "StockReleased",
    "StockReserved",
    "StockReturned",
    "StockShipped",
    "TextApproved",
    "TextDrafted",
    "TextEvent",
    "TextRejected",
    "TextRetried",
    "UserAdded",
    "UserLocked",
    "UserUnlocked",
    "Value",
]
