"""The metafield by which the shop knows a product by its SKU, and its definition, which is made when it is missing.

Shopify takes a custom id only where a definition of the type `id` makes the field unique in the shop, and a new shop
has none: https://shopify.dev/docs/apps/build/custom-data/metafields/working-with-custom-ids. The first create that is
refused for want of it makes it. That stands in the journal, and the definition in the shop's settings, among the
metafields of products, as "Daybook SKU". It must stay there: without it nothing that was made is found again.

It is safer than a handle, which people change and which can't tell `A.1` from `a-1`.
"""

from collections.abc import Mapping
from typing import Any

from daybook.channel.contract import ChannelUnavailable
from daybook_projections.shopify.graphql import NotDefined, Refusal, Shop, Stopped
from daybook_projections.shopify.operations import DEFINE, PRODUCT_FIND

NAMESPACE, KEY = "daybook", "sku"
DEFINITION = {"ownerType": "PRODUCT", "namespace": NAMESPACE, "key": KEY, "name": "Daybook SKU", "type": "id"}


def custom_id(sku: str) -> dict[str, Any]:
    """The identifier of the product that was made for this SKU."""
    return {"customId": field(sku)}


def field(sku: str) -> dict[str, str]:
    """The metafield's entry in a productSet. Shopify refuses one that says its type, as the definition has it."""
    return {"namespace": NAMESPACE, "key": KEY, "value": sku}


class CustomIds:
    """Asks one shop by custom id."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._defined = False

    async def ask(self, operation: str, name: str, variables: Mapping[str, Any]) -> Any:
        """Sends an operation that names a product by custom id; makes the definition when it is missing."""
        try:
            found = await self._shop.ask(operation, name, variables)
        except NotDefined:
            self._defined = False
        else:
            self._defined = True
            return found
        await self.define()
        try:
            return await self._shop.ask(operation, name, variables)
        except NotDefined:
            raise Stopped(
                ChannelUnavailable(
                    f"the shop has a metafield {NAMESPACE}.{KEY} of products that is not of the type `id`: delete its "
                    "definition in the shop's settings, and a right one is made"
                )
            ) from None

    async def define(self) -> None:
        """Makes sure that the shop has the definition; asked once."""
        if self._defined:
            return
        try:
            await self._shop.ask(DEFINE, "metafieldDefinitionCreate", {"definition": DEFINITION})
        except Refusal as refusal:
            if not refusal.has("TAKEN"):
                said = "; ".join(each.message for each in refusal.rejected("definition").reasons)
                reason = f"Shopify does not define the metafield {NAMESPACE}.{KEY}, by which products are found: {said}"
                raise Stopped(ChannelUnavailable(reason)) from None
        self._defined = True

    async def find(self, identifier: Mapping[str, Any]) -> str | None:
        """The id of a product; None when there is none. Where no custom id is defined, none was ever given."""
        try:
            answer = await self._shop.ask(PRODUCT_FIND, "productByIdentifier", {"identifier": identifier})
        except NotDefined:
            return None
        return None if answer is None else str(answer["id"])
