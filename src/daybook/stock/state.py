"""How many pieces are where, and whose they are, after these events. Pure."""

from collections.abc import Mapping

import msgspec

from daybook.events import (
    Event,
    SafetyStockSet,
    StockAdjusted,
    StockCounted,
    StockReceived,
    StockReleased,
    StockReserved,
    StockReturned,
    StockShipped,
)


class Stock(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whole pieces by location. A location may go below zero: a sale that beat the count is a fact."""

    quantities: dict[str, int] = {}
    """What lies there, reserved pieces included: counts, receipts, returns and adjustments, less what was shipped."""
    reserved: dict[str, int] = {}
    """How many of them are orders'; never below zero."""
    safety: dict[str, int] = {}
    """How many are held back."""

    def free(self, location: str) -> int:
        """Pieces that no order has; below zero where more was sold than there is."""
        return self.quantities.get(location, 0) - self.reserved.get(location, 0)

    def unheld(self, location: str) -> int:
        """Pieces that no order has and that are not held back, which makes no debt where they are not there."""
        free = self.free(location)
        return max(min(free, 0), free - self.safety.get(location, 0)) if self.safety else free

    def locations(self) -> tuple[str, ...]:
        """Every location that ever had some, in the order in which they came."""
        return tuple(dict.fromkeys((*self.quantities, *self.reserved)))

    def available(self, locations: tuple[str, ...] = ()) -> int:
        """Pieces that may be sold from these locations (all when none are named), never below zero."""
        if not self.reserved and not self.safety:  # most products, most of the time
            return max(0, sum(self.quantities.get(name, 0) for name in locations or self.quantities))
        return max(0, sum(map(self.unheld, locations or self.locations())))


def evolve(stock: Stock | None, event: Event) -> Stock | None:
    """The stock after the event. Events of other nouns change nothing."""
    before = stock or _NONE
    match event:
        case StockCounted(location=location, quantity=quantity):
            return Stock(before.quantities | {location: quantity}, before.reserved, before.safety)
        case StockReceived(location=location, quantity=quantity) | StockReturned(location=location, quantity=quantity):
            return _moved(before, location, quantity)
        case StockAdjusted(location=location, delta=delta):
            return _moved(before, location, delta)
        case StockReserved(location=location, quantity=quantity):
            return _moved(before, location, None, quantity)
        case StockReleased(location=location, quantity=quantity):
            return _moved(before, location, None, -quantity)
        case StockShipped(location=location, quantity=quantity):
            return _moved(before, location, -quantity, -quantity)
        case SafetyStockSet(location=location, quantity=quantity):
            return Stock(before.quantities, before.reserved, _without_zero(before.safety, location, quantity))
        case _:
            return stock


_NONE = Stock()


def _moved(stock: Stock, location: str, there: int | None, reserved: int = 0) -> Stock:
    quantities, kept = stock.quantities, stock.reserved
    if there is not None:
        quantities = quantities | {location: quantities.get(location, 0) + there}
    if reserved:
        kept = _without_zero(kept, location, kept.get(location, 0) + reserved)
    return Stock(quantities, kept, stock.safety)


def _without_zero(pieces: Mapping[str, int], location: str, quantity: int) -> dict[str, int]:
    others = {name: one for name, one in pieces.items() if name != location}
    return others | {location: quantity} if quantity else others
