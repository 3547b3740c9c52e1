"""How much the members of a body may hold, for the description of the API: schema -> member -> JSON Schema's words.

Made of the limits, which are checked where commands decide; nothing here refuses anything.
"""

from typing import Any

from daybook import limits
from daybook.stock.decisions import PIECES_MAX
from daybook.values import DECIMAL_PATTERN

Bound = dict[str, Any]


def _items(limit: limits.Limit) -> Bound:
    return {"maxItems": limit.most}


def _members(limit: limits.Limit) -> Bound:
    return {"maxProperties": limit.most}


def _text(limit: limits.Limit, least: int = 1) -> Bound:
    return {"minLength": least, "maxLength": limit.most}


_CODE: Bound = {"minLength": 1, "maxLength": 100}
_AMOUNT: Bound = {"pattern": DECIMAL_PATTERN}
_CURRENCY: Bound = {"minLength": 3, "maxLength": 3}

BOUNDS: dict[str, dict[str, Bound]] = {
    "DescribeProduct": {
        "sku": _text(limits.SKU),
        "axes": _items(limits.AXES),
        "gtin": _text(limits.GTIN),
        "attributes": _items(limits.VALUES),
        "prices": _items(limits.PRICES),
        "categories": _items(limits.PRODUCT_CATEGORIES),
        "media": _items(limits.MEDIA),
        "channels": _members(limits.CHANNELS),
        "stock": _members(limits.LOCATIONS),
    },
    "AttributeChange": {"attribute": _CODE},
    "Attributes": {"changes": _items(limits.VALUES)},
    "Price": {"amount": _AMOUNT, "currency": _CURRENCY, "price_list": _CODE},
    "Amount": {"amount": _AMOUNT},
    "Gtin": {"gtin": _text(limits.GTIN)},
    "Categories": {"categories": _items(limits.PRODUCT_CATEGORIES)},
    "MediaAdded": {"media_id": _text(limits.ADDRESS), "url": _text(limits.ADDRESS), "role": _CODE},
    "Quantity": {"quantity": {"minimum": 0, "maximum": PIECES_MAX}},
    "Delta": {"delta": {"minimum": -PIECES_MAX, "maximum": PIECES_MAX}},
    "NewOrder": {
        "channel": _CODE,
        "number": _text(limits.ORDER_NUMBER),
        "currency": _CURRENCY,
        "lines": {"minItems": 1} | _items(limits.ORDER_LINES),
        "shipping": _AMOUNT,
    },
    "OrderedLine": {
        "sku": _text(limits.SKU),
        "quantity": {"minimum": 1, "maximum": PIECES_MAX},
        "price": _AMOUNT,
        "discount": _AMOUNT,
        "tax": _AMOUNT,
        "line": _text(limits.LINE_NAME),
    },
    "Paid": {"amount": _AMOUNT, "currency": _CURRENCY, "reference": _text(limits.ORDER_TEXT)},
    "Cancelled": {"lines": _members(limits.ORDER_LINES)},
    "Shipped": {
        "parcel": _text(limits.ORDER_TEXT),
        "lines": _members(limits.ORDER_LINES),
        "carrier": _text(limits.ORDER_TEXT),
        "tracking": _text(limits.ORDER_TEXT),
        "location": _CODE,
    },
    "Returned": {
        "lines": _members(limits.ORDER_LINES),
        "location": _CODE,
        "reference": _text(limits.ORDER_TEXT),
    },
    "AttributeDefined": {
        "code": _CODE,
        "labels": _members(limits.LABELS),
        "options": _items(limits.OPTIONS),
        "pattern": _text(limits.PATTERN),
    },
    "AttributeOption": {"code": _text(limits.OPTION_CODE), "labels": _members(limits.LABELS)},
    "FamilyDefined": {
        "code": _CODE,
        "labels": _members(limits.LABELS),
        "attributes": _items(limits.FAMILY_ATTRIBUTES),
        "required": _members(limits.SCOPES),
    },
    "CategoryDefined": {"code": _CODE, "labels": _members(limits.LABELS)},
    "ChannelConfigured": {
        "name": _CODE,
        "locales": _items(limits.CHANNEL_LOCALES),
        "locations": _items(limits.LOCATIONS),
        "currency": _CURRENCY,
        "price_list": _CODE,
        "safety_stock": {"minimum": 0, "maximum": PIECES_MAX},
    },
    "AddChannel": {"name": _CODE, "settings": _members(limits.SETTINGS)},
    "Retry": {"keys": _items(limits.NAMED), "skus": _items(limits.NAMED), "code": _text(limits.FILTER)},
    "Resync": {"skus": _items(limits.NAMED), "since": _text(limits.FILTER), "locale": _text(limits.FILTER)},
}
