"""Offers against the sandbox, over HTTP: the way of an offer on good days and after lost answers."""

from typing import Any

import pytest

from daybook.channel.contract import ChannelUnavailable, Confirmed, Payload, Rejected, Waiting
from daybook.channel.sandbox import Faults
from daybook_projections.bol.mapping import FACETS
from daybook_projections.bol.sandbox.server import ECONOMIC_OPERATOR
from daybook_projections.bol.tests.desk import EAN, OTHER_EAN, Bol, listing, on_bol
from daybook_projections.bol.tests.desk import OFFER_PARTS as ALL

WRONG_EAN = listing() | {"offer": listing()["offer"] | {"ean": "1234567890183"}}


def test_a_create_brings_every_part_of_the_offer_in_one_request() -> None:
    async def scenario(bol: Bol) -> None:
        outcome = await bol.push("offer", listing())
        assert outcome == Confirmed(covers=ALL, remote_id=next(iter(bol.sandbox.offers)))
        assert bol.sent() == ["POST"]
        assert bol.sandbox.shown()["S1"] == {
            "title": "Koffer",
            "ean": EAN,
            "price": "19.99",
            "currency": "EUR",
            "stock": 5,
            "countries": ["NL", "BE"],
            "live": True,
        }

    on_bol(scenario)


@pytest.mark.parametrize(
    ("facet", "changed", "shown", "requests"),
    [
        ("price", {"price": "24.50"}, {"price": "24.50"}, ["PATCH"]),
        ("stock", {"stock": 0}, {"stock": 0, "live": False}, ["PATCH"]),
        ("offer", {"title": "Trolley"}, {"title": "Trolley"}, ["GET", "PATCH"]),
    ],
)
def test_a_changed_facet_changes_only_that(
    facet: str, changed: dict[str, Any], shown: Payload, requests: list[str]
) -> None:
    async def scenario(bol: Bol) -> None:
        await bol.push("offer", listing())
        before = bol.sandbox.shown()["S1"]
        for _ in range(2):
            assert await bol.push(facet, listing(**changed)) == Confirmed(remote_id=bol.remote_id)
            assert bol.sandbox.shown()["S1"] == before | shown
        assert bol.sent() == ["POST", *requests, *requests]
        assert bol.sandbox.received[-1].body == {
            name: value for name, value in listing(**changed)[facet].items() if name not in ("ean", "condition")
        }

    on_bol(scenario)


def test_a_facet_waits_for_its_offer() -> None:
    async def scenario(bol: Bol) -> None:
        assert isinstance(await bol.push("price", listing()), Waiting)
        assert isinstance(await bol.push("stock", listing()), Waiting)
        only_price = {"price": listing()["price"]}
        assert isinstance(await bol.push("price", only_price), Waiting)
        assert bol.sent() == []

    on_bol(scenario)


def test_a_create_whose_answer_was_lost_is_adopted_and_brought_up_to_date() -> None:
    async def scenario(bol: Bol) -> None:
        await bol.push("offer", listing("S0", OTHER_EAN), sku="S0")
        bol.remote_id = None
        bol.sandbox.faults = Faults(drop_answer_next=1)
        assert isinstance(await bol.push("offer", listing()), ChannelUnavailable)
        outcome = await bol.push("offer", listing(price="24.50"), attempt=2)
        assert isinstance(outcome, Confirmed)
        assert outcome.covers == ALL
        assert outcome.remote_id in bol.sandbox.offers
        assert bol.sent() == ["POST", "POST", "GET", "PATCH"]
        assert list(bol.sandbox.shown()) == ["S0", "S1"]
        assert bol.sandbox.shown()["S1"]["price"] == "24.50"

    on_bol(scenario)


def test_a_second_attempt_creates_when_the_first_never_arrived() -> None:
    async def scenario(bol: Bol) -> None:
        bol.sandbox.faults = Faults(outage=True)
        assert isinstance(await bol.push("offer", listing()), ChannelUnavailable)
        bol.sandbox.faults = Faults()
        assert isinstance(await bol.push("offer", listing(), attempt=2), Confirmed)
        assert list(bol.sandbox.shown()) == ["S1"]

    on_bol(scenario)


def test_an_offer_that_bol_lost_is_created_anew_by_any_of_its_parts() -> None:
    async def scenario(bol: Bol) -> None:
        for facet in ALL:
            await bol.push("offer", listing())
            bol.sandbox.offers.clear()
            gone = bol.remote_id
            outcome = await bol.push(facet, listing())
            assert isinstance(outcome, Confirmed)
            assert outcome.covers == ALL
            assert outcome.remote_id != gone
            assert list(bol.sandbox.shown()) == ["S1"]

    on_bol(scenario)


def test_another_ean_is_a_new_offer_in_place_of_the_old_one() -> None:
    async def scenario(bol: Bol) -> None:
        await bol.push("offer", listing())
        first = bol.remote_id
        outcome = await bol.push("offer", listing(gtin=OTHER_EAN))
        assert isinstance(outcome, Confirmed)
        assert outcome.covers == ALL
        assert bol.remote_id != first
        assert bol.sandbox.shown()["S1"]["ean"] == OTHER_EAN
        assert bol.sent() == ["POST", "GET", "DELETE", "POST"]

    on_bol(scenario)


def test_a_replacement_whose_answer_was_lost_is_found_by_every_part_and_by_the_removal() -> None:
    async def scenario(bol: Bol) -> None:
        for facet in (*ALL, None):
            await bol.push("offer", listing())
            stale = bol.remote_id
            await bol.push("offer", listing(gtin=OTHER_EAN))
            bol.remote_id = stale
            if facet is None:
                assert await bol.push("offer", None) == Confirmed(covers=FACETS)
                assert bol.sandbox.shown() == {}
            else:
                assert isinstance(await bol.push(facet, listing(gtin=OTHER_EAN, stock=6)), Confirmed)
                assert bol.remote_id in bol.sandbox.offers
                assert bol.sandbox.shown()["S1"]["stock"] == 6

    on_bol(scenario)


def test_removal_deletes_the_offer_and_is_done_when_there_is_none() -> None:
    async def scenario(bol: Bol) -> None:
        await bol.push("offer", listing())
        assert await bol.push("price", None) == Confirmed(remote_id=bol.remote_id)
        assert list(bol.sandbox.shown()) == ["S1"]
        for _ in range(2):
            assert await bol.push("offer", None) == Confirmed(covers=FACETS)
            assert bol.sandbox.shown() == {}
        bol.remote_id = None
        assert await bol.push("offer", None) == Confirmed(covers=FACETS)

    on_bol(scenario)


def test_removal_finds_an_offer_whose_id_was_lost() -> None:
    async def scenario(bol: Bol) -> None:
        await bol.push("offer", listing())
        bol.remote_id = None
        assert await bol.push("offer", None, attempt=2) == Confirmed(covers=FACETS)
        assert bol.sandbox.shown() == {}

    on_bol(scenario)


@pytest.mark.parametrize(
    ("wanted", "field", "reason"),
    [
        (
            listing() | {"offer": listing()["offer"] | {"ean": "1234567890183"}},
            "ean",
            "has the wrong check digit: 123456789018 needs 0, not 3",
        ),
        (listing(price="0.99"), "pricing.bundlePrices.unitPrice", "0.99 must be between 1 and 9999"),
        (listing(price="10000"), "pricing.bundlePrices.unitPrice", "10000.0 must be between 1 and 9999"),
    ],
)
def test_a_refusal_is_told_in_bols_own_words(wanted: Payload, field: str, reason: str) -> None:
    async def scenario(bol: Bol) -> None:
        outcome = await bol.push("offer", wanted)
        assert isinstance(outcome, Rejected)
        assert [(each.code, each.field) for each in outcome.reasons] == [("400", field)]
        assert reason in outcome.reasons[0].message
        assert bol.sandbox.shown() == {}

    on_bol(scenario)


def test_a_refused_update_leaves_the_offer_as_it_was() -> None:
    async def scenario(bol: Bol) -> None:
        await bol.push("offer", listing())
        assert isinstance(await bol.push("price", listing(price="0.50")), Rejected)
        assert bol.sandbox.shown()["S1"]["price"] == "19.99"

    on_bol(scenario)


def test_another_product_with_the_same_ean_is_refused() -> None:
    async def scenario(bol: Bol) -> None:
        await bol.push("offer", listing())
        bol.remote_id = None
        for attempt in (1, 2):
            outcome = await bol.push("offer", listing("S2"), attempt, sku="S2")
            assert isinstance(outcome, Rejected)
            assert "already exists" in outcome.reasons[0].message

    on_bol(scenario)


def test_an_economic_operator_that_bol_found_valid_goes_with_the_offer() -> None:
    async def scenario(bol: Bol) -> None:
        wanted = listing(extra={"economic_operator_id": ECONOMIC_OPERATOR})
        assert isinstance(await bol.push("offer", wanted), Confirmed)
        (offer,) = bol.sandbox.offers.values()
        assert offer["economicOperatorId"] == ECONOMIC_OPERATOR

    on_bol(scenario)


@pytest.mark.parametrize(
    ("known", "reason"), [({}, "unknown economic operator"), ({"an-id": "PENDING"}, "the economic operator is PENDING")]
)
def test_an_economic_operator_that_bol_does_not_accept_is_refused_by_name(known: dict[str, str], reason: str) -> None:
    async def scenario(bol: Bol) -> None:
        wanted = listing(extra={"economic_operator_id": "an-id"})
        bol.sandbox.economic_operators = known
        for there in (False, True):
            if there:
                await bol.push("offer", listing())
            outcome = await bol.push("offer", wanted)
            assert isinstance(outcome, Rejected)
            assert [each.field for each in outcome.reasons] == ["economicOperatorId"]
            assert reason in outcome.reasons[0].message

    on_bol(scenario)
