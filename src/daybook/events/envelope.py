"""An event as the log holds it: what happened, where in the order, who, why and where from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from daybook.events import Event

REFERENCE_KEY = "@reference"
"""The key of the catalogue model's events. No SKU can start with @."""
PERSON_KEY = "@person/"
"""What the key of a person's events begins with; the person's id follows."""

CHANNEL_KEY = "@channel/"
"""What the key of what people do to a channel begins with; the channel's name follows."""

ORDER_KEY = "@order/"
"""What the key of an order's events begins with; the order's id, `webshop:1001`, follows."""


def of_group(key: str) -> bool:
    """Whether events of this key are about a product group. What begins with @ is of the book, a person or an order."""
    return not key.startswith("@")


KeyKind = Literal["product", "order", "person"]
"""What an event may be about. What is said of the book itself (its model, who may do what) is no kind."""

KEY_BEGINS: Mapping[KeyKind, str] = {"order": ORDER_KEY, "person": PERSON_KEY}
"""What the keys of a kind begin with, and no other's. A product group's key is a SKU, which begins with none."""


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """One event and its columns."""

    position: int
    """1, 2, 3, ... without holes, in the order of commits; also the JetStream sequence."""
    event_id: str
    """UUIDv7."""
    stream: str
    """`product/SKU-1`; versions count from 1 in each."""
    version: int
    type: str
    """The stored name, `product.price_changed.v1`."""
    sku: str | None
    key: str
    """The product group: the SKU of the topmost parent; `@reference` for the catalogue's model, `@access` for
    who may do what, `@person/<id>` for a person, `@order/<id>` for an order, `@channel/<name>` for what
    people do to a channel, `@policy/<name>` for what they say to a policy, `@schedule` for what is to hold from a
    moment on."""
    recorded_at: datetime
    """UTC, never going back from one position to the next."""
    actor: str
    reason: str | None
    source: str
    """Where the command came from: `cli`, `http`, `import:akeneo`, `delivery`."""
    correlation_id: str
    causation_id: str | None
    command_id: str
    access: str | None = None
    """The key and the grants that it was done with, `dbk_4f…/gr_7c…`; null for what came from this machine itself."""
    event: Event
