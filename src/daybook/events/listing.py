"""What a channel answered: receipts. They can't be computed again, so they are events like any other."""

import msgspec


class FacetReceipt(msgspec.Struct, frozen=True):
    """One facet's payload, by hash, and the position of the change that it shows."""

    facet: str
    hash: str | None
    """Hex of the payload's hash; None when the facet was taken off the channel."""
    position: int


class Rejection(msgspec.Struct, frozen=True):
    """A reason in the channel's own words."""

    code: str
    message: str
    field: str | None = None


class ListingAccepted(msgspec.Struct, frozen=True, kw_only=True):
    """The channel took the request; it has not said yet that it applied it."""

    channel: str
    sku: str
    facets: tuple[FacetReceipt, ...]
    remote_id: str | None = None
    submission: str | None = None


class ListingConfirmed(msgspec.Struct, frozen=True, kw_only=True):
    """The channel shows these facets. `remote_id` is the channel's own id for the listing, once it is known."""

    channel: str
    sku: str
    facets: tuple[FacetReceipt, ...]
    remote_id: str | None = None


class ListingRejected(msgspec.Struct, frozen=True, kw_only=True):
    """The channel refused these facets, for these reasons. It waits for a newer state or a person."""

    channel: str
    sku: str
    facets: tuple[FacetReceipt, ...]
    reasons: tuple[Rejection, ...]
