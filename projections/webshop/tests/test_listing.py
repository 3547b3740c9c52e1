"""Given what happened to a product group, this is what the shop should show."""

import json
from pathlib import Path

import msgspec
import pytest

from daybook.channel.contract import Held
from daybook.channel.testing import History, given, render
from daybook.events import (
    AttributeChange,
    AttributeDefined,
    AttributeOption,
    AttributesChanged,
    ChannelConfigured,
    GtinAssigned,
    MediaAdded,
    PriceRemoved,
    ProductDelisted,
    ProductDiscontinued,
)
from daybook_projections.webshop import manifest

GOLDEN = Path(__file__).parent / "golden"
SHOP = ("webshop",)
PRICE = ("default", "19.99", "EUR")


def settings(**given: object) -> ChannelConfigured:
    return msgspec.structs.replace(manifest.defaults, **given)


def bag(**given: object) -> History:
    facts: dict[str, object] = {"attributes": {"name": "Bag"}, "price": PRICE, "stock": {"main": 5}, "listed": SHOP}
    return History().product("BAG", **(facts | given))  # type: ignore[arg-type]


def jackets() -> History:
    """A model with colours, a sub model for each colour, and sizes under it."""
    history = History().happened(
        AttributeDefined(
            code="color",
            type="select",
            labels={"en-US": "Colour"},
            options=(
                AttributeOption(code="nvy", labels={"en-US": "Navy"}),
                AttributeOption(code="red", labels={"en-US": "Red"}),
            ),
        )
    )
    history.product(
        "amor",
        axes=("color",),
        attributes={"name@en-US": "Amor", "description@en-US#ecommerce": "A heritage jacket.", "brand": "zaro"},
        price=("default", "999.00", "EUR"),
        media=("https://cdn.example/amor.jpg",),
        listed=SHOP,
    )
    for color in ("nvy", "red"):
        model = f"amor-{color}"
        history.product(
            model,
            parent="amor",
            kind="model",
            axes=("size",),
            attributes={"color": color},
            media=(f"https://cdn.example/{model}.jpg",),
        )
        for size in ("M", "L"):
            history.product(
                f"{model}-{size}", parent=model, attributes={"size": size}, stock={"main": 3 if size == "M" else 0}
            )
    return history


def test_a_simple_product_is_shown_with_exact_price_and_stock() -> None:
    given(
        manifest,
        bag(
            gtin="4006381333931",
            attributes={"name@en-US": "Bag", "description@en-US": "<p>Holds all.</p>", "brand": "Acme"},
            media=("https://cdn.example/bag.jpg",),
        ),
    ).then(
        {
            ("BAG", "product"): {
                "sku": "BAG",
                "type": "simple",
                "status": "publish",
                "name": "Bag",
                "description": "<p>Holds all.</p>",
                "short_description": "",
                "global_unique_id": "4006381333931",
                "attributes": [
                    {"name": "Brand", "position": 0, "visible": True, "variation": False, "options": ["Acme"]}
                ],
                "images": [{"src": "https://cdn.example/bag.jpg", "alt": "Bag"}],
            },
            ("BAG", "price"): {"regular_price": "19.99"},
            ("BAG", "stock"): {"manage_stock": True, "stock_quantity": 5},
        }
    )


def test_a_model_with_two_levels_becomes_one_variable_product_with_all_axes() -> None:
    rendered = render(manifest, jackets())
    assert list(rendered) == [
        ("amor", "product"),
        *((f"amor-{c}-{s}", facet) for c in ("nvy", "red") for s in ("M", "L") for facet in manifest.facets),
    ]
    root = rendered["amor", "product"]
    assert not isinstance(root, Held)
    assert root["type"] == "variable"
    assert root["attributes"] == [
        {"name": "Colour", "position": 0, "visible": True, "variation": True, "options": ["Navy", "Red"]},
        {"name": "Size", "position": 1, "visible": True, "variation": True, "options": ["M", "L"]},
        {"name": "Brand", "position": 2, "visible": True, "variation": False, "options": ["zaro"]},
    ]


def test_a_variation_inherits_the_price_and_shows_only_what_sets_it_apart() -> None:
    rendered = render(manifest, jackets())
    assert rendered["amor-nvy-L", "product"] == {
        "_parent": "amor",
        "sku": "amor-nvy-L",
        "status": "publish",
        "description": "",
        "global_unique_id": "",
        "attributes": [{"name": "Colour", "option": "Navy"}, {"name": "Size", "option": "L"}],
        "menu_order": 4,
        "image": {"src": "https://cdn.example/amor-nvy.jpg", "alt": "Amor"},
    }
    assert rendered["amor-nvy-L", "price"] == {"regular_price": "999.00"}
    assert rendered["amor-nvy-L", "stock"] == {"manage_stock": True, "stock_quantity": 0}


def test_a_variation_with_a_description_and_price_of_its_own_shows_them() -> None:
    history = jackets().product(
        "amor-red-XL",
        parent="amor-red",
        attributes={"size": "XL", "description": "Runs small."},
        price=("default", "1049.50", "EUR"),
    )
    rendered = render(manifest, history)
    product = rendered["amor-red-XL", "product"]
    assert not isinstance(product, Held)
    assert product["description"] == "Runs small."
    assert rendered["amor-red-XL", "price"] == {"regular_price": "1049.50"}


def test_variations_stand_in_the_order_of_their_options_and_others_do_not_move_them() -> None:
    sizes = AttributeDefined(code="size", type="select", options=tuple(map(AttributeOption, ("S", "M", "L"))))
    history = jackets().happened(sizes)

    def places(history: History) -> dict[str, object]:
        return {
            sku: payload["menu_order"]
            for (sku, facet), payload in render(manifest, history).items()
            if facet == "product" and not isinstance(payload, Held) and "menu_order" in payload
        }

    before = places(history)
    assert before == {"amor-nvy-M": 2, "amor-nvy-L": 3, "amor-red-M": 5, "amor-red-L": 6}

    history.product("amor-nvy-S", parent="amor-nvy", attributes={"size": "S"}, stock={"main": 1})
    history.product("amor-nvy-odd", parent="amor-nvy", attributes={"size": "odd"}, stock={"main": 1})
    assert places(history) == before | {"amor-nvy-S": 1, "amor-nvy-odd": 15}


def test_the_whole_family_matches_the_golden_payloads() -> None:
    golden = json.loads((GOLDEN / "jackets.json").read_text(encoding="utf-8"))
    rendered = render(manifest, jackets())
    assert {f"{sku} {facet}": payload for (sku, facet), payload in rendered.items()} == golden


def test_a_variant_without_a_value_for_an_axis_is_held_and_the_others_are_shown() -> None:
    rendered = render(manifest, jackets().product("amor-red-X", parent="amor-red", stock={"main": 1}))
    assert rendered["amor-red-X", "product"] == Held(("size has no value, but is an axis of amor's variants",))
    assert ("amor-red-X", "price") not in rendered
    assert not isinstance(rendered["amor-red-M", "product"], Held)


def test_of_variants_with_the_same_choice_only_the_first_is_shown_and_the_others_name_it() -> None:
    history = jackets().product("twin", parent="amor-red", attributes={"size": "M"}, stock={"main": 1})
    history.product("shouted", parent="amor-red", attributes={"size": "m"}, stock={"main": 1})
    rendered = render(manifest, history)
    for twin in ("twin", "shouted"):
        assert rendered[twin, "product"] == Held((f"{twin} has the same Colour and Size as amor-red-M: Red, M",))
        assert (twin, "price") not in rendered
    assert not isinstance(rendered["amor-red-M", "product"], Held)
    root = rendered["amor", "product"]
    assert not isinstance(root, Held)
    assert root["attributes"][1]["options"] == ["M", "L"]


def test_an_option_of_a_variant_that_is_held_or_delisted_is_not_offered() -> None:
    history = jackets()
    history.product("amor-red-XL", parent="amor-red", attributes={"size": "XL"}).happened(ProductDelisted("webshop"))
    root = render(manifest, history)["amor", "product"]
    assert not isinstance(root, Held)
    assert root["attributes"][1]["options"] == ["M", "L"]


def test_a_model_without_a_listed_variant_shows_nothing() -> None:
    given(manifest, History().product("shell", axes=("size",), attributes={"name": "Shell"}, listed=SHOP)).then({})


def test_a_model_of_which_no_variant_can_be_shown_is_held_with_them() -> None:
    history = History().product("shell", axes=("size",), attributes={"name": "Shell"}, listed=SHOP)
    history.product("shell-M", parent="shell", attributes={"size": "M"})
    given(manifest, history).then(
        {
            ("shell", "product"): Held(("none of its 1 listed variants can be shown",)),
            ("shell-M", "product"): Held(("shell-M has no EUR price in the price list default",)),
        }
    )


def test_a_model_without_a_name_holds_its_variants_too() -> None:
    history = History().product("nameless", axes=("size",), price=PRICE, listed=SHOP)
    history.product("nameless-M", parent="nameless", attributes={"size": "M"})
    reason = "nameless has no name in en-US"
    given(manifest, history).then(
        {
            ("nameless", "product"): Held((reason,)),
            ("nameless-M", "product"): Held((f"its parent can't be shown: {reason}",)),
        }
    )


def test_a_model_that_names_no_axes_holds_its_variants() -> None:
    history = History().product("odd", kind="model", attributes={"name": "Odd"}, price=PRICE, listed=SHOP)
    rendered = render(manifest, history.product("odd-1", parent="odd"))
    assert rendered["odd-1", "product"] == Held(("odd names no attribute in which its variants differ (axes)",))


def test_a_product_without_name_and_price_is_held_for_both_reasons() -> None:
    given(manifest, History().product("BARE", listed=SHOP)).then(
        {
            ("BARE", "product"): Held(
                ("BARE has no name in en-US", "BARE has no EUR price in the price list default"),
            )
        }
    )


def test_a_product_that_loses_its_price_is_held() -> None:
    rendered = render(manifest, bag().happened(PriceRemoved("default", "EUR")))
    assert set(rendered) == {("BAG", "product")}
    assert isinstance(rendered["BAG", "product"], Held)


def test_a_product_that_is_not_listed_delisted_or_discontinued_shows_nothing() -> None:
    given(manifest, bag(listed=())).then({})
    given(manifest, bag().happened(ProductDelisted("webshop"))).then({})
    given(manifest, bag().happened(ProductDiscontinued())).then({})


def test_texts_fall_back_through_the_locales_in_their_order() -> None:
    history = bag(attributes={"name@de-DE": "Tasche", "description@nl-NL": "Tas.", "description@de-DE": "Tasche."})
    history.happened(settings(locales=("nl-NL", "de-DE")))
    product = render(manifest, history)["BAG", "product"]
    assert not isinstance(product, Held)
    assert (product["name"], product["description"]) == ("Tasche", "Tas.")


def test_the_price_comes_from_the_configured_list_and_currency() -> None:
    history = bag(price=("retail", "2980", "JPY")).happened(settings(price_list="retail", currency="JPY"))
    assert render(manifest, history)["BAG", "price"] == {"regular_price": "2980"}


def test_only_the_configured_locations_are_sold_from() -> None:
    history = bag(stock={"ams": 4, "store": 7}).happened(settings(locations=("ams",)))
    assert render(manifest, history)["BAG", "stock"] == {"manage_stock": True, "stock_quantity": 4}


def test_a_removed_text_or_gtin_is_sent_as_an_empty_one_because_a_put_keeps_what_it_does_not_name() -> None:
    history = bag(gtin="4006381333931", attributes={"name": "Bag", "description": "Old."})
    history.happened(AttributesChanged((AttributeChange(attribute="description", value=None),)), GtinAssigned(None))
    product = render(manifest, history)["BAG", "product"]
    assert not isinstance(product, Held)
    assert (product["description"], product["global_unique_id"]) == ("", "")


@pytest.mark.parametrize(
    "gtin", ["000", "0000000000000", "-", "9999999999999", "1234567890183", "0-306-40615-X", "8.71742E+12"]
)
def test_what_the_book_has_flagged_is_not_sent_as_a_gtin(gtin: str) -> None:
    product = render(manifest, bag(gtin=gtin))["BAG", "product"]
    assert not isinstance(product, Held)
    assert product["global_unique_id"] == ""


def test_pictures_with_a_relative_path_are_sent_only_when_it_is_known_where_they_are() -> None:
    history = bag(media=("files/BAG/image/my bag.jpg", "https://cdn.example/manual.pdf"))
    product = render(manifest, history)["BAG", "product"]
    assert not isinstance(product, Held)
    assert "images" not in product
    history.happened(settings(extra={"media_base_url": "https://media.example/pim/"}))
    product = render(manifest, history)["BAG", "product"]
    assert not isinstance(product, Held)
    assert product["images"] == [{"src": "https://media.example/pim/files/BAG/image/my%20bag.jpg", "alt": "Bag"}]


def test_a_picture_of_another_language_or_scope_is_not_shown() -> None:
    history = bag().happened(
        MediaAdded(media_id="1", url="https://cdn.example/de.png", locale="de-DE"),
        MediaAdded(media_id="2", url="https://cdn.example/print.png", channel="print"),
        MediaAdded(media_id="3", url="https://cdn.example/en", locale="en-US", channel="ecommerce"),
    )
    product = render(manifest, history)["BAG", "product"]
    assert not isinstance(product, Held)
    assert product["images"] == [{"src": "https://cdn.example/en", "alt": "Bag"}]


def test_more_attributes_are_shown_when_the_settings_name_them() -> None:
    history = bag(attributes={"name": "Bag", "material": ["cotton", "wool"], "washable": True, "note": "a | b"})
    history.happened(
        AttributeDefined(
            code="material",
            type="multiselect",
            labels={"en-US": "Material"},
            options=(AttributeOption(code="wool", labels={"en-US": "Wool"}),),
        ),
        settings(extra={"attributes": ["material", "washable", "note", "absent"]}),
    )
    product = render(manifest, history)["BAG", "product"]
    assert not isinstance(product, Held)
    assert [(each["name"], each["options"]) for each in product["attributes"]] == [
        ("Material", ["cotton", "Wool"]),
        ("Washable", ["true"]),
        ("Note", ["a / b"]),
    ]


def test_another_attribute_can_be_the_title() -> None:
    history = bag(attributes={"erp_name": "Bag 7"}).happened(settings(extra={"title": "erp_name"}))
    product = render(manifest, history)["BAG", "product"]
    assert not isinstance(product, Held)
    assert product["name"] == "Bag 7"
