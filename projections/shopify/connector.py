"""Brings products to Shopify: Admin GraphQL API, version 2026-07. Every write is carried out before its answer.

The root of a group is one productSet for the product with all its variants; it names the product by its SKU (a unique
metafield), so a create whose answer was lost finds what it made. A product with one variant is created in one request
with its price and stock.

A product with variants is created without theirs: each variant's own SKU brings them, right after, in the same lane.
Until then a new variant costs 0.00, and nobody can buy it: it is tracked, sold only from stock, and there is none.

Most pushes are one request. More are needed only where the truth has to be looked up first: a variant's ids that
the productSet's answer did not tell, a quantity that another party changed, a removal of what is known by no id, and
whatever Shopify does not have any more: that is looked for, or made anew.
"""

from collections.abc import Mapping
from typing import Any

from daybook.channel.calls import Unanswered
from daybook.channel.contract import Confirmed, Outcome, Payload, Push, Waiting
from daybook.errors import BadConfiguration
from projections.shopify.documents import (
    PRODUCT_DELETE,
    PRODUCT_FIND,
    PRODUCT_SET,
    VARIANTS,
    VARIANTS_DELETE,
    VARIANTS_UPDATE,
)
from projections.shopify.graphql import Refusal, Shop, Stopped
from projections.shopify.ids import Found, Ids, found
from projections.shopify.inputs import changing, creating, custom_id
from projections.shopify.listing import FACETS, NAME, PRICE, PRODUCT, STOCK
from projections.shopify.stock import ItemGone, Stock
from projections.shopify.sync import Synced, sync

GONE = ("PRODUCT_DOES_NOT_EXIST", "PRODUCT_VARIANT_DOES_NOT_EXIST", "NOT_FOUND")
NOT_ITS_VARIANT = "AT_LEAST_ONE_VARIANT_DOES_NOT_BELONG_TO_THE_PRODUCT"
LAST_VARIANT = "CANNOT_DELETE_LAST_VARIANT"
PRODUCTS_SEEN_MAX = 1000


class ShopifyConnector:
    """One shop and one of its locations."""

    def __init__(self, url: str, access_token: str, location_id: str) -> None:
        self._shop = Shop(url, access_token)
        self._location = location_id
        self._stock = Stock(self._shop, location_id)
        self._seen: dict[str, dict[str, Found]] = {}
        """Product -> variants as an answer told them and no push has used yet, by SKU."""

    async def push(self, push: Push) -> Outcome:
        """Brings one facet to the shop; the create of a product with one variant brings them all."""
        try:
            return await self._push(push)
        except Stopped as stopped:
            return stopped.outcome
        except Refusal as refusal:
            return refusal.rejected(push.facet)
        except Unanswered as unanswered:
            return unanswered.outcome()
        except ItemGone:
            return Waiting(f"{push.sku} went away from the shop between two requests")

    async def confirm(self, push: Push, submission: str) -> Outcome:
        """Never needed: productSet is asked to answer when it is done."""
        return Confirmed()

    async def sync_all(self, listings: Mapping[str, Mapping[str, Payload]], poll_seconds: float = 1.0) -> Synced:
        """Brings any number of products as one bulk operation, variants' prices and stock included.

        `listings` is facet payloads by SKU, a product's and its variants'. Products that were made for the same SKUs
        before are brought up to date; others are left alone. Quantities are set without comparing, and Shopify refuses
        a product of which a variant is there but not stocked at the location yet. Returns when Shopify is done, which
        may take hours. Not called by the engine: it is for a first fill and a full repair.
        Raises daybook.errors.Unavailable when Shopify does not take it or does not finish it.
        """
        lines = {
            sku: creating(sku, facets[PRODUCT], listings, self._location)
            for sku, facets in listings.items()
            if "variants" in facets.get(PRODUCT, {})
        }
        return await sync(self._shop, lines, poll_seconds)

    async def close(self) -> None:
        """Closes the connection pool."""
        await self._shop.close()

    async def _push(self, push: Push) -> Outcome:
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
        known = {push.sku: ids.variant} if ids.variant else _variant_ids(push, ids.product)
        try:
            await self._set(changing(ids.product, push.listing[PRODUCT], known))
            return Confirmed(remote_id=push.remote_id)
        except Refusal as refusal:
            if not refusal.has(*GONE):
                raise
        there = None if ids.variant else await self._variants(ids.product)
        if there is None:
            return await self._create(push)
        known = {sku: each.ids.variant for sku, each in there.items()}
        await self._set(changing(ids.product, push.listing[PRODUCT], known))
        return Confirmed(remote_id=push.remote_id)

    async def _create(self, push: Push) -> Outcome:
        product = push.listing[PRODUCT]
        made = await self._set(creating(push.sku, product, {push.sku: push.listing}, self._location))
        only = self._seen[made].pop(push.sku, None) if PRICE in push.listing else None
        if only is None:
            return Confirmed(covers=tuple(push.listing), remote_id=made)
        self._stock.remember(only.ids.item, int(push.listing[STOCK]["quantity"]), push.position)
        return Confirmed(covers=tuple(push.listing), remote_id=str(only.ids))

    async def _bring_variant(self, push: Push, everything: bool = False) -> Outcome:
        """Makes sure that the product holds the variant as it should be: its own productSet brought it.

        A variant that is another one than before, because somebody deleted it in the shop, has lost its price and
        stock, so they are brought as well.
        """
        if push.key not in push.remote_ids:
            return Waiting(f"{push.sku} is a variant of {push.key}, which is not in the shop yet")
        there = await self._locate(Ids.parse(push.remote_ids[push.key]).product, push.sku)
        if there is None or not there.shows(push.listing[PRODUCT]):
            return Waiting(f"{push.key} does not hold its variant {push.sku} as it should be yet")
        remote_id = str(there.ids)
        if not everything and push.remote_id in (None, remote_id):
            return Confirmed(remote_id=remote_id)
        for facet in (PRICE, STOCK):
            if facet in push.listing:
                await self._bring(push, facet, there.ids)
        return Confirmed(covers=tuple(push.listing), remote_id=remote_id)

    async def _bring(self, push: Push, facet: str, ids: Ids) -> None:
        """Sets the price or the stock of a variant. Raises ItemGone when the shop does not have it."""
        if facet == STOCK:
            return await self._stock.bring(push, ids.item)
        variables = {"productId": ids.product, "variants": [{"id": ids.variant} | push.listing[PRICE]]}
        try:
            await self._shop.ask(VARIANTS_UPDATE, "productVariantsBulkUpdate", variables)
        except Refusal as refusal:
            if refusal.has(*GONE):
                raise ItemGone from None
            raise

    async def _set(self, variables: Payload) -> str:
        """productSet: the product's id. Its variants are remembered for their own pushes."""
        answer = await self._shop.ask(PRODUCT_SET, "productSet", variables)
        product = answer["product"]
        self._see(product["id"], found(product["id"], product["variants"]["nodes"]))
        return str(product["id"])

    def _see(self, product: str, variants: dict[str, Found]) -> None:
        if product not in self._seen and len(self._seen) >= PRODUCTS_SEEN_MAX:
            self._seen.pop(next(iter(self._seen)))
        self._seen[product] = variants

    async def _locate(self, product: str, sku: str) -> Found | None:
        """The variant as the shop has it: from an answer that was just given, else looked up among the product's.

        Not by a search for the SKU: Shopify's search lags behind its writes and does not look for exact words.
        """
        seen = self._seen.get(product, {}).pop(sku, None)
        if seen is not None:
            return seen
        there = await self._variants(product)
        if there is None:
            return None
        self._see(product, there)
        return there.pop(sku, None)

    async def _variants(self, product: str) -> dict[str, Found] | None:
        """All of the product's variants by SKU; None when there is no such product."""
        there: dict[str, Found] = {}
        after: str | None = None
        while True:
            answer = await self._shop.ask(VARIANTS, "product", {"id": product, "after": after})
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
        product = await self._find(custom_id(push.sku))
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
            await self._shop.ask(VARIANTS_DELETE, "productVariantsBulkDelete", variables)
        except Refusal as refusal:
            if refusal.has(LAST_VARIANT):
                return await self._delete(product)
            if not refusal.has(NOT_ITS_VARIANT, *GONE):
                raise
            return not refusal.has(NOT_ITS_VARIANT)  # without the product there is no variant to look for
        return True

    async def _delete(self, product: str) -> bool:
        """True when it is gone now, False when there was no such product. The refusal has no code, so it is checked."""
        self._seen.pop(product, None)
        try:
            await self._shop.ask(PRODUCT_DELETE, "productDelete", {"input": {"id": product}})
        except Refusal:
            if await self._find({"id": product}) is not None:
                raise
            return False
        return True

    async def _find(self, identifier: Mapping[str, Any]) -> str | None:
        answer = await self._shop.ask(PRODUCT_FIND, "productByIdentifier", {"identifier": identifier})
        return None if answer is None else str(answer["id"])


def connector(settings: Mapping[str, str]) -> ShopifyConnector:
    """The connector for `url` (https://<shop>.myshopify.com), `access_token` and `location_id`.

    Raises BadConfiguration for what is missing. The location is a gid or its number.
    """
    for name in ("url", "access_token", "location_id"):
        if not settings.get(name):
            variable = f"DAYBOOK_CHANNEL_{NAME.upper()}_{name.upper()}"
            raise BadConfiguration(f"the shopify channel needs {variable}: set it in the environment", setting=name)
    location = settings["location_id"]
    gid = location if location.startswith("gid://") else f"gid://shopify/Location/{location}"
    return ShopifyConnector(settings["url"], settings["access_token"], gid)


def _variant_ids(push: Push, product: str) -> dict[str, str]:
    """SKU -> variant, of the variants that are known to be in this product."""
    known = {sku: Ids.parse(remote_id) for sku, remote_id in push.remote_ids.items()}
    return {sku: ids.variant for sku, ids in known.items() if ids.product == product and ids.variant}
