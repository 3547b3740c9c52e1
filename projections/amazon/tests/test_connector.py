"""The connector against the sandbox, over HTTP."""

from collections.abc import Mapping

import msgspec
import pytest

from daybook.channel.contract import Accepted, ChannelUnavailable, Confirmed, Lost, Payload, Push, Rejected, Waiting
from daybook.channel.testing import History
from daybook.events import Rejection
from daybook_projections.amazon.tests.desk import ALL, SKU, Desk, at_desk, family, suitcase


def test_a_new_listing_comes_whole_in_one_put_and_is_confirmed_once_it_is_seen() -> None:
    async def scenario(desk: Desk) -> None:
        push = desk.push_of(SKU, "product", suitcase())
        outcome = await desk.connector.push(push)
        assert isinstance(outcome, Accepted)
        assert outcome.submission.startswith("create/")
        assert (outcome.covers, outcome.remote_id) == (ALL, SKU)
        assert 0.2 <= outcome.check_after_seconds <= 1
        again = await desk.connector.confirm(push, outcome.submission)
        assert isinstance(again, Accepted)
        assert again.submission == outcome.submission
        assert desk.sandbox.shown() == {}
        desk.apply()
        shown = desk.sandbox.shown()[SKU]
        assert (shown["title"], shown["price"], shown["stock"], shown["buyable"]) == ("Koffer", "79.95", 12, True)
        confirmed = await desk.connector.confirm(push, outcome.submission)
        assert confirmed == Confirmed(covers=ALL, remote_id=shown["asin"])
        assert desk.requests() == ["POST", "PUT", "GET", "GET"]

    at_desk(scenario)


def test_price_and_stock_are_patched_each_on_its_own() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.bring(desk.push_of(SKU, "product", suitcase()))
        asin = desk.remote_ids[SKU]
        cheaper = suitcase(price="69.95", stock=3)
        outcome = await desk.bring(desk.push_of(SKU, "price", cheaper))
        assert outcome == Confirmed(covers=("price",), remote_id=asin)
        shown = desk.sandbox.shown()[SKU]
        assert (shown["price"], shown["stock"]) == ("69.95", 12)
        await desk.bring(desk.push_of(SKU, "stock", cheaper))
        assert desk.sandbox.shown()[SKU]["stock"] == 3
        patches = [received.body["patches"] for received in desk.sandbox.received if received.method == "PATCH"]
        assert [[(p["op"], p["path"]) for p in each] for each in patches] == [
            [("replace", "/attributes/purchasable_offer")],
            [("replace", "/attributes/fulfillment_availability")],
        ]

    at_desk(scenario)


def test_a_changed_title_sends_the_whole_listing_so_that_price_and_stock_are_not_wiped() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.bring(desk.push_of(SKU, "product", suitcase()))
        outcome = await desk.bring(desk.push_of(SKU, "product", suitcase(name="Koffer, rood")))
        assert isinstance(outcome, Confirmed)
        assert outcome.covers == ALL
        shown = desk.sandbox.shown()[SKU]
        assert (shown["title"], shown["price"], shown["stock"]) == ("Koffer, rood", "79.95", 12)

    at_desk(scenario)


def test_pushing_the_same_again_changes_nothing() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.bring(desk.push_of(SKU, "product", suitcase()))
        before = dict(desk.sandbox.shown()[SKU])
        for facet in ALL:
            assert isinstance(await desk.bring(desk.push_of(SKU, facet, suitcase())), Confirmed)
        assert desk.sandbox.shown() == {SKU: before}

    at_desk(scenario)


def test_a_create_whose_answer_was_lost_is_sent_again_and_makes_no_second_listing() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.connector.push(desk.push_of(SKU, "stock", suitcase(), remove=True))  # has its token now
        desk.sandbox.faults.drop_answer_next = 2  # twice: some HTTP clients ask again by themselves
        lost = await desk.connector.push(desk.push_of(SKU, "product", suitcase()))
        assert isinstance(lost, ChannelUnavailable)
        desk.sandbox.faults.drop_answer_next = 0
        outcome = await desk.bring(desk.push_of(SKU, "product", suitcase(), attempt=2))
        assert isinstance(outcome, Confirmed)
        assert desk.sandbox.shown().keys() == {SKU}

    at_desk(scenario)


@pytest.mark.parametrize("facet", ["price", "stock"])
def test_price_and_stock_wait_for_their_listing(facet: str) -> None:
    async def scenario(desk: Desk) -> None:
        outcome = await desk.connector.push(desk.push_of(SKU, facet, suitcase()))
        assert outcome == Waiting(f"{SKU} is not listed on Amazon yet")
        assert desk.requests() == []

    at_desk(scenario)


def test_a_child_waits_for_its_parent() -> None:
    async def scenario(desk: Desk) -> None:
        outcome = await desk.connector.push(desk.push_of("M-1", "product", family()))
        assert outcome == Waiting("its parent M is not listed on Amazon yet")
        parent = await desk.bring(desk.push_of("M", "product", family()))
        assert isinstance(parent, Confirmed)
        assert parent.covers == ("product",)
        assert isinstance(await desk.bring(desk.push_of("M-1", "product", family())), Confirmed)
        assert desk.sandbox.shown()["M-1"]["parent"] == "M"
        assert desk.sandbox.shown()["M"]["price"] is None

    at_desk(scenario)


def test_a_refusal_carries_amazons_own_reasons() -> None:
    async def scenario(desk: Desk) -> None:
        history = suitcase()
        unbranded = History().product(
            "S2", attributes={"name": "Koffer"}, price=("default", "1.00", "EUR"), listed=("amazon",)
        )
        outcome = await desk.connector.push(desk.push_of("S2", "product", unbranded))
        assert outcome == Rejected((Rejection("90220", "'brand' is required but not supplied.", "brand"),))
        await desk.bring(desk.push_of(SKU, "product", history))
        outcome = await desk.connector.push(desk.push_of(SKU, "price", suitcase(price="0.00")))
        assert isinstance(outcome, Rejected)
        assert (outcome.reasons[0].code, outcome.reasons[0].field) == ("4000001", "purchasable_offer")
        assert desk.sandbox.shown()[SKU]["price"] == "79.95"

    at_desk(scenario)


def test_an_issue_that_comes_after_acceptance_rejects_the_submission() -> None:
    async def scenario(desk: Desk) -> None:
        desk.sandbox.late_issues[SKU] = late = {
            "code": "8541",
            "message": "Another product has this identifier.",
            "severity": "ERROR",
            "attributeNames": ["externally_assigned_product_identifier", "brand"],
            "categories": ["INVALID_ATTRIBUTE"],
        }
        push = desk.push_of(SKU, "product", suitcase())
        outcome = await desk.bring(push)
        names = "externally_assigned_product_identifier,brand"
        assert outcome == Rejected((Rejection("8541", "Another product has this identifier.", names),))
        desk.remote_ids[SKU] = SKU
        assert isinstance(await desk.bring(desk.push_of(SKU, "price", suitcase("69.95"))), Confirmed)
        late["severity"] = "WARNING"
        assert isinstance(await desk.bring(push), Confirmed)

    at_desk(scenario)


def test_a_left_over_missing_attribute_issue_is_waited_out() -> None:
    async def scenario(desk: Desk) -> None:
        desk.sandbox.late_issues[SKU] = {
            "code": "90220",
            "message": "'brand' is required but not supplied.",
            "severity": "ERROR",
            "attributeNames": ["brand"],
            "categories": ["MISSING_ATTRIBUTE"],
        }
        push = desk.push_of(SKU, "product", suitcase())
        assert isinstance(await desk.bring(push), Accepted)
        desk.sandbox.late_issues.clear()
        assert isinstance(await desk.bring(push), Confirmed)

    at_desk(scenario)


def test_a_price_is_not_confirmed_while_buyers_still_get_the_old_one() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.bring(desk.push_of(SKU, "product", suitcase()))
        desk.sandbox.market.price_lag_seconds = 30.0
        push = desk.push_of(SKU, "product", suitcase(price="99.95", stock=50))
        outcome = await desk.bring(push)
        assert isinstance(outcome, Accepted)
        shown = desk.sandbox.shown()[SKU]
        assert (shown["stock"], shown["price"]) == (50, "79.95")
        desk.now += 30.0
        assert isinstance(await desk.connector.confirm(push, outcome.submission), Confirmed)

    at_desk(scenario)


def test_a_price_that_another_one_has_overtaken_says_that_it_may_never_be_seen() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.bring(desk.push_of(SKU, "product", suitcase()))
        desk.remote_ids[SKU] = "B000000000"
        older = desk.push_of(SKU, "price", suitcase(price="89.95"))
        submitted = await desk.connector.push(older)
        assert isinstance(submitted, Accepted)
        await desk.bring(desk.push_of(SKU, "price", suitcase(price="99.95")))
        outcome = await desk.connector.confirm(older, submitted.submission)
        assert isinstance(outcome, Accepted) and outcome.overtakable

    at_desk(scenario)


def test_a_removal_is_confirmed_once_amazon_does_not_know_the_sku_any_more() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.bring(desk.push_of(SKU, "product", suitcase()))
        push = desk.push_of(SKU, "product", suitcase(), remove=True)
        outcome = await desk.connector.push(push)
        assert isinstance(outcome, Accepted)
        assert outcome.covers == ALL
        assert isinstance(await desk.connector.confirm(push, outcome.submission), Accepted)
        price = desk.push_of(SKU, "price", suitcase(), remove=True)
        assert await desk.connector.push(price) == Waiting(f"{SKU} is still listed on Amazon")
        desk.apply()
        assert await desk.connector.confirm(push, outcome.submission) == Confirmed(covers=ALL)
        assert desk.sandbox.shown() == {}
        assert await desk.bring(push) == Confirmed(covers=ALL), "Amazon takes a DELETE of what is not there, too"
        assert await desk.connector.push(price) == Confirmed()

    at_desk(scenario)


@pytest.mark.parametrize("facet", ALL)
@pytest.mark.parametrize("sees", ["nothing", "what the patch left"])
def test_a_listing_that_is_gone_is_put_back_whole_at_the_first_look(facet: str, sees: str) -> None:
    async def scenario(desk: Desk) -> None:
        desk.remote_ids[SKU] = "B000000000"
        push = desk.push_of(SKU, facet, suitcase())
        outcome = await desk.connector.push(push)
        assert isinstance(outcome, Accepted)
        desk.apply()
        assert desk.sandbox.market.listings()[SKU].is_listed is (facet == "product")
        if sees == "nothing" or facet == "product":
            desk.sandbox.market.remove(SKU, 0)
        assert desk.sandbox.shown() == {}
        # The delivery hands back what was submitted, and that is the facet alone.
        submitted = push if facet == "product" else msgspec.structs.replace(push, listing={facet: push.listing[facet]})
        lost = await desk.connector.confirm(submitted, outcome.submission)
        assert lost == Lost(f"Amazon does not list {SKU} any more, and took its {facet} for nothing")
        again = await desk.bring(msgspec.structs.replace(push, attempt=2))
        assert isinstance(again, Confirmed)
        assert again.covers == ALL
        assert desk.sandbox.shown()[SKU]["buyable"] is True

    at_desk(scenario)


def test_a_new_listing_that_is_not_there_yet_is_waited_for_and_not_put_again() -> None:
    async def scenario(desk: Desk) -> None:
        desk.remote_ids[SKU] = "B000000000"
        outcome = await desk.connector.push(desk.push_of(SKU, "product", suitcase(), attempt=2))
        assert isinstance(outcome, Accepted)
        assert outcome.submission.startswith("create/")
        found = await desk.connector.confirm(desk.push_of(SKU, "product", suitcase()), outcome.submission)
        assert isinstance(found, Accepted)
        assert desk.requests() == ["POST", "GET", "PUT", "GET"]

    at_desk(scenario)


def test_a_second_attempt_at_a_listing_that_is_there_patches_it() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.bring(desk.push_of(SKU, "product", suitcase()))
        before = len(desk.requests())
        assert isinstance(await desk.bring(desk.push_of(SKU, "price", suitcase("69.95"), attempt=2)), Confirmed)
        assert desk.requests()[before:] == ["GET", "PATCH", "GET"]

    at_desk(scenario)


def test_one_facet_can_be_taken_off_alone() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.bring(desk.push_of(SKU, "product", suitcase()))
        whole = desk.push_of(SKU, "stock", suitcase())
        left: Mapping[str, Payload] = {name: p for name, p in whole.listing.items() if name != "stock"}
        push = Push(
            sku=SKU,
            key=SKU,
            facet="stock",
            payload=None,
            listing=left,
            remote_id=whole.remote_id,
            remote_ids=whole.remote_ids,
            position=9,
            attempt=1,
        )
        assert isinstance(await desk.bring(push), Confirmed)
        assert desk.sandbox.shown()[SKU]["stock"] is None

    at_desk(scenario)
