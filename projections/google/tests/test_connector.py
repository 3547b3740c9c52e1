"""The connector against the sandbox, over HTTP: inserts, versions, removals and what Google thinks of a product."""

from typing import Any

import pytest

from daybook.channel.contract import Accepted, ChannelUnavailable, Payload, Rejected, Waiting
from daybook.channel.sandbox import Faults
from daybook_projections.google.connector import connector, encoded
from daybook_projections.google.submission import verdict
from daybook_projections.google.tests.desk import DONE, GONE, NAME, PICTURE, Google, listing, on_google


def test_an_insert_is_accepted_and_confirmed_once_google_shows_its_version() -> None:
    async def scenario(google: Google) -> None:
        outcome = await google.push(listing(), 42)
        assert outcome == Accepted(
            submission=f"insert/42/{NAME}", covers=("product",), remote_id=NAME, check_after_seconds=1.0
        )
        push = google.describe(listing(), 42)
        pending = Accepted(submission=f"insert/42/{NAME}", check_after_seconds=1.0, overtakable=True)
        assert await google.connector.confirm(push, f"insert/42/{NAME}") == pending
        assert google.sandbox.shown() == {}
        google.now[0] += 600
        assert await google.connector.confirm(push, f"insert/42/{NAME}") == DONE
        assert google.sandbox.shown()["S1"] == {
            "title": "Koffer",
            "price": "19.99",
            "currency": "EUR",
            "stock": None,
            "availability": "IN_STOCK",
            "gtin": "4015211100803",
            "group": None,
            "live": True,
        }
        assert google.sent() == ["POST", "GET", "GET"]
        sent = google.sandbox.received[1]
        assert sent.path == "/products/v1/accounts/123/productInputs:insert"
        assert sent.query == {"dataSource": "accounts/123/dataSources/456"}
        assert sent.body == listing() | {"versionNumber": "42"}
        assert google.sandbox.received[2].path == f"/products/v1/accounts/123/products/{encoded(NAME)}"

    on_google(scenario)


def test_a_name_is_unpadded_base64url() -> None:
    assert encoded("en~US~sku/123") == "ZW5-VVN-c2t1LzEyMw"
    assert encoded("nl~NL~a") == "bmx-Tkx-YQ"


@pytest.mark.parametrize(
    ("changed", "shown"),
    [
        ({"price": "24.50"}, {"price": "24.50"}),
        ({"stock": 0}, {"availability": "OUT_OF_STOCK", "stock": 0, "live": False}),
        ({"attributes": {"name": "Trolley", "description": "d"}}, {"title": "Trolley"}),
        ({"gtin": None}, {"gtin": None}),
    ],
)
def test_a_change_replaces_the_whole_product_and_twice_is_once(changed: dict[str, Any], shown: Payload) -> None:
    async def scenario(google: Google) -> None:
        await google.bring(listing())
        before = google.sandbox.shown()["S1"]
        for _ in range(2):
            assert await google.bring(listing(**changed), 2) == DONE
            assert google.sandbox.shown()["S1"] == before | shown

    on_google(scenario)


def test_an_older_version_still_shown_is_not_ours_yet() -> None:
    async def scenario(google: Google) -> None:
        await google.bring(listing())
        outcome = await google.push(listing("24.50"), 2)
        assert isinstance(outcome, Accepted)
        again = await google.connector.confirm(google.describe(listing("24.50"), 2), outcome.submission)
        assert isinstance(again, Accepted)
        assert again.submission == outcome.submission

    on_google(scenario)


def test_an_insert_whose_answer_was_lost_is_simply_sent_again() -> None:
    async def scenario(google: Google) -> None:
        await google.bring(listing())
        google.sandbox.faults = Faults(drop_answer_next=1)
        assert isinstance(await google.push(listing("24.50"), 2), ChannelUnavailable)
        outcome = await google.push(listing("24.50"), 2, attempt=2)
        assert isinstance(outcome, Accepted)
        google.now[0] += 600
        assert await google.connector.confirm(google.describe(listing("24.50"), 2), outcome.submission) == DONE
        assert google.sandbox.shown()["S1"]["price"] == "24.50"
        assert list(google.sandbox.inputs) == [NAME]

    on_google(scenario)


def test_a_late_older_insert_changes_nothing_and_is_told_as_overtaken() -> None:
    async def scenario(google: Google) -> None:
        await google.bring(listing("24.50"), 20)
        outcome = await google.push(listing("19.99"), 10)
        assert isinstance(outcome, Rejected)
        assert (outcome.reasons[0].code, outcome.reasons[0].field) == ("ABORTED", "versionNumber")
        assert "version 20" in outcome.reasons[0].message
        assert google.sandbox.shown()["S1"]["price"] == "24.50"

    on_google(scenario)


def test_an_older_version_of_what_is_shown_already_is_confirmed() -> None:
    async def scenario(google: Google) -> None:
        await google.bring(listing(), 20)
        assert await google.push(listing(), 10) == DONE

    on_google(scenario)


def test_what_became_of_a_stale_insert_is_decided_when_the_newer_one_is_shown() -> None:
    async def scenario(google: Google) -> None:
        await google.push(listing("24.50"), 20)
        for _ in range(2):
            assert isinstance(await google.push(listing(), 10), Waiting)
        google.now[0] += 600
        assert isinstance(await google.push(listing(), 10), Rejected)

    on_google(scenario)


def test_a_removal_that_an_insert_has_overtaken_says_that_it_may_never_be_seen_to_end() -> None:
    async def scenario(google: Google) -> None:
        await google.bring(listing())
        removal = await google.push(None, 2)
        assert isinstance(removal, Accepted)
        await google.bring(listing(), 3)
        outcome = await google.connector.confirm(google.describe(None, 2), removal.submission)
        assert isinstance(outcome, Accepted) and outcome.overtakable

    on_google(scenario)


def test_removal_is_accepted_confirmed_when_it_is_not_shown_any_more_and_done_when_there_is_none() -> None:
    async def scenario(google: Google) -> None:
        await google.bring(listing())
        outcome = await google.push(None, 2)
        assert outcome == Accepted(submission=f"delete/2/{NAME}", covers=("product",), check_after_seconds=1.0)
        push = google.describe(None, 2)
        assert isinstance(await google.connector.confirm(push, f"delete/2/{NAME}"), Accepted)
        google.now[0] += 600
        assert await google.connector.confirm(push, f"delete/2/{NAME}") == GONE
        assert google.sandbox.shown() == {}
        assert await google.push(None, 3) == GONE

    on_google(scenario)


def test_removal_finds_a_product_whose_insert_was_never_answered() -> None:
    async def scenario(google: Google) -> None:
        await google.push(None)  # has its token now, so that the lost answer is the insert's
        google.sandbox.faults = Faults(drop_answer_next=1)
        assert isinstance(await google.push(listing()), ChannelUnavailable)
        assert list(google.sandbox.inputs) == [NAME]
        assert await google.bring(None, 2) == GONE
        assert google.sandbox.inputs == {}

    on_google(scenario)


def test_another_feed_is_another_product_and_the_old_one_goes() -> None:
    async def scenario(google: Google) -> None:
        await google.bring(listing())
        wrong = await google.push(listing(locale="en-GB"), 2)
        assert isinstance(wrong, ChannelUnavailable)
        assert "DAYBOOK_CHANNEL_GOOGLE_FEED" in wrong.reason
        await google.connector.close()
        google.connector = connector(google.sandbox.settings() | {"feed": "en~GB"})
        assert isinstance(await google.push(listing(locale="en-GB"), 2), Accepted)
        assert google.remote_id == "en~GB~S1"
        assert list(google.sandbox.inputs) == ["en~GB~S1"]
        assert google.sent() == ["POST", "GET", "POST", "DELETE"]

    on_google(scenario)


def test_a_refusal_is_told_by_its_stable_reason_and_field() -> None:
    async def scenario(google: Google) -> None:
        wanted = listing()
        wanted["productAttributes"] |= {"availability": "SOME"}
        outcome = await google.push(wanted)
        assert isinstance(outcome, Rejected)
        (reason,) = outcome.reasons
        assert (reason.code, reason.field) == ("INVALID_VALUE", "productAttributes.availability")
        assert "SOME" in reason.message

    on_google(scenario)


def test_a_product_that_google_disapproves_is_rejected_with_the_issue() -> None:
    async def scenario(google: Google) -> None:
        google.sandbox.broken_images.add(PICTURE)
        google.sandbox.page_prices["S1"] = {"amountMicros": "24500000", "currencyCode": "EUR"}
        outcome = await google.bring(listing())
        assert isinstance(outcome, Rejected)
        assert [(each.code, each.field) for each in outcome.reasons] == [
            ("image_link_broken", "imageLink"),
            ("price_mismatch", "price"),
        ]
        assert google.sandbox.shown()["S1"]["live"] is False
        google.sandbox.broken_images.clear()
        assert await google.bring(listing("24.50"), 2) == DONE

    on_google(scenario)


def test_a_warning_is_no_rejection() -> None:
    async def scenario(google: Google) -> None:
        wanted = listing(gtin=None)
        del wanted["productAttributes"]["identifierExists"]
        assert await google.bring(wanted) == DONE
        assert google.sandbox.shown()["S1"]["live"] is True

    on_google(scenario)


def test_an_expired_product_comes_back_with_the_very_version_that_it_had() -> None:
    async def scenario(google: Google) -> None:
        await google.bring(listing())
        google.now[0] += 31 * 24 * 3600
        assert google.sandbox.shown() == {}
        assert await google.bring(listing()) == DONE
        assert list(google.sandbox.shown()) == ["S1"]

    on_google(scenario)


def test_only_final_disapprovals_end_an_insert() -> None:
    def shown(version: str, *issues: Payload) -> Payload:
        return {"versionNumber": version, "productStatus": {"itemLevelIssues": list(issues)}}

    final = {"code": "policy", "severity": "disapproved", "resolution": "merchant_action", "description": "No. "}
    crawl = {"code": "image_crawl", "severity": "DISAPPROVED", "resolution": "PENDING_PROCESSING"}
    assert verdict({"versionNumber": "5"}, 5, {}, NAME) is None
    assert verdict(shown("4"), 5, {}, NAME) is None
    assert verdict(shown("5", crawl), 5, {}, NAME) == DONE
    refused = verdict(shown("5", final, final, crawl), 5, {}, NAME)
    assert isinstance(refused, Rejected)
    assert [(each.code, each.message) for each in refused.reasons] == [("policy", "No")]
