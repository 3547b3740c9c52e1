"""What Amazon's notifications say happened, so that it can be looked at: a listing, or a feed. Pure.

They come from a queue that keeps no order and may deliver twice: `id` tells a second delivery, and what is told is
only ever a reason to look. Types are those of the Notifications API; two spellings of the envelope are in use.
"""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

_LISTING_TYPES = frozenset(
    {"LISTINGS_ITEM_STATUS_CHANGE", "LISTINGS_ITEM_ISSUES_CHANGE", "LISTINGS_ITEM_MFN_QUANTITY_CHANGE"}
)


class Told(msgspec.Struct, frozen=True):
    """Look at this listing (`name` is the SKU) or this feed (`name` is the feed's id)."""

    id: str
    what: Literal["listing", "feed"]
    name: str
    at: str
    """When it happened, as Amazon wrote it."""


def told(notification: Any, seller: str, marketplace: str) -> Told | None:
    """What one notification is about; None when it is another seller's, another marketplace's or of another type.

    A notification that names no seller or no marketplace may be ours, and counts as such.
    """
    body = _lowered(notification)
    payload = _lowered(body.get("payload"))
    mark, at = str(_lowered(body.get("notificationMetadata")).get("notificationId", "")), str(body.get("eventTime", ""))
    what: Literal["listing", "feed"]
    if body.get("notificationType") == "FEED_PROCESSING_FINISHED":
        payload = _lowered(payload.get("feedProcessingFinishedNotification"))
        what, name = "feed", payload.get("feedId")
        known = payload.get("feedType") == "JSON_LISTINGS_FEED"
    else:
        what, name = "listing", payload.get("sku")
        known = body.get("notificationType") in _LISTING_TYPES
    ours = payload.get("sellerId", seller) == seller and payload.get("marketplaceId", marketplace) == marketplace
    if not known or not ours or not mark or not isinstance(name, str):
        return None
    return Told(mark, what, name, at)


def _lowered(value: Any) -> Mapping[str, Any]:
    """The object with small first letters: NotificationType and notificationType are one name."""
    if not isinstance(value, dict):
        return {}
    return {str(name)[:1].lower() + str(name)[1:]: inner for name, inner in value.items()}
