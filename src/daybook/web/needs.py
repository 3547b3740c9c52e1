"""What each route needs: its permission, and where the request says what it is about. A route without it is refused."""

from typing import Any

import msgspec

from daybook.access.permissions import CHANNEL, LOCATION, PERMISSIONS, PRICE_LIST

OPT = "needs"
"""Where a route's declaration stands among its options."""


class Needs(msgspec.Struct, frozen=True, kw_only=True):
    """The declaration of one route."""

    permissions: tuple[str, ...]
    """Any of these lets a request in; a route with several is one whose body says which it needs."""
    named: dict[str, str] = {}
    """Dimension -> the part of the path that names it."""
    sku: str | None = None
    """The part of the path that names a product, whose categories and channels then count."""
    order: str | None = None
    """The part of the path that names an order, whose channel then counts."""
    command: bool = False
    """The command says exactly what it needs (`commands.requirements`), and is asked before it is carried out."""
    listed: bool = False
    """The answer is narrowed down to what is within reach, so that any grant lets a request in."""
    open: bool = False
    """Nobody is asked who it is."""
    signed: bool = False
    """Nobody shows a key: the handler checks the signature that the request carries, and refuses others itself."""


def needs(
    *permissions: str,
    channel: str | None = None,
    price_list: str | None = None,
    location: str | None = None,
    sku: str | None = None,
    order: str | None = None,
    command: bool = False,
    listed: bool = False,
) -> dict[str, Any]:
    """The declaration, as an option of a route. Raises KeyError for a permission that there is not."""
    for one in permissions:
        PERMISSIONS[one]
    named = {CHANNEL: channel, PRICE_LIST: price_list, LOCATION: location}
    return {
        OPT: Needs(
            permissions=permissions,
            named={dimension: part for dimension, part in named.items() if part is not None},
            sku=sku,
            order=order,
            command=command,
            listed=listed,
        )
    }


SIGNED: dict[str, Any] = {OPT: Needs(permissions=(), open=True, signed=True)}
"""Of a route that outside systems call, which sign what they send."""
OPEN: dict[str, Any] = {OPT: Needs(permissions=(), open=True)}
"""Of a route that tells nothing about the book: probes, and the description of the API."""
