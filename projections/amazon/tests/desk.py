"""One sandbox, one connector, and pushes made from a history: what the connector's tests work with."""

import asyncio
from collections.abc import Awaitable, Callable

from daybook.channel.contract import Accepted, Confirmed, Outcome, Push
from daybook.channel.testing import History, render
from projections.amazon import manifest
from projections.amazon.connector import AmazonConnector, connector
from projections.amazon.sandbox import AmazonSandbox
from projections.amazon.tests.published import fits
from tests.fixtures.shared import SPECS

SECONDS_TO_APPLY = 1.0
ALL = ("product", "price", "stock")


class Desk:
    """One sandbox whose clock stands still until `apply`, a connector, and pushes made from a history."""

    def __init__(self) -> None:
        self.now = 0.0
        self.sandbox = AmazonSandbox(apply_after_seconds=SECONDS_TO_APPLY, clock=lambda: self.now)
        self.connector: AmazonConnector
        self.remote_ids: dict[str, str] = {}

    def apply(self) -> None:
        """Lets everything that is queued come to pass."""
        self.now += SECONDS_TO_APPLY

    def push_of(self, sku: str, facet: str, history: History, *, remove: bool = False, attempt: int = 1) -> Push:
        listing = {at: p for (name, at), p in render(manifest, history).items() if name == sku and isinstance(p, dict)}
        return Push(
            sku=sku,
            key=sku,
            facet=facet,
            payload=None if remove else listing[facet],
            listing={} if remove else listing,
            remote_id=self.remote_ids.get(sku),
            remote_ids=self.remote_ids,
            position=len(history.recorded),
            attempt=attempt,
        )

    async def bring(self, push: Push) -> Outcome:
        """Pushes, lets it be applied, confirms, and remembers the id that Amazon gave."""
        outcome = await self.connector.push(push)
        if isinstance(outcome, Accepted):
            self.apply()
            outcome = await self.connector.confirm(push, outcome.submission)
        if isinstance(outcome, Confirmed) and outcome.remote_id:
            self.remote_ids[push.sku] = outcome.remote_id
        return outcome

    def requests(self) -> list[str]:
        """The verbs of all requests so far, in order, but for looks at product types; a token's is POST."""
        return [one.method for one in self.sandbox.received if not one.path.startswith("/definitions/")]


def at_desk(scenario: Callable[[Desk], Awaitable[None]], **changed: str) -> None:
    async def run() -> None:
        desk = Desk()
        await desk.sandbox.start()
        desk.connector = connector(desk.sandbox.settings() | changed)
        try:
            await scenario(desk)
        finally:
            await desk.connector.close()
            await desk.sandbox.stop()
        if SPECS is not None:
            for received in desk.sandbox.received:
                definition = {"PUT": "ListingsItemPutRequest", "PATCH": "ListingsItemPatchRequest"}.get(received.method)
                if definition and received.path.startswith("/listings/") and received.body is not None:
                    fits(definition, received.body)

    asyncio.run(run())


def suitcase(price: str = "79.95", stock: int = 12, **attributes: str) -> History:
    return History().product(
        "S:1+a~b",
        gtin="8717418510749",
        attributes={"name": "Koffer", "brand": "Acme"} | attributes,
        price=("default", price, "EUR"),
        stock={"main": stock},
        listed=("amazon",),
    )


SKU = "S:1+a~b"


def family() -> History:
    history = History().product(
        "M", axes=("size",), attributes={"name": "Hemd", "brand": "Acme"}, price=("default", "29.95", "EUR")
    )
    history.product("M-1", parent="M", attributes={"size": "L"}, stock={"main": 1}, listed=("amazon",))
    return history
