"""Given these texts, bol should get this content."""

from typing import Any

import pytest
from msgspec.structs import replace

from daybook.channel.contract import Payload
from daybook.channel.testing import History, render
from daybook.events import AttributeDefined, AttributeOption, Measure
from projections.bol import manifest
from projections.bol.mapping import CONTENT

EAN = "4015211100803"


def content(attributes: dict[str, Any], extra: dict[str, Any] | None = None, *locales: str) -> Payload | None:
    history = History().product(
        "S1", gtin="04015211100803", attributes=attributes, price=("default", "9.99", "EUR"), listed=("bol",)
    )
    settings = replace(manifest.defaults, extra=extra or {})
    history.happened(
        replace(settings, locales=locales) if locales else settings,
        AttributeDefined(
            code="color",
            type="multiselect",
            options=(
                AttributeOption("red", {"nl-NL": "Rood", "en-US": "Red"}),
                AttributeOption("blue", {"en-US": "B"}),
            ),
        ),
    )
    found = render(manifest, history).get(("S1", CONTENT))
    assert found is None or isinstance(found, dict)
    return found


def values(found: Payload | None) -> dict[str, list[Any]]:
    assert found is not None
    return {each["id"]: each["values"] for each in found["attributes"]}


def test_title_and_description_go_with_the_ean_that_says_of_what() -> None:
    assert content({"name@nl-NL": "Koffer", "description@nl-NL": "Licht."}) == {
        "language": "nl",
        "attributes": [
            {"id": "EAN", "values": [{"value": EAN}]},
            {"id": "Title", "values": [{"value": "Koffer"}]},
            {"id": "Description", "values": [{"value": "Licht."}]},
        ],
    }


def test_without_a_text_there_is_no_content_and_the_offer_goes_all_the_same() -> None:
    for attributes in ({}, {"name": "  "}, {"color": ["red"]}):
        assert content(attributes) is None


@pytest.mark.parametrize(
    ("locales", "language", "title"),
    [
        (("nl-NL", "en-US"), "nl", "Nederlands"),
        (("en-US", "nl-BE", "nl-NL"), "nl-BE", "Vlaams"),
        (("fr-BE", "nl-NL"), "fr-BE", "Fran\u00e7ais"),
        (("nl", "nl-BE"), "nl", "Vlaams"),
    ],
)
def test_the_language_is_that_of_the_first_locale_that_bol_knows(
    locales: tuple[str, ...], language: str, title: str
) -> None:
    names = {"nl-NL": "Nederlands", "nl-BE": "Vlaams", "fr-BE": "Fran\u00e7ais", "en-US": "English"}
    found = content({f"name@{locale}": name for locale, name in names.items()}, None, *locales)
    assert found is not None
    assert found["language"] == language
    assert values(found)["Title"] == [{"value": title}]


def test_a_text_in_another_language_is_never_sent_as_if_it_were_dutch() -> None:
    assert content({"name@en-US": "Suitcase", "name@fr-FR": "Valise"}) is None
    assert content({"name@nl-NL": "Koffer", "name": "plain"}, None, "en-US", "de-DE") is None


def test_a_text_without_a_locale_counts_as_the_channels_language() -> None:
    assert values(content({"name": "Koffer"}))["Title"] == [{"value": "Koffer"}]


def test_further_attributes_are_named_in_the_settings_and_take_measures_options_and_lists() -> None:
    attributes: dict[str, Any] = {
        "width": Measure("14.5", "mm"),
        "color": ["red", "blue"],
        "washable": True,
        "year": 2024,
    }
    names = {"Width": "width", "Colour": "color", "Washable": "washable", "Year": "year", "None": "absent"}
    assert values(content(attributes, {"attributes": names})) == {
        "EAN": [{"value": EAN}],
        "Width": [{"value": "14.5", "unitId": "mm"}],
        "Colour": [{"value": "Rood"}, {"value": "blue"}],
        "Washable": [{"value": "true"}],
        "Year": [{"value": "2024"}],
    }


def test_another_attribute_may_hold_the_title_and_the_description() -> None:
    found = content({"heading": "Koffer", "story": "Licht.", "name": "x"}, {"title": "heading", "description": "story"})
    assert values(found) == {
        "EAN": [{"value": EAN}],
        "Title": [{"value": "Koffer"}],
        "Description": [{"value": "Licht."}],
    }


def test_a_text_is_cut_at_what_bol_takes() -> None:
    (description,) = values(content({"description": "koffer " * 2000}))["Description"]
    assert len(description["value"]) == 9995
    assert description["value"].endswith("koffer")
