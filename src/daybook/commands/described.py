"""Flat fields of a product as one command that says them: the way back from `queries.fields.own`. Pure."""

from collections.abc import Mapping
from typing import Any

import msgspec

from daybook.commands.describe import DescribeProduct
from daybook.product.state import slot_parts


def described(sku: str, fields: Mapping[str, Any]) -> DescribeProduct:
    """The description that says these fields and leaves all others; None removes.

    Raises msgspec.ValidationError for a value that no such field can have.
    """
    said: dict[str, Any] = {"sku": sku}
    for name, value in fields.items():
        noun, _, rest = name.partition(".")
        if noun == "attributes":
            attribute, locale, channel = slot_parts(rest)
            one = {"attribute": attribute, "locale": locale, "channel": channel, "value": value}
            said.setdefault(noun, []).append(one)
        elif noun == "prices":
            price_list, _, currency = rest.rpartition(".")
            said.setdefault(noun, []).append({"price_list": price_list, "currency": currency, "amount": value})
        elif noun == "media":
            said.setdefault(noun, []).append(value or {"media_id": rest, "url": None})
        elif noun in ("channels", "stock"):
            said.setdefault(noun, {})[rest] = value
        else:
            said[noun] = value
    return msgspec.convert(said, DescribeProduct)
