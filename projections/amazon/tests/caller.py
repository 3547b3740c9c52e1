"""A client of the sandbox that says exactly what a test tells it to, and holds every answer against the contract."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp

from daybook_projections.amazon.listing import MARKETPLACE_NL
from daybook_projections.amazon.sandbox.server import AmazonSandbox
from daybook_projections.amazon.tests.published import fits
from tests.fixtures.shared import SPECS

HERE = {"marketplace_id": MARKETPLACE_NL}
ATTRIBUTES: dict[str, Any] = {
    "item_name": [{"value": "Koffer", "language_tag": "nl_NL"} | HERE],
    "brand": [{"value": "Acme", "language_tag": "nl_NL"} | HERE],
    "condition_type": [{"value": "new_new"} | HERE],
    "main_product_image_locator": [{"media_location": "https://img.example/1.jpg"} | HERE],
    "purchasable_offer": [
        {"audience": "ALL", "currency": "EUR", "our_price": [{"schedule": [{"value_with_tax": 79.95}]}]} | HERE
    ],
    "fulfillment_availability": [{"fulfillment_channel_code": "DEFAULT", "quantity": 12}],
}
EVERYTHING = "summaries,attributes,issues,offers,fulfillmentAvailability,procurement,relationships,productTypes"


class Caller:
    """A client that says exactly what it is told to, and checks every answer against the published contract."""

    def __init__(self, sandbox: AmazonSandbox, session: aiohttp.ClientSession) -> None:
        self.sandbox = sandbox
        self.session = session
        self.token = ""
        self.now = 0.0

    async def sign_in(self, **changed: str) -> tuple[int, dict[str, Any]]:
        form = {"grant_type": "refresh_token"} | self.sandbox.settings() | changed
        form = {name: form[name] for name in ("grant_type", "client_id", "client_secret", "refresh_token")}
        async with self.session.post(f"{self.sandbox.url}/auth/o2/token", data=form) as response:
            body = await response.json()
            self.token = body.get("access_token", self.token)
            return response.status, body

    async def call(
        self, method: str, sku: str, body: Any = None, headers: dict[str, str] | None = None, **query: str
    ) -> tuple[int, dict[str, Any], Any]:
        seller = self.sandbox.settings()["seller_id"]
        async with self.session.request(
            method,
            f"{self.sandbox.url}/listings/2021-08-01/items/{seller}/{sku}",
            json=body,
            params={"marketplaceIds": MARKETPLACE_NL} | query,
            headers={"x-amz-access-token": self.token} if headers is None else headers,
        ) as response:
            answer = await response.json()
            if SPECS is not None:
                done = "Item" if method == "GET" else "ListingsItemSubmissionResponse"
                fits(done if response.status == 200 else "ErrorList", answer)
            assert response.headers["x-amzn-RequestId"]
            assert ("x-amzn-RateLimit-Limit" in response.headers) == (response.status in (200, 400, 404))
            return response.status, answer, response.headers

    async def put(self, sku: str, attributes: dict[str, Any] | None = None, **query: str) -> dict[str, Any]:
        body = {"productType": "LUGGAGE", "requirements": "LISTING", "attributes": ATTRIBUTES | (attributes or {})}
        if SPECS is not None:
            fits("ListingsItemPutRequest", body)
        status, answer, _ = await self.call("PUT", sku, body, None, **query)
        assert status == 200
        return answer

    async def patch(self, sku: str, *patches: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        status, answer, _ = await self.call("PATCH", sku, {"productType": "LUGGAGE", "patches": list(patches)})
        return status, answer


def with_caller(scenario: Callable[[Caller], Awaitable[None]], *, signed_in: bool = True) -> None:
    """Runs the scenario against a fresh sandbox whose clock is the caller's `now`; changes take 1 second."""

    async def run() -> None:
        caller: Caller | None = None
        sandbox = AmazonSandbox(apply_after_seconds=1.0, clock=lambda: caller.now if caller else 0.0)
        await sandbox.start()
        try:
            async with aiohttp.ClientSession() as session:
                caller = Caller(sandbox, session)
                if signed_in:
                    await caller.sign_in()
                await scenario(caller)
        finally:
            await sandbox.stop()

    asyncio.run(run())
