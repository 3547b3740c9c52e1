"""What an attribute's value must satisfy, and the reference state that says so."""

import pytest

from daybook import limits
from daybook.catalogue.reference import EMPTY, Reference, fold_reference
from daybook.catalogue.rules import check_categories, check_changes, check_family
from daybook.errors import InvalidValue, NotFound
from daybook.events import (
    AttributeChange,
    AttributeDefined,
    AttributeOption,
    CategoryDefined,
    ChannelConfigured,
    Event,
    FamilyDefined,
    Measure,
    ProductListed,
    Value,
)

DEFINED: list[Event] = [
    AttributeDefined(code="ean", type="identifier", pattern=r"^\d+$"),
    AttributeDefined(code="name", type="text", localizable=True, length_max=10),
    AttributeDefined(code="story", type="textarea"),
    AttributeDefined(code="teaser", type="text", localizable=True, scopable=True),
    AttributeDefined(code="rank", type="number", scopable=True),
    AttributeDefined(code="organic", type="boolean"),
    AttributeDefined(code="pieces", type="number", minimum="1", maximum="99.5"),
    AttributeDefined(code="weight", type="measure", unit="GRAM", minimum="0"),
    AttributeDefined(code="released", type="date"),
    AttributeDefined(code="size", type="select", options=(AttributeOption("l"), AttributeOption("xl"))),
    AttributeDefined(code="tags", type="multiselect", options=(AttributeOption("new"), AttributeOption("sale"))),
    AttributeDefined(code="label", type="select"),
    AttributeDefined(code="cost", type="price"),
    FamilyDefined(code="shirts", attributes=("name",)),
    CategoryDefined(code="root"),
    CategoryDefined(code="summer", parent="root"),
    ChannelConfigured(name="shop", locales=("nl-NL",)),
]


def reference(*events: Event) -> Reference:
    """The reference after these events."""
    state = EMPTY
    for event in events:
        state = fold_reference(state, event)
    return state


REFERENCE = reference(*DEFINED)


def checked(
    attribute: str, value: Value | None, locale: str | None = None, channel: str | None = None
) -> AttributeChange:
    """The one change in canonical form."""
    (change,) = check_changes(
        REFERENCE, [AttributeChange(attribute=attribute, value=value, locale=locale, channel=channel)]
    )
    return change


@pytest.mark.parametrize(
    ("attribute", "value", "becomes"),
    [
        ("ean", "4006381333931", "4006381333931"),
        ("story", "x" * limits.TEXT.most, "x" * limits.TEXT.most),
        ("organic", False, False),
        ("pieces", 1, 1),
        ("pieces", 99.5, 99.5),
        ("weight", Measure("0", "GRAM"), Measure("0", "GRAM")),
        ("weight", Measure("12.500", "KILOGRAM"), Measure("12.500", "KILOGRAM")),
        ("released", "2026-03-01", "2026-03-01"),
        ("released", "20260301", "2026-03-01"),
        ("size", "xl", "xl"),
        ("tags", ["sale", "new"], ["sale", "new"]),
        ("tags", [], []),
        ("label", "anything: no options are defined", "anything: no options are defined"),
    ],
)
def test_a_value_that_fits_is_kept_in_its_canonical_form(attribute: str, value: Value, becomes: Value) -> None:
    assert checked(attribute, value).value == becomes


@pytest.mark.parametrize(
    ("attribute", "value", "reason"),
    [
        ("ean", "40063-81", "pattern"),
        ("ean", 4006381333931, "a text"),
        ("story", "x" * (limits.TEXT.most + 1), "at most"),
        ("story", "a\x00b", "NUL"),
        ("label", "a\x00b", "NUL"),
        ("organic", "true", "true or false"),
        ("organic", 1, "true or false"),
        ("pieces", True, "a number"),
        ("pieces", "3", "a number"),
        ("pieces", 0, "at least 1"),
        ("pieces", 99.6, "at most 99.5"),
        ("pieces", float("nan"), "a number"),
        ("pieces", float("inf"), "a number"),
        ("pieces", 2**70, "a number"),
        ("weight", "12 GRAM", "an amount with a unit"),
        ("weight", Measure("-1", "GRAM"), "at least 0"),
        ("weight", Measure("NaN", "GRAM"), "decimal number"),
        ("weight", Measure("heavy", "GRAM"), "decimal number"),
        ("weight", Measure("1_000", "GRAM"), "decimal number"),
        ("weight", Measure("١٢", "GRAM"), "decimal number"),
        ("released", "2026-02-30", "a date"),
        ("released", "01-03-2026", "a date"),
        ("released", 20260301, "a date"),
        ("size", "m", "no option 'm'"),
        ("size", ["l"], "one option"),
        ("tags", "new", "a list"),
        ("tags", ["new", "old"], "no option 'old'"),
        ("cost", "12.00", "set it as a price"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_the_reason(attribute: str, value: Value, reason: str) -> None:
    with pytest.raises(InvalidValue, match=reason) as caught:
        checked(attribute, value)
    assert str(caught.value.details["field"]).startswith(f"attributes.{attribute}")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), 2**63, -(2**70)])
def test_a_number_that_json_can_not_carry_is_refused_also_without_bounds(value: float) -> None:
    with pytest.raises(InvalidValue, match=r"^attributes\.rank: must be a number"):
        checked("rank", value, channel="print")


def test_any_value_can_be_removed() -> None:
    assert checked("pieces", None).value is None


def test_a_locale_is_needed_where_the_value_differs_by_language_and_refused_where_not() -> None:
    assert checked("name", "Mug", "en_gb").locale == "en-GB"
    with pytest.raises(InvalidValue, match="needs a locale"):
        checked("name", "Mug")
    with pytest.raises(InvalidValue, match="takes no locale"):
        checked("story", "Once", "en-GB")
    with pytest.raises(InvalidValue, match=r"attributes\.name\.locale: .*no known locale"):
        checked("name", "Mug", "xx-YY")


def test_a_scope_is_needed_where_the_value_differs_by_channel_and_refused_where_not() -> None:
    assert checked("teaser", "New!", "en-GB", "print").channel == "print"
    with pytest.raises(InvalidValue, match="needs a channel scope"):
        checked("teaser", "New!", "en-GB")
    with pytest.raises(InvalidValue, match="takes no channel scope"):
        checked("story", "Once", None, "print")
    with pytest.raises(InvalidValue, match=r"attributes\.teaser\.channel"):
        checked("teaser", "New!", "en-GB", "pr#nt")


def test_a_longer_text_than_the_attribute_allows_is_refused() -> None:
    assert checked("name", "x" * 10, "en-GB").value == "x" * 10
    with pytest.raises(InvalidValue, match="is 11 characters long; at most 10"):
        checked("name", "x" * 11, "en-GB")


def test_an_unknown_or_malformed_attribute_is_named() -> None:
    with pytest.raises(NotFound, match="no attribute 'colour'; define it first"):
        checked("colour", "red")
    with pytest.raises(InvalidValue, match=r"^attribute: "):
        checked("na@me", "red")


def test_the_first_change_that_does_not_fit_refuses_them_all() -> None:
    with pytest.raises(NotFound, match="colour"):
        check_changes(
            REFERENCE,
            [AttributeChange(attribute="story", value="Once"), AttributeChange(attribute="colour", value="red")],
        )


def test_families_and_categories_must_be_defined() -> None:
    check_family(REFERENCE, None)
    check_family(REFERENCE, "shirts")
    check_categories(REFERENCE, ["root", "summer"])
    with pytest.raises(NotFound, match="no family 'mugs'"):
        check_family(REFERENCE, "mugs")
    with pytest.raises(NotFound, match="no category 'winter'"):
        check_categories(REFERENCE, ["summer", "winter"])


def test_the_newest_definition_stands_and_others_stay() -> None:
    newer = AttributeDefined(code="name", type="textarea")

    state = fold_reference(REFERENCE, newer)

    assert state.attributes["name"] == newer
    assert state.attributes["story"] == REFERENCE.attributes["story"]
    assert REFERENCE.attributes["name"] != newer
    assert state.channels == {"shop": ChannelConfigured(name="shop", locales=("nl-NL",))}


def test_an_event_that_is_no_definition_gives_the_very_same_reference() -> None:
    assert fold_reference(REFERENCE, ProductListed("shop")) is REFERENCE


def test_a_category_path_starts_at_the_root_and_survives_unknown_parents_and_cycles() -> None:
    assert [one.code for one in REFERENCE.category_path("summer")] == ["root", "summer"]
    assert REFERENCE.category_path("winter") == ()
    orphan = reference(CategoryDefined(code="a", parent="nowhere"))
    assert [one.code for one in orphan.category_path("a")] == ["a"]
    cycle = reference(CategoryDefined(code="a", parent="b"), CategoryDefined(code="b", parent="a"))
    assert [one.code for one in cycle.category_path("a")] == ["b", "a"]
