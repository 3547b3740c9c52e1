"""What a shipper answered about an order's parcels. It can't be computed again, so it is an event: a work's finding."""

import msgspec


class ParcelAnnounced(msgspec.Struct, frozen=True, kw_only=True):
    """A shipper expects a parcel of an order: it has a label, and mostly a number by which it is followed."""

    shipper: str
    """The work that announced it, `sendcloud`."""
    order: str
    parcel: str
    """The shipper's own id of it: the label is fetched under this id."""
    pieces: dict[str, int]
    """By line of the order: how many are in it."""
    carrier: str | None = None
    tracking: str | None = None
    """The number alone. An address to follow it by often holds the postcode of who gets the parcel."""


class ParcelCancelled(msgspec.Struct, frozen=True, kw_only=True):
    """A shipper expects a parcel no more: its label is void."""

    shipper: str
    order: str
    parcel: str
