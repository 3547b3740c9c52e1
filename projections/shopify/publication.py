"""Publishes products where buyers look for them: a product that is made through the API is in no publication.

It is "active" then, has a price and stock, and nobody sees it: https://shopify.dev/docs/apps/build/sales-channels.
productSet tells whether it is published, so the mutation is sent for those that are not. A sales channel with automatic
publishing, in the shop's settings, saves it.
"""

from typing import Any

from daybook.channel.contract import ChannelUnavailable, Waiting
from daybook_projections.shopify.graphql import Node, Refusal, Shop, Stopped
from daybook_projections.shopify.operations import PUBLISH


class Publication:
    """One sales channel of one shop, such as its online store."""

    def __init__(self, shop: Shop, publication_id: str) -> None:
        self._shop = shop
        self.variables: dict[str, Any] = {"publicationId": publication_id}
        """For an operation that asks whether a product is published."""

    async def ensure(self, product: Node) -> None:
        """Publishes the product of an answer unless it is. Raises as `Shop.ask` does."""
        if product["publishedOnPublication"]:
            return
        try:
            variables = {"id": product["id"], "input": [self.variables]}
            await self._shop.ask(PUBLISH, "publishablePublish", variables)
        except Refusal as refusal:
            said = "; ".join(each.message for each in refusal.rejected("publish").reasons)
            if refusal.about("publicationId"):
                advice = "set DAYBOOK_CHANNEL_SHOPIFY_PUBLICATION_ID to one of the shop's publications"
                raise Stopped(ChannelUnavailable(f"{said}: {advice}")) from None
            raise Stopped(Waiting(f"the product is made and can't be published: {said}")) from None
