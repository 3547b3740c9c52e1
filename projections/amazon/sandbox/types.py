"""The product types that the sandbox's Amazon has definitions of: small ones, with the words that real ones use.

Their schemas demand what the sandbox's listings demand anyway, and lengths beside it.
"""

import hashlib
from typing import Any

import msgspec

DISPLAY_NAMES = {"LUGGAGE": "Luggage", "SHIRT": "Shirt"}
_META_SCHEMA = "https://schemas.amazon.com/selling-partners/definitions/product-types/meta-schema/v1"
_PRODUCT_FACTS = ("item_name", "brand")
_SALES_TERMS = ("condition_type", "purchasable_offer")


def schema(product_type: str, requirements: str, level: str, enforced: bool) -> bytes:
    """The JSON Schema of a listing's attributes, as a file."""
    facts = _PRODUCT_FACTS if requirements != "LISTING_OFFER_ONLY" else ()
    terms = _SALES_TERMS if requirements != "LISTING_PRODUCT_ONLY" and level != "PARENT" else ()
    body: dict[str, Any] = {
        "$schema": _META_SCHEMA,
        "$id": f"https://schemas.amazon.com/selling-partners/definitions/product-types/schema/v1/{product_type}",
        "$comment": "Amazon product type definition schema (a small one)",
        "$defs": {
            "marketplace_id": {"type": "string"},
            "language_tag": {"type": "string", "pattern": "^[a-z]{2}_[A-Z]{2}$"},
        },
        "type": "object",
        "required": [*facts, *terms] if enforced else [],
        "properties": {
            "item_name": _texts({"maxLength": 200}),
            "product_description": _texts({"maxLength": 2000}),
            "brand": _texts({"maxUtf8ByteLength": 100, "minUtf8ByteLength": 1}),
            "condition_type": _entries({"value": {"type": "string", "enum": ["new_new", "used_good"]}}, ["value"]),
            "externally_assigned_product_identifier": _entries(
                {"type": {"enum": ["ean", "upc", "gtin", "isbn"]}, "value": {"type": "string", "maxLength": 14}},
                ["type", "value"],
            ),
            "purchasable_offer": _entries({"our_price": {"type": "array", "minItems": 1}}, ["currency", "our_price"]),
            "fulfillment_availability": _entries(
                {"quantity": {"type": "integer", "minimum": 0}}, ["fulfillment_channel_code"]
            ),
        },
        "additionalProperties": True,
    }
    return msgspec.json.encode(body)


def definition(
    product_type: str, requirements: str, enforced: bool, locale: str, marketplace_id: str, address: str, file: bytes
) -> dict[str, Any]:
    """The answer of getDefinitionsProductType; the schema lies at `address`."""
    checksum = hashlib.md5(file, usedforsecurity=False).hexdigest()
    return {
        "schema": {"link": {"resource": address, "verb": "GET"}, "checksum": checksum},
        "requirements": requirements,
        "requirementsEnforced": "ENFORCED" if enforced else "NOT_ENFORCED",
        "propertyGroups": {
            "product_identity": {
                "title": "Product Identity",
                "description": "Information that identifies the product",
                "propertyNames": ["item_name", "brand", "externally_assigned_product_identifier"],
            }
        },
        "locale": locale,
        "marketplaceIds": [marketplace_id],
        "productType": product_type,
        "displayName": DISPLAY_NAMES[product_type],
        "productTypeVersion": {"version": "U8L4z4Ud95N16tZlR7rsmbQ==", "latest": True, "releaseCandidate": False},
    }


def _entries(members: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {
        "type": "array",
        "minItems": 1,
        "selectors": ["marketplace_id"],
        "items": {
            "type": "object",
            "required": required,
            "properties": {"marketplace_id": {"$ref": "#/$defs/marketplace_id"}} | members,
        },
    }


def _texts(limits: dict[str, Any]) -> dict[str, Any]:
    members = {"value": {"type": "string"} | limits, "language_tag": {"$ref": "#/$defs/language_tag"}}
    return _entries(members, ["value"]) | {"selectors": ["marketplace_id", "language_tag"]}
