"""What would be sent is shown as it would be sent, and nothing is."""

import asyncio
from typing import Any

import msgspec
import psycopg
import pytest

from daybook.channel.contract import Push, Waiting
from daybook.commands import ChangePrice, CountStock, DelistProduct
from daybook.delivery.preview import LOOK, Preview, preview
from daybook.errors import NotFound, Refused
from daybook.events import Rejection
from daybook_projections.webshop import manifest as webshop
from tests.fixtures.channels import ToyConnector, ToySandbox, toy
from tests.fixtures.commandline import Daybook
from tests.fixtures.pipeline import Pipeline, product, until
from tests.fixtures.toy_shop import rename, shop

OFFER = {"name": "thing A", "label": ""}
WHOLE = {"offer": OFFER, "price": {"price": 1000}, "stock": {"stock": 5}}


async def look(pipeline: Pipeline, sandbox: ToySandbox, sku: str = "A", connector: Any = None, **how: Any) -> Preview:
    connector = connector or ToyConnector(sandbox.settings())
    key = pipeline.app.reader.key_of(sku) or sku
    try:
        return await preview(pipeline.dsn, pipeline.manifest, connector, sku, key, **how)
    finally:
        await connector.close()


def ways(found: Preview) -> dict[str, str]:
    return {one.facet: one.way for one in found.facets}


async def held(pipeline: Pipeline, *commands: Any) -> None:
    """Says something while the channel is paused."""
    pipeline.channels.pause("toy", True)
    await pipeline.carry_out(*commands)
    await pipeline.caught_up()


async def test_a_new_listings_one_request_is_shown_and_what_goes_with_it(database: str, nats_url: str) -> None:
    async with shop(database, nats_url) as (pipeline, sandbox):
        await pipeline.level()
        await held(pipeline, product("A"))
        before = pipeline.rows()
        found = await look(pipeline, sandbox)
        assert ways(found) == {"offer": "request", "price": "with_creation", "stock": "with_creation"}
        (request,) = found.facets[0].requests
        assert (request.method, request.url, request.body) == ("PUT", f"{sandbox.url}/offers/A", WHOLE)
        assert sandbox.writes == [] and pipeline.rows() == before, "nothing is sent and nothing is marked"
        pipeline.channels.pause("toy", False)
        await pipeline.level()
        assert sandbox.writes == [("PUT", "A", WHOLE)], "and that is what was sent"
        assert (await look(pipeline, sandbox)).facets == ()


async def test_only_what_is_due_is_shown_in_the_order_of_sending(database: str, nats_url: str) -> None:
    async with shop(database, nats_url) as (pipeline, sandbox):
        await pipeline.carry_out(product("A"))
        await pipeline.level()
        await held(pipeline, CountStock(sku="A", quantity=9), ChangePrice(sku="A", amount="12.50", currency="EUR"))
        found = await look(pipeline, sandbox)
        shown = [(one.facet, request.method, request.body) for one in found.facets for request in one.requests]
        pipeline.channels.pause("toy", False)
        await pipeline.level()
        assert [("PATCH", body) for _, _, body in shown] == [(method, body) for method, _, body in sandbox.writes[1:]]
        assert [facet for facet, _, _ in shown] == ["price", "stock"]


async def test_all_of_it_is_shown_as_if_nothing_had_been_acknowledged(database: str, nats_url: str) -> None:
    async with shop(database, nats_url) as (pipeline, sandbox):
        await pipeline.carry_out(product("A"))
        await pipeline.level()
        found = await look(pipeline, sandbox, as_if_new=True)
        assert found.as_if_new and found.facets[0].requests[0].body == WHOLE
        assert ways(found) == {"offer": "request", "price": "with_creation", "stock": "with_creation"}
        assert len(sandbox.writes) == 1 and pipeline.status().level


async def test_a_removal_takes_the_other_facets_along(database: str, nats_url: str) -> None:
    async with shop(database, nats_url) as (pipeline, sandbox):
        await pipeline.carry_out(product("A"))
        await pipeline.level()
        await held(pipeline, DelistProduct(sku="A", channel="toy"))
        found = await look(pipeline, sandbox)
        assert ways(found) == {"offer": "request", "price": "with_removal", "stock": "with_removal"}
        assert (found.facets[0].requests[0].method, found.facets[0].requests[0].body) == ("DELETE", None)


async def test_what_waits_says_for_what(database: str, nats_url: str) -> None:
    class Shy(ToyConnector):
        async def push(self, push: Push) -> Any:
            return Waiting("the category is not approved yet")

    class Broken(ToyConnector):
        async def push(self, push: Push) -> Any:
            raise RuntimeError("no idea")

    async with shop(database, nats_url) as (pipeline, sandbox):
        await pipeline.carry_out(product("BAD", "bad"))
        await until(lambda: pipeline.channels.rejected("toy"), "the rejection is known")
        refused = await look(pipeline, sandbox, "BAD")
        assert {one.facet: one.why for one in refused.facets} == {
            "price": "the channel rejected the offer, so there is no listing",
            "stock": "the channel rejected the offer, so there is no listing",
        }
        await held(pipeline, product("A"))
        shy = await look(pipeline, sandbox, connector=Shy(sandbox.settings()))
        assert [(one.facet, one.way, one.why) for one in shy.facets] == [
            ("offer", "waits", "the category is not approved yet"),
            ("price", "waits", "for the offer"),
            ("stock", "waits", "for the offer"),
        ]
        broken = await look(pipeline, sandbox, connector=Broken(sandbox.settings()))
        assert broken.facets[0].why == "the connector failed: RuntimeError: no idea"


async def test_what_the_channel_works_on_is_told_and_what_waits_for_it(database: str, nats_url: str) -> None:
    async with shop(database, nats_url) as (pipeline, sandbox):
        await pipeline.carry_out(product("A"))
        await pipeline.level()
        sandbox.asynchronous = sandbox.pending = True
        await pipeline.carry_out(ChangePrice(sku="A", amount="12", currency="EUR"))
        await until(lambda: pipeline.status().accepted, "it is accepted")
        await pipeline.carry_out(CountStock(sku="A", quantity=9))
        await pipeline.caught_up()
        found = await look(pipeline, sandbox)
        assert [(one.facet, one.way, one.why) for one in found.facets] == [
            ("price", "accepted", "the channel works on it"),
            ("stock", "waits", "for the price, on which the channel works"),
        ]
        sandbox.asynchronous = sandbox.pending = False


async def test_a_variant_waits_for_its_root_in_a_lane_of_the_whole_group(database: str, nats_url: str) -> None:
    async with shop(database, nats_url, toy("group")) as (pipeline, sandbox):
        await pipeline.level()
        await held(pipeline, product("M", kind="model"), product("V", parent="M", kind="variant"))
        root, variant = await look(pipeline, sandbox, "M"), await look(pipeline, sandbox, "V")
        assert {one.sku for one in root.facets} == {"M"} and ways(root)["offer"] == "request"
        assert {one.sku for one in variant.facets} == {"V"}


async def test_a_channel_that_can_be_asked_is_asked_for_each_request_and_another_one_says_that_it_can_not(
    database: str, nats_url: str
) -> None:
    class Asked(ToyConnector):
        async def validate(self, push: Push) -> tuple[Rejection, ...]:
            return (Rejection("8541", "the price is odd", "price"),) if push.facet == "price" else ()

    async with shop(database, nats_url) as (pipeline, sandbox):
        await pipeline.carry_out(product("A"))
        await pipeline.level()
        await held(pipeline, rename("A", "new"), ChangePrice(sku="A", amount="1", currency="EUR"))
        found = await look(pipeline, sandbox, connector=Asked(sandbox.settings()), validate=True)
        assert found.validated is True
        assert {one.facet: one.verdict for one in found.facets} == {
            "offer": (),
            "price": (Rejection("8541", "the price is odd", "price"),),
        }
        assert (await look(pipeline, sandbox, validate=True)).validated is False
        assert (await look(pipeline, sandbox)).validated is None


async def test_a_read_model_and_a_channel_that_never_ran_have_nothing_to_preview(database: str, nats_url: str) -> None:
    async with Pipeline(database, nats_url, toy()) as pipeline:
        sandbox = ToySandbox()
        with pytest.raises(NotFound, match="never run"):
            await preview(pipeline.dsn, toy(), ToyConnector({"url": sandbox.url}), "A", "A")
        nothing = msgspec.structs.replace(toy(), connector=None)
        with pytest.raises(Refused, match="read model"):
            await preview(pipeline.dsn, nothing, ToyConnector({"url": sandbox.url}), "A", "A")


def test_the_command_prints_requests_of_a_real_channel_without_calling_it_and_without_credentials(
    database: str, nats_url: str
) -> None:
    async def fill() -> None:
        async with Pipeline(database, nats_url, webshop) as pipeline:
            pipeline.relay()
            pipeline.runner()
            await pipeline.define_attributes()
            await pipeline.carry_out(product("A", channels={"webshop": True}))
            await pipeline.caught_up()

    asyncio.run(fill())
    nowhere = "http://someone:s3cret@127.0.0.1:9"
    environ = {"DAYBOOK_POSTGRES": database}
    for key in ("URL", "CONSUMER_KEY", "CONSUMER_SECRET"):
        environ[f"DAYBOOK_CHANNEL_WEBSHOP_{key}"] = nowhere if key == "URL" else "top-s3cret"
    daybook = Daybook(environ)
    answer = daybook("channel", "preview", "webshop", "A")
    assert answer.code == 0, answer.stderr
    assert "POST http://someone:********@127.0.0.1:9/wp-json/wc/v3/products" in answer.stdout
    assert '"name": "thing A"' in answer.stdout and "s3cret" not in answer.stdout
    assert "price: goes with the request that makes the listing" in answer.stdout
    found = daybook.json("channel", "preview", "webshop", "A", "--all", "--validate")
    assert (found["validated"], found["facets"][0]["requests"][0]["body"]["sku"]) == (False, "A")
    with psycopg.connect(database) as conn:
        conn.execute("UPDATE deliveries SET attempts = 1")
    looking = daybook.json("channel", "preview", "webshop", "A")["facets"][0]
    assert (looking["why"], looking["requests"][0]["method"]) == (LOOK, "GET")
    assert "?sku=A" in looking["requests"][0]["url"]
    assert "nothing of it is due" not in daybook("channel", "preview", "webshop", "A").stdout
    daybook.refuses(4, "not_found", "channel", "preview", "webshop", "NOBODY")
    daybook.refuses(7, "bad_configuration", "channel", "preview", "bol", "A")
