"""A plain caller of the Admin API, for the sandbox's tests."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp

from daybook_projections.shopify import operations
from daybook_projections.shopify.operations import PATH
from daybook_projections.shopify.sandbox.server import ShopifySandbox, field_of
from daybook_projections.shopify.sandbox.shop import LOCATION, ONLINE_STORE

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
        body = {"query": query, "variables": {"publicationId": ONLINE_STORE} | variables}
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
        """Code of the errors of the whole request."""
        status, body = await self.post(query, **variables)
        assert (status, [each for each in (body.get("data") or {}).values() if each]) == (200, [])
        [code] = {error["extensions"]["code"] for error in body["errors"]}
        return str(code)

    async def sign_in(self, secret: str) -> Any:
        form = {"grant_type": "client_credentials", "client_id": self.sandbox.client_id, "client_secret": secret}
        async with self.session.post(self.sandbox.url + "/admin/oauth/access_token", data=form) as answer:
            return await answer.json()

    async def make(self, product: dict[str, Any]) -> Any:
        return (await self(operations.PRODUCT_SET, input=product))["product"]


def in_a_shop(scenario: Callable[[Client], Awaitable[None]], **options: Any) -> None:
    async def run() -> None:
        sandbox = ShopifySandbox(**options)
        sandbox.shop.settle()
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
