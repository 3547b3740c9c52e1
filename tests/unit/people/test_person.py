"""What may be known of a person: limits and forms, and errors that do not repeat what was given."""

import msgspec
import pytest

from daybook.errors import InvalidValue
from daybook.people.person import (
    Person,
    PersonChange,
    PostalAddress,
    check_person,
    parse_person_id,
    refuse_telling,
)

ADDRESS = PostalAddress(lines=("Canarystraat 1",), postcode="1011 AB", city="Canarystad", country="NL")
ADA = Person(name="Ada Canary", address=ADDRESS, mail="ada@canary.example", phone="+31 20 123 45 67")


def test_a_person_with_everything_and_one_with_nothing_are_taken() -> None:
    assert check_person(ADA) is ADA
    assert ADA.fields() == ("address", "mail", "name", "phone")
    assert check_person(Person()).fields() == ()


@pytest.mark.parametrize(
    ("person", "field"),
    [
        (Person(name="Canary" * 100), "name"),
        (Person(name=""), "name"),
        (Person(name=" \t"), "name"),
        (Person(name="Canary\nX-Actor: owner"), "name"),
        (Person(name="Canary\x00"), "name"),
        (Person(mail="Canary <canary@example.com>"), "mail"),
        (Person(mail="canary"), "mail"),
        (Person(mail=f"{'canary' * 60}@example.com"), "mail"),
        (Person(phone="canary"), "phone"),
        (Person(phone="+31 20" + "1" * 60), "phone"),
        (Person(address=PostalAddress(lines=("canary",) * 7)), "address.lines"),
        (Person(address=PostalAddress(lines=("canary" * 50,))), "address.lines"),
        (Person(address=PostalAddress(city="canary" * 50)), "address.city"),
        (Person(address=PostalAddress(country="canary")), "address.country"),
    ],
)
def test_what_is_beyond_a_limit_is_refused_by_field_and_never_with_the_value(person: Person, field: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        check_person(person)

    assert caught.value.details["field"] == field
    assert "canary" not in f"{caught.value.message} {caught.value.details}".lower()


def test_a_change_leaves_absent_fields_alone_and_takes_null_ones_away() -> None:
    change = msgspec.json.decode(b'{"mail": "eve@canary.example", "phone": null}', type=PersonChange)

    assert change.of(ADA) == msgspec.structs.replace(ADA, mail="eve@canary.example", phone=None)


def test_a_field_that_there_is_not_is_refused_so_that_nothing_else_is_kept() -> None:
    with pytest.raises(msgspec.ValidationError, match="birthday"):
        msgspec.json.decode(b'{"birthday": "1815-12-10"}', type=Person)


@pytest.mark.parametrize("text", ["", "ada", "01936f1e-7a60-7000-8000", "../people"])
def test_what_is_no_persons_id_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match="privacy add"):
        parse_person_id(text)


def test_an_id_has_one_spelling() -> None:
    wanted = "01936f1e-7a60-7000-8000-000000000001"

    assert parse_person_id(wanted.upper()) == parse_person_id(wanted.replace("-", "")) == wanted


@pytest.mark.parametrize(
    "text",
    ["for Ada Canary", "ADA CANARY, by phone", "mail of ada@canary.example.", "call +31 20 123 45 67"],
)
def test_what_is_recorded_for_ever_may_not_hold_a_whole_value(text: str) -> None:
    with pytest.raises(InvalidValue, match="recorded for ever") as caught:
        refuse_telling({"actor": "clerk", "reason": text}, ADA)
    assert caught.value.details["field"] == "reason"


@pytest.mark.parametrize(
    "text", [None, "", "she asked", "Ada asked", "01936f1e-7ada-7000-8000-0000000ada01", "order-4ada2", "Adalbert"]
)
def test_a_part_of_a_name_and_a_name_within_an_id_or_another_word_are_taken(text: str | None) -> None:
    refuse_telling({"reason": text, "command_id": "01936f1e-abba-7000-8000-00000000ada0"}, ADA)
    if text != "Ada asked":
        refuse_telling({"reason": text, "command_id": "01936f1e-abba-7000-8000-00000000ada0"}, Person(name="Ada"))
    refuse_telling({"command_id": "01936f1e-abba-7000-8000-00000000ada0"}, Person(name="Abba"))
