"""Which channels have seen a change, told from the receipts in the log."""

from typing import Any

from daybook.channel.testing.history import History
from daybook.events import (
    FacetReceipt,
    ListingAccepted,
    ListingConfirmed,
    ListingEvent,
    ListingRejected,
    PriceChanged,
    Rejection,
)
from daybook.queries.receipts import Receipts
from daybook.values import Money


def facets(position: int, *names: str) -> tuple[FacetReceipt, ...]:
    return tuple(FacetReceipt(name, "hash", position) for name in names)


def prices(history: History, *amounts: int) -> None:
    history.happened(*(PriceChanged("default", Money(amount, "EUR")) for amount in amounts))


def receipt(kind: type[ListingEvent], position: int, *names: str, channel: str = "bol", **more: Any) -> ListingEvent:
    return kind(channel=channel, sku="A", facets=facets(position, *names), **more)


def told(history: History, position: int) -> list[tuple[str, str, tuple[str, ...], int | None]]:
    found = Receipts(history.recorded).of(position, {"A"})
    return [(one.channel, one.outcome, one.facets, one.superseded_by) for one in found]


def test_nothing_is_claimed_before_a_channel_has_answered() -> None:
    history = History().product("A")
    assert told(history, 1) == []


def test_a_receipt_of_this_very_position_confirms_it_and_names_when() -> None:
    history = History().product("A").happened(receipt(ListingConfirmed, 1, "offer", "stock"))
    assert told(history, 1) == [("bol", "confirmed", ("offer", "stock"), None)]
    (said,) = Receipts(history.recorded).of(1, {"A"})
    assert (said.receipt, said.at) == (2, history.recorded[1].recorded_at)


def test_the_newest_word_for_each_facet_stands() -> None:
    history = History().product("A")
    history.happened(receipt(ListingAccepted, 1, "offer", "stock"), receipt(ListingConfirmed, 1, "stock"))
    assert told(history, 1) == [("bol", "accepted", ("offer",), None), ("bol", "confirmed", ("stock",), None)]


def test_a_rejection_comes_with_the_channels_own_reasons() -> None:
    history = History().product("A")
    history.happened(receipt(ListingRejected, 1, "offer", reasons=(Rejection("E1", "no such EAN", "ean"),)))
    (said,) = Receipts(history.recorded).of(1, {"A"})
    assert (said.outcome, said.reasons) == ("rejected", (Rejection("E1", "no such EAN", "ean"),))


def test_a_state_that_was_never_sent_is_superseded_by_the_next_one_that_was() -> None:
    history = History().product("A")
    prices(history, 100, 200, 300)
    history.happened(receipt(ListingConfirmed, 3, "price"), receipt(ListingConfirmed, 4, "price"))
    assert told(history, 2) == [("bol", "superseded", (), 3)]
    assert told(history, 3) == [("bol", "confirmed", ("price",), None)]


def test_a_channel_that_only_answered_about_earlier_states_is_not_named() -> None:
    history = History().product("A")
    history.happened(receipt(ListingConfirmed, 1, "price"))
    prices(history, 100)
    assert told(history, 3) == []


def test_a_sibling_does_not_supersede() -> None:
    history = History().product("A")
    prices(history, 100)
    history.happened(ListingConfirmed(channel="bol", sku="B", facets=facets(5, "price")), sku="B", key="A")
    assert told(history, 2) == []


def test_channels_are_told_apart() -> None:
    history = History().product("A")
    history.happened(
        receipt(ListingConfirmed, 1, "offer", channel="web"), receipt(ListingRejected, 1, "offer", reasons=())
    )
    assert told(history, 1) == [("bol", "rejected", ("offer",), None), ("web", "confirmed", ("offer",), None)]
