"""Documents over HTTP, from the listings that a projection's runner wrote."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from daybook.catalogue.reference import Reference
from daybook.channel.contract import Payload
from daybook.commands import ChangePrice, CountStock, DefineAttribute
from daybook.events import AttributeDefined
from daybook.http.documents import MEDIA_TYPE
from daybook_projections.webshop import manifest as webshop
from tests.fixtures.channels import toy
from tests.fixtures.owner import client_of
from tests.fixtures.pipeline import Pipeline, product

API = "/api/v1/channels"


def described(sku: str, listing: Mapping[str, Mapping[str, Payload]], reference: Reference) -> Payload | None:
    """The facets that the SKU has, and its group; nothing of a secret one."""
    return (
        None
        if sku == "SECRET"
        else {"@type": "Product", "sku": sku, "facets": sorted(listing[sku]), "group": sorted(listing)}
    )


@pytest.mark.long
async def test_a_document_comes_from_the_live_listing_and_is_sent_again_only_when_it_says_something_else(
    database: str, nats_url: str
) -> None:
    def ask(pipeline: Pipeline, path: str, **headers: str) -> Any:
        with client_of(pipeline.app, raises=False) as client:
            return client.get(f"{API}{path}", headers=headers)

    async with Pipeline(
        database, nats_url, replace(toy(), document=described), replace(toy(), name="mute")
    ) as pipeline:
        pipeline.relay()
        await pipeline.define_attributes()
        await pipeline.carry_out(product("A"), product("HELD", attributes=()), product("AWAY", channels={}))
        await pipeline.carry_out(product("SECRET"))
        never = await asyncio.to_thread(ask, pipeline, "/toy/documents/A")
        assert (never.status_code, never.json()["channel"]) == (404, "toy")
        pipeline.runner()
        await pipeline.caught_up()
        first = await asyncio.to_thread(ask, pipeline, "/toy/documents/A")
        assert (first.status_code, first.headers["content-type"]) == (200, MEDIA_TYPE)
        assert first.json()["sku"] == "A" and first.json()["facets"] == ["offer", "price", "stock"]
        assert first.json()["group"] == ["A"]
        assert first.headers["daybook-position"] == str(pipeline.head())
        await pipeline.carry_out(CountStock(sku="A", quantity=77))
        await pipeline.caught_up()
        tag = {"If-None-Match": f'"x", {first.headers["etag"]}'}
        same = await asyncio.to_thread(lambda: ask(pipeline, "/toy/documents/A", **tag))
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
            refused = await asyncio.to_thread(ask, pipeline, path)
            assert (refused.status_code, refused.json()["code"]) == (404, "not_found"), path
            assert {name: refused.json().get(name) for name in fields} == fields, path


async def test_the_webshops_document_follows_a_price(database: str, nats_url: str) -> None:
    async with Pipeline(database, nats_url, webshop) as pipeline:
        pipeline.relay()
        pipeline.runner()
        await pipeline.carry_out(
            *(DefineAttribute(attribute=AttributeDefined(code=c, type="text")) for c in ("name", "brand"))
        )
        await pipeline.carry_out(product("A", channels={"webshop": True}))
        prices = []
        with client_of(pipeline.app) as client:
            for price in ("11.00", "12.50"):
                await pipeline.carry_out(ChangePrice(sku="A", amount=price, currency="EUR"))
                await pipeline.caught_up()
                found = (await asyncio.to_thread(client.get, f"{API}/webshop/documents/A")).json()
                prices.append((found["@type"], found["offers"]["price"]))
        assert prices == [("Product", "11.00"), ("Product", "12.50")]
