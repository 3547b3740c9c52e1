"""Which parcel an order needs, and why not."""

from msgspec.structs import replace

from daybook.channel.contract import Held
from daybook.channel.testing import History, given
from daybook.events import LineQuantity, OrderCancelled, OrderShipped, ParcelAnnounced
from daybook_projections.sendcloud import manifest
from projections.sendcloud.tests.desk import CONFIGURED, ORDER, history, paid, placed, wanted

PARCEL = (ORDER, "parcel")
ANNOUNCED = ParcelAnnounced(
    shipper="sendcloud", order=ORDER, parcel="8000001", pieces={"1": 2}, carrier="postnl", tracking="3SX"
)


def test_an_order_that_is_paid_is_a_parcel_with_all_its_pieces() -> None:
    given(manifest, history(2, 1)).then({PARCEL: wanted(2, 1)})


def test_an_order_that_is_not_paid_waits_unless_a_marketplace_sold_it_or_the_settings_say_otherwise() -> None:
    given(manifest, History().happened(CONFIGURED, placed(2), paid(1999))).then({})
    given(manifest, History().happened(CONFIGURED, placed(2, already_sold=True))).then({PARCEL: wanted(2)})
    at_once = replace(CONFIGURED, extra={**CONFIGURED.extra, "when": "placed"})
    given(manifest, History().happened(at_once, placed(2))).then({PARCEL: wanted(2)})


def test_what_was_cancelled_is_not_in_the_parcel_and_need_not_be_paid() -> None:
    one_less = OrderCancelled(lines=(LineQuantity("1", 1),))
    given(manifest, History().happened(CONFIGURED, placed(2), one_less, paid(1000))).then({PARCEL: wanted(1)})
    given(manifest, history(2).happened(OrderCancelled(lines=(LineQuantity("1", 2),)))).then({})


def test_a_parcel_of_here_that_left_is_no_work_to_be_undone() -> None:
    left = OrderShipped(parcel="P1", lines=(LineQuantity("1", 2),), tracking="3SX")
    given(manifest, history(2).happened(ANNOUNCED, left)).then({PARCEL: {"order": ORDER, "left": ["P1"]}})
    given(manifest, history(2).happened(ANNOUNCED, replace(left, parcel="8000001", tracking=None))).then(
        {PARCEL: {"order": ORDER, "left": ["8000001"]}}
    )


def test_pieces_that_left_with_somebody_else_are_not_in_the_parcel() -> None:
    left = OrderShipped(parcel="P1", lines=(LineQuantity("1", 1),), tracking="other")
    given(manifest, history(2).happened(left)).then({PARCEL: wanted(1)})
    foreign = replace(ANNOUNCED, shipper="myparcel", tracking="other")
    given(manifest, history(2).happened(foreign, left)).then({PARCEL: wanted(1)})


def test_what_is_missing_is_told() -> None:
    nobody = History().happened(placed(1, person=None), paid(1000))
    given(manifest, nobody).then(
        {
            PARCEL: Held(
                (
                    "it names no person: nobody knows where to send it",
                    "the settings of sendcloud have no extra.shipping_option, such as postnl:standard",
                    "the settings of sendcloud have no extra.sender_address, the number of an address in Sendcloud",
                )
            )
        }
    )


def test_products_are_nothing_that_is_read() -> None:
    given(manifest, history(1).product("S1", price=("default", "10.00", "EUR"))).then({PARCEL: wanted(1)})
