"""One sandbox, one connector, and the id that it told: what the engine would keep. For the connector's tests."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from msgspec.structs import replace

from daybook.channel.contract import Accepted, Confirmed, Outcome, Payload, Push
from daybook.channel.testing import History, render
from daybook_projections.google import manifest
from daybook_projections.google.connector import GoogleConnector, connector
from daybook_projections.google.sandbox.server import GoogleSandbox

NAME = "nl~NL~S1"
PICTURE = "https://img.example.com/1.jpg"
SHOP = replace(manifest.defaults, extra={"product_url": "https://shop.example.com/p/{sku}"})
DONE = Confirmed(covers=("product",), remote_id=NAME)
GONE = Confirmed(covers=("product",))


def listing(price: str = "19.99", stock: int = 5, locale: str = "nl-NL", **changed: Any) -> Payload:
    usual: dict[str, Any] = {
        "gtin": "4015211100803",
        "attributes": {"name": "Koffer", "description": "Een koffer.", "brand": "Acme"},
        "media": (PICTURE,),
        "listed": ("google",),
    }
    given = usual | changed | {"price": ("default", price, "EUR"), "stock": {"main": stock}}
    history = History().happened(replace(SHOP, locales=(locale,))).product("S1", **given)
    payload = render(manifest, history)["S1", "product"]
    assert isinstance(payload, dict), payload
    return payload


class Google:
    """One sandbox whose time stands still, one connector, and the id that it told."""

    def __init__(self, sandbox: GoogleSandbox, now: list[float]) -> None:
        self.sandbox, self.now = sandbox, now
        self.connector: GoogleConnector = connector(sandbox.settings())
        self.remote_id: str | None = None

    def describe(self, payload: Payload | None, position: int, attempt: int = 1) -> Push:
        return Push(
            sku="S1",
            key="S1",
            facet="product",
            payload=payload,
            listing={} if payload is None else {"product": payload},
            remote_id=self.remote_id,
            remote_ids={},
            position=position,
            attempt=attempt,
        )

    async def push(self, payload: Payload | None, position: int = 1, attempt: int = 1) -> Outcome:
        outcome = await self.connector.push(self.describe(payload, position, attempt))
        if isinstance(outcome, Accepted | Confirmed) and outcome.remote_id is not None:
            self.remote_id = outcome.remote_id
        return outcome

    async def bring(self, payload: Payload | None, position: int = 1) -> Outcome:
        """Pushes, lets Google's minutes pass, and asks what became of it."""
        outcome = await self.push(payload, position)
        assert isinstance(outcome, Accepted), outcome
        self.now[0] += 600
        return await self.connector.confirm(self.describe(payload, position), outcome.submission)

    def sent(self) -> list[str]:
        """The requests so far, without those for tokens."""
        return [each.method for each in self.sandbox.received if each.path != "/token"]

    def tokens(self) -> int:
        return sum(each.path == "/token" for each in self.sandbox.received)


def on_google(scenario: Callable[[Google], Awaitable[None]], **options: Any) -> None:
    async def run() -> None:
        now = [1_800_000_000.0]
        sandbox = GoogleSandbox(delay_seconds=300, clock=lambda: now[0], **options)
        await sandbox.start()
        google = Google(sandbox, now)
        try:
            await scenario(google)
        finally:
            await google.connector.close()
            await sandbox.stop()

    asyncio.run(run())
