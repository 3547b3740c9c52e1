"""The message body is a CloudEvent that any library can read, and gives the event back whole."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from daybook.channel.testing.history import History
from daybook.errors import CorruptLog
from daybook.events import (
    AccessGranted,
    AccessRefused,
    AccessScope,
    AccessWithdrawn,
    AttributeChange,
    AttributeDefined,
    AttributeOption,
    AttributeOptionsGiven,
    AttributesChanged,
    CategoryDefined,
    ChannelAdded,
    ChannelConfigured,
    ChannelPaused,
    ChannelPruned,
    ChannelRemoved,
    ChannelResumed,
    ChannelResynced,
    ChannelRetried,
    ChannelSwitched,
    Event,
    EventDiscarded,
    FacetReceipt,
    FamilyDefined,
    GtinAssigned,
    IdentityLinked,
    IdentityUnlinked,
    KeyMade,
    KeyRevoked,
    KeyRotated,
    LineQuantity,
    ListingAccepted,
    ListingConfirmed,
    ListingRejected,
    Measure,
    MediaAdded,
    MediaRemoved,
    OrderCancelled,
    OrderLine,
    OrderPaid,
    OrderPlaced,
    OrderRefunded,
    OrderReturned,
    OrderShipped,
    ParcelAnnounced,
    ParcelCancelled,
    PersonAdded,
    PersonChanged,
    PersonDisclosed,
    PersonErased,
    PolicyPaused,
    PolicyResumed,
    PolicyRetried,
    PriceChanged,
    PriceRemoved,
    ProductCategorised,
    ProductCreated,
    ProductDelisted,
    ProductDiscontinued,
    ProductListed,
    ProductReinstated,
    Recorded,
    Rejection,
    SafetyStockSet,
    ScheduleFellDue,
    ScheduleMoved,
    SchedulePlanned,
    ScheduleRefused,
    ScheduleWithdrawn,
    SessionBegan,
    SessionEnded,
    StockAdjusted,
    StockCounted,
    StockReceived,
    StockReleased,
    StockReserved,
    StockReturned,
    StockShipped,
    TextApproved,
    TextDrafted,
    TextRejected,
    TextRetried,
    UserAdded,
    UserLocked,
    UserUnlocked,
    codec,
)
from daybook.stream import cloudevents
from daybook.values import Money

FACETS = (FacetReceipt("offer", "00ff", 7), FacetReceipt("price", None, 8))
DUE = datetime(2027, 1, 1, tzinfo=UTC)
EVENTS: tuple[Event, ...] = (
    ProductCreated(sku="A", key="A", kind="model", family="f", axes=("color",)),
    AttributesChanged((AttributeChange(attribute="w", value=Measure("5", "KG"), locale="nl-NL", channel="web"),)),
    AttributesChanged((AttributeChange(attribute="t", value='"naïve" \\ \x00 \U0001f9e6'),)),
    GtinAssigned("123", "has 3 digits"),
    PriceChanged("default", Money(1999, "EUR")),
    PriceRemoved("default", "EUR"),
    ProductCategorised(("shoes",)),
    MediaAdded(media_id="m", url="https://example.com/1.jpg"),
    MediaRemoved("m"),
    ProductListed("toy"),
    ProductDelisted("toy"),
    ProductDiscontinued(),
    ProductReinstated(),
    StockCounted("main", 3),
    StockReceived("main", 3),
    StockAdjusted("main", -3),
    StockReserved(order="toy:1", location="main", quantity=1),
    StockReleased(order="toy:1", location="main", quantity=1),
    StockShipped(order="toy:1", location="main", quantity=1),
    StockReturned(order="toy:1", location="main", quantity=1),
    SafetyStockSet("main", 1),
    AttributeOptionsGiven("c", (AttributeOption("blue"),)),
    AttributeDefined(code="c", type="select", options=(AttributeOption("red", {"en-US": "Red"}),)),
    FamilyDefined(code="f", attributes=("c",), required={"web": ("c",)}),
    CategoryDefined(code="shoes", labels={"nl-NL": "Schoenen"}),
    ChannelConfigured(name="toy", extra={"deep": [1, {"x": None}]}),
    ChannelAdded(name="crm", kind="webhook", settings={"url": "https://crm.example/hook"}),
    ChannelRemoved(name="crm"),
    ChannelPaused(name="crm"),
    ChannelResumed(name="crm"),
    ChannelRetried(name="crm", groups=1, facets=0),
    ChannelResynced(name="crm", skus=("A",)),
    PolicyPaused(name="repricing"),
    PolicyResumed(name="repricing", version=1),
    PolicyRetried(name="repricing", groups=2),
    ChannelPruned(name="crm", generations=(1,)),
    ChannelSwitched(name="crm", generation=2, before=1, facets=0),
    ListingAccepted(channel="toy", sku="A", facets=FACETS, submission="s"),
    ListingConfirmed(channel="toy", sku="A", facets=FACETS, remote_id="1"),
    ListingRejected(channel="toy", sku="A", facets=FACETS, reasons=(Rejection("e", "no", "name"),)),
    PersonAdded(person="p", fields=("name",), revision="r"),
    PersonChanged(person="p", fields=("name",), revision="r"),
    PersonDisclosed(person="p", fields=("name",)),
    PersonErased(person="p"),
    OrderPlaced(
        order="toy:1",
        channel="toy",
        number="1",
        currency="EUR",
        lines=(OrderLine(line="1", sku="A", quantity=1, price=1999),),
        sold_at=datetime(2027, 1, 1, tzinfo=UTC),
    ),
    OrderPaid(amount=Money(1999, "EUR")),
    OrderCancelled(lines=(LineQuantity("1", 1),)),
    OrderShipped(parcel="P", lines=(LineQuantity("1", 1),)),
    OrderReturned(lines=(LineQuantity("1", 1),)),
    OrderRefunded(amount=Money(1999, "EUR")),
    ParcelAnnounced(shipper="s", order="toy:1", parcel="P", pieces={"1": 1}),
    ParcelCancelled(shipper="s", order="toy:1", parcel="P"),
    TextDrafted(
        engine="deepl",
        sku="A",
        attribute="name",
        locale="de-DE",
        source_locale="nl-NL",
        source="0",
        draft="B",
        characters=1,
    ),
    TextApproved(engine="deepl", sku="A", attribute="name", locale="de-DE", source="0", text="B"),
    TextRejected(engine="deepl", sku="A", attribute="name", locale="de-DE", source="0"),
    TextRetried(engine="deepl", sku="A", attribute="name", locale="de-DE", source="0"),
    EventDiscarded(projection="toy", position=3, reason="a typing error"),
    SchedulePlanned(schedule="sch_a", due_at=DUE, change={"type": "price.change", "sku": "A", "prices": {}}),
    ScheduleMoved(schedule="sch_a", due_at=DUE),
    ScheduleWithdrawn(schedule="sch_a"),
    ScheduleFellDue(schedule="sch_a", due_at=DUE),
    ScheduleRefused(schedule="sch_a", due_at=DUE, code="not_found", reason="no product A"),
    UserAdded(user="usr_a", login="erp"),
    UserLocked(user="usr_a"),
    UserUnlocked(user="usr_a"),
    AccessGranted(user="usr_a", grant="gr_a", role="editor", scope=AccessScope(categories=("shoes",))),
    AccessWithdrawn(user="usr_a", grant="gr_a"),
    KeyMade(user="usr_a", key="dbk_a", hash="00"),
    KeyRotated(user="usr_a", key="dbk_a", successor="dbk_b", ends_at=datetime(2027, 1, 1, tzinfo=UTC)),
    KeyRevoked(user="usr_a", key="dbk_b"),
    IdentityLinked(user="usr_a", identity="oid_a", issuer="https://id.example", subject_hash="00"),
    IdentityUnlinked(user="usr_a", identity="oid_a"),
    SessionBegan(user="usr_a", session="ses_a", identity="oid_a", expires_at=datetime(2027, 1, 1, tzinfo=UTC)),
    SessionEnded(user="usr_a", session="ses_a", how="logout"),
    AccessRefused(reason="forbidden", permission="price.change"),
)
RECORDED = History().happened(EVENTS[0], *EVENTS[1:]).recorded


def row(one: Recorded, reason: str | None = None) -> tuple[Any, ...]:
    """As the reading queries give it."""
    return (
        one.position, one.event_id, one.stream, one.version, one.type, one.sku, one.key, one.recorded_at, one.actor,
        reason, one.source, one.correlation_id, one.causation_id, one.command_id, one.access,
        codec.encode(one.event).decode(),
    )  # fmt: skip


def test_every_event_type_is_here() -> None:
    assert {type(event) for event in EVENTS} == set(codec.NAMES)


@pytest.mark.parametrize("one", RECORDED, ids=lambda one: f"{one.position}-{one.type}")
def test_an_event_comes_back_as_it_was(one: Recorded) -> None:
    assert cloudevents.decode(cloudevents.encode(row(one))) == one


@pytest.mark.parametrize("one", RECORDED, ids=lambda one: f"{one.position}-{one.type}")
def test_a_message_is_a_cloudevent_of_version_1(one: Recorded) -> None:
    body = json.loads(cloudevents.encode(row(one, "because")))
    # https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md#required-attributes
    assert body["specversion"] == "1.0"
    assert all(isinstance(body[name], str) and body[name] for name in ("id", "source", "type"))
    assert all(re.fullmatch(r"[a-z0-9]{1,20}", name) for name in body)
    assert all(value is not None for value in body.values())
    assert body.get("subject") == one.sku
    assert datetime.fromisoformat(body["time"]) == one.recorded_at and one.recorded_at.tzinfo == UTC
    assert body["datacontenttype"] == "application/json" and isinstance(body["data"], dict)


def test_the_sequence_sorts_as_text() -> None:
    bodies = [json.loads(cloudevents.encode((position, *row(RECORDED[0])[1:]))) for position in (2, 10, 10**12)]
    sequences = [body["sequence"] for body in bodies]
    assert sequences == sorted(sequences) and [int(one) for one in sequences] == [2, 10, 10**12]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"specversion":"1.0","id":"1","source":"/x","type":"com.example.other","data":{}}',
        cloudevents.encode((1, "e", "s", 1, "product.unheard_of.v9", "A", "A", RECORDED[0].recorded_at, "a", None,
                            "s", "c", None, "c", None, "{}")),
        cloudevents.encode(row(RECORDED[4])).replace(b'"amount":1999', b'"amount":"much"'),
        cloudevents.encode(row(RECORDED[0])).replace(b"00000000000000000001", b"first"),
    ],
    ids=["empty", "text", "bytes", "list", "object", "another's", "unknown type", "bad data", "bad sequence"],
)  # fmt: skip
def test_a_body_that_is_none_of_ours_is_a_corrupt_log(body: bytes) -> None:
    with pytest.raises(CorruptLog):
        cloudevents.decode(body)
