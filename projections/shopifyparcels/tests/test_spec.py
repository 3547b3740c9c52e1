"""What a Shopify shop is told of an order's parcels."""

from typing import Any

from daybook.channel.testing import History, check_work, given
from daybook.events import (
    ChannelConfigured,
    LineQuantity,
    OrderLine,
    OrderPlaced,
    OrderShipped,
    ParcelAnnounced,
)
from daybook_projections.shopifyparcels import manifest

ORDER = "shopify:1001"


def placed(order: str = ORDER) -> OrderPlaced:
    channel, _, number = order.partition(":")
    line = OrderLine(line="1", sku="S1", quantity=2, price=1000)
    return OrderPlaced(order=order, channel=channel, number=number, currency="EUR", lines=(line,))


def left(pieces: int, parcel: str = "P1", **told: Any) -> OrderShipped:
    return OrderShipped(parcel=parcel, lines=(LineQuantity("1", pieces),), **told)


def parcel(name: str, pieces: int, carrier: str | None = None, tracking: str | None = None) -> dict[str, Any]:
    return {"parcel": name, "lines": {"1": pieces}, "carrier": carrier, "tracking": tracking}


def told(*parcels: dict[str, Any], notify: bool = True) -> dict[tuple[str, str], dict[str, Any]]:
    return {(ORDER, "fulfilments"): {"number": "1001", "notify": notify, "parcels": list(parcels)}}


def test_each_parcel_that_left_is_a_fulfilment_with_the_carrier_by_its_name() -> None:
    history = History().happened(placed())
    given(manifest, history).then({})
    history.happened(left(1, carrier="postnl", tracking="3SX"), left(1, "P2"))
    given(manifest, history).then(told(parcel("P1", 1, "PostNL", "3SX"), parcel("P2", 1)))


def test_a_parcel_that_a_shipper_announced_has_the_number_of_its_label() -> None:
    found = ParcelAnnounced(
        shipper="sendcloud", order=ORDER, parcel="8000001", pieces={"1": 2}, carrier="dhl", tracking="JJD"
    )
    given(manifest, History().happened(placed(), found, left(2, "8000001"))).then(
        told(parcel("8000001", 2, "dhl", "JJD"))
    )


def test_other_channels_are_not_told_and_mails_can_be_left_to_somebody_else() -> None:
    given(manifest, History().happened(placed("bol:1001"), left(2))).then({})
    other = ChannelConfigured(name="shopifyparcels", extra={"channel": "shop2"})
    given(manifest, History().happened(other, placed(), left(2))).then({})
    quiet = ChannelConfigured(name="shopifyparcels", extra={"notify": False})
    given(manifest, History().happened(quiet, placed(), left(2))).then(told(parcel("P1", 2), notify=False))


def test_shopifyparcels_keeps_the_contract_of_every_work() -> None:
    history = History().happened(placed(), left(1), left(1, "P2"), placed("shopify:1002"), left(2, "P3"))
    check_work(manifest, history, {})
