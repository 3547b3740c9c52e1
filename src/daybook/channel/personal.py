"""What a connector may know of a person, at the moment of a call: read from the vault then, and kept nowhere.

A payload holds a person's id. What is looked up is named to `Calls.request(people=...)`, so that an erasure finds it in
the journal; in a preview nobody is looked up, as it is shown to whoever may see the channel.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextvars import ContextVar
from typing import Any

import msgspec

from daybook import limits
from daybook.channel.calls import Unanswered, previewing
from daybook.errors import InvalidValue, Unavailable
from daybook.limits import Limit
from daybook.people.person import Person as Person
from daybook.people.person import PostalAddress as PostalAddress
from daybook.people.person import check_person

Lookup = Callable[[str], Awaitable[Person | None]]
"""lookup(person's id) -> what is known now; None for who was erased, or never known."""


class Lookups:
    """Whom one push has looked up: what it finds out is compared with it before it is kept."""

    def __init__(self) -> None:
        self._people: list[Person] = []

    def add(self, person: Person) -> None:
        """Remembers for as long as the push takes."""
        self._people.append(person)

    def values(self) -> Iterator[str]:
        """What an event may not repeat."""
        for one in self._people:
            address = one.address or PostalAddress()
            yield from (text for text in (one.name, one.mail, one.phone, address.postcode, *address.lines) if text)


lookups: ContextVar[Lookups | None] = ContextVar("lookups", default=None)
"""The engine puts a fresh one here around each push."""

people: ContextVar[Lookup | None] = ContextVar("people", default=None)
"""The engine puts the vault here while it makes a connector."""


def known_of(given: Person) -> Person | None:
    """What a channel tells of a customer, as far as it can be kept: not what is empty, or has no form that is known.

    A sale is not refused for a phone number that somebody typed wrongly. None when nothing is left.
    """
    found = given.address or PostalAddress()
    address = PostalAddress(
        lines=tuple(text for line in found.lines if (text := _kept(line, limits.ADDRESS_LINE)))[
            : limits.ADDRESS_LINES.most
        ],
        **{part: _kept(getattr(found, part), limits.ADDRESS_LINE) for part in ("postcode", "city", "region")},
        country=(found.country or "").upper() or None,
    )
    kept: dict[str, Any] = {
        "name": _kept(given.name, limits.PERSON_NAME),
        "mail": _kept(given.mail, limits.PERSON_MAIL),
        "phone": _kept(given.phone, limits.PERSON_PHONE),
        "address": None if address == PostalAddress() else address,
    }
    for field, value in kept.items():
        try:
            check_person(Person(**{field: value}))
        except InvalidValue:
            kept[field] = msgspec.structs.replace(address, country=None) if field == "address" else None
    person = Person(**kept)
    return person if person.fields() else None


def _kept(text: str | None, longest: Limit) -> str | None:
    """One line of printable signs, not longer than is taken."""
    one_line = " ".join("".join(sign if sign.isprintable() else " " for sign in text or "").split())
    return one_line[: longest.most].strip() or None


_HIDDEN = "(in the vault)"
PREVIEWED = Person(
    name=_HIDDEN,
    mail="somebody@example.com",
    phone="+00",
    address=PostalAddress(lines=(_HIDDEN,), postcode=_HIDDEN, city=_HIDDEN, country="NL"),
)
"""Whom a preview tells of: the bodies of such requests are not shown."""


class VaultReader:
    """The vault, as a connector sees it. Made with the connector; without a vault at hand nobody is known."""

    def __init__(self, lookup: Lookup | None = None) -> None:
        self._lookup = lookup or people.get()

    async def find(self, person: str) -> Person | None:
        """What is known of a person now; None for who was erased. Raises Unanswered when it can't be known."""
        if previewing.get():
            return PREVIEWED
        if self._lookup is None:
            raise Unanswered("this process has no vault: what is known of people can't be read")
        try:
            found = await self._lookup(person)
        except Unavailable as error:
            raise Unanswered(f"the vault can't be read: {error.message}") from None
        kept = lookups.get()
        if kept is not None and found is not None:
            kept.add(found)
        return found
