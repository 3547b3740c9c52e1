"""Many listings at once: the connector and the sandbox's feeds, over HTTP."""

import msgspec
import pytest

from daybook.channel.calls import Exchange, exchanges
from daybook.channel.contract import Accepted, ChannelUnavailable, Confirmed, Lost, Outcome, Push, Rejected, Throttled
from daybook.channel.pacing import Rate
from daybook_projections.amazon import manifest
from daybook_projections.amazon.api import RATES
from daybook_projections.amazon.bulk import FEED_MIN
from daybook_projections.amazon.tests.desk import ALL, Desk, at_desk, shelf

MANY = FEED_MIN + 20
SKUS = [f"P-{number}" for number in range(MANY)]


async def handed_in(desk: Desk, pushes: list[Push]) -> list[tuple[Push, str]]:
    """Pushes that all went by one feed, with their submissions."""
    outcomes = await desk.connector.push_all(pushes)
    accepted = [(push, one.submission) for push, one in zip(pushes, outcomes, strict=True) if isinstance(one, Accepted)]
    assert len(accepted) == len(pushes)
    return accepted


async def ends(desk: Desk, members: list[tuple[Push, str]]) -> list[Outcome]:
    """What became of each, once queue and work are over."""
    for _ in range(3):
        desk.apply()
        desk.sandbox.market.listings()
    outcomes: list[Outcome] = [await desk.connector.confirm(push, submission) for push, submission in members]
    for (push, _), outcome in zip(members, outcomes, strict=True):
        if isinstance(outcome, Confirmed) and outcome.remote_id:
            desk.remote_ids[push.sku] = outcome.remote_id
    return outcomes


def test_many_new_listings_go_in_one_feed_and_are_confirmed_by_its_report_alone() -> None:
    async def scenario(desk: Desk) -> None:
        pushes = desk.pushes_of(SKUS, "product", shelf(MANY))
        outcomes = await desk.connector.push_all(pushes)
        assert desk.requests() == ["POST", "POST", "PUT", "POST"]  # token, document, upload, feed
        (feed_id,) = desk.sandbox.feeds.feeds
        assert outcomes == [
            Accepted(submission=f"feed/{feed_id}/{number + 1}", covers=ALL, check_after_seconds=1.0)
            for number in range(MANY)
        ]
        before = len(desk.requests())
        members = [(push, f"feed/{feed_id}/{number + 1}") for number, push in enumerate(pushes)]
        assert {type(await desk.connector.confirm(*member)) for member in members} == {Accepted}
        assert desk.requests()[before:] == ["GET"], "one look serves all its members"
        found = await ends(desk, members)
        shown = desk.sandbox.shown()
        assert found == [Confirmed(covers=ALL, remote_id=shown[push.sku]["asin"]) for push in pushes]
        assert desk.requests()[before + 1 :] == ["GET"] * 3, "the feed, its report's address and the report"
        assert (shown["P-7"]["title"], shown["P-7"]["price"], shown["P-7"]["stock"]) == ("Koffer 7", "10.00", 8)

    at_desk(scenario)


def test_prices_stock_and_removals_go_by_feed_too() -> None:
    async def scenario(desk: Desk) -> None:
        await ends(desk, await handed_in(desk, desk.pushes_of(SKUS, "product", shelf(MANY))))
        cheaper = shelf(MANY, "9.00")
        found = await ends(desk, await handed_in(desk, desk.pushes_of(SKUS, "price", cheaper)))
        assert {type(one) for one in found} == {Confirmed}
        assert {one.covers for one in found if isinstance(one, Confirmed)} == {("price",)}
        assert {item["price"] for item in desk.sandbox.shown().values()} == {"9.00"}
        members = await handed_in(desk, desk.pushes_of(SKUS, "product", cheaper, remove=True))
        assert {type(one) for one in await ends(desk, members)} == {Confirmed}
        assert desk.sandbox.shown() == {}

    at_desk(scenario)


def test_a_few_pushes_go_each_by_its_own_request() -> None:
    async def scenario(desk: Desk) -> None:
        pushes = desk.pushes_of(SKUS[:3], "product", shelf(3))
        outcomes = await desk.connector.push_all(pushes)
        assert [one.submission.startswith("create/") for one in outcomes if isinstance(one, Accepted)] == [True] * 3
        assert sorted(desk.requests()) == ["POST", "PUT", "PUT", "PUT"]

    at_desk(scenario)


def test_only_first_tries_are_gathered_and_only_while_there_are_many() -> None:
    async def scenario(desk: Desk) -> None:
        pushes = desk.pushes_of(SKUS, "product", shelf(MANY))
        names = [desk.connector.gathers(push) for push in pushes]
        assert names == [None] * (FEED_MIN - 1) + ["feed"] * (MANY - FEED_MIN + 1)
        assert desk.connector.gathers(msgspec.structs.replace(pushes[0], attempt=2)) is None
        unlisted = msgspec.structs.replace(pushes[0], facet="price", payload=pushes[0].listing["price"])
        assert desk.connector.gathers(unlisted) is None, "it waits for its listing"
        assert manifest.gather_max >= FEED_MIN

    at_desk(scenario)


def test_a_refused_member_has_its_own_reasons_and_its_neighbours_are_confirmed() -> None:
    async def scenario(desk: Desk) -> None:
        desk.sandbox.faults.fail_members = True
        found = await ends(desk, await handed_in(desk, desk.pushes_of(SKUS, "product", shelf(MANY))))
        assert [type(one) for one in found] == [Confirmed, Rejected] * (MANY // 2)
        (reason,) = next(one.reasons for one in found if isinstance(one, Rejected))
        assert (reason.code, reason.field) == ("99022", "purchasable_offer.our_price")
        assert desk.sandbox.shown().keys() == {*SKUS[::2]}

    at_desk(scenario)


def test_accepted_is_not_applied_so_a_report_with_old_listings_leads_to_a_look_at_each() -> None:
    async def scenario(desk: Desk) -> None:
        await ends(desk, await handed_in(desk, desk.pushes_of(SKUS, "product", shelf(MANY))))
        desk.sandbox.feeds.lag_seconds = 60.0
        members = await handed_in(desk, desk.pushes_of(SKUS, "price", shelf(MANY, "9.00")))
        assert {type(one) for one in await ends(desk, members[:2])} == {Accepted}
        desk.now += 60.0
        assert [type(one) for one in await ends(desk, members[:2])] == [Confirmed] * 2

    at_desk(scenario)


@pytest.mark.parametrize("how", ["fatal", "cancelled", "unknown", "refused whole"])
def test_what_a_failed_feed_had_to_bring_is_brought_singly_and_feeds_rest_for_a_while(how: str) -> None:
    async def scenario(desk: Desk) -> None:
        desk.sandbox.feeds.fatal_next = 1 if how == "fatal" else 0
        desk.sandbox.feeds.queue_seconds = 0.5
        pushes = desk.pushes_of(SKUS, "product", shelf(MANY))
        members = await handed_in(desk, pushes)
        feeds = desk.sandbox.feeds.feeds
        if how == "cancelled":
            next(iter(feeds.values())).status = "CANCELLED"
        if how == "unknown":
            feeds.clear()
        if how == "refused whole":
            next(iter(feeds.values())).document.content = b'{"header": {}, "messages": []}'
        push, submission = members[0]
        (again,) = await ends(desk, [(push, submission)])
        assert isinstance(again, Accepted)
        assert again.submission.startswith("create/")
        assert again.covers == ALL
        desk.apply()
        assert isinstance(await desk.connector.confirm(push, again.submission), Confirmed)
        assert [desk.connector.gathers(one) for one in pushes] == [None] * MANY

    at_desk(scenario)


def test_a_price_that_a_failed_feed_had_to_bring_is_patched_without_the_rest_of_the_listing() -> None:
    async def scenario(desk: Desk) -> None:
        await ends(desk, await handed_in(desk, desk.pushes_of(SKUS, "product", shelf(MANY))))
        desk.sandbox.feeds.fatal_next = 1
        members = await handed_in(desk, desk.pushes_of(SKUS, "price", shelf(MANY, "9.00")))
        # The delivery hands back what was submitted, and that is the price alone.
        alone = [(msgspec.structs.replace(p, listing={"price": p.listing["price"]}), s) for p, s in members[:2]]
        desk.sandbox.market.listings()
        first, second = await ends(desk, alone)
        assert isinstance(first, Accepted)
        assert first.submission.startswith("patch/")
        assert isinstance(second, Accepted)
        desk.apply()
        assert isinstance(await desk.connector.confirm(alone[0][0], first.submission), Confirmed)
        assert desk.sandbox.shown()["P-0"]["price"] == "9.00"

    at_desk(scenario)


def test_a_feed_that_hangs_stays_pending_and_a_second_try_goes_singly() -> None:
    async def scenario(desk: Desk) -> None:
        desk.sandbox.faults.keep_pending = True
        pushes = desk.pushes_of(SKUS, "product", shelf(MANY))
        members = await handed_in(desk, pushes)
        desk.sandbox.faults.keep_pending = False
        assert isinstance((await ends(desk, members[:1]))[0], Accepted)
        (feed,) = desk.sandbox.feeds.feeds.values()
        assert feed.status == "IN_PROGRESS"
        again = msgspec.structs.replace(pushes[0], attempt=2)
        assert desk.connector.gathers(again) is None
        assert isinstance(await desk.bring(again), Confirmed)

    at_desk(scenario)


def test_a_member_whose_listing_was_removed_by_hand_is_put_right_instead_of_refused() -> None:
    async def scenario(desk: Desk) -> None:
        await ends(desk, await handed_in(desk, desk.pushes_of(SKUS, "product", shelf(MANY))))
        for sku in SKUS[:2]:
            desk.sandbox.market.remove(sku, 0)
        prices = await handed_in(desk, desk.pushes_of(SKUS, "price", shelf(MANY, "9.00")))
        outcome = (await ends(desk, prices[:1]))[0]
        assert isinstance(outcome, Lost), "the delivery pushes it anew, with the whole listing"
        assert isinstance(await desk.bring(msgspec.structs.replace(prices[0][0], attempt=2)), Confirmed)
        gone = await handed_in(desk, desk.pushes_of(SKUS, "product", shelf(MANY), remove=True))
        assert (await ends(desk, gone[1:2]))[0] == Confirmed(covers=ALL)

    at_desk(scenario)


def test_two_facets_of_a_sku_never_go_in_one_feed() -> None:
    async def scenario(desk: Desk) -> None:
        await ends(desk, await handed_in(desk, desk.pushes_of(SKUS, "product", shelf(MANY))))
        history = shelf(MANY, "9.00")
        pushes = [*desk.pushes_of(SKUS, "price", history), *desk.pushes_of(SKUS[:1], "stock", history)]
        outcomes = await desk.connector.push_all(pushes)
        assert type(outcomes[-1]).__name__ == "Waiting"
        assert isinstance(outcomes[0], Accepted)

    at_desk(scenario)


def test_without_a_turn_for_a_feed_they_go_singly_if_that_is_sooner_and_wait_otherwise() -> None:
    async def scenario(desk: Desk) -> None:
        for listed in range(2):
            desk.sandbox.limits = {"createFeed": Rate(0.0083, 15)}
            desk.connector.pace.observe("createFeed", rate=RATES["createFeed"])
            await handed_in(desk, desk.pushes_of(SKUS, "product", shelf(MANY, f"{10 + listed}.00")))
        uploads = desk.requests().count("PUT")
        outcomes = await desk.connector.push_all(desk.pushes_of(SKUS, "product", shelf(MANY, "9.00")))
        assert any(isinstance(one, Accepted) and one.submission.startswith("create/") for one in outcomes)
        assert all(one.operation == "putListingsItem" for one in outcomes if isinstance(one, Throttled))
        assert desk.requests().count("PUT") > uploads
        many = [f"P-{number}" for number in range(900)]
        before = len(desk.requests())
        outcomes = await desk.connector.push_all(desk.pushes_of(many, "product", shelf(900)))
        assert {one.operation for one in outcomes if isinstance(one, Throttled)} == {"createFeed"}
        assert len(desk.requests()) == before, "nothing is uploaded without a turn"

    at_desk(scenario)


def test_the_upload_address_that_is_over_and_an_outage_on_the_way_are_outages_for_all() -> None:
    async def scenario(desk: Desk) -> None:
        pushes = desk.pushes_of(SKUS, "product", shelf(MANY))
        desk.sandbox.files.signed_seconds = 0.0
        outcomes = await desk.connector.push_all(pushes)
        assert all(isinstance(one, ChannelUnavailable) and "HTTP 403" in one.reason for one in outcomes)
        desk.sandbox.files.signed_seconds = 300.0
        desk.sandbox.faults.outage = True
        assert {type(one) for one in await desk.connector.push_all(pushes)} == {ChannelUnavailable}
        assert desk.sandbox.feeds.feeds == {}

    at_desk(scenario)


def test_a_look_at_a_feed_that_fails_is_shared_and_ends_nothing() -> None:
    async def scenario(desk: Desk) -> None:
        members = await handed_in(desk, desk.pushes_of(SKUS, "product", shelf(MANY)))
        desk.sandbox.faults.html_503 = True
        before = len(desk.requests())
        assert {type(one) for one in await ends(desk, members)} == {ChannelUnavailable}
        assert len(desk.requests()) == before + 1
        desk.sandbox.faults.html_503 = False
        assert {type(one) for one in await ends(desk, members)} == {Confirmed}

    at_desk(scenario)


def test_no_signature_and_no_document_reaches_the_journal() -> None:
    async def scenario(desk: Desk) -> None:
        kept: list[Exchange] = []
        exchanges.set(kept)
        await ends(desk, await handed_in(desk, desk.pushes_of(SKUS, "product", shelf(MANY))))
        transfers = [one for one in kept if "/documents" in one.url]
        assert [one.method for one in transfers] == ["POST", "PUT", "GET", "GET"]
        assert {one.request for one in transfers} == {None}
        assert "Signature" not in repr(kept)

    at_desk(scenario)
