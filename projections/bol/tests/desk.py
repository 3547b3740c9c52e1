"""One sandbox of bol, one connector, and the id that it told for one SKU. For the connector's tests."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from msgspec.structs import replace

from daybook.channel.contract import Accepted, Confirmed, Outcome, Payload, Push
from daybook.channel.testing import History, render
from daybook.events import StockCounted
from daybook_projections.bol import manifest
from daybook_projections.bol.connector import BolConnector, connector
from daybook_projections.bol.sandbox.server import BolSandbox

EAN, OTHER_EAN = "4015211100803", "4006381333931"
OFFER_PARTS = ("offer", "price", "stock")
POLL_SECONDS = 0.01


def listing(
    sku: str = "S1",
    gtin: str = EAN,
    title: str | None = "Koffer",
    price: str = "19.99",
    stock: int = 5,
    description: str | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Payload:
    """What is rendered for one SKU with these."""
    texts = {"name": title, "description": description}
    attributes = {code: text for code, text in texts.items() if text is not None}
    history = History().product(sku, gtin=gtin, attributes=attributes, price=("default", price, "EUR"), listed=("bol",))
    history.happened(StockCounted("main", stock))
    if extra is not None:
        history.happened(replace(manifest.defaults, extra=dict(extra)))
    return {facet: payload for (_, facet), payload in render(manifest, history).items()}


class Bol:
    """Pushes for one SKU at a time."""

    def __init__(self, sandbox: BolSandbox) -> None:
        self.sandbox = sandbox
        self.connector: BolConnector = connector(sandbox.settings())
        self.remote_id: str | None = None

    def described(self, facet: str, wanted: Payload | None, attempt: int = 1, sku: str = "S1") -> Push:
        """The push as the engine would describe it."""
        return Push(
            sku=sku,
            key=sku,
            facet=facet,
            payload=None if wanted is None else wanted.get(facet),
            listing=wanted or {},
            remote_id=self.remote_id,
            remote_ids={},
            position=1,
            attempt=attempt,
        )

    async def push(self, facet: str, wanted: Payload | None, attempt: int = 1, sku: str = "S1") -> Outcome:
        """Pushes one facet, and keeps the id that the outcome tells."""
        outcome = await self.connector.push(self.described(facet, wanted, attempt, sku))
        if isinstance(outcome, Confirmed) and outcome.remote_id is not None:
            self.remote_id = outcome.remote_id
        return outcome

    async def bring(self, wanted: Payload) -> None:
        """Brings all facets and sees each confirmed."""
        for facet in wanted:
            outcome = await self.push(facet, wanted)
            if isinstance(outcome, Accepted):
                outcome = await self.followed(wanted, outcome)
            assert isinstance(outcome, Confirmed), f"{facet}: {outcome}"

    async def followed(self, wanted: Payload, outcome: Outcome) -> Outcome:
        """The end of an upload of content, and of those that it was sent anew as."""
        async with asyncio.timeout(10):
            while isinstance(outcome, Accepted):
                outcome = await self.connector.confirm(self.described("content", wanted), outcome.submission)
                await asyncio.sleep(POLL_SECONDS)
        return outcome

    def sent(self) -> list[str]:
        """The requests so far, without those for tokens."""
        return [each.method for each in self.sandbox.received if each.path != "/token"]

    def tokens(self) -> int:
        """How many tokens were asked for."""
        return sum(each.path == "/token" for each in self.sandbox.received)


def on_bol(scenario: Callable[[Bol], Awaitable[None]], **options: Any) -> None:
    """Runs the scenario with a sandbox of its own."""

    async def run() -> None:
        sandbox = BolSandbox(**options)
        await sandbox.start()
        bol = Bol(sandbox)
        try:
            await scenario(bol)
        finally:
            await bol.connector.close()
            await sandbox.stop()

    asyncio.run(run())
