"""What was brought and is untouched reads back as it was pushed; what a hand changed shows in its own facet."""

from collections.abc import Callable
from typing import Any

import pytest

from daybook.channel.contract import ChannelUnavailable, Payload, ReadsBack, Shown, Throttled
from daybook.channel.sandbox import Faults
from daybook.channel.testing import Shelf, catalogue, render
from daybook.events import ProductCreated
from daybook_projections.bol import manifest
from daybook_projections.bol.mapping import FACETS
from daybook_projections.bol.readback import facets_of
from daybook_projections.bol.sandbox.server import ECONOMIC_OPERATOR, BolSandbox
from daybook_projections.bol.tests.desk import EAN, Bol, listing, on_bol

FULL = listing(
    description="Licht.",
    extra={
        "countries": ["BE", "NL"],
        "economic_operator_id": ECONOMIC_OPERATOR,
        "days_max": 1,
        "order_before": "22:00",
    },
)
BARE = listing(title=None, extra={"schedule": "SHIPPING_VIA_BOL", "countries": ["NL"]})


async def read(bol: Bol, wanted: Payload) -> dict[str, Any]:
    found = await bol.connector.read(bol.described("offer", wanted))
    assert isinstance(found, Shown), found
    return dict(found.facets)


@pytest.mark.parametrize("wanted", [FULL, BARE, listing(gtin="96385074")])
def test_what_was_brought_reads_back_as_it_was_pushed(wanted: Payload) -> None:
    async def scenario(bol: Bol) -> None:
        assert isinstance(bol.connector, ReadsBack)
        await bol.bring(wanted)
        assert await read(bol, wanted) == wanted
        await bol.push("offer", wanted)  # bol knows the product now, and drops the title of the offer
        assert await read(bol, wanted) == wanted
        bol.remote_id = None
        assert await read(bol, wanted) == wanted

    on_bol(scenario)


def test_every_listing_of_a_whole_catalogue_reads_back_as_it_was_pushed() -> None:
    history = catalogue(manifest)
    keys = {each.event.sku: each.key for each in history.recorded if isinstance(each.event, ProductCreated)}
    shelf = Shelf(manifest, keys, render(manifest, history))

    async def scenario(bol: Bol) -> None:
        await shelf.bring(bol.connector, list(shelf.listings))
        assert {"SIMPLE-1", "VARIANT-1", "OUT-OF-STOCK"} <= shelf.listings.keys()
        for sku, wanted in shelf.listings.items():
            bol.remote_id = shelf.remote_ids[sku]
            found = await bol.connector.read(bol.described("offer", wanted, sku=sku))
            assert found == Shown(wanted), sku

    on_bol(scenario)


def test_a_measure_reads_back_although_bol_calls_its_unit_by_another_name() -> None:
    content = FULL["content"]
    width = {"id": "Width", "values": [{"value": "14.5", "unitId": "mm"}]}
    wanted = FULL | {"content": content | {"attributes": [*content["attributes"], width]}}

    async def scenario(bol: Bol) -> None:
        await bol.bring(wanted)
        assert await read(bol, wanted) == wanted
        bol.sandbox.published[EAN]["nl"]["Width"] = [{"value": "20", "unitId": "mm"}]
        assert (await read(bol, wanted))["content"] != wanted["content"]

    on_bol(scenario)


def the_offer(sandbox: BolSandbox) -> Payload:
    (offer,) = sandbox.offers.values()
    return offer


@pytest.mark.parametrize(
    ("facet", "edit"),
    [
        ("price", lambda s: the_offer(s).update(pricing={"bundlePrices": [{"quantity": 1, "unitPrice": 1.5}]})),
        ("price", lambda s: the_offer(s)["pricing"]["bundlePrices"].append({"quantity": 6, "unitPrice": 15.0})),
        ("stock", lambda s: the_offer(s)["stock"].update(amount=3)),
        ("offer", lambda s: the_offer(s).update(unknownProductTitle="Something else")),
        ("offer", lambda s: the_offer(s).update(onHoldByRetailer=True)),
        ("offer", lambda s: the_offer(s).update(countryAvailabilities=[{"countryCode": "NL"}])),
        ("offer", lambda s: the_offer(s).pop("economicOperatorId")),
        ("content", lambda s: s.published[EAN]["nl"].update(Name=[{"value": "Something else", "unitId": ""}])),
    ],
)
def test_a_change_by_hand_shows_in_its_facet_only(facet: str, edit: Callable[[BolSandbox], Any]) -> None:
    async def scenario(bol: Bol) -> None:
        await bol.bring(FULL)
        edit(bol.sandbox)
        found = await read(bol, FULL)
        assert {name for name in FACETS if found[name] != FULL[name]} == {facet}

    on_bol(scenario)


def test_an_offer_that_was_deleted_by_hand_shows_nothing() -> None:
    async def scenario(bol: Bol) -> None:
        await bol.bring(FULL)
        bol.sandbox.offers.clear()
        assert await read(bol, FULL) == dict.fromkeys(FACETS)

    on_bol(scenario)


def test_content_of_a_product_that_bol_does_not_know_is_not_shown_and_never_read_where_there_was_none() -> None:
    async def scenario(bol: Bol) -> None:
        await bol.push("offer", FULL)
        assert (await read(bol, FULL))["content"] is None
        assert await read(bol, BARE) == facets_of(the_offer(bol.sandbox), BARE)
        assert "content" not in await read(bol, BARE)

    on_bol(scenario)


def test_without_a_pushed_listing_all_that_bol_has_is_told() -> None:
    async def scenario(bol: Bol) -> None:
        await bol.push("offer", FULL)
        assert await read(bol, {}) == {facet: FULL[facet] for facet in ("offer", "price", "stock")}

    on_bol(scenario)


def test_reading_through_an_outage_says_that_nothing_is_known() -> None:
    async def scenario(bol: Bol) -> None:
        await bol.push("offer", FULL)
        push = bol.described("offer", FULL)
        for faults in (Faults(outage=True), Faults(html_503=True)):
            bol.sandbox.faults = faults
            assert isinstance(await bol.connector.read(push), ChannelUnavailable)
        bol.sandbox.faults = Faults(throttle_next=1)
        assert await bol.connector.read(push) == Throttled(1.0, "get-offer")

    on_bol(scenario)
