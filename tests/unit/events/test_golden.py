"""Every stored name and body, frozen: what was written once is read for ever.

A golden file is `golden/events/<stored name>.json`: the exact body that the log holds. A new event needs one, written
by `python -m tests.unit.events.test_golden`, which never touches a file that is there. A changed shape needs a new
version of the name, an upcast from the old one, and leaves the old file alone.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from daybook import events
from daybook.errors import CorruptLog
from daybook.events import codec, upcasts
from daybook.values import Money

GOLDEN = Path(__file__).parent / "golden" / "events"

_FACETS = (events.FacetReceipt("price", "0f" * 16, 41), events.FacetReceipt("content", None, 42))

_PERSON, _REVISION = "01936f1e-7a60-7000-8000-000000000001", "01936f1e-7a60-7000-8000-0000000000ff"

EXAMPLES: dict[str, events.Event] = {
    "product.created.v1": events.ProductCreated(
        sku="SHIRT-L", key="SHIRT", kind="variant", family="shirts", parent="SHIRT", axes=("size",)
    ),
    "product.attributes_changed.v1": events.AttributesChanged(
        (
            events.AttributeChange(attribute="name", value="Café — 100% “wit”\n", locale="nl-BE", channel="print"),
            events.AttributeChange(attribute="organic", value=True),
            events.AttributeChange(attribute="pieces", value=12),
            events.AttributeChange(attribute="strength", value=0.5),
            events.AttributeChange(attribute="colours", value=["red", "blue"]),
            events.AttributeChange(attribute="weight", value=events.Measure("0.500", "KILOGRAM")),
            events.AttributeChange(attribute="old_name", value=None),
        )
    ),
    "product.gtin_assigned.v1": events.GtinAssigned("4006381333932", "has the wrong check digit"),
    "product.price_changed.v1": events.PriceChanged("default", Money(1999, "EUR")),
    "product.price_removed.v1": events.PriceRemoved("default", "EUR"),
    "product.categorised.v1": events.ProductCategorised(("shirts", "summer")),
    "product.media_added.v1": events.MediaAdded(
        media_id="front", url="https://cdn.example/front.jpg", role="image", locale="nl-BE", channel="print"
    ),
    "product.media_removed.v1": events.MediaRemoved("front"),
    "product.listed.v1": events.ProductListed("shop"),
    "product.delisted.v1": events.ProductDelisted("shop"),
    "product.discontinued.v1": events.ProductDiscontinued(),
    "product.reinstated.v1": events.ProductReinstated(),
    "parcel.announced.v1": events.ParcelAnnounced(
        shipper="sendcloud",
        order="webshop:1001",
        parcel="8293794",
        pieces={"1": 2},
        carrier="postnl",
        tracking="3SYZXG8498635",
    ),
    "parcel.cancelled.v1": events.ParcelCancelled(shipper="sendcloud", order="webshop:1001", parcel="8293794"),
    "text.drafted.v1": events.TextDrafted(
        engine="deepl",
        sku="SHIRT",
        attribute="name",
        locale="de-DE",
        channel="ecommerce",
        source_locale="nl-NL",
        source="9c5e1a30f2b44d17",
        draft="Hemd mit {0} Knöpfen",
        characters=21,
        settings={"formality": "more"},
        round=1,
        problem="number_changed: it has other numbers than its source",
    ),
    "text.approved.v1": events.TextApproved(
        engine="deepl",
        sku="SHIRT",
        attribute="name",
        locale="de-DE",
        channel="print",
        source="9c5e1a30f2b44d17",
        text="Hemd",
    ),
    "text.rejected.v1": events.TextRejected(
        engine="deepl", sku="SHIRT", attribute="name", locale="de-DE", channel="print", source="9c5e1a30f2b44d17"
    ),
    "text.retried.v1": events.TextRetried(
        engine="deepl", sku="SHIRT", attribute="name", locale="de-DE", channel="print", source="9c5e1a30f2b44d17"
    ),
    "policy.paused.v1": events.PolicyPaused(name="repricing"),
    "policy.resumed.v1": events.PolicyResumed(name="repricing", version=2),
    "policy.retried.v1": events.PolicyRetried(name="repricing", keys=("SHIRT",), groups=1),
    "schedule.planned.v1": events.SchedulePlanned(
        schedule="sch-3f9c0b6a12de4478",
        due_at=datetime(2026, 11, 30, 23, tzinfo=UTC),
        change={"type": "change_price", "sku": "SHIRT-L", "amount": "17.99", "currency": "EUR", "price_list": "retail"},
    ),
    "schedule.moved.v1": events.ScheduleMoved(
        schedule="sch-3f9c0b6a12de4478", due_at=datetime(2026, 12, 1, 23, tzinfo=UTC)
    ),
    "schedule.withdrawn.v1": events.ScheduleWithdrawn(schedule="sch-3f9c0b6a12de4478"),
    "schedule.fell_due.v1": events.ScheduleFellDue(
        schedule="sch-3f9c0b6a12de4478", due_at=datetime(2026, 11, 30, 23, tzinfo=UTC)
    ),
    "schedule.refused.v1": events.ScheduleRefused(
        schedule="sch-3f9c0b6a12de4478",
        due_at=datetime(2026, 11, 30, 23, tzinfo=UTC),
        code="not_found",
        reason="channel: there is no channel 'old'; the channels are: shop",
    ),
    "stock.counted.v1": events.StockCounted("main", 12),
    "stock.received.v1": events.StockReceived("main", 24),
    "stock.adjusted.v1": events.StockAdjusted("main", -3),
    "stock.reserved.v1": events.StockReserved(order="shop:1001", location="main", quantity=2, oversold=1),
    "stock.released.v1": events.StockReleased(order="shop:1001", location="main", quantity=2),
    "stock.shipped.v1": events.StockShipped(order="shop:1001", location="main", quantity=2),
    "stock.returned.v1": events.StockReturned(order="shop:1001", location="main", quantity=2),
    "stock.safety_set.v1": events.SafetyStockSet("main", 3),
    "order.placed.v1": events.OrderPlaced(
        order="shop:1001",
        channel="shop",
        number="1001",
        currency="EUR",
        lines=(
            events.OrderLine(line="315", sku="SHIRT-L", quantity=2, price=1999, discount=200, tax=659),
            events.OrderLine(line="316", sku="SHIRT-M", quantity=1, price=1999),
        ),
        allocations=(
            events.Allocation(sku="SHIRT-L", location="main", quantity=2, oversold=1),
            events.Allocation(sku="SHIRT-M", location="store", quantity=1),
        ),
        person=_PERSON,
        shipping=495,
        tax_included=False,
        already_sold=True,
        sold_at=datetime(2026, 11, 28, 9, 0, 1, tzinfo=UTC),
    ),
    "order.paid.v1": events.OrderPaid(amount=Money(6492, "EUR"), reference="tr_1"),
    "order.cancelled.v1": events.OrderCancelled(
        lines=(events.LineQuantity("316", 1),),
        released=(events.StockMove("SHIRT-M", "store", 1),),
        cause="customer",
    ),
    "order.shipped.v1": events.OrderShipped(
        parcel="P-1",
        lines=(events.LineQuantity("315", 2),),
        released=(events.StockMove("SHIRT-L", "main", 2),),
        taken=(events.StockMove("SHIRT-L", "store", 2),),
        carrier="postnl",
        tracking="3SABCD1234567",
    ),
    "order.returned.v1": events.OrderReturned(
        lines=(events.LineQuantity("315", 1),), restocked=(events.StockMove("SHIRT-L", "main", 1),), reference="RMA-7"
    ),
    "order.refunded.v1": events.OrderRefunded(amount=Money(1999, "EUR"), reference="re_1"),
    "attribute.options_given.v1": events.AttributeOptionsGiven(
        "size", (events.AttributeOption("l", {"en-GB": "large"}), events.AttributeOption("xl"))
    ),
    "attribute.defined.v1": events.AttributeDefined(
        code="size",
        type="select",
        labels={"nl-NL": "maat", "en-GB": "size"},
        localizable=True,
        scopable=True,
        options=(events.AttributeOption("l", {"en-GB": "large"}), events.AttributeOption("xl")),
        unit="GRAM",
        length_max=80,
        minimum="0.5",
        maximum="99",
        pattern="^[A-Z]",
        unique=True,
    ),
    "family.defined.v1": events.FamilyDefined(
        code="shirts",
        labels={"en-GB": "Shirts"},
        attributes=("name", "size"),
        required={"print": ("name",)},
        label_attribute="name",
        image_attribute="image",
    ),
    "category.defined.v1": events.CategoryDefined(code="summer", parent="seasons", labels={"en-GB": "Summer"}),
    "channel.configured.v2": events.ChannelConfigured(
        name="shop",
        scope="print",
        locales=("nl-BE", "en-GB"),
        currency="USD",
        price_list="retail",
        locations=("main", "store"),
        safety_stock=2,
        allocation="fewest_parcels",
        extra={"days": 2, "condition": "new", "nested": {"a": [1, None]}},
    ),
    "channel.added.v1": events.ChannelAdded(
        name="crm", kind="webhook", settings={"url": "https://crm.example/hook", "allow_http": "false"}
    ),
    "channel.removed.v1": events.ChannelRemoved(name="crm", reason="the CRM asks for itself now"),
    "listing.accepted.v1": events.ListingAccepted(
        channel="shop", sku="SHIRT-L", facets=_FACETS, remote_id="r-1", submission="s-1"
    ),
    "listing.confirmed.v1": events.ListingConfirmed(channel="shop", sku="SHIRT-L", facets=_FACETS, remote_id="r-1"),
    "listing.rejected.v1": events.ListingRejected(
        channel="shop", sku="SHIRT-L", facets=_FACETS, reasons=(events.Rejection("E7", "no image", "image"),)
    ),
    "person.added.v1": events.PersonAdded(person=_PERSON, fields=("mail", "name"), revision=_REVISION),
    "person.changed.v1": events.PersonChanged(person=_PERSON, fields=("address",), revision=_REVISION),
    "person.disclosed.v1": events.PersonDisclosed(person=_PERSON, fields=("mail", "name"), exported=True),
    "person.erased.v1": events.PersonErased(person=_PERSON),
    "channel.paused.v1": events.ChannelPaused(name="bol"),
    "channel.resumed.v1": events.ChannelResumed(name="bol"),
    "channel.retried.v1": events.ChannelRetried(
        name="bol", keys=("SHIRT",), skus=("SHIRT-L",), code="4003-2", rejected=True, groups=1, facets=2
    ),
    "channel.resynced.v1": events.ChannelResynced(
        name="bol", skus=("SHIRT-L",), since=41, locale="nl", keys=("SHIRT",), drift_only=True, facets=3
    ),
    "channel.pruned.v1": events.ChannelPruned(name="bol", generations=(1, 3)),
    "channel.switched.v1": events.ChannelSwitched(name="bol", generation=2, before=1, facets=4),
    "projection.event_discarded.v1": events.EventDiscarded(
        projection="bol", position=42, reason="the ERP sent a text where a number belongs"
    ),
    "access.user_added.v1": events.UserAdded(user="usr_a2b3c4d5e6", login="erp", kind="service", person="p-1"),
    "access.user_locked.v1": events.UserLocked(user="usr_a2b3c4d5e6"),
    "access.user_unlocked.v1": events.UserUnlocked(user="usr_a2b3c4d5e6"),
    "access.granted.v1": events.AccessGranted(
        user="usr_a2b3c4d5e6",
        grant="gr_a2b3c4d5e6",
        role="merchandiser",
        scope=events.AccessScope(
            channels=("bol",), categories=("shoes", "bags"), price_lists=("retail",), locations=("main",)
        ),
    ),
    "access.withdrawn.v1": events.AccessWithdrawn(user="usr_a2b3c4d5e6", grant="gr_a2b3c4d5e6"),
    "access.key_made.v1": events.KeyMade(
        user="usr_a2b3c4d5e6",
        key="dbk_a2b3c4d5e6",
        hash="0f" * 32,
        label="price feed",
        expires_at=datetime(2027, 1, 1, tzinfo=UTC),
    ),
    "access.key_rotated.v1": events.KeyRotated(
        user="usr_a2b3c4d5e6",
        key="dbk_a2b3c4d5e6",
        successor="dbk_b2b3c4d5e6",
        ends_at=datetime(2027, 1, 1, 12, 30, tzinfo=UTC),
    ),
    "access.key_revoked.v1": events.KeyRevoked(user="usr_a2b3c4d5e6", key="dbk_a2b3c4d5e6"),
    "access.identity_linked.v1": events.IdentityLinked(
        user="usr_a2b3c4d5e6", identity="oid_a2b3c4d5e6", issuer="https://id.example", subject_hash="0f" * 32
    ),
    "access.identity_unlinked.v1": events.IdentityUnlinked(user="usr_a2b3c4d5e6", identity="oid_a2b3c4d5e6"),
    "access.session_began.v1": events.SessionBegan(
        user="usr_a2b3c4d5e6",
        session="ses_a2b3c4d5e6",
        identity="oid_a2b3c4d5e6",
        expires_at=datetime(2027, 1, 1, 12, 30, tzinfo=UTC),
    ),
    "access.session_ended.v1": events.SessionEnded(user="usr_a2b3c4d5e6", session="ses_a2b3c4d5e6", how="logout"),
    "access.refused.v1": events.AccessRefused(
        reason="out_of_scope",
        user="usr_a2b3c4d5e6",
        key="dbk_a2b3c4d5e6",
        permission="price.change",
        asked={"sku": "SHIRT-L", "price_list": "retail"},
    ),
}
"""One event of every newest name, with every field set, so that no field can change unseen."""

FILES = sorted(GOLDEN.glob("*.json"))


def body_of(name: str) -> bytes:
    """The golden body of a stored name."""
    return (GOLDEN / f"{name}.json").read_bytes().rstrip(b"\n")


def test_every_event_class_has_one_stored_name_and_a_golden_file() -> None:
    assert set(get_args(events.Event)) == set(codec.NAMES) == set(codec.CLASSES.values())
    assert len(codec.NAMES) == len(codec.CLASSES)
    assert set(codec.CLASSES) <= {file.stem for file in FILES}
    assert set(codec.CLASSES) == set(EXAMPLES)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_stored_name_never_disappears_and_its_body_is_read_for_ever(file: Path) -> None:
    event = codec.decode(file.stem, file.read_bytes())

    assert type(event) in codec.NAMES, f"{file.stem} was written by an older Daybook: give it an upcast"
    assert codec.decode(file.stem, file.read_text(encoding="utf-8")) == event


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_the_body_of_a_newest_event_is_byte_for_byte_what_it_was(name: str) -> None:
    assert codec.NAMES[type(EXAMPLES[name])] == name
    assert codec.encode(EXAMPLES[name]) == body_of(name)
    assert codec.decode(name, body_of(name)) == EXAMPLES[name]


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_an_example_sets_every_field_of_its_event_so_that_none_changes_unseen(name: str) -> None:
    event = EXAMPLES[name]
    defaults = {field.name: field.default for field in msgspec.structs.fields(event)}

    assert [field for field in defaults if getattr(event, field) == defaults[field] and field != "role"] == []


def test_a_stored_name_is_noun_past_verb_and_version() -> None:
    for name in (file.stem for file in FILES):
        noun, verb, version = name.split(".")
        assert noun.islower() and verb.islower()
        assert version[0] == "v" and version[1:].isdigit()


def test_a_body_written_by_a_newer_daybook_with_one_more_field_still_reads() -> None:
    body = json.dumps({**json.loads(body_of("stock.counted.v1")), "counted_by": "ada"})

    assert codec.decode("stock.counted.v1", body) == EXAMPLES["stock.counted.v1"]


def test_an_unknown_type_is_a_corrupt_log_and_the_error_says_what_to_do() -> None:
    with pytest.raises(CorruptLog, match=r"unknown event type 'product\.melted\.v1'.*Upgrade"):
        codec.decode("product.melted.v1", b"{}")


@pytest.mark.parametrize(
    "body", ["", "{", "null", "[]", "{}", '{"location": "main"}', '{"location": "main", "quantity": "12"}', b"\xff"]
)
def test_a_body_that_does_not_fit_is_a_corrupt_log_that_names_the_type(body: str | bytes) -> None:
    with pytest.raises(CorruptLog, match=r"stock\.counted\.v1") as caught:
        codec.decode("stock.counted.v1", body)
    assert caught.value.details == {"type": "stock.counted.v1"}


def _with_location(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "location": "main"}


def _pieces_to_quantity(body: dict[str, Any]) -> dict[str, Any]:
    pieces = body.pop("pieces")
    return {**body, "quantity": pieces}


@pytest.fixture
def older_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two imaginary older shapes: `stock.tallied.v1` without a location, and `stock.tallied.v2` with `pieces`."""
    monkeypatch.setitem(upcasts.UPCASTS, "stock.tallied.v1", ("stock.tallied.v2", _with_location))
    monkeypatch.setitem(upcasts.UPCASTS, "stock.tallied.v2", ("stock.counted.v1", _pieces_to_quantity))


@pytest.mark.usefixtures("older_counts")
@pytest.mark.parametrize(
    ("name", "body"),
    [("stock.tallied.v1", '{"pieces": 12}'), ("stock.tallied.v2", '{"pieces": 12, "location": "main"}')],
)
def test_an_old_shape_is_lifted_through_every_version_to_the_newest(name: str, body: str) -> None:
    assert codec.decode(name, body) == events.StockCounted("main", 12)


@pytest.mark.usefixtures("older_counts")
@pytest.mark.parametrize("body", ["{", "[]", "null", "{}", '{"pieces": "many"}'])
def test_an_old_body_that_can_not_be_lifted_is_a_corrupt_log(body: str) -> None:
    with pytest.raises(CorruptLog, match=r"stock\.tallied\.v1"):
        codec.decode("stock.tallied.v1", body)


def test_every_upcast_leads_to_a_newest_name_and_none_starts_at_one() -> None:
    for name, (target, _) in upcasts.UPCASTS.items():
        assert name not in codec.CLASSES, f"{name} is newest and can't be lifted"
        assert target in codec.CLASSES or target in upcasts.UPCASTS


def write_missing() -> list[str]:
    """Writes the golden files that are missing; never touches one that is there."""
    GOLDEN.mkdir(parents=True, exist_ok=True)
    missing = [name for name in EXAMPLES if not (GOLDEN / f"{name}.json").exists()]
    for name in missing:
        (GOLDEN / f"{name}.json").write_bytes(codec.encode(EXAMPLES[name]) + b"\n")
    return missing


if __name__ == "__main__":
    print("written:", ", ".join(write_missing()) or "nothing: every name has its golden file")
