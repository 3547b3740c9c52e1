"""One label for the same inputs, whatever is asked twice, lost, cancelled or refused."""

import pytest
from msgspec.structs import replace

from daybook.channel.contract import (
    Accepted,
    ChannelUnavailable,
    Confirmed,
    Outcome,
    Rejected,
    Throttled,
    Waiting,
)
from daybook.channel.sandbox import Faults
from daybook.errors import BadConfiguration
from daybook.events import ParcelAnnounced, ParcelCancelled
from daybook_projections.sendcloud.connector import connector
from projections.sendcloud.tests.desk import ADA, ORDER, PERSON, Desk, at_the_desk, wanted

FIRST = ParcelAnnounced(
    shipper="sendcloud", order=ORDER, parcel="8000001", pieces={"1": 2}, carrier="postnl", tracking="3SYZXG0000001"
)
FIRST_GONE = ParcelCancelled(shipper="sendcloud", order=ORDER, parcel="8000001")


def codes(outcome: Outcome) -> list[str]:
    assert isinstance(outcome, Rejected), outcome
    return [one.code for one in outcome.reasons]


def test_a_parcel_is_announced_with_the_address_out_of_the_vault_and_its_label_is_found() -> None:
    async def test(desk: Desk) -> None:
        assert await desk.push(wanted(2)) == Confirmed(remote_id="00000001-shipment", findings=(FIRST,))
        body = desk.sandbox.received[-1].body
        assert body["to_address"] == {
            "name": "Ada Byron",
            "address_line_1": "Kanaalstraat 1",
            "address_line_2": "2 hoog",
            "postal_code": "1011 AB",
            "city": "Amsterdam",
            "country_code": "NL",
            "email": "ada@example.com",
            "phone_number": "+31 20 555 0199",
        }
        assert body["parcels"][0]["weight"] == {"value": "0.500", "unit": "kg"}

    at_the_desk(test)


def test_a_lost_answer_a_repetition_and_a_restored_book_make_no_second_label() -> None:
    async def test(desk: Desk) -> None:
        desk.sandbox.faults = Faults(drop_answer_next=1)
        assert isinstance(await desk.push(wanted(2)), ChannelUnavailable)
        assert await desk.push(wanted(2), attempt=2) == Confirmed(remote_id="00000001-shipment", findings=(FIRST,))
        assert await desk.push(wanted(2)) == Confirmed(remote_id="00000001-shipment", findings=(FIRST,))
        desk.remote_id = None  # the receipts were lost with the database
        assert await desk.push(wanted(2)) == Confirmed(remote_id="00000001-shipment", findings=(FIRST,))
        assert desk.sandbox.labels == 1

    at_the_desk(test)


def test_an_order_that_changed_has_its_label_cancelled_and_another_one_made() -> None:
    async def test(desk: Desk) -> None:
        await desk.push(wanted(2))
        outcome = await desk.push(wanted(1))
        second = replace(FIRST, parcel="8000002", pieces={"1": 1}, tracking="3SYZXG0000002")
        assert outcome == Confirmed(remote_id="00000002-shipment", findings=(FIRST_GONE, second))
        third = await desk.push(wanted(2))
        assert isinstance(third, Confirmed) and third.remote_id == "00000003-shipment"
        assert list(desk.sandbox.shown()) == [ORDER] and desk.sandbox.labels == 3

    at_the_desk(test)


def test_a_carrier_that_refuses_what_sendcloud_took_is_a_refusal_and_the_next_try_a_new_shipment() -> None:
    far = replace(ADA, address=replace(ADA.address, postcode="0000 XX")) if ADA.address else ADA
    people = {PERSON: far}

    async def test(desk: Desk) -> None:
        assert codes(await desk.push(wanted(2))) == ["parcel_announcement_error"]
        assert not desk.sandbox.labels and not desk.sandbox.shown()
        people[PERSON] = ADA
        assert isinstance(await desk.push(wanted(2)), Confirmed)
        assert [one["external_reference_id"][-2:] for one in desk.sandbox.shipments.values()] == ["-1", "-2"]

    at_the_desk(test, people)


def test_an_address_that_lacks_something_costs_no_request_and_who_was_erased_is_told() -> None:
    async def test(desk: Desk) -> None:
        outcome = await desk.push(wanted(2))
        assert isinstance(outcome, Rejected)
        assert [one.field for one in outcome.reasons] == [
            "address.lines",
            "address.postcode",
            "address.city",
            "address.country",
        ]
        assert not desk.sandbox.received

    at_the_desk(test, {PERSON: replace(ADA, address=None)})

    async def erased(desk: Desk) -> None:
        assert codes(await desk.push(wanted(2))) == ["person_unknown"]

    at_the_desk(erased, {})


def test_a_parcel_that_left_is_not_touched_any_more() -> None:
    async def test(desk: Desk) -> None:
        await desk.push(wanted(2))
        asked = len(desk.sandbox.received)
        assert await desk.push({"order": ORDER, "left": ["P1"]}) == Confirmed()
        assert len(desk.sandbox.received) == asked and list(desk.sandbox.shown()) == [ORDER]

    at_the_desk(test)


def test_a_refusal_names_its_field() -> None:
    async def test(desk: Desk) -> None:
        outcome = await desk.push(wanted(2) | {"shipping_option": "pigeon"})
        assert isinstance(outcome, Rejected)
        assert outcome.reasons[0].field == "/ship_with/properties"

    at_the_desk(test)


def test_a_label_is_cancelled_at_once_or_days_later() -> None:
    async def test(desk: Desk) -> None:
        await desk.push(wanted(2))
        assert await desk.push(None) == Confirmed(findings=(FIRST_GONE,))
        await desk.push(wanted(2))
        desk.sandbox.queues_cancellations = True
        asked = await desk.push(None)
        assert asked == Accepted(submission="cancel:00000002-shipment", check_after_seconds=0.05)
        assert await desk.push(None) == asked
        assert await desk.confirm(None, "cancel:00000002-shipment") == asked
        desk.sandbox.decide(cancelled=True)
        gone = replace(FIRST_GONE, parcel="8000002")
        assert await desk.confirm(None, "cancel:00000002-shipment") == Confirmed(findings=(gone,))

    at_the_desk(test)


def test_what_the_carrier_has_is_not_taken_back() -> None:
    async def test(desk: Desk) -> None:
        await desk.push(wanted(2))
        desk.sandbox.queues_cancellations = True
        await desk.push(None)
        desk.sandbox.decide(cancelled=False)
        assert codes(await desk.confirm(None, "cancel:00000001-shipment")) == ["cancel_refused"]
        assert codes(await desk.push(None)) == ["invalid"]
        assert codes(await desk.push(wanted(1))) == ["invalid"]
        assert desk.sandbox.labels == 1

    at_the_desk(test)


def test_a_change_waits_for_the_carrier_to_decide_on_the_old_label() -> None:
    async def test(desk: Desk) -> None:
        await desk.push(wanted(2))
        desk.sandbox.queues_cancellations = True
        assert isinstance(await desk.push(wanted(1)), Waiting)
        assert isinstance(await desk.push(wanted(1)), Waiting)
        desk.sandbox.decide(cancelled=True)
        outcome = await desk.push(wanted(1))
        assert isinstance(outcome, Confirmed) and outcome.findings[0] == FIRST_GONE

    at_the_desk(test)


def test_an_order_that_is_cancelled_while_its_answer_was_lost_leaves_no_label() -> None:
    async def test(desk: Desk) -> None:
        desk.sandbox.faults = Faults(drop_answer_next=1)
        await desk.push(wanted(2))
        assert await desk.push(None, attempt=2) == Confirmed(findings=(FIRST_GONE,))
        assert not desk.sandbox.shown()
        assert await desk.push(None) == Confirmed()

    at_the_desk(test)


def test_troubles_of_the_account_are_no_refusal() -> None:
    async def test(desk: Desk) -> None:
        outcome = await desk.push(wanted(2))
        assert isinstance(outcome, ChannelUnavailable) and "_SECRET_KEY" in outcome.reason
        desk.sandbox.faults = Faults(throttle_next=1)
        assert isinstance(await desk.push(wanted(2)), Throttled)
        desk.sandbox.faults = Faults(html_503=True)
        assert isinstance(await desk.push(wanted(2)), ChannelUnavailable)

    at_the_desk(test, secret_key="wrong")


def test_a_setting_that_is_no_number_is_named() -> None:
    with pytest.raises(BadConfiguration, match="DAYBOOK_CHANNEL_SENDCLOUD_CHECK_SECONDS"):
        connector({"url": "https://x", "public_key": "a", "secret_key": "b", "check_seconds": "soon"})
