"""Given these events, this is what an endpoint should be told."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from daybook.channel.contract import Held, Payload
from daybook.channel.testing import History, check_pure, given, render
from daybook.errors import InvalidValue
from daybook.events import (
    AttributeChange,
    AttributesChanged,
    CategoryDefined,
    ChannelConfigured,
    Measure,
    MediaAdded,
    MediaRemoved,
    PriceChanged,
    PriceRemoved,
    ProductDelisted,
    ProductDiscontinued,
    ProductListed,
    ProductReinstated,
    StockAdjusted,
    StockCounted,
)
from daybook.values import Money
from daybook_projections.webhook import endpoint, manifest

GOLDEN = Path(__file__).parent / "golden"


def settings(**given_: Any) -> ChannelConfigured:
    return replace(manifest.defaults, **given_)


def bag(sku: str = "S1", **given_: Any) -> History:
    facts: dict[str, Any] = {"attributes": {"name": "Bag"}, "price": ("default", "19.99", "EUR"), "stock": {"main": 5}}
    return History().product(sku, **facts | {"listed": ("webhook",)} | given_)


def product(sku: str = "S1", **fields: Any) -> Payload:
    plain: Payload = {
        "kind": "product",
        "group": sku,
        "parent": None,
        "axes": [],
        "family": None,
        "gtin": None,
        "gtin_problem": None,
        "attributes": {"name": [value("Bag")]},
        "categories": [],
        "media": [],
    }
    return {"product": plain | fields}


def value(told: Any, locale: str | None = None, scope: str | None = None) -> Payload:
    return {"locale": locale, "scope": scope, "value": told}


def facet(history: History, name: str, sku: str = "S1") -> Payload:
    payload = render(manifest, history)[sku, name]
    assert isinstance(payload, dict), payload
    return payload


def told(history: History, code: str = "name", sku: str = "S1") -> Any:
    return facet(history, "product", sku)["product"]["attributes"].get(code)


PRICE: Payload = {"price": {"amount": "19.99", "currency": "EUR"}, "prices": {"default": {"EUR": "19.99"}}}
STOCK: Payload = {"stock": {"available": 5, "locations": {"main": 5}}}


def test_a_listed_product_is_told_with_its_price_and_stock() -> None:
    given(manifest, bag()).then({("S1", "product"): product(), ("S1", "price"): PRICE, ("S1", "stock"): STOCK})


def test_what_is_not_listed_here_is_not_told() -> None:
    given(manifest, bag(listed=())).then({})
    given(manifest, bag(listed=("bol", "erp"))).then({})


def test_each_endpoint_has_its_own_listings_and_settings() -> None:
    erp = endpoint("erp")
    history = bag(listed=("erp",)).happened(ChannelConfigured(name="erp", locations=("other",)))
    given(manifest, history).then({})
    assert render(erp, history)["S1", "stock"] == {"stock": {"available": 0, "locations": {"other": 0}}}
    assert (erp.name, erp.defaults.name, erp.title) == ("erp", "erp", "Webhook erp (Standard Webhooks)")
    given(erp, bag()).then({})


@pytest.mark.parametrize("name", ["", "Erp", "my_erp", "my-erp", "1erp", "e" * 32, "erp\n"])
def test_a_name_that_settings_could_not_be_given_for_is_refused(name: str) -> None:
    with pytest.raises(InvalidValue, match="small letters and digits"):
        endpoint(name)


def test_delisting_and_discontinuing_take_it_off_and_can_be_undone() -> None:
    given(manifest, bag().happened(ProductDelisted("webhook"))).then({})
    given(manifest, bag().happened(ProductDiscontinued())).then({})
    shown = render(manifest, bag())
    given(manifest, bag().happened(ProductDelisted("webhook"), ProductListed("webhook"))).then(shown)
    given(manifest, bag().happened(ProductDiscontinued(), ProductReinstated())).then(shown)


def test_a_product_without_anything_is_told_as_just_that() -> None:
    given(manifest, History().product("S1", listed=("webhook",))).then(
        {
            ("S1", "product"): product(attributes={}),
            ("S1", "price"): {"price": None, "prices": {}},
            ("S1", "stock"): {"stock": {"available": 0, "locations": {}}},
        }
    )


def test_a_gtin_is_told_as_it_is_with_what_is_wrong_with_it() -> None:
    payload = facet(bag(gtin="1234567890183"), "product")["product"]
    assert payload["gtin"] == "1234567890183"
    assert "wrong check digit" in payload["gtin_problem"]
    assert facet(bag(gtin="4006381333931"), "product")["product"]["gtin_problem"] is None


def test_variants_are_told_with_what_they_inherit_and_their_model_is_not_told() -> None:
    history = bag("M", axes=("color",), gtin="4006381333931", family="bags", categories=("all",), media=("m.jpg",))
    history.product("M-R", parent="M", axes=("size",), kind="model", attributes={"color": "red"})
    history.product("M-R-L", parent="M-R", attributes={"size": "L", "name": "Red bag"}, stock={"main": 2})
    history.product("M-R-S", parent="M-R", attributes={"size": "S"}, price=("default", "9.00", "EUR"))
    rendered = render(manifest, history)
    assert {sku for sku, _ in rendered} == {"M-R-L", "M-R-S"}
    media = {"id": "M-1", "url": "m.jpg", "role": "image", "locale": None, "scope": None}
    assert rendered["M-R-L", "product"] == product(
        kind="variant",
        group="M",
        parent="M-R",
        axes=["color", "size"],
        family="bags",
        attributes={"size": [value("L")], "name": [value("Red bag")], "color": [value("red")]},
        categories=[{"code": "all", "path": ["all"]}],
        media=[media],
    )
    assert rendered["M-R-L", "price"] == PRICE
    assert rendered["M-R-L", "stock"] == {"stock": {"available": 2, "locations": {"main": 2}}}
    assert rendered["M-R-S", "price"] == {
        "price": {"amount": "9.00", "currency": "EUR"},
        "prices": {"default": {"EUR": "9.00"}},
    }
    assert rendered["M-R-S", "stock"] == {"stock": {"available": 0, "locations": {}}}


def test_a_value_is_told_in_every_language_and_scope_that_has_one() -> None:
    names = {"name": "plain", "name@nl-NL": "Tas", "name@de-DE": "Tasche", "name@nl-NL#print": "Tas!"}
    assert told(bag(attributes=names)) == [
        value("plain"),
        value("plain", None, "print"),
        value("Tasche", "de-DE"),
        value("Tasche", "de-DE", "print"),
        value("Tas", "nl-NL"),
        value("Tas!", "nl-NL", "print"),
    ]


def test_a_variants_own_value_holds_in_every_language_that_it_is_not_said_in() -> None:
    history = bag("M", axes=("color",), attributes={"name@nl-NL": "Tas", "name@de-DE": "Tasche"})
    history.product("V1", parent="M", attributes={"name": "Own"})
    history.product("V2", parent="M", attributes={"name@nl-NL": "Eigen"})
    assert told(history, sku="V1") == [value("Own"), value("Own", "de-DE"), value("Own", "nl-NL")]
    assert told(history, sku="V2") == [value("Tasche", "de-DE"), value("Eigen", "nl-NL")]


def test_the_channels_languages_and_scope_narrow_what_is_told() -> None:
    names = {"name@nl-NL": "Tas", "name@de-DE": "Tasche", "name@nl-NL#print": "Tas!", "note@fr-FR": "Sac"}
    history = bag(attributes=names).happened(settings(locales=("nl-NL", "en-US"), scope="print"))
    assert facet(history, "product")["product"]["attributes"] == {"name": [value("Tas!", "nl-NL", "print")]}


def test_values_keep_their_types() -> None:
    values = {"weight": Measure("0.50", "KILOGRAM"), "colors": ["b", "a"], "new": False, "pieces": 3, "ratio": 1.5}
    expected = values | {"weight": {"amount": "0.50", "unit": "KILOGRAM"}}
    attributes = facet(bag(attributes=values), "product")["product"]["attributes"]
    assert {code: found[0]["value"] for code, found in attributes.items()} == expected


def test_the_order_in_which_values_were_set_makes_no_difference() -> None:
    changes = [AttributeChange(attribute="name", value=at, locale=at) for at in ("nl-NL", "de-DE", "en-US")]
    one, other = bag().happened(AttributesChanged(tuple(changes))), bag()
    for change in reversed(changes):
        other.happened(AttributesChanged((change,)))
    assert render(manifest, one) == render(manifest, other)


def test_every_price_is_told_and_the_main_one_is_the_channels() -> None:
    history = bag().happened(
        PriceChanged("b2b", Money(1500, "EUR")), PriceChanged("default", Money(3000, "JPY")), settings(price_list="b2b")
    )
    assert facet(history, "price") == {
        "price": {"amount": "15.00", "currency": "EUR"},
        "prices": {"default": {"EUR": "19.99", "JPY": "3000"}, "b2b": {"EUR": "15.00"}},
    }


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [
        (0, "EUR", "0.00"),
        (1, "EUR", "0.01"),
        (5, "JPY", "5"),
        (1005, "KWD", "1.005"),
        (10**15, "EUR", f"1{'0' * 13}.00"),
    ],
)
def test_amounts_are_exact_in_every_currency(amount: int, currency: str, written: str) -> None:
    history = bag(price=None).happened(PriceChanged("default", Money(amount, currency)), settings(currency=currency))
    assert facet(history, "price")["price"] == {"amount": written, "currency": currency}


def test_a_price_that_was_removed_is_told_as_none_and_a_parents_price_holds_again() -> None:
    gone = PriceRemoved("default", "EUR")
    assert facet(bag().happened(gone), "price") == {"price": None, "prices": {}}
    history = bag("M", axes=("color",)).product("V1", parent="M", price=("default", "9.00", "EUR")).happened(gone)
    assert facet(history, "price", "V1") == PRICE


def test_price_lists_and_attributes_can_be_kept_from_an_endpoint() -> None:
    history = bag(attributes={"name": "Bag", "margin": "high"}).happened(PriceChanged("cost", Money(700, "EUR")))
    history.happened(settings(extra={"price_lists": ["default"], "attributes": ["name"], "unknown": 1}))
    assert facet(history, "price") == PRICE
    assert facet(history, "product") == product()


def test_stock_is_told_by_location_and_never_available_below_zero() -> None:
    history = bag(stock={"a": 5, "b": 2}).happened(StockAdjusted("c", -9))
    assert facet(history, "stock") == {"stock": {"available": 0, "locations": {"a": 5, "b": 2, "c": -9}}}
    history.happened(settings(locations=("b", "d")))
    assert facet(history, "stock") == {"stock": {"available": 2, "locations": {"b": 2, "d": 0}}}


def test_categories_are_told_with_their_path() -> None:
    history = bag(categories=("bags", "stray")).happened(
        CategoryDefined(code="all"), CategoryDefined(code="bags", parent="all")
    )
    assert facet(history, "product")["product"]["categories"] == [
        {"code": "bags", "path": ["all", "bags"]},
        {"code": "stray", "path": ["stray"]},
    ]


def test_media_of_other_languages_and_scopes_are_left_out_when_the_channel_has_its_own() -> None:
    history = bag().happened(
        MediaAdded(media_id="1", url="a.jpg"),
        MediaAdded(media_id="2", url="b.pdf", role="manual", locale="de-DE"),
        MediaAdded(media_id="3", url="c.jpg", channel="print"),
        MediaAdded(media_id="4", url="d.jpg"),
        MediaRemoved("4"),
    )
    assert [each["url"] for each in facet(history, "product")["product"]["media"]] == ["a.jpg", "b.pdf", "c.jpg"]
    history.happened(settings(locales=("nl-NL",), scope="ecommerce"))
    assert [each["url"] for each in facet(history, "product")["product"]["media"]] == ["a.jpg"]


@pytest.mark.parametrize("extra", [{"price_lists": "default"}, {"attributes": [1]}])
def test_settings_that_make_no_sense_hold_the_sku_and_say_which(extra: dict[str, Any]) -> None:
    rendered = check_pure(manifest, bag().happened(settings(extra=extra)))
    held = rendered["S1", "product"]
    assert isinstance(held, Held)
    assert list(rendered) == [("S1", "product")]
    assert f"$.{next(iter(extra))}" in held.reasons[0]


def test_a_change_of_one_facet_leaves_the_others_as_they_were() -> None:
    before = render(manifest, bag())
    for event, name in (
        (PriceChanged("default", Money(1, "EUR")), "price"),
        (StockCounted("main", 1), "stock"),
        (MediaAdded(media_id="1", url="a.jpg"), "product"),
    ):
        after = render(manifest, bag().happened(event))
        assert [at for at in before if before[at] != after[at]] == [("S1", name)]


def test_jackets_are_told_as_in_the_golden_file() -> None:
    history = History().happened(CategoryDefined(code="all"), CategoryDefined(code="coats", parent="all"))
    history.product(
        "amor",
        axes=("color",),
        family="clothing",
        attributes={"name@en-US": "Amor", "name@nl-NL": "Amor jas", "weight": Measure("500", "GRAM"), "brand": "zaro"},
        price=("default", "999.00", "EUR"),
        categories=("coats",),
        media=("https://cdn.example/amor.jpg",),
        listed=("webhook",),
    )
    history.product("amor-nvy", parent="amor", gtin="4006381333931", attributes={"color": "nvy"}, stock={"main": 3})
    history.product("amor-red", parent="amor", gtin="1234567890183", attributes={"color": "red", "name@en-US": "Red"})
    told_ = {f"{sku} {name}": payload for (sku, name), payload in check_pure(manifest, history).items()}
    assert told_ == msgspec.json.decode((GOLDEN / "jackets.json").read_bytes())
