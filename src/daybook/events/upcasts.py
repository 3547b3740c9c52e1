"""Old shapes lifted to new ones, once, on reading. Consumers only ever meet the newest.

`UPCASTS["product.price_changed.v1"] = ("product.price_changed.v2", lift)`: `lift` takes and returns the decoded body
as plain JSON values and must be pure. Chains are followed to their end. Every old version keeps its golden file.
"""

from collections.abc import Callable
from typing import Any

Lift = Callable[[dict[str, Any]], dict[str, Any]]


def _same(plain: dict[str, Any]) -> dict[str, Any]:
    """What came since has a default that says what was so before."""
    return plain


UPCASTS: dict[str, tuple[str, Lift]] = {
    "channel.configured.v1": ("channel.configured.v2", _same),  # safety_stock, allocation
}
