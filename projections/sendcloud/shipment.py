"""A shipment as Sendcloud tells it, and what it means for the parcel that was wanted."""

from collections.abc import Mapping
from typing import Any

import msgspec

ANNOUNCING = frozenset({"ANNOUNCING", "READY_TO_ANNOUNCE"})
FAILED = frozenset({"ANNOUNCEMENT_FAILED", "NO_LABEL"})
CANCELLED = frozenset({"CANCELLED", "CANCELLED_UPSTREAM"})
QUEUED = frozenset({"CANCELLATION_REQUESTED", "SUBMITTING_CANCELLATION_REQUEST"})
READY = "READY_TO_SEND"


class Shipment(msgspec.Struct, frozen=True, kw_only=True):
    """One shipment with its one parcel."""

    id: str
    reference: str
    parcel: str
    status: str
    carrier: str | None
    tracking: str | None
    failed: bool
    """It was taken, and the carrier refused it: there is no label."""

    @property
    def gone(self) -> bool:
        """Whether nothing will come of it."""
        return self.failed or self.status in CANCELLED

    @property
    def moving(self) -> bool:
        """Whether the carrier has it, so that nothing can be taken back."""
        return not self.gone and self.status not in (READY, *ANNOUNCING, *QUEUED)

    @staticmethod
    def parse(body: Any) -> "Shipment | None":
        """The shipment in an answer; None for what is none."""
        data = body.get("data") if isinstance(body, Mapping) else None
        return Shipment.of(data)

    @staticmethod
    def of(data: Any) -> "Shipment | None":
        """The shipment that an object describes; None for what is none."""
        if not isinstance(data, Mapping) or "id" not in data:
            return None
        parcels = data.get("parcels") or [{}]
        parcel = parcels[0] if isinstance(parcels[0], Mapping) else {}
        status = parcel.get("status") or {}
        code = str(status.get("code", "")) if isinstance(status, Mapping) else ""
        carrier = data.get("carrier") or {}
        return Shipment(
            id=str(data["id"]),
            reference=str(data.get("external_reference_id") or ""),
            parcel=str(parcel.get("id", "")),
            status=code,
            carrier=carrier.get("code") if isinstance(carrier, Mapping) else None,
            tracking=parcel.get("tracking_number") or None,
            failed=code in FAILED or bool(data.get("errors")),
        )
