"""What happens to an order. Amounts are minor units of the order's currency; quantities are whole pieces."""

from datetime import datetime
from typing import Literal

import msgspec

from daybook.values import Money

CancelCause = Literal["customer", "out_of_stock", "price", "fraud", "other"]


class OrderLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of an order, as the channel sold it."""

    line: str
    """Its name within the order: the channel's own, or 1, 2, 3, ..."""
    sku: str
    quantity: int
    price: int
    """Of one piece, before the discount."""
    discount: int = 0
    """Off the whole line."""
    tax: int = 0
    """Of the whole line."""


class Allocation(msgspec.Struct, frozen=True, kw_only=True):
    """Pieces that a location keeps for the order."""

    sku: str
    location: str
    quantity: int
    oversold: int = 0
    """So many of them were not there when the order came."""


class LineQuantity(msgspec.Struct, frozen=True):
    """Pieces of a line."""

    line: str
    quantity: int


class StockMove(msgspec.Struct, frozen=True):
    """Pieces at a location."""

    sku: str
    location: str
    quantity: int


class OrderPlaced(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody ordered on a channel; the stock is reserved in the same append."""

    order: str
    """`<channel>:<number>`."""
    channel: str
    number: str
    """The channel's own number of the order."""
    currency: str
    lines: tuple[OrderLine, ...]
    allocations: tuple[Allocation, ...] = ()
    person: str | None = None
    """The id of who ordered. Who that is, and where he or she lives, is in the vault."""
    shipping: int = 0
    """What the customer pays for the shipping."""
    tax_included: bool = True
    """Prices and shipping hold the taxes already; else they come on top."""
    already_sold: bool = False
    """The channel had sold it before Daybook was asked, so that it could not be refused."""
    sold_at: datetime | None = None
    """When the channel says that it was sold."""


class OrderPaid(msgspec.Struct, frozen=True, kw_only=True):
    """A payment came in."""

    amount: Money
    reference: str | None = None
    """The payment's own number; the same one again is the same payment."""


class OrderCancelled(msgspec.Struct, frozen=True, kw_only=True):
    """Pieces that were not shipped yet will not be; their stock is free again."""

    lines: tuple[LineQuantity, ...]
    released: tuple[StockMove, ...] = ()
    cause: CancelCause = "other"


class OrderShipped(msgspec.Struct, frozen=True, kw_only=True):
    """A parcel left."""

    parcel: str
    """Its name within the order; the same one again is the same parcel."""
    lines: tuple[LineQuantity, ...]
    released: tuple[StockMove, ...] = ()
    """Where the pieces were reserved."""
    taken: tuple[StockMove, ...] = ()
    """Where they were taken from: mostly the same."""
    carrier: str | None = None
    tracking: str | None = None


class OrderReturned(msgspec.Struct, frozen=True, kw_only=True):
    """Pieces came back."""

    lines: tuple[LineQuantity, ...]
    restocked: tuple[StockMove, ...] = ()
    """Where they may be sold again; empty when they may not."""
    reference: str | None = None
    """The return's own number; the same one again is the same return."""


class OrderRefunded(msgspec.Struct, frozen=True, kw_only=True):
    """Money went back."""

    amount: Money
    reference: str | None = None
    """The refund's own number; the same one again is the same refund."""
