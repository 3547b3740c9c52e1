"""Questions about the past, on a real log."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from daybook.app import App
from daybook.catalogue.group import Group, fold_group
from daybook.catalogue.reference import Reference
from daybook.channel.contract import Manifest, Payload
from daybook.channel.registry import Registry
from daybook.commands import (
    AddMedia,
    CategoriseProduct,
    ChangePrice,
    ConfigureChannel,
    CountStock,
    CreateProduct,
    DefineAttribute,
    DefineCategory,
    DelistProduct,
    DiscontinueProduct,
    ListProduct,
    ReceiveStock,
    SetAttributes,
)
from daybook.commands.book import Command
from daybook.config import Settings
from daybook.errors import InvalidValue, NotFound
from daybook.events import (
    AttributeChange,
    AttributeDefined,
    CategoryDefined,
    ChannelConfigured,
    FacetReceipt,
    ListingConfirmed,
    MediaAdded,
)
from daybook.log.pending import Context, NewEvent
from daybook.queries import catalogue, events
from daybook.queries.diff import diff
from daybook.queries.fields import FieldChange
from daybook.queries.history import history
from daybook.queries.listing import listing_at
from daybook.queries.moment import Moment, resolve
from daybook.queries.product import ProductView, show
from daybook.queries.readiness import missing_migrations


@pytest.fixture
def app(database: str) -> Iterator[App]:
    with App(Settings(data=Path("unused"), postgres=database), Registry([])) as app:
        yield app


def carry(app: App, *commands: Command, reason: str | None = None) -> int:
    """Carries the commands out; the position of the last event."""
    last = 0
    for command in commands:
        last = app.book.carry_out(command, Context.new("ann", "test", reason=reason)).last or last
    return last


def text(attribute: str, value: str | None, locale: str | None = None) -> AttributeChange:
    return AttributeChange(attribute=attribute, value=value, locale=locale)


def family_of_shoes(app: App) -> int:
    """A model with two variants; the second has a name and a price of its own."""
    return carry(
        app,
        DefineAttribute(attribute=AttributeDefined(code="name", type="text", localizable=True)),
        DefineAttribute(attribute=AttributeDefined(code="color", type="text")),
        DefineCategory(category=CategoryDefined(code="all", labels={"nl-NL": "Alles"})),
        DefineCategory(category=CategoryDefined(code="shoes", parent="all", labels={"nl-NL": "Schoenen"})),
        ConfigureChannel(channel=ChannelConfigured(name="bol")),
        CreateProduct(sku="M", kind="model", axes=("color",)),
        CreateProduct(sku="V1", parent="M"),
        CreateProduct(sku="V2", parent="M"),
        SetAttributes(sku="M", changes=(text("name", "Schoen", "nl-NL"), text("name", "Shoe", "en-US"))),
        SetAttributes(sku="V1", changes=(text("color", "red"),)),
        SetAttributes(sku="V2", changes=(text("color", "blue"), text("name", "Blauwe schoen", "nl-NL"))),
        ChangePrice(sku="M", amount="49.95", currency="EUR"),
        ChangePrice(sku="V2", amount="59.95", currency="EUR"),
        CategoriseProduct(sku="M", categories=("shoes",)),
        AddMedia(sku="M", media=MediaAdded(media_id="m", url="https://example.com/m.jpg")),
        CountStock(sku="V1", quantity=5),
        ReceiveStock(sku="V1", quantity=2, location="shop"),
        ListProduct(sku="M", channel="bol"),
        DelistProduct(sku="V2", channel="bol"),
    )


def now(app: App, sku: str) -> ProductView:
    return show(app.reader, sku, resolve(app.reader))


def test_a_variant_shows_what_it_inherits_and_where_each_value_comes_from(app: App) -> None:
    head = family_of_shoes(app)
    seen = now(app, "V2")
    assert [(one.attribute, one.locale, one.value, one.sku) for one in seen.values] == [
        ("color", None, "blue", "V2"),
        ("name", "en-US", "Shoe", "M"),
        ("name", "nl-NL", "Blauwe schoen", "V2"),
    ]
    assert [(one.amount, one.minor, one.sku) for one in seen.prices] == [("59.95", 5995, "V2")]
    assert [(one.amount, one.sku) for one in now(app, "V1").prices] == [("49.95", "M")]
    assert [(one.code, one.labels, one.path, one.sku) for one in seen.categories] == [
        ("shoes", {"nl-NL": "Schoenen"}, ("all", "shoes"), "M")
    ]
    assert [(one.url, one.sku) for one in seen.media] == [("https://example.com/m.jpg", "M")]
    assert (seen.channels, now(app, "V1").channels) == ({"bol": False}, {"bol": True})
    assert (seen.key, seen.parent, seen.position) == ("M", "M", head)
    assert (seen.version, seen.last_position) == (4, head)


def test_stock_is_told_by_location_and_in_total(app: App) -> None:
    family_of_shoes(app)
    seen = now(app, "V1")
    assert (seen.stock, seen.stock_total, seen.stock_version) == ({"main": 5, "shop": 2}, 7, 2)
    assert now(app, "M").variants == ("V1", "V2")


def test_a_discontinued_model_discontinues_its_variants(app: App) -> None:
    family_of_shoes(app)
    carry(app, DiscontinueProduct(sku="M"))
    assert now(app, "V1").discontinued
    assert now(app, "V1").channels == {"bol": False}


def test_the_past_is_shown_as_it_was_with_the_labels_of_then(app: App) -> None:
    then = family_of_shoes(app)
    carry(
        app,
        ChangePrice(sku="M", amount="39.95", currency="EUR"),
        DefineCategory(category=CategoryDefined(code="shoes", parent="all", labels={"nl-NL": "Schoeisel"})),
    )
    old, new = show(app.reader, "V1", Moment(then)), now(app, "V1")
    assert (old.prices[0].amount, new.prices[0].amount) == ("49.95", "39.95")
    assert (old.categories[0].labels["nl-NL"], new.categories[0].labels["nl-NL"]) == ("Schoenen", "Schoeisel")


def test_an_unknown_product_and_one_that_came_later_are_told_apart(app: App) -> None:
    carry(app, CreateProduct(sku="A"), CreateProduct(sku="B"))
    with pytest.raises(NotFound, match="there is no product C"):
        now(app, "C")
    with pytest.raises(NotFound, match="did not exist yet at position 1"):
        show(app.reader, "B", Moment(1))
    with pytest.raises(InvalidValue):
        now(app, "\0")


def test_a_moment_is_a_time_or_a_position_and_its_bounds_are_named(app: App) -> None:
    carry(app, CreateProduct(sku="A"), CreateProduct(sku="B"))
    first, second = (one.recorded_at for one in app.reader.after(0))
    assert resolve(app.reader, at=first).position == 1
    assert resolve(app.reader, at=(second - timedelta(microseconds=1)).isoformat()).position == 1
    assert resolve(app.reader, at=second.replace(tzinfo=None).isoformat()) == Moment(2, second)
    assert resolve(app.reader, at="2001-01-01").position == 0
    assert resolve(app.reader, at="9999-12-31").position == 2
    assert resolve(app.reader, at="2026-03-01T09:00+01:00").at == datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert resolve(app.reader) == Moment(2)
    assert resolve(app.reader, position=0) == Moment(0)
    for wrong in ({"position": 3}, {"position": -1}, {"at": "yesterday"}, {"at": "2001-01-01", "position": 1}):
        with pytest.raises(InvalidValue):
            resolve(app.reader, **wrong)
    with pytest.raises(InvalidValue, match="between 0 and 2"):
        resolve(app.reader, position=3)
    with pytest.raises(InvalidValue):
        resolve(app.reader, at="0001-01-01T00:00+14:00")


def confirm(app: App, sku: str, position: int, facet: str = "price") -> None:
    receipt = ListingConfirmed(channel="bol", sku=sku, facets=(FacetReceipt(facet, "ab", position),))
    stream = f"listing/bol/{sku}"
    version = len(app.reader.of_stream(stream)) + 1
    app.log.append([NewEvent(stream, version, receipt, sku, "M")], Context.new("bol", "delivery"))


def test_a_history_says_who_what_and_why_and_which_channel_saw_it(app: App) -> None:
    family_of_shoes(app)
    cut = carry(app, ChangePrice(sku="V2", amount="54.95", currency="EUR"), reason="sale")
    confirm(app, "V2", cut)
    changes = history(app.reader, "V2")
    last = changes[-1]
    assert (last.position, last.sentence) == (cut, "price default EUR 59.95 → 54.95")
    assert (last.actor, last.reason, last.source) == ("ann", "sale", "test")
    assert last.fields == [FieldChange("prices.default.EUR", "59.95", "54.95")]
    assert [(one.channel, one.outcome, one.facets) for one in last.channels] == [("bol", "confirmed", ("price",))]
    assert [(one.outcome, one.superseded_by) for one in changes[0].channels] == [("superseded", cut)]
    assert last.command_id
    assert [one.sentence for one in changes] == [
        "created as a variant of M",
        "color none → 'blue'; name (nl-NL) none → 'Blauwe schoen'",
        "price default EUR none → 59.95",
        "delisted from bol",
        "price default EUR 59.95 → 54.95",
    ]


def test_a_models_change_is_acknowledged_by_its_variants_listings(app: App) -> None:
    family_of_shoes(app)
    cut = carry(app, ChangePrice(sku="M", amount="44.95", currency="EUR"))
    confirm(app, "V1", cut)
    (seen,) = history(app.reader, "M", after=cut - 1)[0].channels
    assert (seen.sku, seen.outcome) == ("V1", "confirmed")


def test_a_history_can_add_the_parents_changes_and_the_receipts(app: App) -> None:
    head = family_of_shoes(app)
    confirm(app, "V1", head)
    plain = [one.position for one in history(app.reader, "V1")]
    inherited = history(app.reader, "V1", inherited=True)
    assert {one.sku for one in inherited} == {"M", "V1"}
    assert [one.position for one in inherited] == sorted(one.position for one in inherited)
    assert [one.position for one in inherited if one.sku == "V1"] == plain
    with_receipts = history(app.reader, "V1", receipts=True)
    assert [one.position for one in with_receipts] == [*plain, head + 1]
    assert with_receipts[-1].sentence == f"bol confirmed price as of position {head}"
    assert with_receipts[-1].fields == []


def test_pages_of_a_history_join_without_a_seam(app: App) -> None:
    family_of_shoes(app)
    whole = history(app.reader, "M")
    first = history(app.reader, "M", limit=2)
    rest = history(app.reader, "M", after=first[-1].position)
    assert [*first, *rest] == whole
    with pytest.raises(InvalidValue):
        history(app.reader, "M", limit=0)


def test_a_difference_includes_what_was_inherited(app: App) -> None:
    then = family_of_shoes(app)
    carry(
        app,
        ChangePrice(sku="M", amount="39.95", currency="EUR"),
        SetAttributes(sku="V1", changes=(text("color", None), text("name", "Rode schoen", "nl-NL"))),
        CountStock(sku="V1", quantity=0),
    )
    changes = diff(app.reader, "V1", Moment(then), resolve(app.reader))
    assert sorted(changes, key=lambda one: one.field) == [
        FieldChange("attributes.color", "red", None),
        FieldChange("attributes.name@nl-NL", "Schoen", "Rode schoen"),
        FieldChange("prices.default.EUR", "49.95", "39.95"),
        FieldChange("stock.main", 5, 0),
    ]
    backwards = diff(app.reader, "V1", resolve(app.reader), Moment(then))
    assert FieldChange("stock.main", 0, 5) in backwards


def test_a_difference_from_before_the_creation_is_the_whole_product(app: App) -> None:
    carry(app, CreateProduct(sku="A"), CreateProduct(sku="B"))
    assert diff(app.reader, "B", Moment(1), Moment(2)) == [FieldChange("kind", None, "product")]
    with pytest.raises(NotFound):
        diff(app.reader, "B", Moment(0), Moment(1))


def render(group: Group, reference: Reference) -> dict[tuple[str, str], Payload]:
    currency = reference.channels["bol"].currency
    return {
        (one.sku, "price"): {"cents": group.price(one.sku, "default", currency), "currency": currency}
        for one in group.sellable("bol")
    }


def test_a_past_listing_is_what_the_channels_own_code_makes_of_that_moment(app: App) -> None:
    defaults = ChannelConfigured(name="bol")
    manifest = Manifest(
        name="bol", title="bol", version=1, state=Group, fold=fold_group, render=render, defaults=defaults
    )
    then = family_of_shoes(app)
    carry(
        app,
        ChangePrice(sku="M", amount="39.95", currency="EUR"),
        ConfigureChannel(channel=ChannelConfigured(name="bol", currency="GBP")),
    )
    expected: dict[Any, Any] = {("V1", "price"): {"cents": 4995, "currency": "EUR"}}
    assert listing_at(app.reader, manifest, "V1", Moment(then)) == expected
    assert listing_at(app.reader, manifest, "M", Moment(then)) == expected
    assert listing_at(app.reader, manifest, "M", resolve(app.reader)) == {
        ("V1", "price"): {"cents": None, "currency": "GBP"}
    }
    assert listing_at(app.reader, manifest, "M", Moment(0)) == {}


def test_the_catalogue_is_read_page_by_page_and_as_of_a_moment(app: App) -> None:
    head = family_of_shoes(app)
    carry(app, CreateProduct(sku="A"), CreateProduct(sku="Z"))
    first = catalogue.page(app.reader, resolve(app.reader), limit=2)
    assert ([one.sku for one in first.products], first.next) == (["A", "M"], "M")
    second = catalogue.page(app.reader, resolve(app.reader), after="M", limit=2)
    assert ([one.sku for one in second.products], second.next) == (["Z"], None)
    (model,) = catalogue.page(app.reader, Moment(head)).products
    assert (model.labels, model.stock_total) == ({"nl-NL": "Schoen", "en-US": "Shoe"}, 7)
    assert (model.variants, model.channels, model.last_position) == (("V1", "V2"), ["bol"], head)


def test_the_log_is_read_page_by_page(app: App) -> None:
    carry(app, CreateProduct(sku="A"), CreateProduct(sku="B"))
    first = events.page(app.reader, limit=1)
    assert ([one.sku for one in first.events], first.next) == (["A"], 1)
    assert [one.data["sku"] for one in events.page(app.reader, after=first.next).events] == ["B"]
    assert events.page(app.reader, after=2) == events.EventPage([], 2)
    with pytest.raises(InvalidValue):
        events.page(app.reader, after=-1)


def test_a_database_that_lacks_migrations_says_which(app: App, empty_database: str) -> None:
    assert missing_migrations(app.pool) == []
    with App(Settings(data=Path("unused"), postgres=empty_database), Registry([])) as empty:
        assert missing_migrations(empty.pool)[:2] == ["log/0001_log.sql", "log/0002_append.sql"]
