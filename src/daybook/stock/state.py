"""How many pieces are where, after these events. Pure."""

import msgspec

from daybook.events import Event, StockAdjusted, StockCounted, StockReceived


class Stock(msgspec.Struct, frozen=True):
    """Whole pieces by location. A location may go below zero: a sale that beat the count is a fact."""

    quantities: dict[str, int] = {}

    def available(self, locations: tuple[str, ...] = ()) -> int:
        """Pieces that may be sold from these locations (all when none are named), never below zero."""
        chosen = locations or tuple(self.quantities)
        return max(0, sum(self.quantities.get(name, 0) for name in chosen))


def evolve(stock: Stock | None, event: Event) -> Stock | None:
    """The stock after the event. Events of other nouns change nothing."""
    match event:
        case StockCounted(location=location, quantity=quantity):
            new = quantity
        case StockReceived(location=location, quantity=quantity):
            new = (stock.quantities.get(location, 0) if stock else 0) + quantity
        case StockAdjusted(location=location, delta=delta):
            new = (stock.quantities.get(location, 0) if stock else 0) + delta
        case _:
            return stock
    return Stock((stock.quantities if stock else {}) | {location: new})
