"""Very many products go as one bulk operation, and each of them has its own end."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from daybook.channel.contract import (
    Accepted,
    ChannelUnavailable,
    Confirmed,
    Outcome,
    Push,
    Rejected,
    SendsBatches,
    Throttled,
)
from daybook.channel.sandbox import Faults
from daybook_projections.shopify import BULK_SECONDS_MAX, manifest
from daybook_projections.shopify.bulk_threshold import FORGOTTEN_SECONDS, BulkThreshold
from daybook_projections.shopify.connection import connector
from daybook_projections.shopify.connector import BULK_MIN, GATHER_MAX, LINE_VARIANTS_MAX
from daybook_projections.shopify.ids import Ids
from daybook_projections.shopify.operations import BULK_RUN, PRODUCT_SET_LINE
from daybook_projections.shopify.sandbox.server import ShopifySandbox
from daybook_projections.shopify.tests.desk import Desk, Listings, bag, shirts, with_a_lasting_token
from daybook_projections.shopify.tests.desk import in_a_shop as run_in_a_shop

RUN, STATE, STAGE = "bulkOperationRunMutation", "node", "stagedUploadsCreate"
SET, READ = "productSet", "product"
ALL = ("product", "price", "stock")


def in_a_shop(scenario: Callable[[Desk[ShopifySandbox]], Awaitable[None]], **options: Any) -> None:
    """Where one is very many, and every look is a look."""

    async def small(desk: Desk[ShopifySandbox]) -> None:
        desk.connector.bulk_min, desk.connector.bulk.look_seconds = 0, 0.0
        await scenario(desk)

    run_in_a_shop(small, **options)


def many(price: str = "19.99") -> Listings:
    return {**bag("A", price=price), **shirts(price=price), **bag("B", price=price)}


def roots(desk: Desk[Any], wanted: Listings, **how: Any) -> list[Push]:
    skus = [sku for sku, facets in wanted.items() if "variants" in facets["product"]]
    return [desk.describe(wanted, sku, group=True, **how) for sku in skus]


async def start(desk: Desk[Any], pushes: Sequence[Push]) -> list[Accepted]:
    outcomes = await desk.connector.push_all(pushes)
    assert len(outcomes) == len(pushes)
    accepted = [outcome for outcome in outcomes if isinstance(outcome, Accepted)]
    assert len(accepted) == len(pushes), outcomes
    return accepted


async def end(desk: Desk[Any], pushes: Sequence[Push], accepted: Sequence[Accepted]) -> list[Outcome]:
    return [
        desk.keep(push, await desk.connector.confirm(push, one.submission))
        for push, one in zip(pushes, accepted, strict=True)
    ]


def test_products_are_accepted_with_their_lines_and_confirmed_with_their_ids_by_one_look() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        assert isinstance(desk.connector, SendsBatches)
        wanted = many()
        pushes = roots(desk, wanted)
        accepted = await start(desk, pushes)
        number = accepted[0].submission.split("/")[1]
        assert [one.submission for one in accepted] == [f"bulk/{number}/{line}" for line in range(3)]
        assert [one.covers for one in accepted] == [ALL, ("product",), ALL]
        # Its lines can't define the custom ids that they name, so that is made sure before the first of all.
        assert desk.sent() == ["metafieldDefinitionCreate", STAGE, RUN]
        outcomes = await end(desk, pushes, accepted)
        assert all(isinstance(each, Confirmed) for each in outcomes)
        assert [each.covers for each in outcomes if isinstance(each, Confirmed)] == [ALL, ("product",), ALL]
        assert desk.sent() == [STATE]
        for sku in ("A", "B"):
            assert Ids.parse(desk.ids[sku]).variant == desk.sandbox.shop.variant(sku)["id"]
        assert Ids.parse(desk.ids["SHIRT"]).variant == ""

    in_a_shop(scenario)


def test_the_variants_of_a_group_come_with_it_and_cost_one_query_for_all() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        wanted = many()
        pushes = roots(desk, wanted)
        await end(desk, pushes, await start(desk, pushes))
        shown = desk.sandbox.shown()
        assert [(shown[sku]["price"], shown[sku]["stock"]) for sku in ("A", "RED")] == [("19.99", 5), ("19.99", 2)]
        desk.sent()
        for sku in ("RED", "BLUE"):
            outcome = await desk.push(wanted, sku, group=True)
            assert isinstance(outcome, Confirmed)
            assert outcome.covers == ALL
        assert desk.sent() == [READ]

    in_a_shop(scenario)


def test_what_is_in_the_shop_already_is_brought_up_to_date_and_keeps_its_prices_and_stock() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        await desk.bring(many(), group=True)
        before, ids = desk.sandbox.shown(), dict(desk.ids)
        desk.sandbox.shop.sell("A")
        wanted = {**bag("A", title="Sack"), **shirts("crimson"), **bag("B", title="Sack")}
        pushes = roots(desk, wanted)
        accepted = await start(desk, pushes)
        assert {one.covers for one in accepted} == {("product",)}
        assert [each.remote_id for each in await end(desk, pushes, accepted) if isinstance(each, Confirmed)] == [
            ids[sku] for sku in ("A", "SHIRT", "B")
        ]
        shown = desk.sandbox.shown()
        assert shown["A"] == before["A"] | {"title": "Sack", "stock": 4}
        assert shown["RED"] == before["RED"] | {"options": {"Color": "crimson"}}

    in_a_shop(scenario)


def test_a_product_whose_ids_were_lost_is_found_by_its_sku() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        await desk.bring(many(), group=True)
        ids, desk.ids = desk.ids, {}
        pushes = roots(desk, many("1.00"))
        await end(desk, pushes, await start(desk, pushes))
        assert desk.ids == {sku: ids[sku] for sku in ("A", "SHIRT", "B")}
        assert desk.sandbox.shown()["BLUE"]["price"] == "1.00"

    in_a_shop(scenario)


def test_a_refused_line_is_rejected_in_shopifys_words_and_holds_up_no_other() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        wanted = {**many(), "A": {**bag("A")["A"], "price": {"price": "-1.00"}}}
        pushes = roots(desk, wanted)
        refused, *others = await end(desk, pushes, await start(desk, pushes))
        assert isinstance(refused, Rejected)
        assert [(each.code, each.field) for each in refused.reasons] == [("INVALID_VARIANT", "input.variants.0.price")]
        assert all(isinstance(each, Confirmed) for each in others)
        assert list(desk.sandbox.shown()) == ["SHIRT", "RED", "BLUE", "B"]

    in_a_shop(scenario)


def test_members_that_fail_one_by_one_are_rejected_one_by_one() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        desk.sandbox.faults = Faults(fail_members=True)
        pushes = roots(desk, many())
        outcomes = await end(desk, pushes, await start(desk, pushes))
        assert [type(each) for each in outcomes] == [Confirmed, Rejected, Confirmed]
        assert list(desk.sandbox.shown()) == ["A", "B"]

    in_a_shop(scenario)


def test_a_line_that_needs_a_look_at_the_shop_is_brought_singly() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        await desk.push(shirts(), "SHIRT")
        await desk.push(bag("A"), "A")
        desk.sandbox.shop.product_delete(Ids.parse(desk.ids["A"]).product)
        del desk.ids["SHIRT"]  # there, and not stocked
        pushes = roots(desk, many())
        outcomes = await end(desk, pushes, await start(desk, pushes))
        assert all(isinstance(each, Confirmed) for each in outcomes)
        assert list(desk.sandbox.shown()) == ["SHIRT", "RED", "BLUE", "B", "A"]

    in_a_shop(scenario)


def test_while_it_runs_one_look_serves_all_and_nothing_has_an_end() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        desk.connector.bulk.look_seconds = 0.3
        desk.sandbox.faults = Faults(keep_pending=True)
        pushes = roots(desk, many())
        accepted = await start(desk, pushes)
        desk.sent()
        outcomes = await asyncio.gather(
            *(desk.connector.confirm(push, one.submission) for push, one in zip(pushes, accepted, strict=True))
        )
        assert [each.submission for each in outcomes if isinstance(each, Accepted)] == [
            one.submission for one in accepted
        ]
        assert desk.sent() == [STATE]
        desk.sandbox.faults = Faults()
        started = time.monotonic()
        while isinstance(await desk.connector.confirm(pushes[0], accepted[0].submission), Accepted):
            assert time.monotonic() < started + 5
        assert all(isinstance(each, Confirmed) for each in await end(desk, pushes, accepted))

    in_a_shop(scenario)


@pytest.mark.parametrize("status", ["FAILED", "CANCELED", "EXPIRED"])
def test_what_an_operation_did_before_it_ended_stands_and_the_rest_is_brought_singly(status: str) -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        desk.sandbox.bulk.end_next, desk.sandbox.bulk.done_before_end = status, 1
        pushes = roots(desk, many())
        accepted = await start(desk, pushes)
        desk.sent()
        assert all(isinstance(each, Confirmed) for each in await end(desk, pushes, accepted))
        assert desk.sent() == [STATE, SET, SET]
        assert list(desk.sandbox.shown()) == ["A", "SHIRT", "RED", "BLUE", "B"]

    in_a_shop(scenario)


def test_an_operation_that_nobody_knows_any_more_leaves_its_products_to_be_brought_singly() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        [push] = roots(desk, bag("A"))
        assert isinstance(desk.keep(push, await desk.connector.confirm(push, "bulk/99/0")), Confirmed)
        assert desk.sent() == [STATE, SET]

    in_a_shop(scenario)


def test_another_connector_reads_the_end_of_an_operation_that_it_did_not_start() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        pushes = roots(desk, many())
        accepted = await start(desk, pushes)
        await desk.connector.close()
        desk.connector = connector(with_a_lasting_token(desk.sandbox))
        assert all(isinstance(each, Confirmed) for each in await end(desk, pushes, accepted))
        assert len(desk.sandbox.shop.products) == 3

    in_a_shop(scenario)


def test_outages_at_the_start_and_in_between_lose_nothing() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        pushes = roots(desk, many())
        for faults, expected in (
            (Faults(outage=True), ChannelUnavailable),
            (Faults(html_503=True), ChannelUnavailable),
            (Faults(throttle_next=1), Throttled),
        ):
            desk.sandbox.faults = faults
            assert {type(each) for each in await desk.connector.push_all(pushes)} == {expected}
        desk.sandbox.faults = Faults()
        accepted = await start(desk, pushes)
        for faults, expected in (
            (Faults(outage=True), ChannelUnavailable),
            (Faults(html_503=True), ChannelUnavailable),
            (Faults(throttle_next=1), Throttled),
        ):
            desk.sandbox.faults = faults
            assert isinstance(await desk.connector.confirm(pushes[0], accepted[0].submission), expected)
        desk.sandbox.faults = Faults()
        assert all(isinstance(each, Confirmed) for each in await end(desk, pushes, accepted))

    in_a_shop(scenario)


def test_five_operations_run_at_once_and_the_sixth_comes_later_which_is_no_failure() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        pushes = roots(desk, many())
        for _ in range(5):
            await start(desk, pushes)
        outcomes = await desk.connector.push_all(pushes)
        assert {type(each) for each in outcomes} == {Throttled}
        assert {each.operation for each in outcomes if isinstance(each, Throttled)} == {"bulk"}
        now[0] += 60
        await start(desk, pushes)

    now = [0.0]
    in_a_shop(scenario, bulk_seconds=30, clock=lambda: now[0])


def test_a_bulk_operation_that_shopify_does_not_take_is_told_and_second_tries_go_singly() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        desk.sandbox.scopes.discard("write_products")
        outcomes = await desk.connector.push_all(roots(desk, many()))
        assert {type(each) for each in outcomes} == {ChannelUnavailable}
        answer = desk.sandbox.bulk
        with pytest.raises(Exception, match="could not be found"):
            answer.start(PRODUCT_SET_LINE, "tmp/none")
        assert "stagedUploadPath" in BULK_RUN

    in_a_shop(scenario)


def test_so_many_go_singly_and_only_those_beyond_go_together() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        desk.connector.bulk_min = 2
        wanted = many()
        pushes = roots(desk, wanted)
        assert [desk.connector.gathers(push) for push in pushes] == [None, None, "product"]
        assert isinstance(await desk.connector.push(pushes[0]), Confirmed)
        assert [desk.connector.gathers(push) for push in roots(desk, wanted)] == [None, "product", "product"]
        desk.sandbox.faults = Faults(outage=True)
        assert isinstance(await desk.connector.push(pushes[1]), ChannelUnavailable)
        assert desk.connector.gathers(pushes[1]) is None, "whatever came of it, it does not wait any more"

    in_a_shop(scenario)


def test_a_product_that_was_let_in_and_never_came_does_not_count_for_ever() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        now = [0.0]
        threshold = BulkThreshold(lambda: now[0])
        first, second, third = roots(desk, many())
        assert threshold.lets_in(first, 1)
        assert not threshold.lets_in(second, 1)
        now[0] += FORGOTTEN_SECONDS + 1
        assert threshold.lets_in(second, 1)
        threshold.done(first)
        assert not threshold.lets_in(third, 1)
        threshold.done(second)
        assert threshold.lets_in(third, 1)

    in_a_shop(scenario)


def test_only_first_tries_of_products_that_are_not_too_large_go_together() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        wanted = many()
        gathers = desk.connector.gathers
        assert {gathers(push) for push in roots(desk, wanted)} == {"product"}
        assert {gathers(push) for push in roots(desk, wanted, attempt=2)} == {None}
        assert {gathers(push) for push in roots(desk, wanted, remove=True)} == {None}
        assert gathers(desk.describe(wanted, "RED")) is None
        assert gathers(desk.describe(wanted, "A", "price")) is None
        large = shirts("red", *(f"V{number}" for number in range(LINE_VARIANTS_MAX + 1)))
        assert gathers(desk.describe(large, "SHIRT")) is None

    in_a_shop(scenario)


def test_the_manifest_lets_a_bulk_operation_run_for_the_day_that_shopify_gives_it() -> None:
    assert (manifest.gather_max, manifest.submission_seconds_max) == (GATHER_MAX, BULK_SECONDS_MAX)
    assert BULK_SECONDS_MAX > 24 * 3600
    assert BULK_MIN < GATHER_MAX
