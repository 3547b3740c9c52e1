"""The vault: sealed values by person and revision. The log says which revision counts.

A write is three steps, and may be cut off after each: the sealed row, then the event that names its revision, then the
row is settled and older ones are removed. A row that no event names is not read, and is removed some minutes later.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from daybook.ids import new_id
from daybook.people.cipher import Place, SealBroken, seal, unseal
from daybook.people.keys.keyring import Keyring
from daybook.people.person import Person
from daybook.postgres.pool import Pool, fetch, reachable
from daybook.postgres.sql import beside

QUERIES = beside(__file__)

ABANDONED_SECONDS = 600.0
"""A write that has not ended after so long never will: no process waits for the log for so long."""


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What the vault has of somebody whom the log knows."""

    person: Person | None
    """None: he or she was erased."""
    version: int
    """Of the person's stream: what a change rests on."""
    fields: tuple[str, ...] = ()


class Vault:
    """Seals, keeps and opens. Thread-safe; any number of processes. Raises Unavailable and SealBroken."""

    def __init__(self, pool: Pool, keys: Keyring) -> None:
        self._pool = pool
        self._keys = keys

    def put(self, person: str, key: bytes, values: Person) -> str:
        """Seals and keeps values; the revision that an event must name for them to count."""
        place = Place(person, new_id(), values.fields())
        row = {"person": person, "revision": place.revision, "fields": list(place.fields)}
        fetch(self._pool, QUERIES["put"], row | {"sealed": seal(key, place, values)})
        return place.revision

    def settle(self, person: str, revision: str) -> None:
        """The log names the revision: older ones are removed. Safe to repeat, and to be left out."""
        given = {"person": person, "revision": revision}
        with reachable(), self._pool.connection() as conn, conn.transaction():
            conn.execute(QUERIES["settle"], given)
            conn.execute(QUERIES["forget_older"], given)

    def drop(self, person: str, revision: str) -> None:
        """Removes values that the log does not name and never will."""
        fetch(self._pool, QUERIES["drop"], (person, revision))

    def remove(self, person: str) -> int:
        """Removes all that is kept of a person; how many rows there were. Safe to repeat."""
        return len(fetch(self._pool, QUERIES["remove"], (person,)))

    def read(self, people: Sequence[str]) -> dict[str, Known]:
        """What is known of those whom the log knows, opened. Two questions, however many they are."""
        rows = fetch(self._pool, QUERIES["newest"], (list(people),))
        keys = self._keys.of([row[0] for row in rows]) if rows else {}
        return {row[0]: self._opened(row, keys) for row in rows}

    def _opened(self, row: Sequence[Any], keys: Mapping[str, bytes | None]) -> Known:
        person, kind, version, revision, fields, sealed = row
        key = keys.get(person)
        if kind.startswith("person.erased.") or (key is None and person in keys):
            return Known(person=None, version=version)
        if key is None or revision is None:
            raise SealBroken(
                f"the {'key' if key is None else 'sealed row'} of person {person} is missing, and nobody erased it: "
                "restore it from a backup, or erase the person",
                person=person,
            )
        place = Place(person, revision, tuple(fields))
        return Known(person=unseal(key, place, bytes(sealed)), version=version, fields=place.fields)

    def tidy(self) -> int:
        """Ends writes that were cut off minutes ago: settles what the log names, drops the rest. How many."""
        open_ = fetch(self._pool, QUERIES["left_open"], (ABANDONED_SECONDS,))
        for person, revision, newest in open_:
            if revision == newest:
                self.settle(person, revision)
                continue
            self.drop(person, revision)
            if newest is None and not self._is_known(person):
                self._keys.drop([person])
        return len(open_)

    def version_at(self, position: int) -> int:
        """The version of the stream of an event."""
        return int(fetch(self._pool, QUERIES["version_at"], (position,))[0][0])

    def _is_known(self, person: str) -> bool:
        return bool(fetch(self._pool, QUERIES["newest"], ([person],)))

    def person_added_by(self, command_id: str) -> str | None:
        """Whom a command that was carried out before has added."""
        rows = fetch(self._pool, QUERIES["person_of_command"], (command_id,))
        return str(rows[0][0]) if rows else None
