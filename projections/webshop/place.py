"""Where a listing is in the shop, and what the shop's errors say about that. Pure."""

import msgspec

DUPLICATE = "product_invalid_sku"
TRASHED = "woocommerce_rest_product_not_created"
"""The code for a new product whose SKU is in the trash: WooCommerce's own check does not look there, its table does."""
INVALID_PARENT = "woocommerce_rest_product_variation_invalid_parent"
GONE = frozenset(
    {
        "woocommerce_rest_product_invalid_id",
        "woocommerce_rest_product_variation_invalid_id",
        "woocommerce_rest_invalid_product_id",
        "woocommerce_rest_invalid_product_variation_id",
        "woocommerce_rest_already_trashed",
    }
)
"""Codes for an id that the shop does not have, or not there. By the code: a PUT of a product says 400, all else 404."""


class Place(msgspec.Struct, frozen=True):
    """A product, or a variation under a product. As text: `12` or `12/34`."""

    product: int
    variation: int | None = None

    @classmethod
    def parse(cls, text: str) -> "Place":
        """From the text that a receipt keeps."""
        product, _, variation = text.partition("/")
        return cls(int(product), int(variation) if variation else None)

    def __str__(self) -> str:
        return f"{self.product}" if self.variation is None else f"{self.product}/{self.variation}"

    @property
    def under(self) -> int | None:
        """The product that a variation hangs under."""
        return None if self.variation is None else self.product

    @property
    def own(self) -> int:
        """The id of the thing itself."""
        return self.product if self.variation is None else self.variation

    @property
    def path(self) -> str:
        """Of this very product or variation, below the API's address."""
        return f"{collection(self.under)}/{self.own}"


def collection(under: int | None) -> str:
    """The path of all products, or of one product's variations."""
    return "/products" if under is None else f"/products/{under}/variations"
