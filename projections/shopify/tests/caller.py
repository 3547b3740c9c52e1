"""A plain caller of the Admin API, for the sandbox's tests."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp

from projections.shopify import documents
from projections.shopify.documents import PATH
from projections.shopify.sandbox import ShopifySandbox, field_of
from projections.shopify.sandbox_shop import LOCATION

BAG: dict[str, Any] = {
    "title": "Bag",
    "productOptions": [{"name": "Title", "values": [{"name": "Default Title"}]}],
    "variants": [
        {
            "sku": "BAG",
            "price": "19.99",
            "optionValues": [{"optionName": "Title", "name": "Default Title"}],
            "inventoryQuantities": [{"locationId": LOCATION, "name": "available", "quantity": 3}],
        }
    ],
}


def entry(sku: str, size: str, **fields: Any) -> dict[str, Any]:
    return {"sku": sku, "optionValues": [{"optionName": "Size", "name": size}]} | fields


def shirt(*variants: dict[str, Any], **fields: Any) -> dict[str, Any]:
    sizes = dict.fromkeys(each["name"] for v in variants for each in v["optionValues"])
    options = [{"name": "Size", "values": [{"name": size} for size in sizes]}]
    return {"title": "Shirt", "productOptions": options, "variants": list(variants)} | fields


class Client:
    """One shop and a client that may use it."""

    def __init__(self, sandbox: ShopifySandbox, session: aiohttp.ClientSession) -> None:
        self.sandbox, self.session = sandbox, session

    async def post(self, query: str, token: str | None = None, path: str = PATH, **variables: Any) -> tuple[int, Any]:
        headers = {"X-Shopify-Access-Token": token or self.sandbox.access_token}
        body = {"query": query, "variables": variables}
        async with self.session.post(self.sandbox.url + path, json=body, headers=headers) as answer:
            return answer.status, await answer.json()

    async def __call__(self, query: str, **variables: Any) -> Any:
        status, body = await self.post(query, **variables)
        assert (status, body.get("errors")) == (200, None)
        return body["data"][field_of(query)]

    async def refused(self, query: str, **variables: Any) -> tuple[str | None, str | None]:
        """Code and field of the one user error."""
        [error] = (await self(query, **variables))["userErrors"]
        return error.get("code"), ".".join(error["field"]) if error["field"] else None

    async def error(self, query: str, **variables: Any) -> str:
        """Code of the one error of the whole request."""
        status, body = await self.post(query, **variables)
        assert (status, body.get("data")) == (200, None)
        [error] = body["errors"]
        return str(error["extensions"]["code"])

    async def make(self, product: dict[str, Any]) -> Any:
        return (await self(documents.PRODUCT_SET, input=product))["product"]


def in_a_shop(scenario: Callable[[Client], Awaitable[None]], **options: Any) -> None:
    async def run() -> None:
        sandbox = ShopifySandbox(**options)
        await sandbox.start()
        try:
            async with aiohttp.ClientSession() as session:
                await scenario(Client(sandbox, session))
        finally:
            await sandbox.stop()

    asyncio.run(run())


def quantity(item: str, pieces: int, before: int | None, **fields: Any) -> dict[str, Any]:
    change = {"inventoryItemId": item, "locationId": LOCATION, "quantity": pieces, "changeFromQuantity": before}
    return {"name": "available", "reason": "correction", "quantities": [change | fields]}
