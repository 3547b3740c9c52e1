"""The connector against the sandbox over HTTP: bringing, changing and taking off."""

import json
from pathlib import Path
from typing import Any

import pytest

from daybook.channel.contract import Confirmed, Payload, Waiting
from projections.webshop.listing import FACETS
from projections.webshop.tests.bench import BAG, MEDIUM, SHIRT, Bench, at_the_bench, changed


def test_a_product_is_created_with_all_facets_in_one_request() -> None:
    async def scenario(bench: Bench) -> None:
        outcome = await bench.push(BAG)
        assert outcome == Confirmed(covers=FACETS, remote_id="101")
        assert bench.asked() == ["POST /products"]
        shown = {"title": "Bag", "price": "19.99", "currency": "EUR", "stock": 5, "live": True}
        assert bench.shop.shown() == {"BAG": shown}

    at_the_bench(scenario)


@pytest.mark.parametrize(
    ("facet", "fields", "seen"),
    [
        ("product", {"name": "Big bag"}, {"title": "Big bag"}),
        ("price", {"regular_price": "24.50"}, {"price": "24.50"}),
        ("stock", {"stock_quantity": 0}, {"stock": 0}),
    ],
)
def test_each_facet_is_changed_alone_and_sending_it_again_changes_nothing(
    facet: str, fields: dict[str, Any], seen: dict[str, Any]
) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.push(BAG)
        before = bench.shop.shown()["BAG"]
        newer = changed(BAG, facet, **fields)
        for _ in range(2):
            assert await bench.push(newer, facet) == Confirmed()
            assert bench.shop.shown() == {"BAG": before | seen}
        assert bench.shop.received[-1].body == newer[facet]

    at_the_bench(scenario)


def test_a_facet_waits_until_its_product_is_in_the_shop() -> None:
    async def scenario(bench: Bench) -> None:
        assert isinstance(await bench.push(BAG, "price"), Waiting)
        assert bench.asked() == []

    at_the_bench(scenario)


def test_a_variation_waits_for_its_parent_and_is_created_under_it() -> None:
    async def scenario(bench: Bench) -> None:
        assert isinstance(await bench.push(MEDIUM), Waiting)
        await bench.push(SHIRT)
        assert await bench.push(MEDIUM) == Confirmed(covers=FACETS, remote_id="101/102")
        assert "_parent" not in bench.shop.received[-1].body
        assert bench.shop.shown()["SHIRT-M"]["title"] == "Shirt - M"
        assert bench.shop.shown()["SHIRT"]["variations"] == ["SHIRT-M"]
        assert await bench.push(changed(MEDIUM, "stock", stock_quantity=9), "stock") == Confirmed()
        assert bench.shop.shown()["SHIRT-M"]["stock"] == 9

    at_the_bench(scenario)


def test_a_variation_waits_when_its_parent_does_not_have_its_axis_yet() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.push(changed(SHIRT, "product", attributes=[]))
        assert isinstance(await bench.push(MEDIUM), Waiting)
        await bench.push(SHIRT)
        assert (await bench.push(MEDIUM, attempt=2)).remote_id == "101/102"
        assert bench.shop.shown()["SHIRT-M"]["title"] == "Shirt - M"

    at_the_bench(scenario)


def test_removing_takes_the_listing_off_and_may_be_repeated() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.push(BAG)
        for _ in range(2):
            assert await bench.push(BAG, remove=True) == Confirmed(covers=FACETS)
            assert bench.shop.shown() == {}

    at_the_bench(scenario)


def test_removing_a_variable_product_takes_its_variations_and_their_removal_is_then_done() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.push(SHIRT)
        await bench.push(MEDIUM)
        assert isinstance(await bench.push(SHIRT, remove=True), Confirmed)
        assert bench.shop.shown() == {}
        assert await bench.push(MEDIUM, remove=True) == Confirmed(covers=FACETS)

    at_the_bench(scenario)


def test_removing_what_a_lost_answer_may_have_created_looks_it_up_first() -> None:
    async def scenario(bench: Bench) -> None:
        bench.shop.faults.drop_answer_next = 1
        await bench.push(BAG)
        assert await bench.push(BAG, remove=True, attempt=2) == Confirmed(covers=FACETS)
        assert bench.shop.shown() == {}

    at_the_bench(scenario)


def test_removing_what_was_never_brought_leaves_a_product_of_the_shop_alone() -> None:
    async def scenario(bench: Bench) -> None:
        bench.shop.shop.create({"name": "Made by hand", "sku": "BAG"})
        assert isinstance(await bench.push(BAG, remove=True), Confirmed)
        assert bench.shop.shown().keys() == {"BAG"}

    at_the_bench(scenario)


def test_taking_one_facet_off_clears_it() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.push(BAG)
        for facet in ("price", "stock"):
            assert await bench.push(BAG, facet, remove=True) == Confirmed()
        assert (bench.shop.shown()["BAG"]["price"], bench.shop.shown()["BAG"]["stock"]) == (None, None)

    at_the_bench(scenario)


def test_the_shop_takes_and_keeps_a_rendering_as_it_is() -> None:
    golden = json.loads((Path(__file__).parent / "golden" / "jackets.json").read_text(encoding="utf-8"))
    listings: dict[str, dict[str, Payload]] = {}
    for name, payload in golden.items():
        sku, facet = name.split()
        listings.setdefault(sku, {})[facet] = payload

    async def scenario(bench: Bench) -> None:
        for listing in listings.values():
            assert isinstance(await bench.push(listing), Confirmed)
        assert bench.shop.shown()["amor"]["variations"] == [sku for sku in listings if sku != "amor"]
        assert bench.shop.shown()["amor-red-M"] == {
            "title": "Amor - Red, M",
            "price": "999.00",
            "currency": "EUR",
            "stock": 3,
            "live": True,
            "parent": "amor",
        }
        kept = bench.shop.shop.get(int(bench.ids["amor"]))
        assert [each | {"id": 0} for each in listings["amor"]["product"]["attributes"]] == kept["attributes"]

    at_the_bench(scenario)
