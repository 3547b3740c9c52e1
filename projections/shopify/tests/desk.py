"""One shop, one connector, and the ids that it told: what the engine would keep. For the connector's tests."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Generic, TypeVar

from daybook.channel.contract import Confirmed, Held, Outcome, Payload, Push
from daybook.channel.testing import History, render
from daybook_projections.shopify import manifest
from daybook_projections.shopify.connection import connector
from daybook_projections.shopify.connector import ShopifyConnector
from daybook_projections.shopify.sandbox.server import ShopifySandbox, field_of

Listings = Mapping[str, Mapping[str, Payload]]


def listings(history: History) -> Listings:
    """The rendering by SKU and facet, without what is held."""
    found: dict[str, dict[str, Payload]] = {}
    for (sku, facet), payload in render(manifest, history).items():
        if not isinstance(payload, Held):
            found.setdefault(sku, {})[facet] = payload
    return found


def bag(sku: str = "BAG", title: str = "Bag", price: str = "19.99", stock: int = 5, **more: Any) -> Listings:
    return listings(
        History().product(
            sku,
            attributes={"name": title},
            price=("default", price, "EUR"),
            stock={"main": stock},
            listed=("shopify",),
            **more,
        )
    )


def shirts(red: str = "red", *skus: str, price: str = "10.00", stock: int = 2) -> Listings:
    """SHIRT with RED and BLUE, or those that are named."""
    history = History().product(
        "SHIRT", axes=("color",), attributes={"name": "Shirt"}, price=("default", price, "EUR"), listed=("shopify",)
    )
    for sku in skus or ("RED", "BLUE"):
        colour = red if sku == "RED" else sku.lower()
        history.product(sku, parent="SHIRT", attributes={"color": colour}, stock={"main": stock})
    return listings(history)


def with_a_lasting_token(sandbox: ShopifySandbox) -> dict[str, str]:
    """Settings with which no request is a sign-in."""
    return sandbox.settings() | {"access_token": sandbox.access_token}


S = TypeVar("S", bound=ShopifySandbox)


class Desk(Generic[S]):
    """Pushes for one group at a time."""

    def __init__(self, sandbox: S) -> None:
        self.sandbox = sandbox
        self.connector: ShopifyConnector = connector(with_a_lasting_token(sandbox))
        self.ids: dict[str, str] = {}
        self.position = 0

    async def push(
        self,
        wanted: Listings,
        sku: str,
        facet: str = "product",
        *,
        key: str | None = None,
        remove: bool = False,
        attempt: int = 1,
        position: int | None = None,
        group: bool = False,
    ) -> Outcome:
        push = self.describe(
            wanted, sku, facet, key=key, remove=remove, attempt=attempt, position=position, group=group
        )
        return self.keep(push, await self.connector.push(push))

    def describe(
        self,
        wanted: Listings,
        sku: str,
        facet: str = "product",
        *,
        key: str | None = None,
        remove: bool = False,
        attempt: int = 1,
        position: int | None = None,
        group: bool = False,
    ) -> Push:
        """The push as the engine would make it; with `group` it knows the listings of the whole group."""
        self.position += 1
        return Push(
            sku=sku,
            key=key or ("SHIRT" if sku in ("SHIRT", "RED", "BLUE", "GREEN") else sku),
            facet=facet,
            payload=None if remove else wanted[sku][facet],
            listing={} if remove else wanted[sku],
            group=wanted if group else {},
            remote_id=self.ids.get(sku),
            remote_ids=dict(self.ids),
            position=position or self.position,
            attempt=attempt,
        )

    def keep(self, push: Push, outcome: Outcome) -> Outcome:
        """Remembers the id that an outcome told."""
        if isinstance(outcome, Confirmed) and outcome.remote_id is not None:
            self.ids[push.sku] = outcome.remote_id
        return outcome

    async def bring(self, wanted: Listings, *, group: bool = False) -> None:
        """Everything, in the engine's order and without what an earlier answer covered."""
        for sku, facets in wanted.items():
            covered: set[str] = set()
            for facet in facets:
                if facet not in covered:
                    outcome = await self.push(wanted, sku, facet, group=group)
                    assert isinstance(outcome, Confirmed), f"{facet} of {sku}: {outcome}"
                    covered |= {facet, *outcome.covers}

    def sent(self) -> list[str]:
        """The operations that were asked for since the last look."""
        asked = [each for each in self.sandbox.received if each.path.startswith("/admin/")]
        found = [field_of(each.body["query"]) for each in asked]
        self.sandbox.received.clear()
        return found

    def last(self) -> Payload:
        """The variables of the last request."""
        variables: Payload = self.sandbox.received[-1].body["variables"]
        return variables


def in_a_shop(
    scenario: Callable[[Desk[Any]], Awaitable[None]],
    sandbox: type[S] | None = None,
    *,
    new: bool = False,
    **options: Any,
) -> None:
    """Runs the scenario in a shop of its own, or of the given kind; one that is in use unless it is `new`."""

    async def run() -> None:
        shop = (sandbox or ShopifySandbox)(**options)
        if not new:
            shop.shop.settle()
        await shop.start()
        desk = Desk(shop)
        try:
            await scenario(desk)
        finally:
            await desk.connector.close()
            await shop.stop()

    asyncio.run(run())
