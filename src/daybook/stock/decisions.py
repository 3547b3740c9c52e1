"""What may happen to stock. Pure. Quantities are whole pieces."""

from daybook.errors import InvalidValue
from daybook.events import StockAdjusted, StockCounted, StockEvent, StockReceived
from daybook.stock.state import Stock

PIECES_MAX = 10**9


def count(stock: Stock | None, location: str, quantity: int) -> list[StockEvent]:
    """A count stands whatever was thought before. Counting the same again changes nothing."""
    _check("quantity", quantity, 0)
    if stock is not None and stock.quantities.get(location) == quantity:
        return []
    return [StockCounted(location, quantity)]


def receive(location: str, quantity: int) -> list[StockEvent]:
    """More pieces arrived."""
    _check("quantity", quantity, 1)
    return [StockReceived(location, quantity)]


def adjust(location: str, delta: int) -> list[StockEvent]:
    """More or fewer pieces. Below zero is allowed: a sale that beat the count is a fact."""
    _check("delta", delta, -PIECES_MAX)
    return [StockAdjusted(location, delta)] if delta else []


def _check(field: str, value: int, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidValue(field, "must be a whole number of pieces", value)
    if not least <= value <= PIECES_MAX:
        raise InvalidValue(field, f"must be between {least} and {PIECES_MAX} pieces", value)
