"""What happened, said in one line."""

import pytest

from daybook.channel.testing.history import History
from daybook.events import (
    AttributeChange,
    AttributesChanged,
    ChannelPaused,
    ChannelPruned,
    ChannelResumed,
    ChannelResynced,
    ChannelRetried,
    ChannelSwitched,
    Event,
    EventDiscarded,
    FacetReceipt,
    GtinAssigned,
    ListingConfirmed,
    ListingRejected,
    Measure,
    MediaAdded,
    MediaRemoved,
    PolicyPaused,
    PolicyResumed,
    PolicyRetried,
    PriceChanged,
    PriceRemoved,
    ProductCategorised,
    ProductDelisted,
    ProductDiscontinued,
    ProductListed,
    ProductReinstated,
    Rejection,
    StockAdjusted,
    StockCounted,
    StockReceived,
)
from daybook.queries.fields import FieldChange, differences, own
from daybook.queries.groups import fold, is_receipt
from daybook.queries.sentences import sentence
from daybook.values import Money


def said(history: History, *events: Event) -> str:
    history.happened(*events)
    *before, last = history.recorded
    sku = last.sku or ""
    changes = [] if is_receipt(last) else differences(own(fold(before), sku), own(fold(history.recorded), sku))
    return sentence(last.event, changes)


def product() -> History:
    return History().product(
        "A", attributes={"name@nl-NL": "Koffer"}, price=("default", "19.99", "EUR"), stock={"main": 5}
    )


def name(value: str) -> Event:
    return AttributesChanged((AttributeChange(attribute="name", value=value, locale="nl-NL"),))


IMAGE = MediaAdded(media_id="m1", url="https://example.com/1.jpg")


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (ChannelPaused(name="bol"), "bol paused"),
        (ChannelResumed(name="bol"), "bol resumed"),
        (ChannelRetried(name="bol", groups=2, facets=0), "bol retried: 2 parked groups, 0 rejected facets"),
        (
            ChannelRetried(name="bol", keys=("M",), skus=("A", "B"), code="E7", groups=1, facets=2),
            "bol retried (keys M; skus A, B; code E7): 1 parked groups, 2 rejected facets",
        ),
        (ChannelResynced(name="bol", facets=9), "bol resynced: 9 facets"),
        (ChannelResynced(name="bol", keys=("M",), facets=9), "bol resynced (keys M): 9 facets"),
        (
            ChannelResynced(name="bol", since=0, locale="nl", drift_only=True),
            "bol resynced (since 0; locale nl): what it shows differently",
        ),
        (
            ChannelSwitched(name="bol", generation=2, before=1, facets=4),
            "bol switched from generation 1 to 2: 4 facets differ",
        ),
        (PolicyPaused(name="repricing"), "the policy repricing paused"),
        (PolicyResumed(name="repricing", version=2), "the policy repricing resumed, with version 2"),
        (PolicyRetried(name="repricing", groups=2), "the policy repricing retried: 2 parked groups"),
        (ChannelPruned(name="bol", generations=(1, 3)), "bol pruned of generation 1, 3"),
        (EventDiscarded(projection="bol", position=7, reason="x"), "bol leaves out the event at position 7"),
    ],
)
def test_what_was_done_to_a_channel_is_said_with_what_was_chosen(event: Event, expected: str) -> None:
    assert sentence(event, []) == expected


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([PriceChanged("default", Money(1799, "EUR"))], "price default EUR 19.99 → 17.99"),
        ([PriceChanged("sale", Money(900, "JPY"))], "price sale JPY none → 900"),
        ([PriceRemoved("default", "EUR")], "price default EUR 19.99 → none"),
        ([name("Reiskoffer")], "name (nl-NL) 'Koffer' → 'Reiskoffer'"),
        (
            [AttributesChanged((AttributeChange(attribute="w", value=Measure("1.5", "KILOGRAM"), channel="web"),))],
            "w (web) none → 1.5 KILOGRAM",
        ),
        ([StockCounted("main", 0)], "stock main 5 → 0"),
        ([StockCounted("main", 5)], "nothing changed"),
        ([StockReceived("main", 3)], "stock main 5 → 8 (3 received)"),
        ([StockAdjusted("main", -2)], "stock main 5 → 3 (adjusted by -2)"),
        ([ProductListed("bol")], "listed on bol"),
        ([ProductListed("bol"), ProductDelisted("bol")], "delisted from bol"),
        ([ProductDiscontinued()], "discontinued"),
        ([ProductDiscontinued(), ProductReinstated()], "reinstated"),
        ([ProductCategorised(("a", "b"))], "categories none → a, b"),
        ([GtinAssigned("123", "has 3 digits")], "gtin none → 123 (has 3 digits)"),
        ([IMAGE], "image m1 added: https://example.com/1.jpg"),
        ([IMAGE, MediaRemoved("m1")], "image m1 removed: https://example.com/1.jpg"),
        (
            [ListingConfirmed(channel="bol", sku="A", facets=(FacetReceipt("price", "ab", 7),))],
            "bol confirmed price as of position 7",
        ),
        (
            [
                ListingRejected(
                    channel="bol",
                    sku="A",
                    facets=(FacetReceipt("content", "ab", 7),),
                    reasons=(Rejection("E1", "no EAN"),),
                )
            ],
            "bol rejected content as of position 7: E1 no EAN",
        ),
    ],
)
def test_a_change_is_said_in_the_words_of_the_business(events: list[Event], expected: str) -> None:
    assert said(product(), *events) == expected


def test_a_creation_names_the_parent_the_family_and_the_axes() -> None:
    assert said(History().product("M", axes=("color",), family="bags")) == (
        "created as a model in family bags, varying by color"
    )
    assert said(History().product("M", axes=("color",)).product("V", parent="M")) == "created as a variant of M"


def test_a_long_text_is_cut_in_the_sentence_and_whole_in_the_field() -> None:
    text = "long " * 50
    history = product()
    spoken = said(history, name(text))
    assert len(spoken) < 100
    assert "…" in spoken
    group = fold(history.recorded)
    assert own(group, "A")["attributes.name@nl-NL"] == text


def test_fields_that_are_gone_are_a_difference_too() -> None:
    assert differences({"a": 1, "b": 2}, {"b": 3, "c": 4}) == [
        FieldChange("b", 2, 3),
        FieldChange("c", None, 4),
        FieldChange("a", 1, None),
    ]
