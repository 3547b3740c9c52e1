"""Brings products to Shopify: Admin GraphQL API, version 2026-07. Every single write is carried out before its answer.

The root of a group is one productSet for the product with all its variants; it names the product by its SKU (a unique
metafield), so a create whose answer was lost finds what it made. Variants that are new get their price and their stock
in the same request, as far as the push knows them; what a variant's own push finds as it should be is not sent again.

Where the push does not know them, a new variant costs 0.00 until its own push, right after in the same lane, and nobody
can buy it: it is tracked, sold only from stock, and there is none.

Most pushes are one request. More are needed only where the truth has to be looked up first: a variant's ids that
the productSet's answer did not tell, a quantity that another party changed, a removal of what is known by no id, and
whatever Shopify does not have any more: that is looked for, or made anew.

When very many products wait they go as one bulk operation (see `bulk.py`). Only first tries do, and what a bulk
operation leaves without an end, or refuses for want of a look at the shop, is brought singly.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from msgspec.structs import replace

from daybook.channel.calls import Unanswered
from daybook.channel.contract import (
    Accepted,
    ChannelUnavailable,
    Confirmed,
    Outcome,
    Payload,
    Push,
    Rejected,
    Shown,
    Throttled,
    Waiting,
)
from daybook.channel.oauth import OAuth
from daybook_projections.shopify import operations
from daybook_projections.shopify.bulk import Bulk
from daybook_projections.shopify.bulk_threshold import BulkThreshold
from daybook_projections.shopify.custom_ids import CustomIds, custom_id
from daybook_projections.shopify.graphql import Node, Refusal, Shop, Stopped
from daybook_projections.shopify.ids import Found, Ids, found
from daybook_projections.shopify.inputs import changing, creating, listings_of, quantities, variant_ids
from daybook_projections.shopify.listing import FACETS, PRICE, PRODUCT, STOCK
from daybook_projections.shopify.order_query import OrderQuery
from daybook_projections.shopify.publication import Publication
from daybook_projections.shopify.readback import read
from daybook_projections.shopify.stock import ItemGone, Stock
from daybook_projections.shopify.variant_cache import VariantCache

GONE = ("PRODUCT_DOES_NOT_EXIST", "PRODUCT_VARIANT_DOES_NOT_EXIST", "NOT_FOUND")
NOT_ITS_VARIANT = "AT_LEAST_ONE_VARIANT_DOES_NOT_BELONG_TO_THE_PRODUCT"
LAST_VARIANT = "CANNOT_DELETE_LAST_VARIANT"
QUANTITIES = "inventoryQuantities"
SLOT_TAKEN = "OPERATION_IN_PROGRESS"
IN_FLIGHT_MAX = 8
GATHER_MAX = 1000
BULK_MIN = 250
"""Products that may wait to be brought singly. A bulk operation is not worth its own wait for fewer."""
LINE_VARIANTS_MAX = 100
BULK_CHECK_SECONDS = 2.0
SLOT_SECONDS = 15.0
"""Until the next try when the shop runs as many bulk operations as it may."""


class ShopifyConnector:
    """One shop and one of its locations."""

    def __init__(self, url: str, access: str | OAuth, location_id: str, publication_id: str) -> None:
        self._shop = Shop(url, access)
        self.pace = self._shop.pace
        self.changed_orders = OrderQuery(self._shop).changed
        self._location = location_id
        self._custom_ids = CustomIds(self._shop)
        self._publication = Publication(self._shop, publication_id)
        self._stock = Stock(self._shop, location_id)
        self.bulk = Bulk(self._shop)
        self._variant_cache = VariantCache()
        self._threshold = BulkThreshold()
        self.bulk_min = BULK_MIN

    async def push(self, push: Push) -> Outcome:
        """Brings one facet to the shop; the create of a product with one variant brings them all."""
        try:
            return await self._outcome(push, self._bring_facet(push))
        finally:
            self._threshold.done(push)

    async def _outcome(self, push: Push, work: Awaitable[Outcome]) -> Outcome:
        try:
            return await work
        except Stopped as stopped:
            return stopped.outcome
        except Refusal as refusal:
            return refusal.rejected(push.facet)
        except Unanswered as unanswered:
            return unanswered.outcome()
        except ItemGone:
            return Waiting(f"{push.sku} went away from the shop between two requests")

    def gathers(self, push: Push) -> str | None:
        """Products go together when very many wait: `bulk_min` of them go singly, and those beyond by a bulk operation.

        First tries only, and none so large that a thousand of them would be too much for a file.
        """
        if push.facet != PRODUCT or push.sku != push.key or push.payload is None or push.attempt > 1:
            return None
        if len(push.payload.get("variants", ())) > LINE_VARIANTS_MAX or self._threshold.lets_in(push, self.bulk_min):
            return None
        return PRODUCT

    async def push_all(self, pushes: Sequence[Push]) -> Sequence[Outcome]:
        """Starts a bulk operation, which `confirm` follows."""
        trouble: Outcome
        try:
            if any(push.remote_id is None for push in pushes):
                await self._custom_ids.define()
            number = await self.bulk.start([self._line(push) for push in pushes])
            return [self._accepted(push, f"bulk/{number}/{line}") for line, push in enumerate(pushes)]
        except Refusal as refusal:
            said = "; ".join(f"{each.code}: {each.message}" for each in refusal.rejected("bulk").reasons)
            taken = refusal.has(SLOT_TAKEN)
            trouble = Throttled(SLOT_SECONDS, "bulk") if taken else ChannelUnavailable(f"no bulk operation: {said}")
        except Stopped as stopped:
            trouble = stopped.outcome
        except Unanswered as unanswered:
            trouble = unanswered.outcome()
        return [trouble] * len(pushes)

    async def confirm(self, push: Push, submission: str) -> Outcome:
        """How the push's line of a bulk operation ended. One that came to no end is brought singly, here and now."""
        _, number, line = submission.split("/")
        try:
            results = await self.bulk.results(number)
        except Stopped as stopped:
            return stopped.outcome
        except Refusal as refusal:
            return ChannelUnavailable(f"Shopify does not tell how the bulk operation {number} stands: {refusal}")
        except Unanswered as unanswered:
            return unanswered.outcome()
        if results is None:
            return Accepted(submission=submission, check_after_seconds=BULK_CHECK_SECONDS)
        result = results.get(int(line))
        return await self.push(push) if result is None else await self._outcome(push, self._ended(push, result))

    async def read(self, push: Push) -> Shown | Throttled | ChannelUnavailable | Rejected:
        """What the shop shows, by one query; more for a product with more variants than a page has."""
        try:
            return await read(self._shop, self._location, self._publication, push)
        except Stopped as stopped:
            return (
                ChannelUnavailable(stopped.outcome.reason) if isinstance(stopped.outcome, Waiting) else stopped.outcome
            )
        except Refusal as refusal:
            return refusal.rejected(push.facet)
        except Unanswered as unanswered:
            return unanswered.outcome()

    async def close(self) -> None:
        """Closes the connection pool."""
        await self._shop.close()

    async def _bring_facet(self, push: Push) -> Outcome:
        root = push.sku == push.key
        if push.payload is None:
            if push.facet != PRODUCT:
                # What can be bought always has a price and a stock: they go with it, and alone there is nothing to do.
                return Confirmed(remote_id=push.remote_id)
            return await (self._remove_product(push) if root else self._remove_variant(push))
        if PRODUCT not in push.listing:
            return Waiting(f"{push.sku} has no product to set its {push.facet} on")
        if push.facet == PRODUCT:
            return await (self._bring_product(push) if root else self._bring_variant(push))
        if push.remote_id is None:
            return Waiting(f"{push.sku} is not in the shop yet")
        ids = Ids.parse(push.remote_id)
        try:
            await self._bring(push, push.facet, ids)
            return Confirmed(remote_id=push.remote_id)
        except ItemGone:
            return await (self._create(push) if root else self._bring_variant(push, everything=True))

    async def _bring_product(self, push: Push) -> Outcome:
        if push.remote_id is None:
            return await self._create(push)
        ids = Ids.parse(push.remote_id)
        known = {push.sku: ids.variant} if ids.variant else variant_ids(push, ids.product)
        try:
            return await self._change(push, ids.product, known)
        except Refusal as refusal:
            if not refusal.has(*GONE):
                raise
        there = None if ids.variant else await self._variants(ids.product)
        if there is None:
            return await self._create(push)
        return await self._change(push, ids.product, {sku: each.ids.variant for sku, each in there.items()})

    async def _change(self, push: Push, product: str, known: Mapping[str, str]) -> Outcome:
        payload, listings = push.listing[PRODUCT], listings_of(push)
        await self._set_with_stock(lambda location: changing(product, payload, known, listings, location))
        return Confirmed(remote_id=push.remote_id)

    async def _create(self, push: Push) -> Outcome:
        payload, listings = push.listing[PRODUCT], listings_of(push)
        made = await self._set_with_stock(lambda location: creating(push.sku, payload, listings, location))
        return self._made(push, made)

    def _made(self, push: Push, made: str) -> Confirmed:
        """The outcome when the product is there: with one variant its price and stock are too, as far as they show."""
        only = self._variant_cache.take(made, push.sku) if PRICE in push.listing else None
        if only is None:
            return Confirmed(covers=(PRODUCT,), remote_id=made)
        return Confirmed(covers=(PRODUCT, *self._held(push, only)), remote_id=str(only.ids))

    def _held(self, push: Push, there: Found) -> tuple[str, ...]:
        held = there.holds(push.listing)
        if there.quantity is not None:
            self._stock.remember(there.ids.item, there.quantity, push.position)
        return held

    async def _bring_variant(self, push: Push, everything: bool = False) -> Outcome:
        """Makes sure that the product holds the variant as it should be: its own productSet brought it.

        A variant that is another one than before, because somebody deleted it in the shop, has lost its price and
        stock, so they are brought as well, unless the productSet that made it had them.
        """
        if push.key not in push.remote_ids:
            return Waiting(f"{push.sku} is a variant of {push.key}, which is not in the shop yet")
        product = Ids.parse(push.remote_ids[push.key]).product
        there = await self._locate(product, push.sku)
        if there is None and push.remote_id is not None:  # somebody deleted it, alone or with its product
            there = await self._locate(await self._bring_root(push) or product, push.sku)
        if there is None or not there.shows(push.listing[PRODUCT]):
            return Waiting(f"{push.key} does not hold its variant {push.sku} as it should be yet")
        remote_id, held = str(there.ids), self._held(push, there)
        if not everything and push.remote_id in (None, remote_id):
            return Confirmed(covers=(PRODUCT, *held), remote_id=remote_id)
        for facet in (PRICE, STOCK):
            if facet in push.listing and facet not in held:
                await self._bring(push, facet, there.ids)
        return Confirmed(covers=tuple(push.listing), remote_id=remote_id)

    async def _bring(self, push: Push, facet: str, ids: Ids) -> None:
        """Sets the price or the stock of a variant. Raises ItemGone when the shop does not have it."""
        self._variant_cache.take(ids.product, push.sku)  # what an answer told of it is not true any more
        if facet == STOCK:
            return await self._stock.bring(push, ids.item)
        variables = {"productId": ids.product, "variants": [{"id": ids.variant} | push.listing[PRICE]]}
        try:
            named = variables | self._publication.variables
            answer = await self._shop.ask(operations.VARIANTS_UPDATE, "productVariantsBulkUpdate", named)
        except Refusal as refusal:
            if refusal.has(*GONE):
                raise ItemGone from None
            raise
        if answer["product"]["status"] == "ACTIVE":
            return await self._publication.ensure(answer["product"])
        await self._bring_root(push)  # somebody archived it: no buyer would see the price
        return None

    async def _bring_root(self, push: Push) -> str | None:
        """Brings the product that the push belongs to, which nobody is about to send: its id, None when not known."""
        root = push.listing if push.sku == push.key else push.group.get(push.key, {})
        if PRODUCT not in root:
            return None
        known = push.remote_ids.get(push.key)
        outcome = await self._bring_product(
            replace(push, sku=push.key, facet=PRODUCT, payload=root[PRODUCT], listing=root, remote_id=known)
        )
        return Ids.parse(outcome.remote_id).product if isinstance(outcome, Confirmed) and outcome.remote_id else None

    async def _set_with_stock(self, variables: Callable[[str | None], Payload]) -> str:
        """productSet with the quantities of new variants; without them when one is not new, and not stocked yet."""
        try:
            return await self._set(variables(self._location))
        except Refusal as refusal:
            if not refusal.about(QUANTITIES):
                raise
        return await self._set(variables(None))

    async def _set(self, variables: Payload) -> str:
        """productSet: the product's id. Its variants are remembered for their own pushes."""
        answer = await self._custom_ids.ask(
            operations.PRODUCT_SET, "productSet", variables | self._publication.variables
        )
        await self._publication.ensure(answer["product"])
        return self._learn(answer["product"], variables)

    def _learn(self, product: Node, variables: Payload) -> str:
        made = str(product["id"])
        self._variant_cache.put(made, found(made, product["variants"]["nodes"], quantities(variables)))
        return made

    def _line(self, push: Push) -> Payload:
        """The variables of the push's productSet, as a line of a bulk operation."""
        payload, listings = push.listing[PRODUCT], listings_of(push)
        if push.remote_id is None:
            return creating(push.sku, payload, listings, self._location) | self._publication.variables
        ids = Ids.parse(push.remote_id)
        known = {push.sku: ids.variant} if ids.variant else variant_ids(push, ids.product)
        return changing(ids.product, payload, known, listings, self._location) | self._publication.variables

    def _accepted(self, push: Push, submission: str) -> Accepted:
        created = tuple(push.listing) if push.remote_id is None else (PRODUCT,)
        return Accepted(submission=submission, covers=created, check_after_seconds=BULK_CHECK_SECONDS)

    async def _ended(self, push: Push, result: Node) -> Outcome:
        answer = (result.get("data") or {}).get("productSet") or {}
        errors = answer.get("userErrors") or result.get("errors")
        if errors or not answer.get("product"):
            refusal = Refusal(errors or [{"message": "the bulk operation's result has no product"}])
            if refusal.has(*GONE) or refusal.about(QUANTITIES):
                return await self.push(push)  # needs a look at the shop, which a line can't take
            return refusal.rejected(PRODUCT)
        await self._publication.ensure(answer["product"])
        product = str(answer["product"]["id"])
        if push.remote_id is not None:
            return Confirmed(remote_id=push.remote_id)
        if PRICE not in push.listing:
            return Confirmed(covers=(PRODUCT,), remote_id=product)
        # The push is as it was sent, so its stock is the one that the line has set.
        line = creating(push.sku, push.listing[PRODUCT], {push.sku: push.listing}, self._location)
        return self._made(push, self._learn(answer["product"], line))

    async def _locate(self, product: str, sku: str) -> Found | None:
        """The variant as the shop has it: from an answer that was just given, else looked up among the product's.

        Not by a search for the SKU: Shopify's search lags behind its writes and does not look for exact words.
        """
        seen = self._variant_cache.take(product, sku)
        if seen is not None:
            return seen
        there = await self._variants(product)
        if there is None:
            return None
        self._variant_cache.put(product, there)
        return there.pop(sku, None)

    async def _variants(self, product: str) -> dict[str, Found] | None:
        """All of the product's variants by SKU; None when there is no such product."""
        there: dict[str, Found] = {}
        after: str | None = None
        while True:
            answer = await self._shop.ask(
                operations.VARIANTS, "product", {"id": product, "locationId": self._location, "after": after}
            )
            if answer is None:
                return None
            there |= found(product, answer["variants"]["nodes"])
            page = answer["variants"]["pageInfo"]
            if not page["hasNextPage"]:
                return there
            after = page["endCursor"]

    async def _remove_product(self, push: Push) -> Outcome:
        if push.remote_id is not None and await self._delete(Ids.parse(push.remote_id).product):
            return Confirmed(covers=FACETS)
        # Its id is not known or not true any more: the answer that told the newest one may have been lost.
        product = await self._custom_ids.find(custom_id(push.sku))
        if product is not None:
            await self._delete(product)
        return Confirmed(covers=FACETS)

    async def _remove_variant(self, push: Push) -> Outcome:
        """Mostly its product's own productSet has left it out already. The last variant takes its product along."""
        if push.key not in push.remote_ids:
            return Confirmed(covers=FACETS)
        product = Ids.parse(push.remote_ids[push.key]).product
        ids = Ids.parse(push.remote_id) if push.remote_id is not None else None
        if ids is None or not await self._drop(product, ids.variant):
            there = await self._locate(product, push.sku)
            if there is not None:
                await self._drop(product, there.ids.variant)
        return Confirmed(covers=FACETS)

    async def _drop(self, product: str, variant: str) -> bool:
        """True when it is gone now, False when the product had no such variant."""
        try:
            variables = {"productId": product, "variantsIds": [variant]}
            await self._shop.ask(operations.VARIANTS_DELETE, "productVariantsBulkDelete", variables)
        except Refusal as refusal:
            if refusal.has(LAST_VARIANT):
                return await self._delete(product)
            if not refusal.has(NOT_ITS_VARIANT, *GONE):
                raise
            return not refusal.has(NOT_ITS_VARIANT)  # without the product there is no variant to look for
        return True

    async def _delete(self, product: str) -> bool:
        """True when it is gone now, False when there was no such product. The refusal has no code, so it is checked."""
        self._variant_cache.forget(product)
        try:
            await self._shop.ask(operations.PRODUCT_DELETE, "productDelete", {"input": {"id": product}})
        except Refusal:
            if await self._custom_ids.find({"id": product}) is not None:
                raise
            return False
        return True
