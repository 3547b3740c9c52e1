"""What is sealed opens with its own key in its own place, and nowhere else."""

from string import printable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.people.cipher import KEY_BYTES, Place, SealBroken, keyed_mark, new_key, seal, unseal
from daybook.people.person import FIELDS, Person, PersonChange, PostalAddress
from tests.fixtures.examples import examples

TEXT = st.text(min_size=1, max_size=40)
ADDRESSES = st.builds(PostalAddress, lines=st.lists(TEXT, max_size=3).map(tuple), city=st.none() | TEXT)
PEOPLE = st.builds(
    Person, name=st.none() | TEXT, mail=st.none() | TEXT, phone=st.none() | TEXT, address=st.none() | ADDRESSES
)
IDS = st.uuids().map(str)
PLACES = st.builds(Place, person=IDS, revision=IDS, fields=st.lists(st.sampled_from(FIELDS), unique=True).map(tuple))
KEYS = st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES)


@given(KEYS, PLACES, PEOPLE)
@examples(few=40, many=2000)
def test_what_was_sealed_opens_as_it_was(key: bytes, place: Place, person: Person) -> None:
    assert unseal(key, place, seal(key, place, person)) == person


@given(KEYS, PLACES, PEOPLE, st.data())
@examples(few=60, many=3000)
def test_a_byte_that_was_altered_is_refused_wherever_it_stands(
    key: bytes, place: Place, person: Person, data: st.DataObject
) -> None:
    sealed = bytearray(seal(key, place, person))
    at = data.draw(st.integers(0, len(sealed) - 1))
    sealed[at] ^= data.draw(st.integers(1, 255))

    with pytest.raises(SealBroken):
        unseal(key, place, bytes(sealed))


@given(KEYS, PLACES, PEOPLE, st.data())
@examples(few=40, many=1000)
def test_a_row_that_was_cut_is_refused(key: bytes, place: Place, person: Person, data: st.DataObject) -> None:
    sealed = seal(key, place, person)

    with pytest.raises(SealBroken):
        unseal(key, place, sealed[: data.draw(st.integers(0, len(sealed) - 1))])


@given(KEYS, PLACES, PLACES, PEOPLE)
@examples(few=40, many=1000)
def test_a_row_that_was_moved_to_another_place_is_refused(key: bytes, one: Place, other: Place, person: Person) -> None:
    if one == other:
        return
    with pytest.raises(SealBroken):
        unseal(key, other, seal(key, one, person))


@given(KEYS, KEYS, PLACES, PEOPLE)
@examples(few=40, many=1000)
def test_another_persons_key_opens_nothing(key: bytes, other: bytes, place: Place, person: Person) -> None:
    if key == other:
        return
    with pytest.raises(SealBroken):
        unseal(other, place, seal(key, place, person))


def test_the_same_person_sealed_twice_looks_different_each_time() -> None:
    key, place, person = new_key(), Place("p", "r", ("name",)), Person(name="Ada")

    assert len({seal(key, place, person) for _ in range(100)}) == 100


def test_nothing_of_the_values_is_in_the_error_of_a_broken_seal() -> None:
    key, place = new_key(), Place("p", "r", ("name",))
    sealed = seal(key, place, Person(name=printable))

    with pytest.raises(SealBroken) as caught:
        unseal(key, place, sealed[:-1])
    assert caught.value.__cause__ is None and caught.value.__suppress_context__
    assert "abc" not in caught.value.message


def test_a_mark_tells_other_values_apart_and_says_nothing_without_the_key() -> None:
    one, other = new_key(), new_key()
    ada, eve = PersonChange(name="Ada"), PersonChange(name="Eve")

    assert keyed_mark(one, ada) == keyed_mark(one, PersonChange(name="Ada"))
    assert len({keyed_mark(one, ada), keyed_mark(one, eve), keyed_mark(other, ada)}) == 3
    assert -(2**63) <= keyed_mark(one, ada) < 2**63
