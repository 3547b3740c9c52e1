"""What may be known of a person, and the limits of it. No error here repeats a value: errors are logged and shown."""

import re
from collections.abc import Mapping
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from daybook import limits
from daybook.errors import InvalidValue
from daybook.limits import Limit
from daybook.values import check_limit

_MAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,255}\Z")
_PHONE = re.compile(r"\+?[0-9][0-9 ()./x#*,;-]*\Z")
_COUNTRY = re.compile(r"[A-Z]{2}\Z")


class PostalAddress(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where a person gets mail. All of it is optional."""

    lines: tuple[str, ...] = ()
    """Street, number, building: as they are written on a letter."""
    postcode: str | None = None
    city: str | None = None
    region: str | None = None
    country: str | None = None
    """ISO 3166-1: two capitals, `NL`."""


class Person(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is known of a person. All of it is optional; nothing else is kept."""

    name: str | None = None
    address: PostalAddress | None = None
    mail: str | None = None
    phone: str | None = None

    def fields(self) -> tuple[str, ...]:
        """The fields that have a value, in order of their names."""
        return tuple(sorted(name for name in FIELDS if getattr(self, name) is not None))


class PersonChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Fields to change: absent ones stay as they are, null ones are known no more. An address is replaced whole."""

    name: str | UnsetType | None = UNSET
    address: PostalAddress | UnsetType | None = UNSET
    mail: str | UnsetType | None = UNSET
    phone: str | UnsetType | None = UNSET

    def of(self, person: Person) -> Person:
        """The person with these changes."""
        wanted = {name: getattr(self, name) for name in FIELDS}
        return msgspec.structs.replace(person, **{name: one for name, one in wanted.items() if one is not UNSET})


FIELDS: tuple[str, ...] = Person.__struct_fields__


def parse_person_id(text: str, field: str = "person") -> str:
    """A person's id in its one spelling. Raises InvalidValue."""
    try:
        return str(UUID(text))
    except ValueError:
        raise InvalidValue(field, "must be a person's id, as `daybook privacy add` gave it") from None


def check_person(person: Person) -> Person:
    """The person, when every field keeps to its limit and its form. Raises InvalidValue, never with the value."""
    _text(person.name, "name", limits.PERSON_NAME)
    if person.mail is not None:
        _text(person.mail, "mail", limits.PERSON_MAIL)
        _form(_MAIL, person.mail, "mail", "must be one address such as ada@example.com, without a name around it")
    if person.phone is not None:
        _text(person.phone, "phone", limits.PERSON_PHONE)
        _form(_PHONE, person.phone, "phone", "must begin with + or a digit, and hold digits, spaces and ( ) . / - only")
    if person.address is not None:
        _address(person.address)
    return person


def refuse_telling(told: Mapping[str, str | None], *people: Person) -> None:
    """Raises InvalidValue when what is recorded for ever beside an event holds a name, mail address or phone number.

    `told` is field -> text: a reason, an actor. Only whole values are found, as words of their own: a first name alone
    is not, and nobody's name is found in the middle of an id (`ada` is three hexadecimal digits).
    """
    texts = {field: text.casefold() for field, text in told.items() if text and not _is_id(text)}
    for person in people:
        for kind in ("name", "mail", "phone"):
            value = getattr(person, kind)
            wanted = re.compile(rf"(?<!\w){re.escape(value.casefold())}(?!\w)") if value else None
            for field, text in texts.items() if wanted else ():
                if wanted and wanted.search(text):
                    raise InvalidValue(
                        field, f"holds the person's {kind}, and is recorded for ever: name the person by the id"
                    )


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _address(address: PostalAddress) -> None:
    check_limit(limits.ADDRESS_LINES, len(address.lines), "address.lines")
    for line in address.lines:
        _text(line, "address.lines", limits.ADDRESS_LINE)
    for field in ("postcode", "city", "region"):
        _text(getattr(address, field), f"address.{field}", limits.ADDRESS_LINE)
    if address.country is not None:
        _form(_COUNTRY, address.country, "address.country", "must be two capitals of ISO 3166-1, such as NL")


def _text(text: str | None, field: str, most: Limit) -> None:
    if text is None:
        return
    check_limit(most, len(text), field)
    if not text.strip():
        raise InvalidValue(field, "must not be empty: leave it out, or say null")
    if not text.isprintable():
        raise InvalidValue(field, "holds a character that can't be printed, such as a line feed")


def _form(wanted: re.Pattern[str], text: str, field: str, rule: str) -> None:
    if not wanted.match(text):
        raise InvalidValue(field, rule)
