"""From what a person typed to what a command about an order takes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from daybook.errors import InvalidValue

if TYPE_CHECKING:
    from daybook.commands import OrderedLine

_LINE = re.compile(r"(?P<name>[^=]+)=(?P<quantity>[0-9]{1,10})\Z")
_ORDERED = re.compile(r"(?P<sku>[^=]+)=(?P<quantity>[0-9]{1,10})@(?P<price>[0-9.]{1,40})\Z")


def pieces(given: Sequence[str] | None) -> dict[str, int] | None:
    """`1=2` is two pieces of line 1; None when no line is named. Raises InvalidValue."""
    if not given:
        return None
    found: dict[str, int] = {}
    for one in given:
        match = _LINE.match(one)
        if match is None or match["name"] in found:
            raise InvalidValue("line", "must be LINE=PIECES, such as 1=2, each line once", one)
        found[match["name"]] = int(match["quantity"])
    return found


def ordered(given: Sequence[str]) -> tuple[OrderedLine, ...]:
    """`SKU-1=2@19.99` is two pieces of SKU-1 at 19.99 each. Raises InvalidValue."""
    from daybook.commands import OrderedLine

    found = []
    for one in given:
        match = _ORDERED.match(one)
        if match is None:
            raise InvalidValue("line", "must be SKU=PIECES@PRICE, such as SKU-1=2@19.99", one)
        found.append(OrderedLine(sku=match["sku"], quantity=int(match["quantity"]), price=match["price"]))
    return tuple(found)


def named(order: str) -> tuple[str, str]:
    """The channel and the number of `webshop:1001`. Raises InvalidValue."""
    channel, colon, number = order.partition(":")
    if not (channel and colon and number):
        raise InvalidValue("order", "must be CHANNEL:NUMBER, such as webshop:1001", order)
    return channel, number
