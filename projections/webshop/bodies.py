"""Request bodies made of payloads, and what an answer's body shows of them. Pure."""

from collections.abc import Mapping
from typing import Any

from daybook.channel.contract import Payload, Push, Waiting
from projections.webshop.listing import FACETS
from projections.webshop.mapping import PARENT

CREATING = FACETS[0]
CLEARED: Mapping[str, Payload] = {"price": {"regular_price": ""}, "stock": {"manage_stock": False}}
"""What takes one facet off a listing that stays."""


def sent(payload: Payload) -> Payload:
    """The payload without what is for the connector only."""
    return {key: value for key, value in payload.items() if not key.startswith("_")}


def whole(listing: Mapping[str, Payload]) -> Payload:
    """All facets as one body."""
    return {key: value for payload in listing.values() for key, value in sent(payload).items()}


def changed(push: Push) -> Payload:
    """The body that brings one facet of a listing that is there, or takes it off."""
    return sent(push.payload) if push.payload is not None else CLEARED[push.facet]


def parent_of(push: Push) -> str | None:
    """The SKU of the variable product that this SKU is a variation of."""
    found = push.listing.get(CREATING, push.payload or {}).get(PARENT)
    return found if isinstance(found, str) else None


def kept_axes(sku: str, payload: Payload, answered: Any) -> Waiting | None:
    """Waiting when a variation lost an axis.

    WooCommerce drops an attribute of a variation that its parent does not have (yet) and says nothing: the variation
    would then fit every choice. Its parent's own change brings the axis; after that this one is sent again.
    """
    wanted = payload.get("attributes") if PARENT in payload else None
    kept: Any = answered.get("attributes") if isinstance(answered, dict) else None
    if not wanted or not isinstance(kept, list) or len(kept) >= len(wanted):
        return None
    return Waiting(f"{sku} has an axis that {payload[PARENT]} does not have in the shop yet")
