"""What a channel says of its orders: how a message is checked, what one order comes to, how changes are asked for.

A channel's folder says it in `orders.py`, pure: no clock, no I/O. What follows for the book is decided elsewhere, from
what the channel says as a whole: a message that is lost, doubled or late then does no harm.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Literal, Protocol, runtime_checkable

import msgspec

from daybook.channel.reach import is_true
from daybook.people.person import Person

SWITCH = "orders"
"""The setting that lets a channel's orders in: a shop whose orders come another way is left alone."""


class OrderMessage(msgspec.Struct, frozen=True):
    """A request that came for a channel, as it came."""

    headers: Mapping[str, str]
    """By name, in small letters."""
    body: bytes


class HeardOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One order as the channel tells it: its number, and the bytes of which `OrdersIn.decode` makes the rest."""

    number: str
    stamp: datetime | None
    """When the channel changed it last, by the channel's clock: what is older than what was heard before is passed
    over. None where the channel does not say: then it counts as the newest."""
    body: bytes


class NothingToHear(msgspec.Struct, frozen=True):
    """A message that is well and says nothing of an order: a ping, another topic."""

    reason: str


class Forged(msgspec.Struct, frozen=True):
    """A message that the channel's secrets did not sign, and why that is thought. Nothing of it is kept."""

    reason: str


class ToldLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of an order. Amounts are decimal texts such as "19.99"."""

    line: str
    """The channel's own id of it, which stays."""
    sku: str
    quantity: int
    """Pieces that the customer gets or got, as the channel says now."""
    price: str
    """Of one piece."""
    discount: str = "0"
    """Off the whole line."""
    tax: str = "0"


class ToldParcel(msgspec.Struct, frozen=True, kw_only=True):
    """Pieces that the channel says have left; without lines, all that are open."""

    parcel: str
    lines: Mapping[str, int] | None = None
    carrier: str | None = None
    tracking: str | None = None


class ToldReturn(msgspec.Struct, frozen=True, kw_only=True):
    """Pieces that the channel says came back."""

    reference: str
    lines: Mapping[str, int]
    restock: bool = True


class ToldRefund(msgspec.Struct, frozen=True, kw_only=True):
    """Money that the channel says went back."""

    reference: str
    amount: str


class ToldOrder(msgspec.Struct, frozen=True, kw_only=True):
    """All that a channel says of one order now."""

    number: str
    state: Literal["not_sold", "sold", "cancelled", "gone"]
    """`not_sold`: a basket that nobody may count on yet. `gone`: the channel has it no more, and does not say why."""
    currency: str = ""
    lines: tuple[ToldLine, ...] = ()
    shipping: str = "0"
    """What is paid besides the lines: sending, fees, and what rounding leaves."""
    tax_included: bool = True
    customer: Person | None = None
    sold_at: datetime | None = None
    paid: str | None = None
    """What came in so far; None for nothing."""
    cancelled: Mapping[str, int] = {}
    """Line -> pieces of it that will not be sent, out of `quantity`."""
    rest_cancelled: bool = False
    """Nothing that was not sent yet will be."""
    cancel_requested: frozenset[str] = frozenset()
    """Lines of which the customer wants nothing any more: what did not leave yet is cancelled, and what left is not."""
    parcels: tuple[ToldParcel, ...] = ()
    returns: tuple[ToldReturn, ...] = ()
    refunds: tuple[ToldRefund, ...] = ()


class OrdersPage(msgspec.Struct, frozen=True):
    """Orders that changed, and what to ask for to get those behind them; None at the end."""

    orders: tuple[HeardOrder, ...]
    next: str | None = None
    until: datetime | None = None
    """On the last page: by the channel's clock, the moment up to which all changes were told, where it says so. Else
    the newest change that was seen counts, and a channel where nothing changes is asked about a longer and longer
    time."""


class NotNow(msgspec.Struct, frozen=True):
    """Why the channel can't be asked at present, for a person."""

    reason: str
    retry_after_seconds: float | None = None


@runtime_checkable
class TellsOrders(Protocol):
    """A connector whose channel can be asked which orders changed."""

    async def changed_orders(self, since: datetime, page: str | None) -> OrdersPage | NotNow:
        """A page of the orders that changed after `since`, by the channel's clock. Never raises for what the channel
        or the network does. Orders that change while pages are asked for may come twice, and must not be left out."""
        ...


class OrdersIn(msgspec.Struct, frozen=True, kw_only=True):
    """How a channel's orders come in. All of it is pure."""

    decode: Callable[[HeardOrder], ToldOrder]
    """Raises InvalidValue, which names the channel's own field, for what nobody can take."""
    hear: Callable[[Mapping[str, str], OrderMessage], HeardOrder | NothingToHear | Forged] | None = None
    """hear(settings, message): checks the signature over the raw body, with every secret that is valid. None: the
    channel sends no messages."""
    overlap_seconds: float = 300.0
    """Changes are asked for again from so long before the newest that was seen: a change may be seen late."""
    every_seconds: float = 60.0
    """How often changes are asked for."""


def takes_orders(settings: Mapping[str, str]) -> bool:
    """Whether a channel's settings let its orders in."""
    return is_true(settings, SWITCH)
