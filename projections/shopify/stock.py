"""Sets quantities by compare-and-set: Shopify changes the figure only when it is the one that we think it is.

What it is, is remembered from the last answer, and read where nothing is remembered. So a change of stock is one
request, and two the first time after a start.

When a sale or a person has changed it in between, Shopify refuses (CHANGE_FROM_QUANTITY_STALE). Then it is read back.
The book's figure is an absolute one and stands: what the book does not know yet, such as that sale, becomes an event
of its own and a newer figure. Two cases need no second write: the figure is ours already, as after an answer that was
lost and is not replayed; or a push of a newer position went through while this one was under way. The second is seen
within one process only. Across processes the engine's leases keep a lane with one worker.
"""

from uuid import NAMESPACE_URL, uuid5

import msgspec

from daybook.channel.contract import ChannelUnavailable, Push, Waiting
from daybook_projections.shopify.graphql import Refusal, Shop, Stopped
from daybook_projections.shopify.ids import quantity as quantity_of
from daybook_projections.shopify.listing import STOCK
from daybook_projections.shopify.operations import ACTIVATE, LEVEL, SET_QUANTITIES

STALE = "CHANGE_FROM_QUANTITY_STALE"
NOT_STOCKED = "ITEM_NOT_STOCKED_AT_LOCATION"
GONE = "INVALID_INVENTORY_ITEM"
IN_PROGRESS = "IDEMPOTENCY_CONCURRENT_REQUEST"
USED = ("IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED", "IDEMPOTENCY_KEY_PARAMETER_MISMATCH")
"""The key belongs to a request that was refused: Shopify replays successes only, and wants another key."""
LEVELS_KEPT_MAX = 100_000


class ItemGone(Exception):
    """Shopify does not have this inventory item any more."""


class Level(msgspec.Struct, frozen=True):
    """What the shop was last known to hold, and the position of the push that learned it."""

    quantity: int
    position: int


class Stock:
    """The quantities of one location."""

    def __init__(self, shop: Shop, location: str) -> None:
        self._shop, self._location = shop, location
        self._levels: dict[str, Level] = {}

    def remember(self, item: str, quantity: int, position: int) -> None:
        """The shop holds this quantity now."""
        if item not in self._levels and len(self._levels) >= LEVELS_KEPT_MAX:
            self._levels.pop(next(iter(self._levels)))
        self._levels[item] = Level(quantity, position)

    async def bring(self, push: Push, item: str) -> None:
        """Makes the quantity the push's. Raises ItemGone, Stopped, Refusal and Unanswered."""
        quantity = int(push.listing[STOCK]["quantity"])
        known = self._levels.get(item)
        before = known.quantity if known is not None else await self._read(item)
        if before is None:
            return await self._activate(push, item, quantity)
        if known is None:
            self.remember(item, before, push.position)
        started = self._levels.get(item)
        for again in (False, True):
            try:
                await self._set(push, item, before, quantity, again)
                return self.remember(item, quantity, push.position)
            except Refusal as refusal:
                if refusal.has(NOT_STOCKED):
                    return await self._activate(push, item, quantity)
                if not refusal.has(STALE, *USED):
                    raise
            now = self._levels.get(item)
            if now is not None and now is not started and now.position > push.position:
                return None
            before = await self._read(item)
            if before is None:
                return await self._activate(push, item, quantity)
            self.remember(item, before, push.position)
            started = self._levels.get(item)
            if before == quantity:
                return None
        raise Stopped(Waiting(f"the shop's stock of {push.sku} changes faster than it can be set"))

    async def _read(self, item: str) -> int | None:
        """Available pieces; None when the item is not stocked at the location."""
        found = await self._shop.ask(LEVEL, "inventoryItem", {"id": item, "locationId": self._location})
        if found is None:
            raise ItemGone
        return quantity_of(found.get("inventoryLevel"))

    async def _set(self, push: Push, item: str, before: int, quantity: int, again: bool) -> None:
        variables = {
            "input": {
                "name": "available",
                "reason": "correction",
                "referenceDocumentUri": f"daybook://stock/{push.sku}?position={push.position}",
                "quantities": [
                    {
                        "inventoryItemId": item,
                        "locationId": self._location,
                        "quantity": quantity,
                        "changeFromQuantity": before,
                    }
                ],
            },
            "key": key(push, item, before, quantity, again),
        }
        try:
            await self._shop.ask(SET_QUANTITIES, "inventorySetQuantities", variables)
        except Refusal as refusal:
            if refusal.has(GONE):
                self._levels.pop(item, None)
                raise ItemGone from None
            if refusal.has(IN_PROGRESS):
                raise Stopped(ChannelUnavailable("Shopify is still busy with the same request")) from None
            raise

    async def _activate(self, push: Push, item: str, quantity: int) -> None:
        """Starts to stock the item at the location, with this quantity."""
        variables = {
            "inventoryItemId": item,
            "locationId": self._location,
            "available": quantity,
            "key": key(push, item, "activate", quantity, again=True),
        }
        await self._shop.ask(ACTIVATE, "inventoryActivate", variables)
        self.remember(item, quantity, push.position)


def key(push: Push, item: str, before: int | str, quantity: int, again: bool) -> str:
    """The idempotency key: the same for a try whose answer was lost, so that Shopify replays its first result.

    Besides SKU, facet and position it has what is sent, because Shopify refuses a known key with other values. `again`
    is a request that follows a look at the shop's own figure: nothing is to be replayed there, so the try counts too.
    The newest receipt counts as well. What is brought once more after it, because the shop may have something else by
    now, would be replayed and not carried out where this process remembers what the shop had before.
    """
    tries = push.attempt if again else "first"
    parts = (push.sku, push.facet, push.position, push.receipt, item, before, quantity, tries)
    return str(uuid5(NAMESPACE_URL, "daybook:" + ":".join(map(str, parts))))
