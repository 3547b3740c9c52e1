"""What may happen to stock. Pure. Quantities are whole pieces."""

from collections.abc import Collection

from daybook import limits
from daybook.errors import InvalidValue
from daybook.events import SafetyStockSet, StockAdjusted, StockCounted, StockEvent, StockReceived
from daybook.stock.state import Stock
from daybook.values import check_limit

PIECES_MAX = 10**9


def count(stock: Stock | None, location: str, quantity: int) -> list[StockEvent]:
    """A count stands whatever was thought before. Counting the same again changes nothing."""
    check_pieces("quantity", quantity, 0)
    if stock is not None and stock.quantities.get(location) == quantity:
        return []
    check_locations(stock, (location,))
    return [StockCounted(location, quantity)]


def receive(stock: Stock | None, location: str, quantity: int) -> list[StockEvent]:
    """More pieces arrived."""
    check_pieces("quantity", quantity, 1)
    check_locations(stock, (location,))
    return [StockReceived(location, quantity)]


def adjust(stock: Stock | None, location: str, delta: int) -> list[StockEvent]:
    """More or fewer pieces. Below zero is allowed: a sale that beat the count is a fact."""
    check_pieces("delta", delta, -PIECES_MAX)
    check_locations(stock, (location,))
    return [StockAdjusted(location, delta)] if delta else []


def set_safety(stock: Stock | None, location: str, quantity: int) -> list[StockEvent]:
    """Pieces that are held back. None holds nothing back."""
    check_pieces("quantity", quantity, 0)
    check_locations(stock, (location,))
    before = stock.safety.get(location, 0) if stock is not None else 0
    return [SafetyStockSet(location, quantity)] if quantity != before else []


def check_locations(stock: Stock | None, locations: Collection[str]) -> None:
    """Raises InvalidValue when these locations are more, with those that there are, than is taken."""
    there = stock.quantities.keys() | stock.safety.keys() if stock is not None else frozenset[str]()
    new = sum(1 for one in locations if one not in there)
    if new:
        check_limit(limits.LOCATIONS, len(there) + new, "stock")


def check_pieces(field: str, value: int, least: int) -> None:
    """Raises InvalidValue for what is no whole number of pieces, or too few or too many of them."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidValue(field, "must be a whole number of pieces", value)
    if not least <= value <= PIECES_MAX:
        raise InvalidValue(field, f"must be between {least} and {PIECES_MAX} pieces", value)
