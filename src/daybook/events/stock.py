"""What happens to a product's stock at a location. Quantities are whole pieces."""

import msgspec


class StockCounted(msgspec.Struct, frozen=True):
    """Somebody counted: there are `quantity` pieces at the location, whatever was thought before."""

    location: str
    quantity: int


class StockReceived(msgspec.Struct, frozen=True):
    """`quantity` more pieces arrived at the location."""

    location: str
    quantity: int


class StockAdjusted(msgspec.Struct, frozen=True):
    """The stock at the location changed by `delta` pieces (negative: fewer)."""

    location: str
    delta: int


class StockReserved(msgspec.Struct, frozen=True, kw_only=True):
    """`quantity` pieces at the location are an order's. They lie there still, and nobody else may have them."""

    order: str
    location: str
    quantity: int
    oversold: int = 0
    """So many of them are not there: the channel sold what nobody had."""


class StockReleased(msgspec.Struct, frozen=True, kw_only=True):
    """`quantity` pieces at the location are an order's no more."""

    order: str
    location: str
    quantity: int


class StockShipped(msgspec.Struct, frozen=True, kw_only=True):
    """`quantity` pieces that were an order's left the location."""

    order: str
    location: str
    quantity: int


class StockReturned(msgspec.Struct, frozen=True, kw_only=True):
    """`quantity` pieces of an order came back to the location, and may be sold again."""

    order: str
    location: str
    quantity: int


class SafetyStockSet(msgspec.Struct, frozen=True):
    """`quantity` pieces at the location are held back: no channel is shown them."""

    location: str
    quantity: int
