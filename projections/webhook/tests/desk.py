"""What the connector's tests stand on: an endpoint, a connector to it, and the listing of one SKU."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

from daybook.channel.contract import Confirmed, Outcome, Payload, Push
from daybook.channel.testing import History, render
from daybook_projections.webhook import manifest
from daybook_projections.webhook.connector import WebhookConnector
from daybook_projections.webhook.sandbox.server import WebhookSandbox

ALL = ("product", "price", "stock")
NOON = 1_767_268_800.0
"""2026-01-01T12:00:00Z."""


def listing(title: str = "Bag", price: str = "19.99", stock: int = 5) -> dict[str, Payload]:
    history = History().product(
        "S1",
        gtin="4006381333931",
        attributes={"name": title},
        price=("default", price, "EUR"),
        stock={"main": stock},
        listed=("webhook",),
    )
    return {facet: payload for (_, facet), payload in render(manifest, history).items() if isinstance(payload, dict)}


class Names(AbstractResolver):
    """Every name is at these addresses: what a hostile name server would say."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in self.addresses
        ]

    async def close(self) -> None:
        """Nothing to close."""


class Desk:
    """One endpoint, one connector, and what an engine would remember between pushes."""

    def __init__(self, sandbox: WebhookSandbox) -> None:
        self.sandbox = sandbox
        self.connector = WebhookConnector(sandbox.settings())
        self.remote_id: str | None = None

    async def settle(self, *, name: str = "webhook", **settings: Any) -> None:
        """Puts another connector in place: keyword arguments of the connector, others are settings."""
        await self.connector.close()
        options = {key: settings.pop(key) for key in ("clock", "answer_seconds_max", "resolver") if key in settings}
        self.connector = WebhookConnector(self.sandbox.settings() | settings, name, **options)

    async def push(
        self,
        facet: str,
        wanted: Mapping[str, Payload] | None,
        position: int = 1,
        attempt: int = 1,
        receipt: int = 0,
    ) -> Outcome:
        return await self.push_by(self.connector, facet, wanted, position, attempt, receipt)

    async def push_by(
        self,
        connector: WebhookConnector,
        facet: str,
        wanted: Mapping[str, Payload] | None,
        position: int = 1,
        attempt: int = 1,
        receipt: int = 0,
    ) -> Outcome:
        """Pushes with another worker's connector."""
        outcome = await connector.push(
            Push(
                sku="S1",
                key="S1",
                facet=facet,
                payload=None if wanted is None else wanted.get(facet),
                listing=wanted or {},
                remote_id=self.remote_id,
                remote_ids={},
                position=position,
                receipt=receipt,
                attempt=attempt,
            )
        )
        if isinstance(outcome, Confirmed) and outcome.remote_id is not None:
            self.remote_id = outcome.remote_id
        return outcome

    def types(self) -> list[str]:
        """The messages that arrived with a good signature."""
        return [body["type"] for _, body in self.sandbox.messages]

    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.sandbox.messages]

    def shown(self) -> Payload:
        return {name: value for name, value in self.sandbox.shown()["S1"].items() if name != "told"}


def at_the_desk(scenario: Callable[[Desk], Awaitable[None]], **options: Any) -> None:
    async def run() -> None:
        sandbox = WebhookSandbox(**options)
        await sandbox.start()
        desk = Desk(sandbox)
        try:
            await scenario(desk)
        finally:
            await desk.connector.close()
            await sandbox.stop()

    asyncio.run(run())
