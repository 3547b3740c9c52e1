"""Which deal an order is, and what of a person is passed on."""

import pytest

from daybook.channel.testing import History, given
from daybook.events import (
    ChannelConfigured,
    Event,
    LineQuantity,
    OrderCancelled,
    OrderRefunded,
    PersonAdded,
    PersonChanged,
    PersonErased,
)
from daybook.values import Money
from daybook_projections.hubspot import manifest
from projections.hubspot.tests.desk import ORDER, PERSON, deal, history, paid, placed

CANCELLED = OrderCancelled(lines=(LineQuantity("1", 2),))
REFUNDED = OrderRefunded(amount=Money(2000, "EUR"))


@pytest.mark.parametrize(
    ("events", "stage"),
    [((), "contractsent"), ((paid(1),), "contractsent"), ((paid(),), "closedwon"), ((CANCELLED,), "closedlost")],
)
def test_an_order_is_a_deal_in_the_stage_of_its_money(events: tuple[Event, ...], stage: str) -> None:
    given(manifest, History().happened(placed(), *events)).then({(ORDER, "deal"): deal(stage=stage)})


def test_an_order_whose_money_went_back_is_lost_and_a_portal_may_have_stages_of_its_own() -> None:
    given(manifest, history().happened(REFUNDED)).then({(ORDER, "deal"): deal(stage="closedlost")})
    own = ChannelConfigured(name="hubspot", extra={"pipeline": "shop", "stages": {"paid": "7"}})
    wanted = deal(stage="7")
    given(manifest, history().happened(own)).then(
        {(ORDER, "deal"): wanted | {"properties": wanted["properties"] | {"pipeline": "shop"}}}
    )


def test_who_was_only_added_is_nobodys_contact_and_a_change_is_passed_on() -> None:
    added = PersonAdded(person=PERSON, fields=("name",), revision="r1")
    given(manifest, History().happened(added)).then({})
    changed = PersonChanged(person=PERSON, fields=("name",), revision="r2")
    given(manifest, History().happened(added, changed)).then(
        {(PERSON, "contact"): {"person": PERSON, "revision": "r2"}}
    )


def test_who_was_erased_is_to_be_forgotten() -> None:
    changed = PersonChanged(person=PERSON, fields=("name",), revision="r2")
    given(manifest, History().happened(changed, PersonErased(person=PERSON))).then(
        {(PERSON, "erasure"): {"person": PERSON}}
    )
