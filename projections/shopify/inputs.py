"""Payloads made into the variables of a productSet: whose product it is, and which ids and figures its variants get."""

from collections.abc import Mapping

from daybook.channel.contract import Payload, Push
from daybook_projections.shopify.custom_ids import custom_id, field
from daybook_projections.shopify.ids import Ids
from daybook_projections.shopify.listing import PRICE, STOCK


def creating(
    sku: str, product: Payload, listings: Mapping[str, Mapping[str, Payload]], location: str | None
) -> Payload:
    """Variables that create the product, or bring back what was made for the SKU before.

    Variants get the price and the stock of their own listing, as far as `listings` has it by SKU, and no stock without
    a location. `metafields` is sent here only: the list is replaced, and a later one would delete what the shop's
    people keep there.
    """
    variants = [entry | _figures(listings.get(entry["sku"], {}), location) for entry in product["variants"]]
    return {"identifier": custom_id(sku), "input": product | {"variants": variants, "metafields": [field(sku)]}}


def changing(
    product_id: str,
    product: Payload,
    variant_ids: Mapping[str, str],
    listings: Mapping[str, Mapping[str, Payload]],
    location: str | None,
) -> Payload:
    """Variables that change the product. A variant whose id is known keeps it, even when its options are others now.

    Without the id Shopify finds a variant by its options: one whose colour was renamed would be deleted, and made anew
    without price and stock. A variant without an id is a new one, as far as we know: it gets both at once, as in
    `creating`.
    """
    variants = [
        {"id": variant_ids[entry["sku"]]} | entry
        if entry["sku"] in variant_ids
        else entry | _figures(listings.get(entry["sku"], {}), location)
        for entry in product["variants"]
    ]
    return {"identifier": {"id": product_id}, "input": product | {"variants": variants}}


def listings_of(push: Push) -> dict[str, Mapping[str, Payload]]:
    """Facets by SKU, of the push's own and of its group as far as it is known."""
    return {**push.group, push.sku: push.listing}


def variant_ids(push: Push, product: str) -> dict[str, str]:
    """SKU -> variant, of the variants that are known to be in this product."""
    known = {sku: Ids.parse(remote_id) for sku, remote_id in push.remote_ids.items()}
    return {sku: ids.variant for sku, ids in known.items() if ids.product == product and ids.variant}


def quantities(variables: Payload) -> dict[str, int]:
    """SKU -> the quantity that these variables of a productSet set."""
    return {
        entry["sku"]: entry["inventoryQuantities"][0]["quantity"]
        for entry in variables["input"]["variants"]
        if entry.get("inventoryQuantities")
    }


def _figures(listing: Mapping[str, Payload], location: str | None) -> Payload:
    figures: Payload = {}
    if PRICE in listing:
        figures |= listing[PRICE]
    if STOCK in listing and location is not None:
        figures["inventoryQuantities"] = [{"locationId": location} | listing[STOCK]]
    return figures
