"""What may happen to stock. Pure. Quantities are whole pieces."""

from collections.abc import Collection

from daybook import limits
from daybook.errors import InvalidValue
from daybook.events import StockAdjusted, StockCounted, StockEvent, StockReceived
from daybook.stock.state import Stock
from daybook.values import check_limit

PIECES_MAX = 10**9


def count(stock: Stock | None, location: str, quantity: int) -> list[StockEvent]:
    """A count stands whatever was thought before. Counting the same again changes nothing."""
    _check("quantity", quantity, 0)
    if stock is not None and stock.quantities.get(location) == quantity:
        return []
    check_locations(stock, (location,))
    return [StockCounted(location, quantity)]


def receive(stock: Stock | None, location: str, quantity: int) -> list[StockEvent]:
    """More pieces arrived."""
    _check("quantity", quantity, 1)
    check_locations(stock, (location,))
    return [StockReceived(location, quantity)]


def adjust(stock: Stock | None, location: str, delta: int) -> list[StockEvent]:
    """More or fewer pieces. Below zero is allowed: a sale that beat the count is a fact."""
    _check("delta", delta, -PIECES_MAX)
    check_locations(stock, (location,))
    return [StockAdjusted(location, delta)] if delta else []


def check_locations(stock: Stock | None, locations: Collection[str]) -> None:
    """Raises InvalidValue when these locations are more, with those that there are, than is taken."""
    there = stock.quantities.keys() if stock is not None else frozenset[str]()
    new = sum(1 for one in locations if one not in there)
    if new:
        check_limit(limits.LOCATIONS, len(there) + new, "stock")


def _check(field: str, value: int, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidValue(field, "must be a whole number of pieces", value)
    if not least <= value <= PIECES_MAX:
        raise InvalidValue(field, f"must be between {least} and {PIECES_MAX} pieces", value)
