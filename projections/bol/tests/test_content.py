"""Given these texts, bol should get this content."""

from typing import Any

import pytest
from msgspec.structs import replace

from daybook.channel.contract import Held, Payload
from daybook.channel.testing import History, render
from daybook.events import AttributeDefined, AttributeOption, Measure, MediaAdded
from daybook_projections.bol import manifest
from daybook_projections.bol.content import language_of
from daybook_projections.bol.mapping import CONTENT

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
    """Attribute -> values, those with a unit as pairs."""
    assert found is not None
    told = {each["id"]: [(one["value"], one["unitId"]) for one in each["values"]] for each in found["attributes"]}
    return {name: [value if not unit else (value, unit) for value, unit in pairs] for name, pairs in told.items()}


def test_title_and_description_go_with_the_ean_that_says_of_what() -> None:
    assert content({"name@nl-NL": "Koffer", "description@nl-NL": "Licht."}) == {
        "language": "nl",
        "attributes": [
            {"id": "EAN", "values": [{"value": EAN, "unitId": ""}]},
            {"id": "Name", "values": [{"value": "Koffer", "unitId": ""}]},
            {"id": "Description", "values": [{"value": "Licht.", "unitId": ""}]},
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
    assert values(found)["Name"] == [title]


def test_a_text_in_another_language_is_never_sent_as_if_it_were_dutch() -> None:
    assert content({"name@en-US": "Suitcase", "name@fr-FR": "Valise"}) is None


def test_a_text_without_a_locale_counts_as_the_channels_language() -> None:
    assert values(content({"name": "Koffer"}))["Name"] == ["Koffer"]


def test_further_attributes_are_named_in_the_settings_and_take_measures_options_and_lists() -> None:
    attributes: dict[str, Any] = {
        "width": Measure("14.5", "mm"),
        "color": ["red", "blue"],
        "washable": True,
        "year": 2024,
    }
    names = {"Width": "width", "Colour": "color", "Washable": "washable", "Year": "year", "None": "absent"}
    assert values(content(attributes, {"attributes": names})) == {
        "EAN": [EAN],
        "Width": [("14.5", "mm")],
        "Colour": ["Rood", "blue"],
        "Washable": ["true"],
        "Year": ["2024"],
    }


def test_another_attribute_may_hold_the_title_and_the_description() -> None:
    found = content({"heading": "Koffer", "story": "Licht.", "name": "x"}, {"title": "heading", "description": "story"})
    assert values(found) == {"EAN": [EAN], "Name": ["Koffer"], "Description": ["Licht."]}


def test_a_text_is_cut_at_what_bol_takes() -> None:
    found = values(content({"description": "koffer " * 2000, "name": "koffer " * 40}))
    assert [len(found[name][0]) for name in ("Description", "Name")] == [9995, 244]
    assert found["Description"][0].endswith("koffer")


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("Fits <M and >S.", "Fits &lt;M and &gt;S."),
        ("<h1>Kop</h1><p class=x>Een <em>twee</em><br/>R&D</p>", "Kop <p>Een twee<br>R&amp;D</p>"),
        ("For rooms < 20 m2.", "For rooms &lt; 20 m2."),
    ],
)
def test_a_description_has_the_html_that_bol_takes_and_every_word(text: str, sent: str) -> None:
    found = values(content({"description": text, "name": text}))
    assert found["Description"] == [sent]
    assert found["Name"] == [text]


def test_a_long_description_loses_its_markup_before_an_element_is_cut() -> None:
    (text,) = values(content({"description": "<b>a < b</b> " * 1000}))["Description"]
    assert len(text) <= 10_000
    assert text.startswith("a &lt; b a &lt; b")
    assert text.endswith((" a", "&lt;", " b"))


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ("nl-NL", "nl"), ("nl", "nl"), ("nl-Latn-NL", "nl"), ("nl-BE", "nl-BE"), ("fr-FR", "fr"), ("fr-BE", "fr-BE"),
        ("fr-CA", None), ("de-BE", None), ("zh-CN", None), ("sr-Latn", None), ("nl-SR", None),
    ],
)  # fmt: skip
def test_a_locale_is_a_language_of_bol_or_none(locale: str, language: str | None) -> None:
    assert language_of(locale) == language


def pictures(*media: MediaAdded, **extra: Any) -> list[Any]:
    history = History().product("S1", gtin=EAN, price=("default", "9.99", "EUR"), listed=("bol",)).happened(*media)
    found = render(manifest, history.happened(replace(manifest.defaults, extra=extra))).get(("S1", CONTENT))
    assert not isinstance(found, Held)
    return [] if found is None else [(each["url"], *each["labels"]) for each in found["assets"]]


def media(url: str, role: str = "image", **fields: Any) -> MediaAdded:
    return MediaAdded(media_id=url, url=url, role=role, **fields)


def test_pictures_are_sent_whatever_attribute_they_fill_the_first_as_the_front() -> None:
    urls = [f"https://img.example/{number}.jpg" for number in range(31)]
    found = pictures(*(media(url, f"picture_{number}") for number, url in enumerate(urls)))
    assert found == [(urls[0], "FRONT"), *((url, "OTHER") for url in urls[1:30])]


def test_the_settings_may_say_what_an_attributes_pictures_show() -> None:
    one, two, three = (f"https://img.example/{number}.jpg" for number in range(3))
    shown = (media(one, "back"), media(two), media(three, "packshot"))
    assert pictures(*shown, labels={"back": "BACK"}) == [(one, "BACK"), (two, "FRONT"), (three, "OTHER")]
    labels = {"back": "BACK", "packshot": "FRONT"}
    assert pictures(*shown, labels=labels) == [(one, "BACK"), (two, "OTHER"), (three, "FRONT")]


def test_what_is_no_picture_or_has_no_address_is_not_sent() -> None:
    others = (media("https://x.example/a.pdf", "manual"), media("https://x.example/d.jpg", locale="de-DE"))
    assert pictures(*others, media("files/1.jpg")) == []
    found = pictures(media("files/a b.jpg"), media_base_url="https://cdn.example/x/")
    assert found == [("https://cdn.example/x/files/a%20b.jpg", "FRONT")]
