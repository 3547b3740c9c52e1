"""Intents about a product's stock at a location."""

from collections.abc import Sequence

import msgspec

from daybook.commands.decision_view import Change, DecisionView
from daybook.events import StockEvent
from daybook.stock import decisions
from daybook.values import parse_code

DEFAULT_LOCATION = "main"


class CountStock(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="count_stock"):
    """There are so many pieces."""

    sku: str
    quantity: int
    location: str = DEFAULT_LOCATION

    def decide(self, scene: DecisionView) -> list[Change]:
        """See `decisions.count`."""
        parse_code(self.location, "location")
        return _change(scene, self.sku, decisions.count(scene.stock(self.sku), self.location, self.quantity))


class ReceiveStock(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="receive_stock"):
    """So many more pieces arrived."""

    sku: str
    quantity: int
    location: str = DEFAULT_LOCATION

    def decide(self, scene: DecisionView) -> list[Change]:
        """See `decisions.receive`."""
        parse_code(self.location, "location")
        return _change(scene, self.sku, decisions.receive(scene.stock(self.sku), self.location, self.quantity))


class AdjustStock(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="adjust_stock"):
    """So many pieces more, or fewer."""

    sku: str
    delta: int
    location: str = DEFAULT_LOCATION

    def decide(self, scene: DecisionView) -> list[Change]:
        """See `decisions.adjust`."""
        parse_code(self.location, "location")
        return _change(scene, self.sku, decisions.adjust(scene.stock(self.sku), self.location, self.delta))


class SetSafetyStock(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="set_safety_stock"):
    """So many pieces are held back: no channel is shown them."""

    sku: str
    quantity: int
    location: str = DEFAULT_LOCATION

    def decide(self, scene: DecisionView) -> list[Change]:
        """See `decisions.set_safety`."""
        parse_code(self.location, "location")
        return _change(scene, self.sku, decisions.set_safety(scene.stock(self.sku), self.location, self.quantity))


def _change(scene: DecisionView, sku: str, events: Sequence[StockEvent]) -> list[Change]:
    product = scene.known_product(sku)
    return [Change(f"stock/{sku}", sku, product.key, events)]
