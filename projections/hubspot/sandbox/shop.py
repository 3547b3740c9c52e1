"""What a portal keeps: contacts, deals, their unique properties, and who belongs to what."""

from typing import Any

import msgspec


class Clash(Exception):
    """Another contact has the mail address."""

    def __init__(self, existing: str) -> None:
        super().__init__(existing)
        self.existing = existing


class Thing(msgspec.Struct):
    """A contact or a deal."""

    id: str
    properties: dict[str, str]


class Portal:
    """Contacts and deals by id."""

    def __init__(self) -> None:
        self.things: dict[str, dict[str, Thing]] = {"contacts": {}, "deals": {}}
        self.unique: dict[str, set[str]] = {"contacts": {"email"}, "deals": set()}
        self.associations: set[tuple[str, str]] = set()
        """(deal, contact)."""
        self._made = 100

    def find(self, kind: str, by: str | None, value: str) -> Thing | None:
        """By id, or by a property."""
        if by is None:
            return self.things[kind].get(value)
        return next((one for one in self.things[kind].values() if one.properties.get(by) == value), None)

    def upsert(self, kind: str, by: str, value: str, properties: dict[str, str]) -> tuple[Thing, bool]:
        """The object with this value, changed or made; whether it is new. Raises Clash."""
        there = self.find(kind, by, value)
        self._check(kind, properties, there)
        if there is not None:
            there.properties |= properties
            return there, False
        self._made += 1
        made = self.things[kind][str(self._made)] = Thing(str(self._made), {by: value} | properties)
        return made, True

    def change(self, kind: str, there: Thing, properties: dict[str, str]) -> None:
        """Changes an object. Raises Clash."""
        self._check(kind, properties, there)
        there.properties |= properties

    def remove(self, kind: str, there: Thing) -> None:
        """Takes an object away, and what belonged to it."""
        del self.things[kind][there.id]
        self.associations = {pair for pair in self.associations if there.id not in pair}

    def _check(self, kind: str, properties: dict[str, str], mine: Thing | None) -> None:
        mail: Any = properties.get("email")
        other = self.find(kind, "email", mail) if mail and kind == "contacts" else None
        if other is not None and other is not mine:
            raise Clash(other.id)
