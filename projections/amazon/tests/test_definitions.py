"""A listing is checked against its product type before it is sent."""

import asyncio
from typing import Any

import pytest

from daybook.channel.calls import previewing
from daybook.channel.contract import Accepted, Confirmed, Rejected
from daybook.channel.testing import History
from daybook.events import ChannelConfigured, Rejection
from daybook_projections.amazon.connector import AmazonConnector
from daybook_projections.amazon.definitions import _reasons, _validator
from daybook_projections.amazon.tests.desk import Desk, at_desk


def luggage(name: str = "Koffer", brand: str | None = "Acme", product_type: str = "LUGGAGE") -> History:
    settings = ChannelConfigured(name="amazon", locales=("nl-NL",), extra={"product_type": product_type})
    attributes = {"name": name} | ({"brand": brand} if brand else {})
    return (
        History()
        .happened(settings)
        .product("S1", attributes=attributes, price=("default", "79.95", "EUR"), stock={"main": 1}, listed=("amazon",))
    )


def asked(desk: Desk, start: str) -> list[str]:
    return [one.method for one in desk.sandbox.received if one.path.startswith(start)]


def test_what_the_product_type_requires_is_refused_without_a_request_for_the_listing() -> None:
    async def scenario(desk: Desk) -> None:
        outcome = await desk.connector.push(desk.push_of("S1", "product", luggage(brand=None)))
        assert outcome == Rejected((Rejection("schema.required", "'brand' is required but not supplied.", "brand"),))
        outcome = await desk.connector.push(desk.push_of("S1", "product", luggage(brand="é" * 51)))
        assert isinstance(outcome, Rejected)
        (reason,) = outcome.reasons
        assert (reason.code, reason.field) == ("schema.maxUtf8ByteLength", "brand")
        assert reason.message.startswith("brand.0.value: ")
        assert asked(desk, "/listings/") == []

    at_desk(scenario)


def test_a_definition_is_asked_for_once_a_day_and_its_schema_once_for_each_checksum() -> None:
    async def scenario(desk: Desk) -> None:
        desk.sandbox.token_seconds = 1_000_000
        push = desk.push_of("S1", "product", luggage())
        outcomes = await asyncio.gather(*(desk.connector.push(push) for _ in range(5)))
        assert {type(one) for one in outcomes} == {Accepted}
        assert (asked(desk, "/definitions/"), asked(desk, "/documents/")) == (["GET"], ["GET"])
        (query,) = [one.query for one in desk.sandbox.received if one.path.startswith("/definitions/")]
        assert (query["requirements"], query["requirementsEnforced"], query["parentageLevel"]) == (
            "LISTING",
            "ENFORCED",
            "NONE",
        )
        desk.now += 25 * 3600
        await desk.connector.push(push)
        assert (asked(desk, "/definitions/"), asked(desk, "/documents/")) == (["GET"] * 2, ["GET"])

    at_desk(scenario)


@pytest.mark.parametrize("trouble", ["unknown type", "no schema", "not a schema"])
def test_without_a_definition_the_listing_is_sent_and_amazon_judges(trouble: str) -> None:
    async def scenario(desk: Desk) -> None:
        if trouble == "no schema":
            desk.sandbox.files.signed_seconds = 0.0
        if trouble == "not a schema":
            await desk.connector.push(desk.push_of("S1", "product", luggage()))
            for file in desk.sandbox.files.files.values():
                file.content = b'{"type": 7}'
            await desk.connector.close()
            desk.connector = AmazonConnector(desk.sandbox.settings(), clock=lambda: desk.now)
            desk.sandbox.received.clear()
        kind = "UNHEARD_OF" if trouble == "unknown type" else "LUGGAGE"
        outcome = await desk.connector.push(desk.push_of("S1", "product", luggage(brand=None, product_type=kind)))
        assert isinstance(outcome, Rejected)
        assert outcome.reasons[0].code == "90220"
        push = desk.push_of("S1", "product", luggage(product_type=kind))
        assert isinstance(await desk.bring(push), Confirmed)
        assert asked(desk, "/definitions/") == ["GET"], "it is not asked for again with each listing"

    at_desk(scenario)


def test_a_preview_asks_for_no_definition() -> None:
    async def scenario(desk: Desk) -> None:
        token = previewing.set(True)
        await desk.connector.push(desk.push_of("S1", "product", luggage()))
        previewing.reset(token)
        assert not desk.sandbox.received

    at_desk(scenario)


def test_a_schema_that_refers_to_another_address_fetches_nothing_and_finds_nothing() -> None:
    validator: Any = _validator(b'{"properties": {"brand": {"$ref": "http://127.0.0.1:9/other"}}}')
    assert list(_reasons(validator, {"brand": []})) == []
