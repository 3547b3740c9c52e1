"""Variants as an answer has just told them, for their own pushes, which come right after it in the same lane."""

import time
from collections.abc import Callable

from daybook_projections.shopify.ids import Found

PRODUCTS_MAX = 1000
SECONDS = 30.0
"""An older answer is not believed any more: somebody else, or another worker, may have changed the variant since."""


class VariantCache:
    """What answers told and no push has used yet. Each variant is told once."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._products: dict[str, tuple[float, dict[str, Found]]] = {}

    def put(self, product: str, variants: dict[str, Found]) -> None:
        """The variants of a product by SKU, as they are now."""
        self.forget(product)
        if len(self._products) >= PRODUCTS_MAX:
            self._products.pop(next(iter(self._products)))
        self._products[product] = self._clock() + SECONDS, variants

    def take(self, product: str, sku: str) -> Found | None:
        """The variant, when an answer told it a moment ago."""
        until, variants = self._products.get(product, (0.0, {}))
        found = variants.pop(sku, None)
        return found if self._clock() < until else None

    def forget(self, product: str) -> None:
        """The product is another one from now on."""
        self._products.pop(product, None)
