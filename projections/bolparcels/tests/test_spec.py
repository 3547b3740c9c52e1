"""What bol is told of an order's parcels, and of what is not sent."""

from typing import Any

import pytest

from daybook.channel.testing import History, check_work, given
from daybook.events import (
    CancelCause,
    ChannelConfigured,
    LineQuantity,
    OrderCancelled,
    OrderLine,
    OrderPlaced,
    OrderShipped,
    ParcelAnnounced,
)
from daybook_projections.bolparcels import manifest

ORDER = "bol:1001"
ITEM = "10011"


def placed(order: str = ORDER) -> OrderPlaced:
    channel, _, number = order.partition(":")
    line = OrderLine(line=f"{number}1", sku="S1", quantity=2, price=1000)
    return OrderPlaced(order=order, channel=channel, number=number, currency="EUR", lines=(line,), person="p-1")


def left(pieces: int, parcel: str = "P1", item: str = ITEM, **told: Any) -> OrderShipped:
    return OrderShipped(parcel=parcel, lines=(LineQuantity(item, pieces),), **told)


def off(pieces: int, cause: CancelCause = "other") -> OrderCancelled:
    return OrderCancelled(lines=(LineQuantity(ITEM, pieces),), cause=cause)


def shipments(*parcels: tuple[str, int, str, str | None]) -> dict[str, Any]:
    told = [
        {"parcel": name, "items": {ITEM: pieces}, "transporter": code, "tracking": tracking}
        for name, pieces, code, tracking in parcels
    ]
    return {"number": "1001", "person": "p-1", "parcels": told}


def cancellations(pieces: int, reason: str) -> dict[str, Any]:
    return {"number": "1001", "person": "p-1", "items": {ITEM: {"pieces": pieces, "reason": reason}}}


@pytest.mark.parametrize(
    ("carrier", "code"),
    [
        ("postnl", "TNT"),
        ("PostNL", "TNT"),
        ("dpd", "DPD-NL"),
        ("DPD-BE", "DPD-BE"),
        ("somebody", "OTHER"),
        (None, "OTHER"),
    ],
)
def test_each_parcel_is_a_shipment_with_the_code_that_bol_has_for_its_carrier(carrier: str | None, code: str) -> None:
    history = History().happened(placed())
    given(manifest, history).then({})
    history.happened(left(1, carrier=carrier, tracking="3SX"))
    given(manifest, history).then({(ORDER, "shipments"): shipments(("P1", 1, code, "3SX"))})


def test_a_parcel_that_a_shipper_announced_has_the_number_of_its_finding() -> None:
    found = ParcelAnnounced(
        shipper="sendcloud", order=ORDER, parcel="8000001", pieces={ITEM: 2}, carrier="postnl", tracking="3SY"
    )
    history = History().happened(placed(), found, left(2, "8000001"))
    given(manifest, history).then({(ORDER, "shipments"): shipments(("8000001", 2, "TNT", "3SY"))})


def test_what_is_cancelled_of_an_item_is_told_once_nothing_of_it_is_open() -> None:
    history = History().happened(placed(), off(1, "out_of_stock"))
    given(manifest, history).then({})
    history.happened(left(1))
    given(manifest, history).then(
        {
            (ORDER, "shipments"): shipments(("P1", 1, "OTHER", None)),
            (ORDER, "cancellations"): cancellations(1, "OUT_OF_STOCK"),
        }
    )
    whole = History().happened(placed(), off(2, "customer"))
    given(manifest, whole).then({(ORDER, "cancellations"): cancellations(2, "REQUESTED_BY_CUSTOMER")})


def test_orders_of_other_channels_are_not_told() -> None:
    given(manifest, History().happened(placed("webshop:1001"), left(2))).then({})
    own = ChannelConfigured(name="bolparcels", extra={"channel": "bolbe"})
    given(manifest, History().happened(own, placed(), left(2))).then({})


def test_bolparcels_keeps_the_contract_of_every_work() -> None:
    history = History().happened(placed(), left(1), left(1, "P2"), placed("bol:1002"), left(2, "P3", "10021"))
    check_work(manifest, history, {})
