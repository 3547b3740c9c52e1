"""What a work found out is kept when it can be, and refused in words when it can't."""

import pytest
from msgspec.structs import replace

from daybook.channel.calls import Unanswered, previewing
from daybook.channel.contract import Confirmed, Outcome, Rejected, Waiting
from daybook.channel.personal import PREVIEWED, Lookups, Person, PostalAddress, VaultReader, lookups
from daybook.delivery.findings import checked, events
from daybook.errors import Unavailable
from daybook.events import ParcelAnnounced
from daybook.limits import FINDINGS_MAX
from tests.fixtures.press import press

ADA = Person(
    name="Ada Byron",
    mail="ada@example.com",
    phone="+31 20 555 0199",
    address=PostalAddress(lines=("Kanaalstraat 1",), postcode="1011 AB", city="Utrecht", country="NL"),
)
FOUND = ParcelAnnounced(shipper="press", order="A", parcel="C-1", pieces={"1": 2}, carrier="postnl", tracking="3SX")


def known() -> Lookups:
    found = Lookups()
    found.add(ADA)
    return found


def refusal(outcome: Outcome) -> str:
    assert isinstance(outcome, Rejected) and not outcome.findings
    assert [one.code for one in outcome.reasons] == ["finding_not_kept"]
    return outcome.reasons[0].message


def test_a_declared_finding_goes_through() -> None:
    outcome = Confirmed(findings=(FOUND,))
    assert checked(press(), outcome, known()) is outcome
    assert checked(press(), Waiting("later"), known()) == Waiting("later")


@pytest.mark.parametrize(
    "tracking", ["3SX for ada byron", "https://follow.example/3SX-NL-1011 AB", "+31 20 555 0199", "Kanaalstraat 1"]
)
def test_a_finding_that_repeats_what_the_vault_knows_is_refused_without_repeating_it(tracking: str) -> None:
    said = refusal(checked(press(), Confirmed(findings=(replace(FOUND, tracking=tracking),)), known()))
    assert "tell what the vault knows" in said and tracking not in said


def test_a_finding_that_is_not_declared_and_too_many_of_them_are_refused() -> None:
    assert "ParcelAnnounced" in refusal(checked(replace(press(), findings=()), Confirmed(findings=(FOUND,)), known()))
    many = Confirmed(findings=(FOUND,) * (FINDINGS_MAX + 1))
    assert "at most 100" in refusal(checked(press(), many, known()))
    long = Confirmed(findings=(replace(FOUND, tracking="3" * 900_000),))
    assert "parcel.announced.v1" in refusal(checked(press(), long, known()))


def test_findings_go_into_a_stream_of_their_work_under_the_key_of_the_order() -> None:
    (one,) = events("sendcloud", "webshop:1", "@order/webshop:1", (FOUND,))
    assert (one.originator_id, one.key, one.sku) == ("parcel/sendcloud/webshop:1", "@order/webshop:1", None)


async def test_the_vault_is_asked_at_the_moment_of_the_call_and_its_outage_is_one_of_the_channel() -> None:
    async def lookup(person: str) -> Person | None:
        if person == "away":
            raise Unavailable("Postgres is away")
        return ADA if person == "ada" else None

    reader, asked = VaultReader(lookup), Lookups()
    token = lookups.set(asked)
    assert await reader.find("ada") == ADA and await reader.find("erased") is None
    lookups.reset(token)
    assert list(asked.values()) == ["Ada Byron", "ada@example.com", "+31 20 555 0199", "1011 AB", "Kanaalstraat 1"]
    with pytest.raises(Unanswered):
        await reader.find("away")
    with pytest.raises(Unanswered):
        await VaultReader().find("ada")
    preview = previewing.set(True)
    assert await reader.find("ada") == PREVIEWED
    previewing.reset(preview)
