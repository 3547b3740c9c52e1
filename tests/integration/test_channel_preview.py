"""What would be sent is shown as it would be sent, and nothing is."""

import asyncio
from typing import Any

import msgspec
import psycopg
import pytest

from daybook.channel.contract import Push, Waiting
from daybook.channel.preview import LOOK, Preview, preview
from daybook.commands import ChangePrice, CountStock, DelistProduct
from daybook.errors import NotFound, Refused
from daybook.events import Rejection
from projections.webshop import manifest as webshop
from tests.fixtures.channels import ToyConnector, ToySandbox, toy
from tests.fixtures.commandline import Daybook
from tests.fixtures.pipeline import Line, product, until
from tests.integration.test_delivery import rename, shop

OFFER = {"name": "thing A", "label": ""}
WHOLE = {"offer": OFFER, "price": {"price": 1000}, "stock": {"stock": 5}}


async def look(line: Line, sandbox: ToySandbox, sku: str = "A", connector: Any = None, **how: Any) -> Preview:
    connector = connector or ToyConnector(sandbox.settings())
    key = line.app.reader.key_of(sku) or sku
    try:
        return await preview(line.dsn, line.manifest, connector, sku, key, **how)
    finally:
        await connector.close()


def ways(found: Preview) -> dict[str, str]:
    return {one.facet: one.way for one in found.facets}


async def held(line: Line, *commands: Any) -> None:
    """Says something while the channel is paused."""
    line.channels.pause("toy", True)
    await line.say(*commands)
    await line.caught_up()


def test_a_new_listings_one_request_is_shown_and_what_goes_with_it(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with shop(database, nats_url) as (line, sandbox):
            await line.level()
            await held(line, product("A"))
            before = line.rows()
            found = await look(line, sandbox)
            assert ways(found) == {"offer": "request", "price": "with_creation", "stock": "with_creation"}
            (request,) = found.facets[0].requests
            assert (request.method, request.url, request.body) == ("PUT", f"{sandbox.url}/offers/A", WHOLE)
            assert sandbox.writes == [] and line.rows() == before, "nothing is sent and nothing is marked"
            line.channels.pause("toy", False)
            await line.level()
            assert sandbox.writes == [("PUT", "A", WHOLE)], "and that is what was sent"
            assert (await look(line, sandbox)).facets == ()

    asyncio.run(main())


def test_only_what_is_due_is_shown_in_the_order_of_sending(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with shop(database, nats_url) as (line, sandbox):
            await line.say(product("A"))
            await line.level()
            await held(line, CountStock(sku="A", quantity=9), ChangePrice(sku="A", amount="12.50", currency="EUR"))
            found = await look(line, sandbox)
            shown = [(one.facet, request.method, request.body) for one in found.facets for request in one.requests]
            line.channels.pause("toy", False)
            await line.level()
            assert [("PATCH", body) for _, _, body in shown] == [
                (method, body) for method, _, body in sandbox.writes[1:]
            ]
            assert [facet for facet, _, _ in shown] == ["price", "stock"]

    asyncio.run(main())


def test_all_of_it_is_shown_as_if_nothing_had_been_acknowledged(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with shop(database, nats_url) as (line, sandbox):
            await line.say(product("A"))
            await line.level()
            found = await look(line, sandbox, as_if_new=True)
            assert found.as_if_new and found.facets[0].requests[0].body == WHOLE
            assert ways(found) == {"offer": "request", "price": "with_creation", "stock": "with_creation"}
            assert len(sandbox.writes) == 1 and line.status().level

    asyncio.run(main())


def test_a_removal_takes_the_other_facets_along(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with shop(database, nats_url) as (line, sandbox):
            await line.say(product("A"))
            await line.level()
            await held(line, DelistProduct(sku="A", channel="toy"))
            found = await look(line, sandbox)
            assert ways(found) == {"offer": "request", "price": "with_removal", "stock": "with_removal"}
            assert (found.facets[0].requests[0].method, found.facets[0].requests[0].body) == ("DELETE", None)

    asyncio.run(main())


def test_what_waits_says_for_what(database: str, nats_url: str) -> None:
    class Shy(ToyConnector):
        async def push(self, push: Push) -> Any:
            return Waiting("the category is not approved yet")

    class Broken(ToyConnector):
        async def push(self, push: Push) -> Any:
            raise RuntimeError("no idea")

    async def main() -> None:
        async with shop(database, nats_url) as (line, sandbox):
            await line.say(product("BAD", "bad"))
            await until(lambda: line.channels.rejected("toy"), "the rejection is known")
            refused = await look(line, sandbox, "BAD")
            assert {one.facet: one.why for one in refused.facets} == {
                "price": "the channel rejected the offer, so there is no listing",
                "stock": "the channel rejected the offer, so there is no listing",
            }
            await held(line, product("A"))
            shy = await look(line, sandbox, connector=Shy(sandbox.settings()))
            assert [(one.facet, one.way, one.why) for one in shy.facets] == [
                ("offer", "waits", "the category is not approved yet"),
                ("price", "waits", "for the offer"),
                ("stock", "waits", "for the offer"),
            ]
            broken = await look(line, sandbox, connector=Broken(sandbox.settings()))
            assert broken.facets[0].why == "the connector failed: RuntimeError: no idea"

    asyncio.run(main())


def test_what_the_channel_works_on_is_told_and_what_waits_for_it(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with shop(database, nats_url) as (line, sandbox):
            await line.say(product("A"))
            await line.level()
            sandbox.asynchronous = sandbox.pending = True
            await line.say(ChangePrice(sku="A", amount="12", currency="EUR"))
            await until(lambda: line.status().accepted, "it is accepted")
            await line.say(CountStock(sku="A", quantity=9))
            await line.caught_up()
            found = await look(line, sandbox)
            assert [(one.facet, one.way, one.why) for one in found.facets] == [
                ("price", "accepted", "the channel works on it"),
                ("stock", "waits", "for the price, on which the channel works"),
            ]
            sandbox.asynchronous = sandbox.pending = False

    asyncio.run(main())


def test_a_variant_waits_for_its_root_in_a_lane_of_the_whole_group(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with shop(database, nats_url, toy("group")) as (line, sandbox):
            await line.level()
            await held(line, product("M", kind="model"), product("V", parent="M", kind="variant"))
            root, variant = await look(line, sandbox, "M"), await look(line, sandbox, "V")
            assert {one.sku for one in root.facets} == {"M"} and ways(root)["offer"] == "request"
            assert {one.sku for one in variant.facets} == {"V"}

    asyncio.run(main())


def test_a_channel_that_can_be_asked_is_asked_for_each_request_and_another_one_says_that_it_can_not(
    database: str, nats_url: str
) -> None:
    class Asked(ToyConnector):
        async def validate(self, push: Push) -> tuple[Rejection, ...]:
            return (Rejection("8541", "the price is odd", "price"),) if push.facet == "price" else ()

    async def main() -> None:
        async with shop(database, nats_url) as (line, sandbox):
            await line.say(product("A"))
            await line.level()
            await held(line, rename("A", "new"), ChangePrice(sku="A", amount="1", currency="EUR"))
            found = await look(line, sandbox, connector=Asked(sandbox.settings()), validate=True)
            assert found.validated is True
            assert {one.facet: one.verdict for one in found.facets} == {
                "offer": (),
                "price": (Rejection("8541", "the price is odd", "price"),),
            }
            assert (await look(line, sandbox, validate=True)).validated is False
            assert (await look(line, sandbox)).validated is None

    asyncio.run(main())


def test_a_read_model_and_a_channel_that_never_ran_have_nothing_to_preview(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with Line(database, nats_url, toy()) as line:
            sandbox = ToySandbox()
            with pytest.raises(NotFound, match="never run"):
                await preview(line.dsn, toy(), ToyConnector({"url": sandbox.url}), "A", "A")
            nothing = msgspec.structs.replace(toy(), connector=None)
            with pytest.raises(Refused, match="read model"):
                await preview(line.dsn, nothing, ToyConnector({"url": sandbox.url}), "A", "A")

    asyncio.run(main())


def test_the_command_prints_requests_of_a_real_channel_without_calling_it_and_without_credentials(
    database: str, nats_url: str
) -> None:
    async def fill() -> None:
        async with Line(database, nats_url, webshop) as line:
            line.relay()
            line.runner()
            await line.model()
            await line.say(product("A", channels={"webshop": True}))
            await line.caught_up()

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
