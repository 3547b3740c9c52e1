"""What the connector's tests stand on: a shop, a connector to it, and three listings."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from daybook.channel.contract import Confirmed, Outcome, Payload, Push, Shown
from daybook_projections.webshop.connector import WooConnector, connector
from daybook_projections.webshop.sandbox.server import API, WooSandbox

BAG: Mapping[str, Payload] = {
    "product": {
        "sku": "BAG",
        "type": "simple",
        "status": "publish",
        "name": "Bag",
        "global_unique_id": "4006381333931",
        "attributes": [],
    },
    "price": {"regular_price": "19.99"},
    "stock": {"manage_stock": True, "stock_quantity": 5},
}
SHIRT: Mapping[str, Payload] = {
    "product": {
        "sku": "SHIRT",
        "type": "variable",
        "status": "publish",
        "name": "Shirt",
        "attributes": [{"name": "Size", "visible": True, "variation": True, "options": ["M", "L"]}],
    }
}
MEDIUM: Mapping[str, Payload] = {
    "product": {
        "_parent": "SHIRT",
        "sku": "SHIRT-M",
        "status": "publish",
        "attributes": [{"name": "Size", "option": "M"}],
    },
    "price": {"regular_price": "25.00"},
    "stock": {"manage_stock": True, "stock_quantity": 2},
}


class Desk:
    """A shop, a connector to it, and what an engine would remember between pushes: the ids that it was told."""

    def __init__(self, shop: WooSandbox) -> None:
        self.shop = shop
        self.connector: WooConnector = connector(shop.settings())
        self.ids: dict[str, str] = {}
        self.listings: dict[str, Mapping[str, Payload]] = {}
        """What was asked for last, by SKU."""

    async def push(
        self,
        listing: Mapping[str, Payload],
        facet: str = "product",
        *,
        attempt: int = 1,
        remove: bool = False,
        ids: Mapping[str, str] | None = None,
    ) -> Any:
        asked = self.describe(listing, facet, attempt=attempt, remove=remove, ids=ids)
        outcome = await self.connector.push(asked)
        self.learn(asked, outcome)
        return outcome

    def describe(
        self,
        listing: Mapping[str, Payload],
        facet: str = "product",
        *,
        attempt: int = 1,
        remove: bool = False,
        ids: Mapping[str, str] | None = None,
    ) -> Push:
        sku: str = listing["product"]["sku"]
        known = self.ids if ids is None else ids
        self.listings[sku] = {} if remove else listing
        return Push(
            sku=sku,
            key=_key(sku, listing),
            facet=facet,
            payload=None if remove else listing[facet],
            listing=self.listings[sku],
            group={
                other: its
                for other, its in self.listings.items()
                if other == sku or _key(other, its) == _key(sku, listing)
            },
            remote_id=known.get(sku),
            remote_ids=known,
            position=1,
            attempt=attempt,
        )

    def learn(self, asked: Push, outcome: Outcome) -> None:
        if isinstance(outcome, Confirmed) and outcome.remote_id is not None:
            self.ids[asked.sku] = outcome.remote_id

    async def push_all(self, *pushes: Push) -> list[Outcome]:
        """In one batch, after proof that they may go together."""
        assert len({self.connector.gathers(each) for each in pushes}) == 1
        assert self.connector.gathers(pushes[0]) is not None
        outcomes = list(await self.connector.push_all(pushes))
        for asked, outcome in zip(pushes, outcomes, strict=True):
            self.learn(asked, outcome)
        return outcomes

    async def read(self, listing: Mapping[str, Payload]) -> dict[str, Payload | None]:
        """What the shop shows of it, facet by facet."""
        shown = await self.connector.read(self.describe(listing))
        assert isinstance(shown, Shown), shown
        return dict(shown.facets)

    def asked(self) -> list[str]:
        """The requests so far, short: `POST /products`."""
        return [f"{each.method} {each.path.removeprefix(API)}" for each in self.shop.received]


def at_the_desk(scenario: Callable[[Desk], Awaitable[None]]) -> None:
    async def run() -> None:
        async with a_desk() as desk:
            await scenario(desk)

    asyncio.run(run())


@asynccontextmanager
async def a_desk() -> AsyncIterator[Desk]:
    """A shop that listens, and a connector to it, for tests that are coroutines themselves."""
    shop = WooSandbox()
    await shop.start()
    desk = Desk(shop)
    try:
        yield desk
    finally:
        await desk.connector.close()
        await shop.stop()


def _key(sku: str, listing: Mapping[str, Payload]) -> str:
    return str(listing.get("product", {}).get("_parent", sku))


def changed(listing: Mapping[str, Payload], facet: str, **fields: Any) -> dict[str, Payload]:
    return dict(listing) | {facet: listing[facet] | fields}
