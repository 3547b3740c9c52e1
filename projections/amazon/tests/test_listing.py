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
from daybook_projections.amazon import manifest
from daybook_projections.amazon.listing import MARKETPLACE_NL
from daybook_projections.amazon.mapping import cut, number
from daybook_projections.amazon.tests.histories import shirts, suitcase

GOLDEN = Path(__file__).parent / "golden"
COMPLETE: dict[str, Any] = {
    "attributes": {"name@nl-NL": "Koffer", "brand": "Acme"},
    "price": ("default", "79.95", "EUR"),
    "stock": {"main": 12},
    "listed": ("amazon",),
}


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
        ("96385074", "ean"),
        ("036000291452", "upc"),
        ("10614141000415", "gtin"),
    ],
)
def test_a_gtin_goes_out_as_given_and_its_length_tells_its_kind(gtin: str, kind: str) -> None:
    history = History().product("S1", **COMPLETE, gtin=gtin)
    assert attributes(history, "S1")["externally_assigned_product_identifier"] == [
        {"type": kind, "value": gtin, "marketplace_id": MARKETPLACE_NL}
    ]


@pytest.mark.parametrize("gtin", ["1234567890183", "000", "0000000000000", "9999999999999", "-", "n/a", "8.71742E+12"])
def test_what_the_book_flags_is_not_sent_as_a_gtin(gtin: str) -> None:
    history = History().product("S1", **COMPLETE, gtin=gtin)
    assert "externally_assigned_product_identifier" not in attributes(history, "S1")


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


def pictures(history: History, sku: str = "S1") -> list[str]:
    found = attributes(history, sku)
    names = ["main_product_image_locator", *(f"other_product_image_locator_{number}" for number in range(1, 10))]
    assert {name for name in found if "image" in name} <= {*names}
    return [found[name][0]["media_location"] for name in names if name in found]


def shown(*media: MediaAdded, extra: dict[str, Any] | None = None) -> History:
    settings = ChannelConfigured(name="amazon", locales=("nl-NL",), extra=extra or {})
    return History().happened(settings).product("S1", **COMPLETE).happened(*media)


def media(url: str, **fields: Any) -> MediaAdded:
    return MediaAdded(media_id=url, url=url, **fields)


def test_pictures_are_sent_whatever_attribute_they_fill_and_the_first_is_the_main_one() -> None:
    urls = [f"https://img.example/{number}.jpg" for number in range(11)]
    roles = ["main_image", "variation_image", *["picture"] * 9]
    assert pictures(shown(*(media(url, role=role) for url, role in zip(urls, roles, strict=True)))) == urls[:9]


def test_what_is_no_picture_or_not_for_this_channel_is_not_offered_as_one() -> None:
    for other in (
        media("https://img.example/manual.pdf", role="manual"),
        media("https://img.example/de.jpg", locale="de-DE"),
        media("https://img.example/print.jpg", channel="print"),
    ):
        assert pictures(shown(other)) == []


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("files/1/image/bag.jpg", "files/1/image/bag.jpg is no address on the web"),
        ("ftp://img.example/2.jpg", "ftp://img.example/2.jpg is no address on the web"),
        ("https://img.example/1.webp", "https://img.example/1.webp is no JPEG, PNG, TIFF or GIF"),
    ],
)
def test_a_product_none_of_whose_pictures_amazon_can_get_is_held(url: str, reason: str) -> None:
    held = render(manifest, shown(media(url, role="main_image")))["S1", "product"]
    assert isinstance(held, Held)
    assert reason in held.reasons[0]
    assert pictures(shown(media(url, role="main_image"), media("https://img.example/a.png"))) == [
        "https://img.example/a.png"
    ]


def test_relative_pictures_are_sent_from_where_the_settings_say_that_they_lie() -> None:
    history = shown(media("files/a b.jpg"), extra={"media_base_url": "https://cdn.example/x/"})
    assert pictures(history) == ["https://cdn.example/x/files/a%20b.jpg"]


@pytest.mark.parametrize(
    ("locale", "tag"),
    [("nl-BE", "nl_BE"), ("zh-CN", "zh_CN"), ("zh-Hans-CN", "zh_CN"), ("zh-Hant-TW", "zh_TW"), ("ja-JP", "ja_JP")],
)
def test_a_locale_is_told_by_language_and_region(locale: str, tag: str) -> None:
    history = History().happened(ChannelConfigured(name="amazon", locales=(locale,)))
    history.product("S1", **COMPLETE | {"attributes": {f"name@{locale}": "x", "brand": "Acme"}})
    found = attributes(history, "S1")
    assert (found["item_name"][0]["language_tag"], found["brand"][0]["language_tag"]) == (tag, tag)


@pytest.mark.parametrize("locale", ["sr-Latn-RS", "sr-Latn", "zh-Hans-TW", "zh-Hans", "nl", "es-419", "haw-US"])
@pytest.mark.parametrize("attribute", ["name", "description", "brand"])
def test_a_text_in_a_locale_that_amazon_has_no_tag_for_is_held(locale: str, attribute: str) -> None:
    history = History().happened(ChannelConfigured(name="amazon", locales=("nl-NL", locale)))
    texts = {"name@nl-NL": "Koffer"} if attribute != "name" else {}
    history.product("S1", **COMPLETE | {"attributes": texts | {f"{attribute}@{locale}": "x"}})
    reason = f"a text in {locale}, which Amazon has no tag for: it names a language and a region, such as nl-NL"
    given(manifest, history).then({("S1", "product"): Held((reason,))})


def test_a_sku_that_is_too_long_for_amazon_is_held_and_so_are_the_variants_below_it() -> None:
    fits, long, longer = "S" * 40, "M" * 41, "M" * 50
    history = History().product(fits, **COMPLETE).product(longer, **COMPLETE)
    history.product(long, axes=("size",), **{**COMPLETE, "stock": {}}).product(
        "V", parent=long, attributes={"size": "M"}
    )
    rendered = render(manifest, history)
    assert isinstance(rendered[fits, "product"], dict)
    assert rendered[longer, "product"] == Held((f"its SKU {longer} has 50 characters; Amazon takes at most 40",))
    assert rendered["V", "product"] == Held((f"its parent's SKU {long} has 41 characters; Amazon takes at most 40",))
    assert (long, "product") not in rendered


def test_variants_that_offer_the_same_choice_are_held_with_each_others_names() -> None:
    colours = tuple(AttributeOption(code, {"nl-NL": label}) for code, label in (("red", "Rood"), ("red_2", "ROOD")))
    history = History().happened(AttributeDefined(code="color", type="select", options=colours))
    history.product("M", axes=("color",), **{**COMPLETE, "stock": {}})
    for sku, colour in (("A", "red"), ("B", "red_2"), ("C", "blue")):
        history.product(sku, parent="M", attributes={"color": colour})
    rendered = render(manifest, history)
    assert rendered["A", "product"] == Held(("the same color as B: buyers could not choose",))
    assert rendered["B", "product"] == Held(("the same color as A: buyers could not choose",))
    assert isinstance(rendered["C", "product"], dict)
    history.happened(ProductDelisted("amazon"), sku="C")
    assert {sku for sku, _ in render(manifest, history)} == {"A", "B"}, "a parent without children is not listed"


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
    ("description", "sent"),
    [
        ("<p>Een</p><p>t<b>w</b>ee</p>", "Een twee"),
        ("R&amp;D, breedte < 10 cm", "R&D, breedte < 10 cm"),
        ("Fits <M and >S. Lasts 6 months.", "Fits <M and >S. Lasts 6 months."),
        ("Particles <PM2.5 are held back.", "Particles <PM2.5 are held back."),
    ],
)
def test_a_description_loses_its_tags_and_keeps_its_words(description: str, sent: str) -> None:
    history = History().product("S1", **COMPLETE | {"attributes": {"name": "x", "description": description}})
    assert attributes(history, "S1")["product_description"][0]["value"] == sent


def test_a_description_of_nothing_but_tags_is_none() -> None:
    history = History().product("S1", **COMPLETE | {"attributes": {"name": "x", "description": "<p></p>"}})
    assert "product_description" not in attributes(history, "S1")


@for_all(st.integers(0, AMOUNT_MAX), st.sampled_from(["EUR", "JPY", "KWD"]))
def test_an_amount_survives_as_a_json_number_to_the_last_digit(amount: int, currency: str) -> None:
    money = Money(amount, currency)
    assert Decimal(json.dumps(number(money))) == money.decimal()
