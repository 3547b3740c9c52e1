"""Many pushes in one request: each learns its own outcome, and nothing is brought twice."""

from collections.abc import Mapping
from typing import Any

import pytest

from daybook.channel.contract import (
    ChannelUnavailable,
    Confirmed,
    Outcome,
    Payload,
    Push,
    Rejected,
    SendsBatches,
    Throttled,
)
from daybook_projections.webshop import manifest
from daybook_projections.webshop.gathering import MEMBERS_MAX
from daybook_projections.webshop.listing import FACETS
from daybook_projections.webshop.tests.desk import BAG, MEDIUM, SHIRT, Desk, at_the_desk, changed

BATCH = "/products/batch"


def bag(number: int) -> dict[str, Payload]:
    """One of many plain products."""
    return dict(BAG) | {"product": BAG["product"] | {"sku": f"BAG-{number}", "global_unique_id": ""}}


async def bags(desk: Desk, count: int) -> list[dict[str, Payload]]:
    """So many, brought in one batch; the shop then has forgotten that it was asked."""
    found = [bag(number) for number in range(count)]
    await desk.push_all(*(desk.describe(each) for each in found))
    desk.shop.received.clear()
    return found


def prices(desk: Desk, listings: list[dict[str, Payload]], price: str = "5.00") -> list[Push]:
    return [desk.describe(changed(each, "price", regular_price=price), "price") for each in listings]


def members(outcomes: list[Outcome], kind: type[Any]) -> list[int]:
    return [place for place, outcome in enumerate(outcomes) if isinstance(outcome, kind)]


def test_a_full_batch_creates_a_hundred_products_with_all_their_facets_in_one_request() -> None:
    async def scenario(desk: Desk) -> None:
        assert isinstance(desk.connector, SendsBatches)
        assert manifest.gather_max == MEMBERS_MAX == 100
        outcomes = await desk.push_all(*(desk.describe(bag(number)) for number in range(100)))
        assert outcomes == [Confirmed(covers=FACETS, remote_id=str(101 + number)) for number in range(100)]
        assert desk.asked() == [f"POST {BATCH}"]
        shown = desk.shop.shown()
        assert len(shown) == 100
        assert {(each["price"], each["stock"], each["live"]) for each in shown.values()} == {("19.99", 5, True)}

    at_the_desk(scenario)


def test_changes_and_new_products_go_together_and_facets_of_one_product_become_one_member() -> None:
    async def scenario(desk: Desk) -> None:
        first, second = await bags(desk, 2)
        outcomes = await desk.push_all(
            desk.describe(changed(first, "stock", stock_quantity=1), "stock"),
            desk.describe(bag(7)),
            desk.describe(changed(second, "product", name="Big"), "product"),
            desk.describe(changed(first, "price", regular_price="7.00"), "price"),
        )
        assert outcomes == [Confirmed(), Confirmed(covers=FACETS, remote_id="103"), Confirmed(), Confirmed()]
        (request,) = desk.shop.received
        assert request.body["update"][0] == {
            "id": 101,
            "manage_stock": True,
            "stock_quantity": 1,
            "regular_price": "7.00",
        }
        assert [each["id"] for each in request.body["update"]] == [101, 102]
        assert "_parent" not in str(request.body)
        shown = desk.shop.shown()
        assert (shown["BAG-0"]["stock"], shown["BAG-0"]["price"], shown["BAG-1"]["title"]) == (1, "7.00", "Big")

    at_the_desk(scenario)


def test_what_may_share_a_request_is_told_by_the_path_of_its_batch() -> None:
    async def scenario(desk: Desk) -> None:
        gathers = desk.connector.gathers
        assert gathers(desk.describe(BAG)) == BATCH
        alone = [
            desk.describe(BAG, attempt=2),
            desk.describe(BAG, "price"),
            desk.describe(BAG, remove=True),
            desk.describe(SHIRT),
            desk.describe(MEDIUM, ids={"SHIRT": "7"}),
            desk.describe(BAG, remove=True, ids={"BAG": "9"}),
        ]
        assert [gathers(each) for each in alone] == [None] * len(alone)
        assert gathers(desk.describe(BAG, "price", attempt=3, ids={"BAG": "9"})) == BATCH
        assert gathers(desk.describe(BAG, "price", remove=True, ids={"BAG": "9"})) == BATCH
        assert gathers(desk.describe(MEDIUM, "stock", ids={"SHIRT-M": "7/8"})) == "/products/7/variations/batch"

    at_the_desk(scenario)


def test_variations_of_one_product_are_changed_under_it() -> None:
    async def scenario(desk: Desk) -> None:
        large = changed(MEDIUM, "product", sku="SHIRT-L", attributes=[{"name": "Size", "option": "L"}])
        for listing in (SHIRT, MEDIUM, large):
            await desk.push(listing)
        outcomes = await desk.push_all(
            desk.describe(changed(MEDIUM, "price", regular_price="9.00"), "price"),
            desk.describe(large, "price", remove=True),
            desk.describe(
                changed(large, "product", attributes=[{"name": "Size", "option": "L"}, {"name": "Fit", "option": "x"}])
            ),
        )
        assert outcomes[0] == Confirmed()
        assert isinstance(outcomes[2], Rejected), "its product has no axis Fit"
        assert desk.asked().count("POST /products/101/variations/batch") == 1
        assert desk.shop.shown()["SHIRT-M"]["price"] == "9.00"
        assert not desk.shop.shown()["SHIRT-L"]["live"], "it would be sold for every Fit"

    at_the_desk(scenario)


def test_members_fail_one_by_one_in_the_shops_own_words() -> None:
    async def scenario(desk: Desk) -> None:
        found = await bags(desk, 4)
        desk.shop.faults.fail_members = True
        outcomes = await desk.push_all(*prices(desk, found))
        assert members(outcomes, Confirmed) == [0, 2]
        assert members(outcomes, Rejected) == [1, 3]
        (reason,) = outcomes[1].reasons  # type: ignore[union-attr]
        assert reason.code == "woocommerce_rest_invalid_product"
        assert reason.message == "A plugin of the shop refuses this product."
        assert len(desk.shop.received) == 1
        assert [desk.shop.shown()[f"BAG-{number}"]["price"] for number in range(4)] == ["5.00", "19.99"] * 2

    at_the_desk(scenario)


def test_of_a_refused_member_that_stood_for_several_facets_only_the_culprit_is_rejected() -> None:
    async def scenario(desk: Desk) -> None:
        found, _ = await bags(desk, 2)
        outcomes = await desk.push_all(
            desk.describe(changed(found, "product", sku="BAG-1"), ids={"BAG-1": "101"}),
            desk.describe(changed(found, "stock", stock_quantity=9), "stock", ids={"BAG-0": "101"}),
        )
        assert isinstance(outcomes[0], Rejected)
        assert outcomes[0].reasons[0].field == "sku"
        assert outcomes[1] == Confirmed()
        assert (desk.shop.shown()["BAG-0"]["stock"], desk.shop.shown()["BAG-0"]["title"]) == (9, "Bag")

    at_the_desk(scenario)


def test_a_lost_batch_is_unavailable_for_each_member_and_looked_up_at_the_next_attempt() -> None:
    async def scenario(desk: Desk) -> None:
        (known,) = await bags(desk, 1)
        desk.shop.faults.drop_answer_next = 1
        price = prices(desk, [known])[0]
        outcomes = await desk.push_all(desk.describe(bag(7)), price, desk.describe(bag(8)))
        assert members(outcomes, ChannelUnavailable) == [0, 1, 2]
        for number in (7, 8):
            assert desk.connector.gathers(desk.describe(bag(number), attempt=2)) is None
            outcome = await desk.push(bag(number), attempt=2)
            assert outcome.covers == FACETS
        assert [each.split()[0] for each in desk.asked()] == ["POST", "GET", "PUT", "GET", "PUT"]
        assert desk.shop.shown().keys() == {"BAG-0", "BAG-7", "BAG-8"}

    at_the_desk(scenario)


def test_a_member_that_somebody_deleted_is_made_anew_and_one_that_is_there_already_is_taken_over() -> None:
    async def scenario(desk: Desk) -> None:
        found = await bags(desk, 3)
        desk.shop.shop.delete(102, force=True)
        made = desk.shop.shop.create({"name": "By hand", "sku": "BAG-7"})
        outcomes = await desk.push_all(*prices(desk, found), desk.describe(bag(7)))
        assert outcomes[0] == outcomes[2] == Confirmed()
        (anew,) = desk.shop.shop.search("BAG-1")
        assert outcomes[1] == Confirmed(covers=FACETS, remote_id=str(anew["id"]))
        assert outcomes[3] == Confirmed(covers=FACETS, remote_id=str(made["id"]))
        assert desk.shop.shown()["BAG-1"]["price"] == "5.00"
        assert desk.shop.shown()["BAG-7"]["title"] == "Bag"

    at_the_desk(scenario)


def test_a_gone_member_with_several_facets_is_made_anew_once() -> None:
    async def scenario(desk: Desk) -> None:
        (found,) = await bags(desk, 1)
        desk.shop.shop.delete(101, force=True)
        outcomes = await desk.push_all(desk.describe(found, "price"), desk.describe(found, "stock"))
        assert outcomes == [Confirmed(covers=FACETS, remote_id="102")] * 2
        assert desk.asked().count("POST /products") == 1

    at_the_desk(scenario)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"outage": True}, ChannelUnavailable),
        ({"html_503": True}, ChannelUnavailable),
        ({"throttle_next": 1}, Throttled),
    ],
)
def test_what_befalls_the_whole_request_befalls_each_member(fault: Mapping[str, Any], expected: type[Any]) -> None:
    async def scenario(desk: Desk) -> None:
        found = await bags(desk, 3)
        for name, value in fault.items():
            setattr(desk.shop.faults, name, value)
        outcomes = await desk.push_all(*prices(desk, found))
        assert members(outcomes, expected) == [0, 1, 2]
        assert len(desk.shop.received) == 1
        assert desk.shop.shown()["BAG-0"]["price"] == "19.99"

    at_the_desk(scenario)


def test_refused_credentials_are_the_channels_trouble_and_nothing_is_sent_one_by_one() -> None:
    async def scenario(desk: Desk) -> None:
        found = await bags(desk, 3)
        desk.shop.may_write = False
        outcomes = await desk.push_all(*prices(desk, found))
        assert members(outcomes, ChannelUnavailable) == [0, 1, 2]
        assert len(desk.shop.received) == 1

    at_the_desk(scenario)


def test_a_shop_that_takes_fewer_members_gets_smaller_batches_and_this_is_remembered() -> None:
    async def scenario(desk: Desk) -> None:
        found = await bags(desk, 20)
        desk.shop.members_max = 6
        for price in ("5.00", "6.00"):
            outcomes = await desk.push_all(*prices(desk, found, price))
            assert outcomes == [Confirmed()] * 20
            assert {each["price"] for each in desk.shop.shown().values()} == {price}
        statuses = [each.status for each in desk.shop.received]
        assert statuses == [413, 413, *[200] * 4, *[200] * 4], "20 and 10 are too many, and 5 are not"

    at_the_desk(scenario)


def test_after_a_lost_batch_the_next_ones_are_smaller_and_grow_again() -> None:
    async def scenario(desk: Desk) -> None:
        found = await bags(desk, 40)
        desk.shop.faults.drop_answer_next = 1
        await desk.push_all(*prices(desk, found))
        for _ in range(2):
            assert await desk.push_all(*prices(desk, found)) == [Confirmed()] * 40
        sizes = [len(each.body["update"]) for each in desk.shop.received]
        assert sizes == [40, 20, 20, 30, 10]

    at_the_desk(scenario)


def test_an_answer_without_a_word_on_a_member_leaves_that_one_open() -> None:
    async def scenario(desk: Desk) -> None:
        found = await bags(desk, 2)
        desk.shop.forget_members = True
        outcomes = await desk.push_all(*prices(desk, found))
        assert members(outcomes, Confirmed) == [0]
        assert members(outcomes, ChannelUnavailable) == [1]

    at_the_desk(scenario)
