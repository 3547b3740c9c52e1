"""Receipts folded into the deliveries: what the channel acknowledged, facet by facet.

The same statement serves the worker, right after it appended the receipt, and the runner, when the receipt comes round
through the stream. `receipt_position` makes the second a no-op, so a worker may die between the two, and a dropped
delivery table is filled again from the log.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

from daybook.events import ListingAccepted, ListingConfirmed, ListingEvent, ListingRejected, Rejection


class Settlement(msgspec.Struct, frozen=True):
    """One receipt: its position in the log, when it was recorded, the product group, and what it says."""

    position: int
    at: datetime
    key: str
    receipt: ListingEvent

    @property
    def sku(self) -> str:
        """The SKU that it is about."""
        return self.receipt.sku

    @property
    def kind(self) -> Literal["accepted", "confirmed", "rejected"]:
        """What the channel said."""
        match self.receipt:
            case ListingAccepted():
                return "accepted"
            case ListingConfirmed():
                return "confirmed"
            case ListingRejected():
                return "rejected"


def encode_reasons(reasons: Sequence[Rejection]) -> str:
    """Reasons as the JSON text that the deliveries keep."""
    return msgspec.json.encode(reasons).decode()
