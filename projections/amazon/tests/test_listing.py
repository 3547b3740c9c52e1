"""Given these events, then this listing on Amazon."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from daybook.channel.contract import Held
from daybook.channel.testing import History, given, render
from daybook.events import (
    AttributeDefined,
    AttributeOption,
    ChannelConfigured,
    MediaAdded,
    PriceRemoved,
    ProductDelisted,
    ProductDiscontinued,
    ProductReinstated,
    StockReceived,
)
from daybook.values import AMOUNT_MAX, Money
from projections.amazon import manifest
from projections.amazon.listing import MARKETPLACE_NL
from projections.amazon.mapping import cut, number, without_tags

GOLDEN = Path(__file__).parent / "golden"
COMPLETE: dict[str, Any] = {
    "attributes": {"name@nl-NL": "Koffer", "brand": "Acme"},
    "price": ("default", "79.95", "EUR"),
    "stock": {"main": 12},
    "listed": ("amazon",),
}


def suitcase() -> History:
    return History().product(
        "SUITCASE",
        family="luggage",
        gtin="8717418510749",
        attributes={
            "name@nl-NL": "Handbagagekoffer Basic",
            "description@nl-NL": "<p>Licht &amp; <b>sterk</b>.</p><p>Past in elk vliegtuig.</p>",
            "brand": "Acme",
        },
        price=("default", "79.95", "EUR"),
        stock={"main": 12},
        media=("files/local.jpg", "https://img.example/1.jpg", "https://img.example/2.jpg"),
        listed=("amazon",),
    )


def shirts() -> History:
    """A model in two colours, and in sizes below each colour."""
    colours = tuple(
        AttributeOption(code, {"nl-NL": label}) for code, label in (("navy", "Marineblauw"), ("red", "Rood"))
    )
    history = History().happened(
        AttributeDefined(code="color", type="select", options=colours),
        ChannelConfigured(
            name="amazon",
            locales=("nl-NL", "en-GB"),
            extra={"product_types": {"clothing": "SHIRT"}, "axes": {"maat": "size"}},
        ),
    )
    history.product(
        "SHIRT",
        family="clothing",
        axes=("color",),
        attributes={"name@nl-NL": "Overhemd", "name@en-GB": "Shirt", "description@en-GB": "Cotton", "brand": "Acme"},
        price=("default", "29.95", "EUR"),
        media=("https://img.example/shirt.jpg",),
        listed=("amazon",),
    )
    history.product("SHIRT-NAVY", parent="SHIRT", kind="model", axes=("maat",), attributes={"color": "navy"})
    history.product("SHIRT-RED", parent="SHIRT", kind="model", axes=("maat",), attributes={"color": "red"})
    history.product(
        "SHIRT-NAVY-M", parent="SHIRT-NAVY", attributes={"maat": "M"}, gtin="4006381333931", stock={"main": 3}
    )
    history.product(
        "SHIRT-RED-XL",
        parent="SHIRT-RED",
        attributes={"maat": "XL", "name@nl-NL": "Overhemd, rood, extra groot"},
        gtin="036000291452",
        price=("default", "34.95", "EUR"),
        media=("https://img.example/red.jpg",),
    )
    return history


@pytest.mark.parametrize(("name", "history"), [("suitcase", suitcase), ("shirts", shirts)])
def test_the_listing_is_the_golden_one(name: str, history: Any) -> None:
    golden = json.loads((GOLDEN / f"{name}.json").read_text())
    given(manifest, history()).then({tuple(key.split(" ")): payload for key, payload in golden.items()})


def attributes(history: History, sku: str) -> dict[str, Any]:
    payload = render(manifest, history)[sku, "product"]
    assert not isinstance(payload, Held), payload
    found: dict[str, Any] = payload["attributes"]
    return found


def test_a_title_that_is_missing_in_the_first_locale_comes_from_the_next_and_is_marked_so() -> None:
    history = History().happened(ChannelConfigured(name="amazon", locales=("nl-NL", "en-GB")))
    history.product("S1", **COMPLETE | {"attributes": {"name@en-GB": "Suitcase", "name@de-DE": "Koffer"}})
    assert attributes(history, "S1")["item_name"] == [
        {"value": "Suitcase", "language_tag": "en_GB", "marketplace_id": MARKETPLACE_NL}
    ]


def test_a_value_of_the_channels_scope_beats_the_plain_one() -> None:
    history = History().happened(ChannelConfigured(name="amazon", locales=("nl-NL",), scope="marketplaces"))
    texts = {"name@nl-NL": "Koffer", "name@nl-NL#marketplaces": "Koffer voor Amazon", "name@nl-NL#print": "Kofr"}
    history.product("S1", **COMPLETE | {"attributes": texts})
    assert attributes(history, "S1")["item_name"][0]["value"] == "Koffer voor Amazon"


def test_price_list_currency_locations_and_marketplace_come_from_the_channels_settings() -> None:
    history = History().happened(
        ChannelConfigured(
            name="amazon",
            locales=("de-DE",),
            currency="JPY",
            price_list="export",
            locations=("tokyo",),
            extra={"marketplace_id": "A1VC38T7YXB528", "product_type": "LUGGAGE", "title": "label"},
        )
    )
    history.product(
        "S1",
        attributes={"label@de-DE": "Koffer", "name@de-DE": "not this"},
        price=("export", "9800", "JPY"),
        stock={"main": 12, "tokyo": 4},
        listed=("amazon",),
    )
    history.happened(StockReceived("tokyo", 3))
    here = {"marketplace_id": "A1VC38T7YXB528"}
    given(manifest, history).then(
        {
            ("S1", "product"): {
                "productType": "LUGGAGE",
                "requirements": "LISTING",
                "attributes": {
                    "item_name": [{"value": "Koffer", "language_tag": "de_DE"} | here],
                    "condition_type": [{"value": "new_new"} | here],
                },
            },
            ("S1", "price"): {
                "purchasable_offer": [
                    {
                        "audience": "ALL",
                        "currency": "JPY",
                        "our_price": [{"schedule": [{"value_with_tax": 9800}]}],
                    }
                    | here
                ]
            },
            ("S1", "stock"): {"fulfillment_availability": [{"fulfillment_channel_code": "DEFAULT", "quantity": 7}]},
        }
    )


def test_a_product_without_title_or_price_is_held_with_every_reason() -> None:
    history = History().product("S1", gtin="8717418510749", listed=("amazon",), stock={"main": 1})
    given(manifest, history).then(
        {
            ("S1", "product"): Held(
                (
                    "no title: attribute 'name' has no value for nl-NL",
                    "no price in EUR in price list 'default'",
                )
            )
        }
    )


def test_a_missing_brand_and_a_missing_identifier_are_left_to_amazon_to_judge() -> None:
    history = History().product("S1", **COMPLETE | {"attributes": {"name": "Koffer"}})
    assert attributes(history, "S1").keys() == {"item_name", "condition_type"}


@pytest.mark.parametrize(
    ("gtin", "kind"),
    [
        ("8717418510749", "ean"),
        ("1234567890183", "ean"),
        ("96385074", "ean"),
        ("036000291452", "upc"),
        ("10614141000415", "gtin"),
        ("n/a", "gtin"),
    ],
)
def test_a_gtin_goes_out_as_given_and_its_length_tells_its_kind(gtin: str, kind: str) -> None:
    history = History().product("S1", **COMPLETE, gtin=gtin)
    assert attributes(history, "S1")["externally_assigned_product_identifier"] == [
        {"type": kind, "value": gtin, "marketplace_id": MARKETPLACE_NL}
    ]


def test_a_delisted_or_discontinued_product_is_not_on_amazon_and_a_reinstated_one_is_again() -> None:
    history = History().product("S1", **COMPLETE)
    shown = render(manifest, history)
    assert shown
    assert render(manifest, history.happened(ProductDelisted("amazon"), sku="S1")) == {}
    history = History().product("S1", **COMPLETE).happened(ProductDiscontinued())
    assert render(manifest, history) == {}
    assert render(manifest, history.happened(ProductReinstated())) == shown


def test_a_parent_is_listed_while_one_of_its_variants_is() -> None:
    history = shirts().happened(ProductDelisted("amazon"), sku="SHIRT-NAVY-M")
    assert {sku for sku, _ in render(manifest, history)} == {"SHIRT", "SHIRT-RED-XL"}
    assert render(manifest, history.happened(ProductDelisted("amazon"), sku="SHIRT-RED-XL")) == {}


def test_a_variant_that_is_held_leaves_its_siblings_alone() -> None:
    history = shirts().happened(PriceRemoved("default", "EUR"), sku="SHIRT")
    rendered = render(manifest, history)
    assert rendered["SHIRT-NAVY-M", "product"] == Held(("no price in EUR in price list 'default'",))
    assert isinstance(rendered["SHIRT", "product"], dict)
    assert ("SHIRT-RED-XL", "price") in rendered


def test_a_parent_without_a_title_or_brand_takes_those_of_its_first_variant() -> None:
    history = History().product("M", axes=("size",), listed=("amazon",))
    texts = {"name@nl-NL": "Overhemd M", "brand": "Acme", "size": "M"}
    history.product("M-1", parent="M", attributes=texts, price=("default", "29.95", "EUR"))
    found = attributes(history, "M")
    assert found["item_name"][0]["value"] == "Overhemd M"
    assert found["brand"][0]["value"] == "Acme"


def test_a_picture_that_amazon_cannot_fetch_or_read_is_left_out() -> None:
    history = History().product("S1", **COMPLETE, media=("/files/1.jpg", "ftp://img.example/2.jpg"))
    history.happened(
        MediaAdded(media_id="m1", url="https://img.example/de.jpg", locale="de-DE"),
        MediaAdded(media_id="m2", url="https://img.example/shop.jpg", channel="print"),
        MediaAdded(media_id="m3", url="https://img.example/manual.pdf", role="manual"),
    )
    assert "main_product_image_locator" not in attributes(history, "S1")


def test_a_long_title_ends_with_a_whole_word() -> None:
    history = History().product("S1", **COMPLETE | {"attributes": {"name": "koffer " * 40}})
    title = attributes(history, "S1")["item_name"][0]["value"]
    assert title == " ".join(["koffer"] * 28)
    assert len(title) <= 200


@pytest.mark.parametrize(
    ("text", "length_max", "left"),
    [
        ("een twee", 8, "een twee"),
        ("een twee", 7, "een"),
        ("een twee", 3, "een"),
        ("eentwee", 3, "een"),
        ("  een \n twee ", 20, "een twee"),
    ],
)
def test_a_text_is_cut_between_words(text: str, length_max: int, left: str) -> None:
    assert cut(text, length_max) == left


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("Koffer", "Koffer"),
        ("<p>Een</p><p>twee</p>", "Een twee"),
        ("a<b>b</b>c<br>d", "abc d"),
        ("R&amp;D &euro; 5", "R&D € 5"),
        ("breedte < 10 cm", "breedte < 10 cm"),
        ("<style>p{color:red}</style>x<script>alert(1)</script>", "x"),
        ("<p></p>", ""),
    ],
)
def test_a_description_loses_its_tags_and_keeps_its_words(html: str, text: str) -> None:
    assert without_tags(html) == text


@for_all(st.integers(0, AMOUNT_MAX), st.sampled_from(["EUR", "JPY", "KWD"]))
def test_an_amount_survives_as_a_json_number_to_the_last_digit(amount: int, currency: str) -> None:
    money = Money(amount, currency)
    assert Decimal(json.dumps(number(money))) == money.decimal()
