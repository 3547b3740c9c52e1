"""Documents over HTTP, from the listings that a projection's runner wrote."""

import asyncio
from collections.abc import Mapping
from typing import Any

from litestar.testing import TestClient
from msgspec.structs import replace

from daybook.catalogue.reference import Reference
from daybook.channel.contract import Payload
from daybook.commands import ChangePrice, CountStock, DefineAttribute
from daybook.events import AttributeDefined
from daybook.http.application import create
from daybook.http.documents import MEDIA_TYPE
from projections.webshop import manifest as webshop
from tests.fixtures.channels import toy
from tests.fixtures.pipeline import Line, product

API = "/api/v1/channels"


def described(sku: str, listing: Mapping[str, Mapping[str, Payload]], reference: Reference) -> Payload | None:
    """The facets that the SKU has, and its group; nothing of a secret one."""
    return (
        None
        if sku == "SECRET"
        else {"@type": "Product", "sku": sku, "facets": sorted(listing[sku]), "group": sorted(listing)}
    )


def test_a_document_comes_from_the_live_listing_and_is_sent_again_only_when_it_says_something_else(
    database: str, nats_url: str
) -> None:
    def ask(line: Line, path: str, **headers: str) -> Any:
        with TestClient(create(line.app), raise_server_exceptions=False) as client:
            return client.get(f"{API}{path}", headers=headers)

    async def main() -> None:
        async with Line(database, nats_url, replace(toy(), document=described), replace(toy(), name="mute")) as line:
            line.relay()
            await line.model()
            await line.say(product("A"), product("HELD", attributes=()), product("AWAY", channels={}))
            await line.say(product("SECRET"))
            never = await asyncio.to_thread(ask, line, "/toy/documents/A")
            assert (never.status_code, never.json()["channel"]) == (404, "toy")
            line.runner()
            await line.caught_up()
            first = await asyncio.to_thread(ask, line, "/toy/documents/A")
            assert (first.status_code, first.headers["content-type"]) == (200, MEDIA_TYPE)
            assert first.json()["sku"] == "A" and first.json()["facets"] == ["offer", "price", "stock"]
            assert first.json()["group"] == ["A"]
            assert first.headers["daybook-position"] == str(line.head())
            await line.say(CountStock(sku="A", quantity=77))
            await line.caught_up()
            tag = {"If-None-Match": f'"x", {first.headers["etag"]}'}
            same = await asyncio.to_thread(lambda: ask(line, "/toy/documents/A", **tag))
            assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", first.headers["etag"])
            assert int(same.headers["daybook-position"]) == int(first.headers["daybook-position"]) + 1
            for path, fields in {
                "/toy/documents/HELD": {"channel": "toy", "sku": "HELD"},
                "/toy/documents/AWAY": {"channel": "toy", "sku": "AWAY"},
                "/toy/documents/SECRET": {"channel": "toy", "sku": "SECRET"},
                "/toy/documents/NOSUCH": {"sku": "NOSUCH"},
                "/mute/documents/A": {"channel": "mute"},
                "/nosuch/documents/A": {"channel": "nosuch"},
            }.items():
                refused = await asyncio.to_thread(ask, line, path)
                assert (refused.status_code, refused.json()["code"]) == (404, "not_found"), path
                assert {name: refused.json().get(name) for name in fields} == fields, path

    asyncio.run(main())


def test_the_webshops_document_follows_a_price(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with Line(database, nats_url, webshop) as line:
            line.relay()
            line.runner()
            await line.say(
                *(DefineAttribute(attribute=AttributeDefined(code=c, type="text")) for c in ("name", "brand"))
            )
            await line.say(product("A", channels={"webshop": True}))
            prices = []
            with TestClient(create(line.app)) as client:
                for price in ("11.00", "12.50"):
                    await line.say(ChangePrice(sku="A", amount=price, currency="EUR"))
                    await line.caught_up()
                    found = (await asyncio.to_thread(client.get, f"{API}/webshop/documents/A")).json()
                    prices.append((found["@type"], found["offers"]["price"]))
            assert prices == [("Product", "11.00"), ("Product", "12.50")]

    asyncio.run(main())
