"""What a processed product shows, in the words of the payload that brought it. Pure."""

from collections.abc import Mapping
from typing import Any

from daybook.channel.contract import Payload

OURS = frozenset(
    {
        *("title", "description", "link", "imageLink", "additionalImageLinks", "availability", "condition", "price"),
        *("brand", "gtins", "mpn", "itemGroupId", "color", "size", "material", "pattern", "productTypes"),
    }
)
"""Attributes that only the book fills, so that one which is shown and was not brought is somebody's edit.

Not among them: `googleProductCategory` and `identifierExists`, which Google settles by itself when we do not.
"""
GTIN_LENGTH = 14
Json = Mapping[str, Any]


def as_pushed(product: Json, wanted: Json) -> Payload:
    """The processed product as the payload that would have brought it. `wanted` is the payload that did.

    A value that says the same in other words (spaces, the width of a number, upper and lower case) is given in ours.
    """
    brought = wanted.get("productAttributes") or {}
    shown = product.get("productAttributes") or {}
    attributes = {
        name: brought[name] if name in brought and _plain(name, value) == _plain(name, brought[name]) else value
        for name, value in shown.items()
        if name in brought or name in OURS
    }
    names = ("offerId", "contentLanguage", "feedLabel")
    return {name: product[name] for name in names if name in product} | {"productAttributes": attributes}


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, str):
        text = " ".join(value.split())
        return text.upper() if name in ("availability", "condition") else text
    if name == "price" and isinstance(value, dict):
        return integer(value.get("amountMicros")), value.get("currencyCode")
    if isinstance(value, list):
        return [_plain(name, each).zfill(GTIN_LENGTH) if name == "gtins" else _plain(name, each) for each in value]
    return value


def integer(value: object) -> int:
    """A 64-bit number as protobuf's JSON writes it, in a text; 0 for what is none."""
    return int(value) if isinstance(value, int | str) and str(value).isdigit() else 0
