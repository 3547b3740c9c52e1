"""The reference state: definitions folded one by one or many at once, and options that come in several events."""

import time

from hypothesis import given
from hypothesis import strategies as st

from daybook.catalogue.reference import EMPTY, fold_reference, fold_references
from daybook.events import (
    AttributeDefined,
    AttributeOption,
    AttributeOptionsGiven,
    CategoryDefined,
    ChannelAdded,
    ChannelConfigured,
    ChannelRemoved,
    FamilyDefined,
    ProductListed,
)

CODES = st.sampled_from(["a", "b"])
OPTIONS = st.lists(st.builds(AttributeOption, CODES), max_size=2).map(tuple)
EVENTS = st.one_of(
    st.builds(AttributeDefined, code=CODES, type=st.just("select"), options=OPTIONS),
    st.builds(AttributeOptionsGiven, CODES, OPTIONS),
    st.builds(FamilyDefined, code=CODES),
    st.builds(CategoryDefined, code=CODES, parent=st.none() | CODES),
    st.builds(ChannelConfigured, name=CODES),
    st.builds(ChannelAdded, name=CODES, kind=CODES),
    st.builds(ChannelRemoved, name=CODES),
    st.builds(ProductListed, CODES),
)


@given(st.lists(EVENTS, max_size=12))
def test_many_events_at_once_make_what_they_make_one_by_one(events: list[AttributeDefined]) -> None:
    one_by_one = EMPTY
    for event in events:
        one_by_one = fold_reference(one_by_one, event)

    assert fold_references(EMPTY, events) == one_by_one


def test_options_count_from_the_definition_on_that_follows_them() -> None:
    old = AttributeDefined(code="brand", type="select", options=(AttributeOption("old"),))
    first, second, third = (AttributeOption(code) for code in "abc")
    before = fold_references(EMPTY, [old])

    between = fold_references(
        before, [AttributeOptionsGiven("brand", (first,)), AttributeOptionsGiven("brand", (second,))]
    )
    assert between.attributes["brand"] == old

    whole = fold_reference(between, AttributeDefined(code="brand", type="select", options=(third,)))
    assert whole.attributes["brand"].options == (first, second, third)
    assert whole.options_given == {}
    again = fold_reference(whole, AttributeDefined(code="brand", type="select"))
    assert again.attributes["brand"].options == ()


def test_an_option_is_found_by_its_code_and_of_two_the_first() -> None:
    options = (AttributeOption("red", {"en": "Red"}), AttributeOption("blue"), AttributeOption("red", {"en": "Other"}))
    brand = AttributeDefined(code="brand", type="select", options=options)

    assert brand.options_by_code == {"red": options[0], "blue": options[1]}
    assert brand == AttributeDefined(code="brand", type="select", options=options)


def test_a_hundred_thousand_categories_fold_in_a_moment() -> None:
    events = [CategoryDefined(code=f"c{number}") for number in range(100_000)]
    began = time.perf_counter()

    assert len(fold_references(EMPTY, events).categories) == 100_000
    assert time.perf_counter() - began < 5, "a copy of all for each takes minutes"
