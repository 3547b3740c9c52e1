"""What a shop is told of an order's parcels."""

from typing import Any

from daybook.channel.testing import History, check_work, given
from daybook.events import (
    ChannelConfigured,
    LineQuantity,
    OrderCancelled,
    OrderLine,
    OrderPlaced,
    OrderShipped,
    ParcelAnnounced,
)
from daybook_projections.wooparcels import manifest

ORDER = "webshop:1001"


def placed(order: str = ORDER) -> OrderPlaced:
    channel, _, number = order.partition(":")
    line = OrderLine(line="1", sku="S1", quantity=2, price=1000)
    return OrderPlaced(order=order, channel=channel, number=number, currency="EUR", lines=(line,))


def left(pieces: int, parcel: str = "P1", **told: Any) -> OrderShipped:
    return OrderShipped(parcel=parcel, lines=(LineQuantity("1", pieces),), **told)


def notes(*lines: str) -> dict[str, Any]:
    return {"number": "1001", "lines": list(lines)}


FIRST = "Parcel P1 left with postnl: 1 piece, to be followed as 3SX."
COMPLETED = {"number": "1001", "status": "completed"}


def test_each_parcel_is_a_note_and_the_last_one_completes_the_order() -> None:
    history = History().happened(placed())
    given(manifest, history).then({})
    history.happened(left(1, carrier="postnl", tracking="3SX"))
    given(manifest, history).then({(ORDER, "notes"): notes(FIRST)})
    history.happened(left(1, "P2"))
    given(manifest, history).then(
        {(ORDER, "notes"): notes(FIRST, "Parcel P2 left: 1 piece."), (ORDER, "status"): COMPLETED}
    )


def test_a_parcel_that_a_shipper_announced_has_the_number_of_its_finding() -> None:
    found = ParcelAnnounced(
        shipper="sendcloud", order=ORDER, parcel="8000001", pieces={"1": 2}, carrier="postnl", tracking="3SY"
    )
    line = "Parcel 8000001 left with postnl: 2 pieces, to be followed as 3SY."
    given(manifest, History().happened(placed(), found, left(2, "8000001"))).then(
        {(ORDER, "notes"): notes(line), (ORDER, "status"): COMPLETED}
    )


def test_an_order_that_is_cancelled_whole_is_cancelled_there_and_other_channels_are_not_told() -> None:
    cancelled = OrderCancelled(lines=(LineQuantity("1", 2),))
    given(manifest, History().happened(placed(), cancelled)).then(
        {(ORDER, "status"): {"number": "1001", "status": "cancelled"}}
    )
    given(manifest, History().happened(placed("bol:1001"), left(2))).then({})
    own = ChannelConfigured(name="wooparcels", extra={"channel": "shop2"})
    given(manifest, History().happened(own, placed(), left(2))).then({})


def test_wooparcels_keeps_the_contract_of_every_work() -> None:
    history = History().happened(placed(), left(1), left(1, "P2"), placed("webshop:1002"), left(2, "P3"))
    check_work(manifest, history, {})
