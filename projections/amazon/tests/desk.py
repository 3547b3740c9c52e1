"""One sandbox, one connector, and pushes made from a history: what the connector's tests work with."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from daybook.channel.contract import Accepted, Confirmed, Lost, Outcome, Push
from daybook.channel.sandbox import Received
from daybook.channel.testing import History, render
from daybook_projections.amazon import manifest
from daybook_projections.amazon.connector import AmazonConnector
from daybook_projections.amazon.sandbox.server import AmazonSandbox
from daybook_projections.amazon.tests.published import FEEDS, asks, fits, is_feed
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

    def pushes_of(self, skus: Sequence[str], facet: str, history: History, *, remove: bool = False) -> list[Push]:
        """A push for each SKU."""
        rendered = render(manifest, history)
        listings: dict[str, dict[str, Any]] = {}
        for (sku, at), payload in rendered.items():
            listings.setdefault(sku, {})[at] = payload
        return [
            Push(
                sku=sku,
                key=sku,
                facet=facet,
                payload=None if remove else listings[sku][facet],
                listing={} if remove else listings[sku],
                remote_id=self.remote_ids.get(sku),
                remote_ids=self.remote_ids,
                position=len(history.recorded),
                attempt=1,
            )
            for sku in skus
        ]

    def push_of(self, sku: str, facet: str, history: History, *, remove: bool = False, attempt: int = 1) -> Push:
        (push,) = self.pushes_of([sku], facet, history, remove=remove)
        return msgspec.structs.replace(push, attempt=attempt)

    async def bring(self, push: Push) -> Outcome:
        """Pushes, lets it be applied, confirms, and remembers the id that Amazon gave. What was lost is pushed anew."""
        outcome = await self.connector.push(push)
        if isinstance(outcome, Accepted):
            self.apply()
            outcome = await self.connector.confirm(push, outcome.submission)
        if isinstance(outcome, Lost) and push.attempt == 1:
            return await self.bring(msgspec.structs.replace(push, attempt=2))
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
        desk.connector = AmazonConnector(desk.sandbox.settings() | changed, clock=lambda: desk.now)
        try:
            await scenario(desk)
        finally:
            await desk.connector.close()
            await desk.sandbox.stop()
        if SPECS is not None:
            for received in desk.sandbox.received:
                _check(received)

    asyncio.run(run())


def _check(received: Received) -> None:
    """The request is one that Amazon's contract has."""
    if received.path.startswith("/listings/"):
        asks(received.method, received.query)
    if received.body is None:
        return
    if received.path.startswith("/listings/"):
        fits({"PUT": "ListingsItemPutRequest", "PATCH": "ListingsItemPatchRequest"}[received.method], received.body)
    elif received.path == "/feeds/2021-06-30/documents":
        fits("CreateFeedDocumentSpecification", received.body, FEEDS)
    elif received.path == "/feeds/2021-06-30/feeds":
        fits("CreateFeedSpecification", received.body, FEEDS)
    elif received.path.startswith("/documents/"):
        is_feed(received.body)


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


def shelf(count: int, price: str = "10.00") -> History:
    """So many plain products, P-0 and on."""
    history = History()
    for number in range(count):
        history.product(
            f"P-{number}",
            attributes={"name": f"Koffer {number}", "brand": "Acme"},
            price=("default", price, "EUR"),
            stock={"main": number + 1},
            listed=("amazon",),
        )
    return history
