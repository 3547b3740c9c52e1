"""Given these events, Google should show these products."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from daybook.channel.contract import Held, Payload
from daybook.channel.testing import History, check_pure, given, render
from daybook.events import (
    AttributeDefined,
    AttributeOption,
    CategoryDefined,
    ChannelConfigured,
    GtinAssigned,
    MediaAdded,
    MediaRemoved,
    PriceChanged,
    PriceRemoved,
    ProductDelisted,
    ProductDiscontinued,
    ProductListed,
    ProductReinstated,
    StockAdjusted,
    StockReceived,
)
from daybook.values import Money
from daybook_projections.google import manifest
from daybook_projections.google.mapping import cut, price

GOLDEN = Path(__file__).parent / "golden"
GTIN = "4015211100803"
PICTURE = "https://img.example.com/s1.jpg"
SHOP = replace(manifest.defaults, extra={"product_url": "https://shop.example.com/p/{sku}"})


def shop(extra: dict[str, Any] | None = None, **fields: Any) -> ChannelConfigured:
    return replace(SHOP, extra=SHOP.extra | (extra or {}), **fields)


def suitcase(sku: str = "S1", settings: ChannelConfigured = SHOP, **changed: Any) -> History:
    complete: dict[str, Any] = {
        "gtin": GTIN,
        "attributes": {"name@nl-NL": "Koffer", "description@nl-NL": "Een koffer.", "brand": "Acme"},
        "price": ("default", "19.99", "EUR"),
        "stock": {"main": 5},
        "media": (PICTURE,),
        "listed": ("google",),
    }
    return History().happened(settings).product(sku, **complete | changed)


def product(sku: str = "S1", **attributes: Any) -> Payload:
    """What `suitcase` gives; an attribute of None is not there."""
    usual: Payload = {
        "title": "Koffer",
        "description": "Een koffer.",
        "link": f"https://shop.example.com/p/{sku}",
        "imageLink": PICTURE,
        "availability": "IN_STOCK",
        "condition": "NEW",
        "price": {"amountMicros": "19990000", "currencyCode": "EUR"},
        "brand": "Acme",
        "gtins": [GTIN],
    }
    found = {name: value for name, value in (usual | attributes).items() if value is not None}
    return {"offerId": sku, "contentLanguage": "nl", "feedLabel": "NL", "productAttributes": found}


def attributes(history: History, sku: str = "S1") -> Payload:
    payload = check_pure(manifest, history)[sku, "product"]
    assert isinstance(payload, dict), payload
    found: Payload = payload["productAttributes"]
    return found


def held(history: History, sku: str = "S1") -> tuple[str, ...]:
    payload = check_pure(manifest, history)[sku, "product"]
    assert isinstance(payload, Held), payload
    return payload.reasons


def test_a_listed_product_is_one_product_input_without_a_version() -> None:
    given(manifest, suitcase()).then({("S1", "product"): product()})


def test_what_is_not_listed_delisted_or_discontinued_is_not_rendered_and_comes_back() -> None:
    given(manifest, suitcase(listed=("bol",))).then({})
    given(manifest, suitcase().happened(ProductDelisted("google"))).then({})
    given(manifest, suitcase().happened(ProductDiscontinued())).then({})
    given(manifest, suitcase().happened(ProductDelisted("google"), ProductListed("google"))).then(
        {("S1", "product"): product()}
    )
    given(manifest, suitcase().happened(ProductDiscontinued(), ProductReinstated())).then(
        {("S1", "product"): product()}
    )


def test_a_change_that_nobody_sees_changes_no_payload() -> None:
    before = render(manifest, suitcase())
    given(manifest, suitcase().happened(StockReceived("main", 3))).then(before)


def test_variants_inherit_all_but_gtin_mpn_and_stock_and_are_joined_by_their_group() -> None:
    history = suitcase("M", axes=("color",), stock={"main": 9}, gtin=None, attributes={
        "name@nl-NL": "Koffer", "description@nl-NL": "Een koffer.", "brand": "Acme", "mpn": "M-1",
    })  # fmt: skip
    history.product("RED", parent="M", gtin="4006381333931", stock={"main": 2}, attributes={"color": "rood"})
    history.product("BLUE", parent="M", price=("default", "24.50", "EUR"), attributes={"color": "blauw", "mpn": "B-1"})
    history.product("GREEN", parent="M", gtin="8717418510749").happened(ProductDelisted("google"))
    dear = {"amountMicros": "24500000", "currencyCode": "EUR"}
    given(manifest, history).then(
        {
            ("RED", "product"): product("RED", gtins=["4006381333931"], itemGroupId="M", color="rood"),
            ("BLUE", "product"): product(
                "BLUE", gtins=None, mpn="B-1", itemGroupId="M", color="blauw", price=dear, availability="OUT_OF_STOCK"
            ),
        }
    )


@pytest.mark.parametrize(
    ("texts", "title"),
    [
        ({"name": "plain", "name@en-GB": "English", "name@nl-NL": "Dutch"}, "Dutch"),
        ({"name": "plain", "name@en-GB": "English"}, "English"),
        ({"name": "plain", "name@de-DE": "Deutsch"}, "plain"),
        ({"name@nl-NL": "Dutch", "name@nl-NL#ecommerce": "scoped", "name@nl-NL#print": "print"}, "scoped"),
    ],
)
def test_the_title_is_the_first_locale_that_has_one(texts: dict[str, str], title: str) -> None:
    assert attributes(suitcase(attributes={"description": "d"} | texts))["title"] == title


def test_the_first_locale_is_the_feed() -> None:
    for locales, extra, feed in (
        (("nl-BE", "nl-NL"), {}, ("nl", "BE")),
        (("en-US",), {}, ("en", "US")),
        (("nl-NL",), {"feed_label": "BENELUX_1"}, ("nl", "BENELUX_1")),
        (("de",), {"feed_label": "DE"}, ("de", "DE")),
        (("zh-CN",), {}, ("zh", "CN")),
        (("zh-Hans-CN",), {}, ("zh", "CN")),
        (("es-419",), {"feed_label": "MX"}, ("es", "MX")),
    ):
        history = suitcase(settings=shop(extra, locales=locales), attributes={"name": "n", "description": "d"})
        payload = render(manifest, history)["S1", "product"]
        assert isinstance(payload, dict)
        assert (payload["contentLanguage"], payload["feedLabel"]) == feed


@pytest.mark.parametrize(
    ("minor", "currency", "micros"),
    [
        (1999, "EUR", "19990000"),
        (0, "EUR", "0"),
        (1, "EUR", "10000"),
        (10**15, "EUR", "10000000000000000000"),
        (1980, "JPY", "1980000000"),
        (12345, "KWD", "12345000"),
    ],
)
def test_a_price_is_exact_in_millionths(minor: int, currency: str, micros: str) -> None:
    assert price(Money(minor, currency)) == {"amountMicros": micros, "currencyCode": currency}


def test_only_the_channels_locations_price_list_and_currency_count() -> None:
    settings = shop(locations=("nl-1",), price_list="ads", currency="GBP")
    history = suitcase(settings=settings, stock={"de-1": 50}, price=("ads", "15.00", "GBP"))
    history.happened(PriceChanged("default", Money(9900, "GBP")))
    assert attributes(history)["availability"] == "OUT_OF_STOCK"
    assert attributes(history)["price"] == {"amountMicros": "15000000", "currencyCode": "GBP"}
    assert attributes(history.happened(StockReceived("nl-1", 1)))["availability"] == "IN_STOCK"


@pytest.mark.parametrize(("pieces", "shown"), [(1, "IN_STOCK"), (0, "OUT_OF_STOCK"), (-3, "OUT_OF_STOCK")])
def test_stock_is_told_as_availability(pieces: int, shown: str) -> None:
    assert attributes(suitcase(stock={}).happened(StockAdjusted("main", pieces)))["availability"] == shown


def test_texts_are_cut_between_words() -> None:
    long = {"name@nl-NL": "koffer " * 40, "description@nl-NL": "woord " * 1000, "brand": "merk " * 20}
    found = attributes(suitcase(attributes=long))
    assert found["title"] == ("koffer " * 21).rstrip() and len(found["title"]) <= 150
    assert found["description"] == ("woord " * 833).rstrip() and len(found["description"]) <= 5000
    assert found["brand"] == ("merk " * 14).rstrip() and len(found["brand"]) <= 70
    assert cut("x" * 151, 150) == "x" * 150
    assert cut("abc def", 3) == "abc"


@pytest.mark.parametrize("gtin", ["036000291452", "96385074", "8717418510749", "14006381333938"])
def test_a_valid_gtin_is_told_as_it_is(gtin: str) -> None:
    found = attributes(suitcase(gtin=gtin))
    assert found["gtins"] == [gtin]
    assert "identifierExists" not in found


@pytest.mark.parametrize(
    "gtin",
    [
        *("1234567890183", "8.71742E+12", "2000000000015", "0212345678909", "9812345678902", "02345673"),
        *("000", "-", "00000000", "0000000000000", "9999999999999"),
    ],
)
def test_a_wrong_or_in_store_gtin_is_left_out_and_said_not_to_exist(gtin: str) -> None:
    found = attributes(suitcase(gtin=gtin))
    assert "gtins" not in found
    assert found["identifierExists"] is False


def test_a_part_number_is_an_identifier_too() -> None:
    history = suitcase(gtin=None, attributes={"name": "n", "description": "d", "mpn": "AC-1"})
    assert attributes(history)["mpn"] == "AC-1"
    assert "identifierExists" not in attributes(history)
    assert attributes(suitcase().happened(GtinAssigned(None)))["identifierExists"] is False


def test_axes_are_told_in_googles_names_by_the_labels_of_their_options() -> None:
    red = AttributeOption("red", {"nl-NL": "rood"})
    blue = AttributeOption("blue", {"en-GB": "blue", "de-DE": "blau"})
    settings = shop({"axes": {"kleur": "color", "shoe_size": "size"}})
    texts = {"name": "n", "description": "d", "kleur": ["red", "blue", "mauve"], "shoe_size": "42", "pattern": "dots"}
    history = suitcase(settings=settings, attributes=texts)
    history.happened(AttributeDefined(code="kleur", type="multiselect", options=(red, blue)))
    found = attributes(history)
    assert (found["color"], found["size"]) == ("rood/blue/mauve", "42")
    assert "pattern" not in found


def test_categories_are_paths_of_labels_and_googles_own_come_from_the_settings() -> None:
    settings = shop({"google_categories": {"sport": "499713", "shoes": "187"}})
    history = suitcase(settings=settings, categories=("trail", "unknown", "gifts")).happened(
        CategoryDefined(code="sport", labels={"nl-NL": "Sport"}),
        CategoryDefined(code="shoes", parent="sport", labels={"nl-NL": "Schoenen", "en-GB": "Shoes"}),
        CategoryDefined(code="trail", parent="shoes", labels={"en-GB": "Trail"}),
        CategoryDefined(code="gifts"),
    )
    found = attributes(history)
    assert found["productTypes"] == ["Sport > Schoenen > Trail", "gifts"]
    assert found["googleProductCategory"] == "187"


def test_the_link_is_made_from_the_template() -> None:
    url = "https://shop.example.com/{language}/{group}?v={sku}&x={y}"
    history = suitcase("M:1", axes=("color",), settings=shop({"product_url": url}), gtin=None)
    history.product("A+1", parent="M:1")
    assert attributes(history, "A+1")["link"] == "https://shop.example.com/nl/M%3A1?v=A%2B1&x={y}"


def test_pictures_are_absolute_the_first_is_the_main_one_and_ten_more_go_along() -> None:
    many = tuple(f"https://img.example.com/{n}.jpg" for n in range(13))
    found = attributes(suitcase(media=("https://img.example.com/manual.pdf", "ftp://img.example.com/x.jpg", *many)))
    assert found["imageLink"] == many[0]
    assert found["additionalImageLinks"] == list(many[1:11])
    based = suitcase(settings=shop({"media_base_url": "https://cdn.example.com/"}), media=("/a b/1.jpg",))
    assert attributes(based)["imageLink"] == "https://cdn.example.com/a%20b/1.jpg"
    german = MediaAdded(media_id="de", url="https://img.example.com/de.jpg", locale="de-DE")
    assert "additionalImageLinks" not in attributes(suitcase().happened(german))


def test_what_google_needs_and_is_not_there_holds_it_with_every_reason() -> None:
    title, description = "it has no name in nl-NL, en-GB", "it has no description in nl-NL, en-GB"
    price = "it has no price in EUR in the price list 'default'"
    link = "it has no page to link to: set product_url in the google channel's extra settings"
    picture = "it has no picture"
    assert held(History().product("S1", listed=("google",))) == (title, description, price, link, picture)
    assert held(suitcase(settings=manifest.defaults)) == (link,)
    assert held(suitcase().happened(PriceRemoved("default", "EUR"))) == (price,)
    assert held(suitcase(price=("default", "19.99", "USD"))) == (price,)
    assert held(suitcase().happened(MediaRemoved("S1-1"))) == (picture,)
    assert held(suitcase(media=("manual.pdf",))) == (picture,)
    where = "relative.jpg is no address on the web (set media_base_url)"
    assert held(suitcase(media=("relative.jpg",))) == (f"it has no picture that Google can fetch: {where}",)
    other = "https://img.example.com/1.svg is in another format"
    assert held(suitcase(media=("https://img.example.com/1.svg",))) == (
        f"it has no picture that Google takes: {other}",
    )
    assert held(suitcase(attributes={"name": "n", "description": " "})) == (description,)
    sku = "S" * 51
    assert held(suitcase(sku), sku) == ("its SKU has 51 characters; Google's ids have at most 50",)
    spaces = "its SKU has spaces at an end or next to each other, and Google takes them out"
    assert held(suitcase("S  1"), "S  1") == (spaces,)


def test_words_behind_a_less_than_reach_google() -> None:
    texts = {"name": "Filter <M", "description": "Fits <M and >S. Lasts 6 months."}
    found = attributes(suitcase(attributes=texts))
    assert (found["title"], found["description"]) == (texts["name"], texts["description"])


def test_pictures_are_told_whatever_attribute_they_fill() -> None:
    url = "https://img.example.com/p.jpg"
    history = suitcase(media=()).happened(MediaAdded(media_id="p", url=url, role="packshot"))
    assert attributes(history)["imageLink"] == url


def test_a_group_with_a_long_sku_is_not_told_rather_than_cut() -> None:
    history = suitcase("M" * 51, axes=("color",), gtin=None).product("V", parent="M" * 51, gtin=GTIN)
    assert "itemGroupId" not in attributes(history, "V")


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        (shop({"product_url": "/p/{sku}"}), "product_url"),
        (shop({"product_url": "https://shop.example.com/p"}), "product_url"),
        (shop({"media_base_url": "cdn"}), "media_base_url"),
        (shop({"axes": {"color": "colour"}}), "$.axes"),
        (shop({"google_categories": ["1"]}), "$.google_categories"),
        (shop({"feed_label": "nl"}), "feed_label"),
        (shop(locales=("nl",)), "feed_label"),
        (shop(locales=("fil-PH",)), "fil-PH"),
        (shop(locales=("sr-Latn-RS",)), "sr-Latn-RS"),
        (shop(locales=("sr-Latn",)), "sr-Latn"),
        (shop(locales=("es-419",)), "feed_label"),
        (shop(locales=()), "locales"),
    ],
)
def test_settings_that_make_no_sense_hold_the_sku_and_say_which(settings: ChannelConfigured, named: str) -> None:
    (reason,) = held(suitcase(settings=settings))
    assert reason.startswith("the google channel's settings are wrong: ")
    assert named in reason


def test_the_payloads_are_the_golden_ones() -> None:
    history = suitcase("TROLLEY-M", axes=("color",), gtin=None, categories=("bags",))
    history.happened(CategoryDefined(code="bags", labels={"nl-NL": "Tassen"}))
    history.product("TROLLEY-RED", parent="TROLLEY-M", gtin="4006381333931", stock={"main": 1}, media=("https://img.example.com/red.jpg",),
                    attributes={"color": "rood"})  # fmt: skip
    rendered = {" ".join(at): payload for at, payload in check_pure(manifest, history).items()}
    assert rendered == msgspec.json.decode((GOLDEN / "product.json").read_bytes())
