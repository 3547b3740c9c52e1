"""The connector against the sandbox over HTTP: lost answers, taken SKUs, refusals and outages."""

from collections.abc import Mapping

import msgspec
import pytest

from daybook.channel.calls import Exchange, exchanges
from daybook.channel.contract import ChannelUnavailable, Confirmed, Payload, Push, Rejected, Throttled
from daybook_projections.webshop.connector import connector
from daybook_projections.webshop.listing import FACETS
from daybook_projections.webshop.tests.desk import BAG, MEDIUM, SHIRT, Desk, at_the_desk, changed


@pytest.mark.parametrize("listing", [BAG, MEDIUM])
def test_after_a_lost_answer_the_second_attempt_finds_the_listing_and_does_not_double_it(
    listing: Mapping[str, Payload],
) -> None:
    async def scenario(desk: Desk) -> None:
        await desk.push(SHIRT)
        desk.shop.faults.drop_answer_next = 1
        assert isinstance(await desk.push(listing), ChannelUnavailable)
        outcome = await desk.push(changed(listing, "price", regular_price="30.00"), attempt=2)
        assert outcome.covers == FACETS
        assert outcome.remote_id == {"BAG": "102", "SHIRT-M": "101/102"}[listing["product"]["sku"]]
        assert sum(request.startswith("POST") for request in desk.asked()) == 2  # the shirt, and the lost one
        assert desk.shop.shown()[listing["product"]["sku"]]["price"] == "30.00"

    at_the_desk(scenario)


def test_a_second_attempt_creates_when_the_first_never_arrived() -> None:
    async def scenario(desk: Desk) -> None:
        desk.shop.faults.outage = True
        assert isinstance(await desk.push(BAG), ChannelUnavailable)
        desk.shop.faults.outage = False
        assert (await desk.push(BAG, attempt=2)).remote_id == "101"

    at_the_desk(scenario)


def test_a_product_that_already_has_the_sku_is_taken_over_at_the_first_attempt() -> None:
    async def scenario(desk: Desk) -> None:
        made = desk.shop.shop.create({"name": "Made by hand", "sku": "BAG"})
        assert await desk.push(BAG) == Confirmed(covers=FACETS, remote_id=str(made["id"]))
        assert desk.asked() == ["POST /products", "GET /products", f"PUT /products/{made['id']}"]
        assert desk.shop.shown()["BAG"]["title"] == "Bag"

    at_the_desk(scenario)


def test_a_sku_that_belongs_to_another_products_variation_is_rejected_not_moved() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.push(SHIRT)
        await desk.push(MEDIUM)
        outcome = await desk.push(changed(BAG, "product", sku="SHIRT-M"), ids={})
        assert isinstance(outcome, Rejected)
        assert (outcome.reasons[0].code, outcome.reasons[0].field) == ("product_invalid_sku", "sku")
        assert "101/102" in outcome.reasons[0].message

    at_the_desk(scenario)


def test_a_product_that_somebody_deleted_in_the_shop_comes_back_whole_with_its_next_change() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.push(BAG)
        desk.shop.shop.delete(101, force=True)
        outcome = await desk.push(changed(BAG, "price", regular_price="9.00"), "price")
        assert outcome == Confirmed(covers=FACETS, remote_id="102")
        assert desk.shop.shown()["BAG"] | {"title": "Bag", "price": "9.00"} == desk.shop.shown()["BAG"]

    at_the_desk(scenario)


def test_a_variation_follows_its_parent_when_that_was_made_anew() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.push(SHIRT)
        await desk.push(MEDIUM)
        desk.shop.shop.delete(101, force=True)
        assert (await desk.push(SHIRT)).remote_id == "103"
        assert await desk.push(MEDIUM, "stock") == Confirmed(covers=FACETS, remote_id="103/104")

    at_the_desk(scenario)


def test_a_change_of_a_variation_whose_parent_was_deleted_in_the_shop_brings_both_anew() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.push(SHIRT)
        await desk.push(MEDIUM)
        desk.shop.shop.delete(101, force=True)
        outcome = await desk.push(changed(MEDIUM, "price", regular_price="8.00"), "price")
        assert outcome == Confirmed(covers=FACETS, remote_id="103/104")
        assert desk.shop.shown()["SHIRT-M"] | {"price": "8.00", "live": True} == desk.shop.shown()["SHIRT-M"]
        assert desk.shop.shown()["SHIRT"]["title"] == "Shirt"

    at_the_desk(scenario)


def test_a_refusal_comes_back_with_the_shops_own_words_and_the_field() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.push(BAG)
        outcome = await desk.push(changed(BAG, "product", sku="OTHER"))
        assert isinstance(outcome, Rejected)
        reason = outcome.reasons[0]
        assert (reason.code, reason.field) == ("product_invalid_global_unique_id", "global_unique_id")
        assert reason.message == "Invalid or duplicated GTIN, UPC, EAN or ISBN."

    at_the_desk(scenario)


def test_each_wrong_field_is_a_reason_of_its_own() -> None:
    async def scenario(desk: Desk) -> None:
        wrong = changed(changed(BAG, "product", status="live"), "price", regular_price=19.99)
        outcome = await desk.push(wrong)
        assert isinstance(outcome, Rejected)
        assert [(each.code, each.field) for each in outcome.reasons] == [
            ("rest_invalid_param", "regular_price"),
            ("rest_invalid_param", "status"),
        ]
        assert desk.shop.shown() == {}

    at_the_desk(scenario)


def test_a_throttle_tells_how_long_to_wait_and_is_no_failure() -> None:
    async def scenario(desk: Desk) -> None:
        desk.shop.faults.throttle_next = 1
        assert await desk.push(BAG) == Throttled(1.0, "rest")
        assert isinstance(await desk.push(BAG), Confirmed)

    at_the_desk(scenario)


def test_an_html_page_with_503_is_an_outage() -> None:
    async def scenario(desk: Desk) -> None:
        desk.shop.faults.html_503 = True
        outcome = await desk.push(BAG)
        assert isinstance(outcome, ChannelUnavailable)
        assert "503" in outcome.reason

    at_the_desk(scenario)


def test_a_revoked_or_read_only_key_is_the_channels_trouble_and_says_which_settings_to_check() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.push(BAG)
        desk.shop.may_write = False
        outcome = await desk.push(BAG, "price")
        assert isinstance(outcome, ChannelUnavailable)
        assert "write permissions" in outcome.reason
        assert "DAYBOOK_CHANNEL_WEBSHOP_CONSUMER_KEY" in outcome.reason
        desk.shop.may_write, desk.shop.consumer_key = True, "ck_new"
        assert isinstance(await desk.push(BAG, "price"), ChannelUnavailable)

    at_the_desk(scenario)


def test_a_shop_over_http_that_looks_at_no_keys_is_told_from_a_wrong_key() -> None:
    async def scenario(desk: Desk) -> None:
        desk.shop.needs_tls = True
        outcome = await desk.push(BAG)
        assert isinstance(outcome, ChannelUnavailable)
        assert "keys that come over http, so give DAYBOOK_CHANNEL_WEBSHOP_URL as https://" in outcome.reason

    at_the_desk(scenario)


def test_an_address_without_a_woocommerce_api_is_the_channels_trouble() -> None:
    async def scenario(desk: Desk) -> None:
        lost = connector(desk.shop.settings() | {"url": f"{desk.shop.url}/wp-json"})
        try:
            bag = Push(
                sku="BAG",
                key="BAG",
                facet="product",
                payload=BAG["product"],
                listing=BAG,
                remote_id=None,
                remote_ids={},
                position=1,
                attempt=1,
            )
            outcome = await lost.push(bag)
        finally:
            await lost.close()
        assert isinstance(outcome, ChannelUnavailable)
        assert "DAYBOOK_CHANNEL_WEBSHOP_URL" in outcome.reason

    at_the_desk(scenario)


def test_the_journal_never_sees_the_credentials() -> None:
    async def scenario(desk: Desk) -> None:
        kept: list[Exchange] = []
        exchanges.set(kept)
        await desk.push(BAG)
        assert len(kept) == 1
        assert b"sandbox" not in msgspec.json.encode(kept)

    at_the_desk(scenario)
