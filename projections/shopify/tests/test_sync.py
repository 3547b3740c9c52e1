"""A full sync as one bulk operation."""

import asyncio
from collections.abc import Mapping

import msgspec
import pytest

from daybook.channel.contract import Payload
from daybook.channel.sandbox import Faults
from daybook.errors import Unavailable
from projections.shopify.documents import BULK_RUN, PRODUCT_SET_LINE
from projections.shopify.ids import Ids
from projections.shopify.sandbox import ShopifySandbox
from projections.shopify.tests.desk import Desk, bag, in_a_shop, shirts

RUN = "bulkOperationRunMutation"


def test_products_and_variants_are_brought_with_prices_and_stock_in_one_operation() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        synced = await desk.connector.sync_all({**bag(), **shirts()})
        shown = desk.sandbox.shown()
        assert list(shown) == ["BAG", "SHIRT", "RED", "BLUE"]
        assert [(shown[sku]["price"], shown[sku]["stock"]) for sku in ("BAG", "RED")] == [("19.99", 5), ("10.00", 2)]
        assert synced.rejected == {}
        assert synced.remote_ids.keys() == {"BAG", "SHIRT"}
        assert [each.path.split("/")[1] for each in desk.sandbox.received] == [
            *("admin", "staged", "admin", "admin"),
            "bulk",
        ]

    in_a_shop(scenario)


def test_what_was_brought_one_by_one_is_found_and_brought_up_to_date() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        await desk.bring(bag())
        await desk.bring(shirts())
        before = dict(desk.ids)
        synced = await desk.connector.sync_all({**bag(price="1.00", stock=1), **shirts(price="2.00")})
        assert synced.remote_ids == {sku: Ids.parse(before[sku]).product for sku in ("BAG", "SHIRT")}
        shown = desk.sandbox.shown()
        assert [shown[sku]["price"] for sku in ("BAG", "RED", "BLUE")] == ["1.00", "2.00", "2.00"]
        assert desk.sandbox.shop.variant("RED")["id"] == Ids.parse(before["RED"]).variant

    in_a_shop(scenario)


def test_a_refused_line_is_told_by_its_sku_and_does_not_hold_up_the_others() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        wrong: dict[str, Mapping[str, Payload]] = {"X": {**bag("X")["X"], "price": {"price": "-1.00"}}}
        synced = await desk.connector.sync_all({**wrong, **bag()})
        assert list(synced.remote_ids) == ["BAG"]
        assert [(each.code, each.field) for each in synced.rejected["X"]] == [
            ("INVALID_VARIANT", "input.variants.0.price")
        ]
        assert list(desk.sandbox.shown()) == ["BAG"]

    in_a_shop(scenario)


def test_a_variant_that_is_not_stocked_yet_is_told() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        await desk.push(shirts(), "SHIRT")
        synced = await desk.connector.sync_all(shirts())
        assert [each.code for each in synced.rejected["SHIRT"]] == ["INVALID_INPUT"]

    in_a_shop(scenario)


def test_it_waits_until_the_operation_is_done() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        synced = await desk.connector.sync_all(bag(), poll_seconds=0.02)
        assert list(synced.remote_ids) == ["BAG"]
        assert sum(b"... on BulkOperation" in msgspec.json.encode(each.body) for each in desk.sandbox.received) > 1

    in_a_shop(scenario, bulk_seconds=0.1)


def test_a_throttle_while_it_waits_is_waited_out() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        task = asyncio.create_task(desk.connector.sync_all(bag(), poll_seconds=0.01))
        await desk.sandbox.wait_received(4)
        desk.sandbox.faults.throttle_next = 2
        assert list((await task).remote_ids) == ["BAG"]
        assert desk.sandbox.faults.throttle_next == 0

    in_a_shop(scenario, bulk_seconds=0.2)


def test_five_operations_run_at_once_and_the_sixth_is_told_to_come_later() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        bulk = desk.sandbox.bulk
        target = bulk.stage({"input": [{"filename": "a.jsonl", "mimeType": "text/jsonl"}]})["stagedTargets"][0]
        path = target["parameters"][0]["value"]
        bulk._uploads[path] = b"{}\n"
        for _ in range(5):
            bulk.start({"mutation": PRODUCT_SET_LINE, "stagedUploadPath": path})
        with pytest.raises(Unavailable, match="OPERATION_IN_PROGRESS"):
            await desk.connector.sync_all(bag())
        now[0] += 60
        bulk.seconds = 0
        assert list((await desk.connector.sync_all(bag())).remote_ids) == ["BAG"]

    now = [0.0]
    in_a_shop(scenario, bulk_seconds=60, clock=lambda: now[0])


def test_an_operation_that_fails_says_so() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        desk.sandbox.bulk.fail_next = True
        with pytest.raises(Unavailable, match=r"ended as FAILED \(TIMEOUT\)"):
            await desk.connector.sync_all(bag())
        assert desk.sandbox.shown() == {}

    in_a_shop(scenario)


def test_outages_and_refusals_are_told_and_nothing_to_do_is_done() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        assert (await desk.connector.sync_all({})).remote_ids == {}
        for faults in (Faults(outage=True), Faults(html_503=True), Faults(throttle_next=1)):
            desk.sandbox.faults = faults
            with pytest.raises(Unavailable):
                await desk.connector.sync_all(bag())
        desk.sandbox.faults = Faults()
        desk.sandbox.locked = True
        with pytest.raises(Unavailable, match="locked"):
            await desk.connector.sync_all(bag())

    in_a_shop(scenario)


def test_a_file_that_was_not_uploaded_can_not_be_run() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        answer = desk.sandbox.run(RUN, BULK_RUN, {"mutation": PRODUCT_SET_LINE, "stagedUploadPath": "tmp/none"})
        assert answer["userErrors"][0]["code"] == "NO_SUCH_FILE"

    in_a_shop(scenario)
