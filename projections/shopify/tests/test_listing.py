"""Given these events, Shopify should show these products."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from daybook.channel.contract import Held, Payload
from daybook.channel.testing import History, check_pure, given, render
from daybook.events import (
    AttributeChange,
    AttributeDefined,
    AttributeOption,
    AttributesChanged,
    CategoryDefined,
    ChannelConfigured,
    GtinAssigned,
    MediaAdded,
    MediaRemoved,
    PriceChanged,
    ProductDelisted,
    ProductDiscontinued,
    ProductListed,
    ProductReinstated,
    StockAdjusted,
)
from daybook.values import Money
from daybook_projections.shopify import manifest
from daybook_projections.shopify.texts import cut

GOLDEN = Path(__file__).parent / "golden"
EUR = ("default", "19.99", "EUR")
ALONE = [{"name": "Title", "position": 1, "values": [{"name": "Default Title"}]}]


def variant(sku: str, barcode: str = "", **options: str) -> Payload:
    chosen = options or {"Title": "Default Title"}
    return {
        "sku": sku,
        "barcode": barcode,
        "optionValues": [{"optionName": name, "name": value} for name, value in chosen.items()],
        "inventoryItem": {"tracked": True},
        "inventoryPolicy": "DENY",
    }


def product(*variants: Payload, options: Any = None, **fields: Any) -> Payload:
    plain: Payload = {
        "title": "Suitcase",
        "descriptionHtml": "",
        "vendor": "",
        "productType": "",
        "status": "ACTIVE",
        "productOptions": options or ALONE,
        "variants": list(variants),
    }
    return plain | fields


def price(amount: str) -> Payload:
    return {"price": amount}


def stock(pieces: int) -> Payload:
    return {"name": "available", "quantity": pieces}


def suitcase(sku: str = "S1", **given_: Any) -> History:
    complete: dict[str, Any] = {
        "gtin": "4015211100803",
        "attributes": {"name@en-US": "Suitcase"},
        "price": EUR,
        "stock": {"main": 5},
        "listed": ("shopify",),
    }
    return History().product(sku, **complete | given_)


def shirts() -> History:
    history = suitcase("M", axes=("color",), gtin=None, stock=None, attributes={"name": "Shirt", "brand": "Acme"})
    history.product("RED", parent="M", gtin="4006381333931", stock={"main": 2}, attributes={"color": "red"})
    return history.product("BLUE", parent="M", price=("default", "24.50", "EUR"), attributes={"color": "blue"})


def facet(history: History, name: str = "product", sku: str = "S1") -> Payload:
    payload = render(manifest, history)[sku, name]
    assert isinstance(payload, dict), payload
    return payload


def held(history: History, sku: str = "S1") -> tuple[str, ...]:
    rendered = check_pure(manifest, history)
    payload = rendered[sku, "product"]
    assert isinstance(payload, Held), payload
    assert [at for at in rendered if at[0] == sku] == [(sku, "product")]
    return payload.reasons


def colours(*names: str) -> list[Payload]:
    return [{"name": "Color", "position": 1, "values": [{"name": name} for name in names]}]


def test_a_listed_product_is_a_product_with_one_variant_a_price_and_a_stock() -> None:
    given(manifest, suitcase()).then(
        {
            ("S1", "product"): product(variant("S1", "4015211100803")),
            ("S1", "price"): price("19.99"),
            ("S1", "stock"): stock(5),
        }
    )


def test_a_product_that_is_not_listed_is_not_rendered() -> None:
    given(manifest, suitcase(listed=())).then({})
    given(manifest, suitcase(listed=("webshop",))).then({})


def test_delisting_and_discontinuing_take_everything_off_and_can_be_undone() -> None:
    given(manifest, suitcase().happened(ProductDelisted("shopify"))).then({})
    given(manifest, suitcase().happened(ProductDiscontinued())).then({})
    shown = render(manifest, suitcase())
    given(manifest, suitcase().happened(ProductDelisted("shopify"), ProductListed("shopify"))).then(shown)
    given(manifest, suitcase().happened(ProductDiscontinued(), ProductReinstated())).then(shown)


def test_the_root_holds_every_variant_in_order_and_each_variant_its_own_price_and_stock() -> None:
    red, blue = variant("RED", "4006381333931", Color="red"), variant("BLUE", Color="blue")
    given(manifest, shirts()).then(
        {
            ("M", "product"): product(red, blue, options=colours("red", "blue"), title="Shirt", vendor="Acme"),
            ("RED", "product"): {"_parent": "M"} | red,
            ("RED", "price"): price("19.99"),
            ("RED", "stock"): stock(2),
            ("BLUE", "product"): {"_parent": "M"} | blue,
            ("BLUE", "price"): price("24.50"),
            ("BLUE", "stock"): stock(0),
        }
    )


def test_a_price_or_a_stock_changes_only_its_own_facet() -> None:
    before = render(manifest, shirts())
    changed = shirts().happened(PriceChanged("default", Money(2100, "EUR")), StockAdjusted("main", 4), sku="RED")
    after = render(manifest, changed)
    assert {at for at in after if after[at] != before[at]} == {("RED", "price"), ("RED", "stock")}
    assert (after["RED", "price"], after["RED", "stock"]) == (price("21.00"), stock(6))


def test_a_price_of_the_model_changes_the_variants_that_have_none_of_their_own() -> None:
    changed = shirts().happened(PriceChanged("default", Money(900, "EUR")), sku="M")
    assert facet(changed, "price", "RED") == price("9.00")
    assert facet(changed, "price", "BLUE") == price("24.50")


def test_a_variant_that_is_taken_off_leaves_the_products_list_and_the_last_one_takes_it_along() -> None:
    one = shirts().happened(ProductDelisted("shopify"), sku="RED")
    assert facet(one, sku="M")["variants"] == [variant("BLUE", Color="blue")]
    assert facet(one, sku="M")["productOptions"] == colours("blue")
    assert not [at for at in render(manifest, one) if at[0] == "RED"]
    given(manifest, one.happened(ProductDelisted("shopify"), sku="BLUE")).then({})


def test_variants_of_models_under_models_have_the_options_of_all_of_them() -> None:
    history = suitcase("M", axes=("color",), gtin=None)
    history.product("RED", parent="M", kind="model", axes=("size",), attributes={"color": "red"})
    history.product("RED-L", parent="RED", attributes={"size": "L"})
    history.product("RED-M", parent="RED", attributes={"size": "M"})
    payload = facet(history, sku="M")
    assert [(each["name"], each["position"]) for each in payload["productOptions"]] == [("Color", 1), ("Size", 2)]
    assert payload["productOptions"][1]["values"] == [{"name": "L"}, {"name": "M"}]
    assert payload["variants"] == [variant("RED-L", Color="red", Size="L"), variant("RED-M", Color="red", Size="M")]
    assert facet(history, sku="RED-L")["_parent"] == "M"


def test_options_are_named_in_the_shops_language() -> None:
    history = History().happened(
        AttributeDefined(
            code="color",
            type="select",
            labels={"en-US": "Colour", "nl-NL": "Kleur"},
            options=(AttributeOption("red", {"en-US": " Fiery  red "}), AttributeOption("blue")),
        ),
    )
    history.product("M", axes=("color",), attributes={"name": "Shirt"}, price=EUR, listed=("shopify",))
    history.product("RED", parent="M", attributes={"color": "red"})
    history.product("BLUE", parent="M", attributes={"color": "blue"})
    payload = facet(history, sku="M")
    assert payload["productOptions"][0]["name"] == "Colour"
    assert payload["productOptions"][0]["values"] == [{"name": "Fiery red"}, {"name": "blue"}]


def test_options_with_one_name_go_by_their_codes() -> None:
    history = History().happened(
        AttributeDefined(code="frame", type="text", labels={"en-US": "Color"}),
        AttributeDefined(code="lens", type="text", labels={"en-US": "Color"}),
    )
    history.product("M", axes=("frame", "lens"), attributes={"name": "Glasses"}, price=EUR, listed=("shopify",))
    history.product("V", parent="M", attributes={"frame": "black", "lens": "green"})
    assert [option["name"] for option in facet(history, sku="M")["productOptions"]] == ["frame", "lens"]


def test_the_type_is_the_first_categorys_name() -> None:
    history = History().happened(CategoryDefined(code="bags", labels={"en-US": "Bags", "nl-NL": "Tassen"}))
    history.product("S1", attributes={"name": "Bag"}, price=EUR, categories=("bags", "other"), listed=("shopify",))
    assert facet(history)["productType"] == "Bags"
    assert facet(suitcase(categories=("unknown",)))["productType"] == "unknown"


@pytest.mark.parametrize(
    ("attributes", "title"),
    [
        ({"name": "plain", "name@en-US": "English", "name@nl-NL": "Dutch"}, "English"),
        ({"name": "plain", "name@nl-NL": "Dutch"}, "plain"),
        ({"name@en-US": "English", "name@en-US#ecommerce": "English for shops"}, "English for shops"),
        ({"name": "x" * 300}, "x" * 255),
        ({"name": "word " * 60}, ("word " * 51).strip()),
    ],
)
def test_the_title_is_the_first_that_the_settings_name(attributes: dict[str, str], title: str) -> None:
    assert facet(suitcase(attributes=attributes))["title"] == title


def test_locales_price_list_locations_currency_and_attributes_follow_the_settings() -> None:
    settings = ChannelConfigured(
        name="shopify",
        locales=("nl-BE", "nl-NL"),
        currency="JPY",
        price_list="web",
        locations=("ghent",),
        extra={"title": "label", "handle": "slug", "brand": "maker"},
    )
    texts = {"label@nl-NL": "Koffer", "label@en-US": "Case", "slug": "koffer", "maker": "Acme"}
    history = suitcase(attributes=texts, price=("web", "1999", "JPY"), stock={"ghent": 3, "main": 9})
    shown = render(manifest, history.happened(settings))
    assert shown["S1", "product"] == product(
        variant("S1", "4015211100803"), title="Koffer", vendor="Acme", handle="koffer"
    )
    assert (shown["S1", "price"], shown["S1", "stock"]) == (price("1999"), stock(3))


def test_settings_that_make_no_sense_hold_every_sku_with_the_reason() -> None:
    history = shirts().happened(ChannelConfigured(name="shopify", extra={"title": 5}))
    for sku in ("M", "RED", "BLUE"):
        assert "settings are wrong: Expected `str`, got `int` - at `$.title`" in held(history, sku)[0]


def test_pictures_are_those_that_can_be_fetched_the_products_before_its_variants() -> None:
    history = shirts().happened(
        MediaAdded(media_id="1", url="https://example.com/blue.jpg"),
        MediaAdded(media_id="2", url="https://example.com/manual.pdf"),
        MediaAdded(media_id="3", url="files/back side.png"),
        MediaAdded(media_id="4", url="https://example.com/notice.jpg", role="notice"),
        sku="BLUE",
    )
    history.happened(MediaAdded(media_id="5", url="https://example.com/shirt.jpg"), sku="M")
    assert [file["originalSource"] for file in facet(history, sku="M")["files"]] == [
        "https://example.com/shirt.jpg",
        "https://example.com/blue.jpg",
        "https://example.com/notice.jpg",
    ]
    based = history.happened(ChannelConfigured(name="shopify", extra={"media_base_url": "https://cdn.test/"}))
    assert facet(based, sku="M")["files"][2] == {
        "originalSource": "https://cdn.test/files/back%20side.png",
        "alt": "Shirt",
        "contentType": "IMAGE",
    }


def test_a_product_without_pictures_leaves_the_shops_own_alone() -> None:
    history = suitcase(media=("https://example.com/1.jpg",)).happened(MediaRemoved("S1-1"))
    assert "files" not in facet(history)


def test_a_wrong_gtin_and_a_removed_one_are_sent_empty() -> None:
    assert facet(suitcase(gtin="1234567890183"))["variants"][0]["barcode"] == ""
    assert facet(suitcase().happened(GtinAssigned(None, None)))["variants"][0]["barcode"] == ""


def test_what_lacks_an_essential_is_held_with_every_reason() -> None:
    assert held(suitcase(attributes={}, price=None)) == (
        "S1 has no name in en-US",
        "S1 has no EUR price in the price list default",
    )


def test_a_variant_that_lacks_an_essential_is_held_and_its_siblings_are_shown() -> None:
    history = shirts().product("PALE", parent="M")
    assert held(history, "PALE") == ("PALE has no color, in which the variants differ",)
    assert [each["sku"] for each in facet(history, sku="M")["variants"]] == ["RED", "BLUE"]


def test_of_two_variants_with_the_same_options_the_later_one_is_held() -> None:
    history = shirts().product("RED-2", parent="M", attributes={"color": "red"})
    assert held(history, "RED-2") == ("RED-2 has the same color as RED",)
    history.happened(AttributesChanged((AttributeChange(attribute="color", value="dark red"),)), sku="RED-2")
    assert [each["sku"] for each in facet(history, sku="M")["variants"]] == ["RED", "BLUE", "RED-2"]


def test_more_options_than_shopify_takes_hold_the_product_and_its_variants() -> None:
    axes = ("color", "size", "fit", "length")
    history = suitcase("M", axes=axes, gtin=None)
    history.product("V", parent="M", attributes=dict.fromkeys(axes, "x"))
    reason = "its variants differ in 4 attributes (color, size, fit, length); Shopify takes 3"
    assert held(history, "M") == (reason,)
    assert held(history, "V") == (f"its product can't be shown: {reason}",)


def test_a_product_of_which_no_variant_can_be_shown_is_held() -> None:
    history = suitcase("M", axes=("color",), gtin=None, price=None).product("V", parent="M")
    assert held(history, "M") == ("none of its 1 listed variants can be shown",)
    assert "V has no EUR price in the price list default" in held(history, "V")


def test_variants_of_a_model_without_axes_are_held() -> None:
    history = suitcase("M", kind="model", gtin=None).product("V", parent="M")
    assert held(history, "V")[0] == "no parent of V names an attribute in which its variants differ (axes)"


def test_a_model_without_a_title_takes_that_of_its_first_variant() -> None:
    history = suitcase("M", axes=("color",), gtin=None, attributes={})
    history.product("RED", parent="M", attributes={"color": "red", "name": "Red shirt"})
    assert facet(history, sku="M")["title"] == "Red shirt"


def test_the_whole_group_as_it_was_agreed() -> None:
    history = History().happened(
        CategoryDefined(code="clothing", labels={"en-US": "Clothing"}),
        AttributeDefined(code="size", type="text", labels={"en-US": "Size"}),
    )
    history.product(
        "SHIRT",
        axes=("color", "size"),
        attributes={"name@en-US": "Shirt", "description@en-US": "<p>Cotton &amp; linen</p>", "brand": "Acme"},
        price=EUR,
        categories=("clothing",),
        media=("https://example.com/shirt.jpg",),
        listed=("shopify",),
    )
    for sku, colour, size, gtin, pieces in (
        ("SHIRT-RED-L", "red", "L", "8717418510749", 3),
        ("SHIRT-RED-M", "red", "M", "6291041500213", 0),
        ("SHIRT-BLUE-L", "blue", "L", "4006381333931", 12),
    ):
        history.product(
            sku, parent="SHIRT", gtin=gtin, stock={"main": pieces}, attributes={"color": colour, "size": size}
        )
    rendered = {f"{sku} {name}": payload for (sku, name), payload in check_pure(manifest, history).items()}
    assert rendered == msgspec.json.decode((GOLDEN / "shirts.json").read_bytes())


def test_texts_are_cut_at_words_where_there_are_any() -> None:
    assert cut("one two three", 13) == "one two three"
    assert cut("one two three", 12) == "one two"
    assert cut("onetwothree", 5) == "onetw"
