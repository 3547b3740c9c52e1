"""Stored name <-> class, body <-> event."""

from collections.abc import Iterable
from typing import Any

import msgspec

from daybook.errors import CorruptLog
from daybook.events import (
    AccessGranted,
    AccessRefused,
    AccessWithdrawn,
    AttributeDefined,
    AttributeOptionsGiven,
    AttributesChanged,
    CategoryDefined,
    ChannelAdded,
    ChannelConfigured,
    ChannelPaused,
    ChannelPruned,
    ChannelRemoved,
    ChannelResumed,
    ChannelResynced,
    ChannelRetried,
    ChannelSwitched,
    Event,
    EventDiscarded,
    FamilyDefined,
    GtinAssigned,
    IdentityLinked,
    IdentityUnlinked,
    KeyMade,
    KeyRevoked,
    KeyRotated,
    ListingAccepted,
    ListingConfirmed,
    ListingRejected,
    MediaAdded,
    MediaRemoved,
    OrderCancelled,
    OrderPaid,
    OrderPlaced,
    OrderRefunded,
    OrderReturned,
    OrderShipped,
    ParcelAnnounced,
    ParcelCancelled,
    PersonAdded,
    PersonChanged,
    PersonDisclosed,
    PersonErased,
    PolicyPaused,
    PolicyResumed,
    PolicyRetried,
    PriceChanged,
    PriceRemoved,
    ProductCategorised,
    ProductCreated,
    ProductDelisted,
    ProductDiscontinued,
    ProductListed,
    ProductReinstated,
    SafetyStockSet,
    ScheduleFellDue,
    ScheduleMoved,
    SchedulePlanned,
    ScheduleRefused,
    ScheduleWithdrawn,
    SessionBegan,
    SessionEnded,
    StockAdjusted,
    StockCounted,
    StockReceived,
    StockReleased,
    StockReserved,
    StockReturned,
    StockShipped,
    TextApproved,
    TextDrafted,
    TextRejected,
    TextRetried,
    UserAdded,
    UserLocked,
    UserUnlocked,
)
from daybook.events.members import unknown_member
from daybook.events.upcasts import UPCASTS

CLASSES: dict[str, type[Event]] = {
    "product.created.v1": ProductCreated,
    "product.attributes_changed.v1": AttributesChanged,
    "product.gtin_assigned.v1": GtinAssigned,
    "product.price_changed.v1": PriceChanged,
    "product.price_removed.v1": PriceRemoved,
    "product.categorised.v1": ProductCategorised,
    "product.media_added.v1": MediaAdded,
    "product.media_removed.v1": MediaRemoved,
    "product.listed.v1": ProductListed,
    "product.delisted.v1": ProductDelisted,
    "product.discontinued.v1": ProductDiscontinued,
    "product.reinstated.v1": ProductReinstated,
    "stock.counted.v1": StockCounted,
    "stock.received.v1": StockReceived,
    "stock.adjusted.v1": StockAdjusted,
    "stock.reserved.v1": StockReserved,
    "stock.released.v1": StockReleased,
    "stock.shipped.v1": StockShipped,
    "stock.returned.v1": StockReturned,
    "stock.safety_set.v1": SafetyStockSet,
    "order.placed.v1": OrderPlaced,
    "order.paid.v1": OrderPaid,
    "order.cancelled.v1": OrderCancelled,
    "order.shipped.v1": OrderShipped,
    "order.returned.v1": OrderReturned,
    "order.refunded.v1": OrderRefunded,
    "attribute.options_given.v1": AttributeOptionsGiven,
    "attribute.defined.v1": AttributeDefined,
    "family.defined.v1": FamilyDefined,
    "category.defined.v1": CategoryDefined,
    "channel.configured.v2": ChannelConfigured,
    "channel.added.v1": ChannelAdded,
    "channel.removed.v1": ChannelRemoved,
    "channel.paused.v1": ChannelPaused,
    "channel.resumed.v1": ChannelResumed,
    "channel.retried.v1": ChannelRetried,
    "channel.resynced.v1": ChannelResynced,
    "channel.switched.v1": ChannelSwitched,
    "channel.pruned.v1": ChannelPruned,
    "listing.accepted.v1": ListingAccepted,
    "listing.confirmed.v1": ListingConfirmed,
    "listing.rejected.v1": ListingRejected,
    "parcel.announced.v1": ParcelAnnounced,
    "parcel.cancelled.v1": ParcelCancelled,
    "person.added.v1": PersonAdded,
    "person.changed.v1": PersonChanged,
    "person.disclosed.v1": PersonDisclosed,
    "person.erased.v1": PersonErased,
    "projection.event_discarded.v1": EventDiscarded,
    "schedule.planned.v1": SchedulePlanned,
    "schedule.moved.v1": ScheduleMoved,
    "schedule.withdrawn.v1": ScheduleWithdrawn,
    "schedule.fell_due.v1": ScheduleFellDue,
    "schedule.refused.v1": ScheduleRefused,
    "text.drafted.v1": TextDrafted,
    "text.approved.v1": TextApproved,
    "text.rejected.v1": TextRejected,
    "text.retried.v1": TextRetried,
    "policy.paused.v1": PolicyPaused,
    "policy.resumed.v1": PolicyResumed,
    "policy.retried.v1": PolicyRetried,
    "access.user_added.v1": UserAdded,
    "access.user_locked.v1": UserLocked,
    "access.user_unlocked.v1": UserUnlocked,
    "access.granted.v1": AccessGranted,
    "access.withdrawn.v1": AccessWithdrawn,
    "access.key_made.v1": KeyMade,
    "access.key_rotated.v1": KeyRotated,
    "access.key_revoked.v1": KeyRevoked,
    "access.identity_linked.v1": IdentityLinked,
    "access.identity_unlinked.v1": IdentityUnlinked,
    "access.session_began.v1": SessionBegan,
    "access.session_ended.v1": SessionEnded,
    "access.refused.v1": AccessRefused,
}
"""The newest stored name of every event. Frozen by golden files: a name here is never renamed, only succeeded."""

NAMES: dict[type[Event], str] = {cls: name for name, cls in CLASSES.items()}

_encoder = msgspec.json.Encoder(order="deterministic")
_decoders: dict[str, msgspec.json.Decoder[Any]] = {name: msgspec.json.Decoder(cls) for name, cls in CLASSES.items()}


def stored_names(classes: Iterable[type]) -> frozenset[str]:
    """The names under which the log holds events of these classes, older versions included."""
    wanted = {NAMES[one] for one in classes}
    names = set(wanted)
    for name in UPCASTS:
        newest = name
        while newest in UPCASTS:
            newest = UPCASTS[newest][0]
        if newest in wanted:
            names.add(name)
    return frozenset(names)


def encode(event: Event) -> bytes:
    """The event's body as JSON; the same event always gives the same bytes."""
    return _encoder.encode(event)


def decode(name: str, body: bytes | str) -> Event:
    """The event, lifted to its newest shape. Raises CorruptLog for an unknown name or a body that does not fit."""
    decoder = _decoders.get(name)
    try:
        if decoder is not None:
            event: Event = decoder.decode(body)
            return event
        if name in UPCASTS:
            return _lifted(name, msgspec.json.decode(body))
    except (msgspec.DecodeError, UnicodeError) as error:
        raise CorruptLog(f"the body of a {name} event does not decode: {error}", type=name) from error
    raise CorruptLog(
        f"unknown event type {name!r}: written by a newer Daybook? Upgrade this one before reading on", type=name
    )


def surplus(name: str, body: str, event: Event) -> str | None:
    """What the body of an event holds beyond its type, in words; None when it holds nothing more.

    Reading passes over it, so that an older Daybook reads a newer log; whoever checks a log wants to know.
    """
    if name not in CLASSES or encode(event) == body.encode():
        return None
    found = unknown_member(body.encode(), CLASSES[name])
    return found and f"the body of a {name} event has {found[0]}, {found[1]}: a newer Daybook wrote it, or somebody did"


def _lifted(stored: str, plain: Any) -> Event:
    name = stored
    try:
        while name in UPCASTS:
            name, lift = UPCASTS[name]
            plain = lift(plain)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise CorruptLog(f"the body of a {stored} event can't be lifted to {name}: {error!r}", type=stored) from error
    lifted: Event = msgspec.convert(plain, CLASSES[name])
    return lifted
