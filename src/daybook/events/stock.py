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
