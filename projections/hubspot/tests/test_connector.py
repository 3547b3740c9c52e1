"""One deal for an order, one contact for a person: however it is repeated, whoever was there before, who is erased."""

import pytest
from msgspec.structs import replace

from daybook.channel.contract import ChannelUnavailable, Confirmed, Rejected, Throttled
from daybook.channel.sandbox import Faults
from projections.hubspot.tests.desk import ADA, ORDER, OTHER, PERSON, Desk, at_the_desk, deal


def contacts(desk: Desk) -> list[dict[str, str]]:
    return [one.properties for one in desk.sandbox.portal.things["contacts"].values()]


def test_an_order_becomes_a_deal_with_its_contact_in_a_portal_that_knew_no_property_of_ours() -> None:
    async def test(desk: Desk) -> None:
        assert await desk.order() == Confirmed(remote_id="102")
        assert desk.sandbox.shown()[ORDER] == {
            "title": "webshop 1001",
            "price": "20.00",
            "stock": 1,
            "stage": "closedwon",
            "live": True,
        }
        (contact,) = contacts(desk)
        assert contact["daybook_person"] == PERSON and contact["email"] == "ada@example.com"
        assert (contact["firstname"], contact["lastname"], contact["zip"]) == ("Ada King", "Byron", "1011 AB")
        made = [one.path for one in desk.sandbox.received if one.path.startswith("/crm/v3/properties")]
        await desk.order()
        assert made == [one.path for one in desk.sandbox.received if one.path.startswith("/crm/v3/properties")]

    at_the_desk(test)


@pytest.mark.parametrize("lost", range(6))
def test_a_lost_answer_of_any_request_doubles_nothing(lost: int) -> None:
    async def test(desk: Desk) -> None:
        for _ in range(lost):
            desk.sandbox.faults = Faults(drop_answer_next=1)
            assert isinstance(await desk.order(), ChannelUnavailable)
        desk.sandbox.faults = Faults()
        assert isinstance(await desk.order(attempt=2), Confirmed)
        assert len(contacts(desk)) == 1 and len(desk.sandbox.portal.things["deals"]) == 1
        assert len(desk.sandbox.portal.associations) == 1

    at_the_desk(test)


def test_a_contact_that_somebody_made_by_hand_is_taken_over() -> None:
    async def test(desk: Desk) -> None:
        made, _ = desk.sandbox.portal.upsert("contacts", "email", "ada@example.com", {"email": "ada@example.com"})
        assert isinstance(await desk.order(), Confirmed)
        (contact,) = contacts(desk)
        assert contact["daybook_person"] == PERSON
        assert {contact for _, contact in desk.sandbox.portal.associations} == {made.id}

    at_the_desk(test)


def test_the_same_customer_under_another_id_is_one_contact() -> None:
    async def test(desk: Desk) -> None:
        await desk.order()
        await desk.order(deal("webshop:1002", OTHER))
        assert len(contacts(desk)) == 1 and len(desk.sandbox.portal.associations) == 2

    at_the_desk(test, {PERSON: ADA, OTHER: replace(ADA, phone=None)})


@pytest.mark.parametrize("mail", [None, "x1@marketplace.amazon.de"])
def test_who_can_not_be_reached_is_no_contact_but_the_order_is_a_deal(mail: str | None) -> None:
    async def test(desk: Desk) -> None:
        assert isinstance(await desk.order(), Confirmed)
        assert contacts(desk) == [] and desk.sandbox.shown()[ORDER]["stock"] == 0

    at_the_desk(test, {PERSON: replace(ADA, mail=mail)})


def test_a_change_reaches_who_is_there_and_puts_nobody_there() -> None:
    async def test(desk: Desk) -> None:
        changed = {"person": PERSON, "revision": "r2"}
        assert await desk.push(PERSON, "contact", changed) == Confirmed()
        assert contacts(desk) == []
        await desk.order()
        desk.people[PERSON] = replace(ADA, phone=None, name="Ada Byron")
        assert await desk.push(PERSON, "contact", changed) == Confirmed()
        (contact,) = contacts(desk)
        assert (contact["firstname"], contact["phone"]) == ("Ada", "")

    at_the_desk(test)


def test_who_is_erased_is_forgotten_and_does_not_come_back() -> None:
    async def test(desk: Desk) -> None:
        erasure = {"person": PERSON}
        assert await desk.push(PERSON, "erasure", erasure) == Confirmed()
        await desk.order()
        desk.people[PERSON] = None
        assert await desk.push(PERSON, "erasure", erasure) == Confirmed()
        assert contacts(desk) == []
        assert await desk.push(PERSON, "contact", None) == Confirmed()
        assert isinstance(await desk.order(deal(stage="closedlost")), Confirmed)
        assert contacts(desk) == [] and desk.sandbox.shown()[ORDER]["stage"] == "closedlost"

    at_the_desk(test)


def test_who_is_erased_while_the_contact_is_written_is_taken_away_again() -> None:
    async def test(desk: Desk) -> None:
        desk.erased_after = 1
        assert isinstance(await desk.order(), Confirmed)
        assert contacts(desk) == []

    at_the_desk(test)


def test_a_deal_is_taken_away_also_when_no_receipt_tells_of_it() -> None:
    async def test(desk: Desk) -> None:
        assert await desk.push(ORDER, "deal", None) == Confirmed()
        assert await desk.push(ORDER, "deal", None, attempt=2) == Confirmed()
        await desk.order()
        desk.ids.clear()
        assert await desk.push(ORDER, "deal", None, attempt=2) == Confirmed()
        assert ORDER not in desk.sandbox.shown()

    at_the_desk(test)


def test_a_refusal_of_a_part_of_the_batch_is_a_refusal() -> None:
    async def test(desk: Desk) -> None:
        outcome = await desk.order(deal(stage="unheard"))
        assert isinstance(outcome, Rejected)
        assert (outcome.reasons[0].code, outcome.reasons[0].field) == ("INVALID_OPTION", "dealstage")

    at_the_desk(test)


def test_troubles_of_the_account_are_no_refusal() -> None:
    async def test(desk: Desk) -> None:
        desk.sandbox.daily_limit_reached = True
        assert await desk.order() == Throttled(3600.0)
        desk.sandbox.daily_limit_reached = False
        desk.sandbox.faults = Faults(throttle_next=1)
        outcome = await desk.order()
        assert isinstance(outcome, Throttled) and outcome.operation == "call"

    at_the_desk(test)

    async def wrong(desk: Desk) -> None:
        outcome = await desk.order()
        assert isinstance(outcome, ChannelUnavailable) and "DAYBOOK_CHANNEL_HUBSPOT_TOKEN" in outcome.reason

    at_the_desk(wrong, token="wrong")
