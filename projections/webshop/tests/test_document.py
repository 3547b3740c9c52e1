"""What a product's page embeds: given these events, this JSON-LD."""

from collections.abc import Iterator
from typing import Any

import pytest

from daybook.catalogue.reference import EMPTY, Reference, fold_reference
from daybook.channel.contract import Payload
from daybook.channel.testing import History, no_side_doors, render
from daybook.events import AttributeDefined, ChannelConfigured, ProductDelisted
from daybook_projections.webshop import manifest

PUBLISHED = {
    "Product": {
        *("@id", "url", "sku", "gtin8", "gtin12", "gtin13", "gtin14", "name", "description", "brand", "color", "size"),
        *("material", "pattern", "additionalProperty", "image", "offers", "isVariantOf"),
    },
    "ProductGroup": {
        *("@id", "url", "productGroupID", "name", "description", "brand", "material", "pattern", "color", "size"),
        *("additionalProperty", "image", "variesBy", "hasVariant"),
    },
    "Offer": {"url", "price", "priceCurrency", "availability"},
    "Brand": {"name"},
    "PropertyValue": {"name", "value"},
}
"""Type -> properties that schema.org defines for it, as far as we use them."""


def bag() -> History:
    return History().product(
        "BAG",
        gtin="4006381333931",
        attributes={"name": "Bag", "description": "<p>Big &amp; light.</p>", "brand": "Acme"},
        price=("default", "19.90", "EUR"),
        stock={"main": 5},
        media=("https://cdn.example/bag.jpg",),
        listed=("webshop",),
    )


def shirts() -> History:
    history = History().product(
        "SHIRT",
        axes=("color", "neck"),
        attributes={"name": "Shirt", "description": "Cotton.", "brand": "Acme"},
        price=("default", "25.00", "EUR"),
        media=("https://cdn.example/shirt.jpg",),
        listed=("webshop",),
    )
    for sku, colour, pieces in (("SHIRT-1", "red", 2), ("SHIRT-2", "blue", 0)):
        history.product(sku, parent="SHIRT", attributes={"color": colour, "neck": "V"}, stock={"main": pieces})
    return history


def document(history: History, sku: str) -> Payload | None:
    """The document of the listing that the history makes, after proof that nothing else made it."""
    listing: dict[str, dict[str, Payload]] = {}
    for (each, facet), payload in render(manifest, history).items():
        if isinstance(payload, dict):
            listing.setdefault(each, {})[facet] = payload
    reference: Reference = EMPTY
    for one in history.recorded:
        reference = fold_reference(reference, one.event)
    assert manifest.document is not None
    with no_side_doors():
        found = manifest.document(sku, listing, reference)
        assert manifest.document(sku, listing, reference) == found
    if found is not None:
        assert found["@context"] == "https://schema.org"
        for thing in things(found):
            unknown = thing.keys() - PUBLISHED[thing["@type"]] - {"@type", "@context"}
            assert not unknown, f"schema.org has no {unknown} of a {thing['@type']}"
    return found


def things(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from things(inner)


def test_a_plain_product_is_a_product_with_an_offer() -> None:
    assert document(bag(), "BAG") == {
        "@context": "https://schema.org",
        "@type": "Product",
        "sku": "BAG",
        "gtin13": "4006381333931",
        "name": "Bag",
        "description": "Big & light.",
        "brand": {"@type": "Brand", "name": "Acme"},
        "image": ["https://cdn.example/bag.jpg"],
        "offers": {
            "@type": "Offer",
            "price": "19.90",
            "priceCurrency": "EUR",
            "availability": "https://schema.org/InStock",
        },
    }


def variant(sku: str, colour: str, availability: str) -> Payload:
    return {
        "@type": "Product",
        "sku": sku,
        "name": f"Shirt - {colour}, V",
        "description": "Cotton.",
        "brand": {"@type": "Brand", "name": "Acme"},
        "color": colour,
        "additionalProperty": [{"@type": "PropertyValue", "name": "Neck", "value": "V"}],
        "image": ["https://cdn.example/shirt.jpg"],
        "offers": {
            "@type": "Offer",
            "price": "25.00",
            "priceCurrency": "EUR",
            "availability": f"https://schema.org/{availability}",
        },
    }


GROUP = {
    "@type": "ProductGroup",
    "productGroupID": "SHIRT",
    "name": "Shirt",
    "description": "Cotton.",
    "variesBy": ["https://schema.org/color", "Neck"],
    "brand": {"@type": "Brand", "name": "Acme"},
    "image": ["https://cdn.example/shirt.jpg"],
}


def test_a_model_is_a_product_group_with_its_variants() -> None:
    assert document(shirts(), "SHIRT") == {
        "@context": "https://schema.org",
        **GROUP,
        "hasVariant": [variant("SHIRT-1", "red", "InStock"), variant("SHIRT-2", "blue", "OutOfStock")],
    }


def test_a_variant_is_a_product_that_names_its_group() -> None:
    assert document(shirts(), "SHIRT-2") == {
        "@context": "https://schema.org",
        **variant("SHIRT-2", "blue", "OutOfStock"),
        "isVariantOf": GROUP,
    }


def test_settings_say_where_pages_are_and_in_which_words_and_currency() -> None:
    history = bag().happened(
        AttributeDefined(code="maker", type="text", labels={"nl-NL": "Merk"}),
        AttributeDefined(code="color", type="text", labels={"nl-NL": "Kleur"}),
        ChannelConfigured(
            name="webshop",
            locales=("nl-NL",),
            currency="EUR",
            extra={"brand": "maker", "attributes": ["color"], "page_url": "https://shop.example/p/{sku}/"},
        ),
    )
    history.product(
        "A B/1",
        attributes={"name": "Tas", "maker": "Acme", "color": "rood"},
        price=("default", "5.00", "EUR"),
        listed=("webshop",),
    )
    found = document(history, "A B/1")
    assert found is not None
    assert (found["@id"], found["url"]) == (
        "https://shop.example/p/A%20B%2F1/#product",
        "https://shop.example/p/A%20B%2F1/",
    )
    assert found["offers"]["url"] == found["url"]
    assert (found["brand"]["name"], found["color"]) == ("Acme", "rood")


@pytest.mark.parametrize(
    ("gtin", "field"), [("96385074", "gtin8"), ("036000291452", "gtin12"), ("4006381333930", None), ("40063-81", None)]
)
def test_a_gtin_is_told_by_its_length_and_a_wrong_one_not_at_all(gtin: str, field: str | None) -> None:
    history = History().product(
        "X", gtin=gtin, attributes={"name": "X"}, price=("default", "1.00", "EUR"), listed=("webshop",)
    )
    found = document(history, "X")
    assert found is not None
    assert {name: value for name, value in found.items() if name.startswith("gtin")} == ({field: gtin} if field else {})


def test_what_the_shop_does_not_show_has_no_document() -> None:
    assert document(bag().happened(ProductDelisted("webshop")), "BAG") is None
    assert document(History().product("X", listed=("webshop",)), "X") is None, "it is held: it has no name"
    assert document(bag(), "OTHER") is None
