"""Texts survive what Shopify does to them: markup, lengths, the signs of options, its own spelling of an address."""

import pytest

from daybook.channel.contract import Payload, Shown
from daybook.channel.testing import History, render
from daybook.events import AttributeDefined, AttributeOption, ChannelConfigured, GtinAssigned, MediaAdded
from daybook.values import gtin_problem
from daybook_projections.shopify import manifest
from daybook_projections.shopify.sandbox.server import ShopifySandbox
from daybook_projections.shopify.tests.desk import Desk, Listings, bag, in_a_shop, listings
from daybook_projections.shopify.texts import option_text, same_handle

EUR = ("default", "1.00", "EUR")


def test_a_description_loses_no_word_to_a_sign_that_looks_like_markup() -> None:
    history = History().product(
        "BAG", attributes={"name": "Bag", "description": "<p>Fits <M and >S.</p>"}, price=EUR, listed=("shopify",)
    )
    assert _product(history)["descriptionHtml"] == "<p>Fits &lt;M and >S.</p>"


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("Size / Fit", "Size/Fit"),
        ("  Deep   blue ", "Deep blue"),
        ("1/2", "1/2"),
        ("50%", "50%"),
        ("x" * 300, "x" * 255),
    ],
)
def test_the_sign_between_two_options_never_stands_in_one(text: str, sent: str) -> None:
    assert option_text(text) == sent


def test_an_address_is_the_same_in_shopifys_spelling() -> None:
    assert same_handle("  Mixed CASE / 東京 100 % ", "mixed-case-東京-100")
    assert not same_handle("bag", "bag-1")


def shirts(*colours: str, axis: str = "color") -> Listings:
    history = History().product(
        "SHIRT", axes=(axis,), attributes={"name": "Shirt"}, price=("default", "10.00", "EUR"), listed=("shopify",)
    )
    for sku, colour in zip(("RED", "BLUE", "GREEN"), colours, strict=True):
        history.product(sku, parent="SHIRT", attributes={axis: colour}, stock={"main": 2})
    return listings(history)


def test_values_that_differ_in_capital_letters_are_one_value_and_twins_by_them_are_held_with_their_names() -> None:
    history = History().product("M", axes=("color", "size"), attributes={"name": "M"}, price=EUR, listed=("shopify",))
    for sku, colour, size in (("A", "Red", "S"), ("B", "red", "M"), ("C", "RED", "s")):
        history.product(sku, parent="M", attributes={"color": colour, "size": size})
    rendered = render(manifest, history)
    product = rendered["M", "product"]
    assert isinstance(product, dict)
    assert [option["values"] for option in product["productOptions"]] == [
        [{"name": "Red"}],
        [{"name": "S"}, {"name": "M"}],
    ]
    assert getattr(rendered["C", "product"], "reasons", ()) == ("C has the same color and size as A",)


def test_a_group_with_odd_option_texts_is_taken_and_reads_as_it_was_brought() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        wanted = shirts("100% wool / cotton", "a<b & c", "C:\\temp", axis="cloth_and_%")
        await desk.bring(wanted, group=True)
        for sku, listing in wanted.items():
            read = await desk.connector.read(desk.describe(wanted, sku))
            assert isinstance(read, Shown)
            assert read.facets == listing

    in_a_shop(scenario)


def test_texts_that_shopify_spells_in_its_own_way_are_no_difference() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        wanted = {"BAG": {facet: dict(payload) for facet, payload in bag()["BAG"].items()}}
        wanted["BAG"]["product"] |= {"handle": "Big BAG / 2", "vendor": "", "descriptionHtml": "<p>5 &lt; 7</p>"}
        await desk.bring(wanted)
        [product] = desk.sandbox.shop.products.values()
        assert (product["handle"], product["vendor"]) == ("big-bag-2", "Daybook's sandbox")
        product["descriptionHtml"] = '<p data-mce="1">5 &lt; 7</p>\n'
        read = await desk.connector.read(desk.describe(wanted, "BAG"))
        assert isinstance(read, Shown)
        assert read.facets == wanted["BAG"]
        wanted["BAG"]["product"]["vendor"] = "Acme"
        await desk.bring(wanted)
        product = desk.sandbox.shop.products["gid://shopify/Product/1"]
        product["vendor"] = "somebody"
        read = await desk.connector.read(desk.describe(wanted, "BAG"))
        assert isinstance(read, Shown)
        assert (read.facets["product"] or {})["vendor"] == "somebody"

    in_a_shop(scenario)


def test_a_group_with_more_variants_than_shopify_takes_is_held_and_no_other_product_is() -> None:
    history = History().product("SHIRT", axes=("number",), attributes={"name": "Shirt"}, listed=("shopify",))
    for number in range(2049):
        history.product(f"V{number}", parent="SHIRT", attributes={"number": str(number)}, price=EUR)
    history.product("BAG", attributes={"name": "Bag"}, price=EUR, listed=("shopify",))
    rendered = render(manifest, history)
    assert getattr(rendered["SHIRT", "product"], "reasons", ()) == ("SHIRT has 2049 variants; Shopify takes 2048",)
    assert isinstance(rendered["BAG", "product"], dict)


def test_a_number_that_the_book_has_found_to_be_no_gtin_is_not_sent_as_a_barcode() -> None:
    for number in ("000", "-", "9999999999999", "4015211100804"):
        history = History().product("BAG", attributes={"name": "Bag"}, price=EUR, listed=("shopify",))
        history.happened(GtinAssigned(number, gtin_problem(number)))
        assert gtin_problem(number) is not None
        assert _product(history)["variants"][0]["barcode"] == ""


@pytest.mark.parametrize(
    ("media", "sent"),
    [
        (
            MediaAdded(media_id="1", url="https://img.example.com/a.jpg", role="main_image"),
            ["https://img.example.com/a.jpg"],
        ),
        (
            MediaAdded(media_id="1", url="https://img.example.com/a.PNG?w=9", role="hero"),
            ["https://img.example.com/a.PNG?w=9"],
        ),
        (MediaAdded(media_id="1", url="https://img.example.com/a"), ["https://img.example.com/a"]),
        (MediaAdded(media_id="1", url="https://img.example.com/manual.pdf"), None),
        (MediaAdded(media_id="1", url="https://img.example.com/page", role="manual"), None),
        (MediaAdded(media_id="1", url="https://img.example.com/a.jpg", locale="fr-FR"), None),
    ],
)
def test_a_picture_is_sent_whatever_attribute_it_is_under(media: MediaAdded, sent: list[str] | None) -> None:
    history = History().product("BAG", attributes={"name": "Bag"}, price=EUR, listed=("shopify",))
    files = _product(history.happened(media)).get("files")
    assert (files and [each["originalSource"] for each in files]) == sent


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("files/a.jpg", "none of its pictures can be sent: files/a.jpg has no address: set extra.media_base_url"),
        (
            "https://img.example.com/a.tif",
            "none of its pictures can be sent: https://img.example.com/a.tif is in a format that Shopify does not take",
        ),
    ],
)
def test_a_product_none_of_whose_pictures_can_be_sent_is_held_with_the_reason(url: str, reason: str) -> None:
    history = History().product("BAG", attributes={"name": "Bag"}, price=EUR, listed=("shopify",))
    history.happened(MediaAdded(media_id="1", url=url, role="main_image"))
    assert getattr(render(manifest, history)["BAG", "product"], "reasons", ()) == (reason,)
    history.happened(MediaAdded(media_id="2", url="https://img.example.com/b.jpg"), sku="BAG")
    assert len(_product(history)["files"]) == 1
    based = history.happened(ChannelConfigured(name="shopify", extra={"media_base_url": "https://cdn.test"}))
    assert len(_product(based)["files"]) == (2 if url.startswith("files/") else 1)


def _product(history: History) -> Payload:
    product = render(manifest, history)["BAG", "product"]
    assert isinstance(product, dict), product
    return product


def test_options_stand_in_the_order_of_their_attribute_and_variants_in_that_of_their_options() -> None:
    sizes = ("XS", "S", "M", "L", "XL", "XXL")
    history = History().happened(
        AttributeDefined(code="size", type="select", options=tuple(AttributeOption(code=size) for size in sizes))
    )
    history.product("M", axes=("color", "size"), attributes={"name": "M"}, price=EUR, listed=("shopify",))
    for sku, colour, size in (
        *(("1", "red", "L"), ("2", "blue", "XS"), ("3", "red", "S"), ("4", "blue", "6XL")),
        *(("5", "red", "XXL"), ("6", "red", "M")),
    ):
        history.product(sku, parent="M", attributes={"color": colour, "size": size})
    product = render(manifest, history)["M", "product"]
    assert isinstance(product, dict)
    assert [[value["name"] for value in option["values"]] for option in product["productOptions"]] == [
        ["red", "blue"],
        ["XS", "S", "M", "L", "XXL", "6XL"],
    ]
    assert [variant["sku"] for variant in product["variants"]] == ["3", "6", "1", "5", "2", "4"]
