"""Showing what is known of a person to somebody who asks for it: first the event that says so, then the values."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from daybook.commands.people import gone, unknown
from daybook.events import PersonDisclosed
from daybook.events.envelope import PERSON_KEY
from daybook.ids import new_id
from daybook.log.application import Log
from daybook.log.pending import Context, NewEvent
from daybook.log.reader import Reader
from daybook.people.person import Person, parse_person_id, refuse_telling
from daybook.people.vault import Known, Vault
from daybook.postgres.pool import Pool, fetch
from daybook.postgres.sql import beside

QUERIES = beside(__file__)

OCCURRENCES_MAX = 10_000
SCANNED_EVENTS = 200_000
"""Looked through in one statement: a longer one would hold back the cleaning of other tables."""


class ShownPerson(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a person."""

    person: str
    version: int
    """What `If-Match` and `--expect-version` compare."""
    known: Person


class Occurrence(msgspec.Struct, frozen=True, kw_only=True):
    """An event that has to do with a person. What it says of others is left out."""

    position: int
    recorded_at: datetime
    type: str
    stream: str
    actor: str
    reason: str | None
    source: str
    fields: list[str] | None = None
    """Of a person's own event: which fields it is about."""


class ExportedPerson(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is known of a person, and where his or her id stands in the log."""

    person: str
    version: int
    known: Person
    occurrences: list[Occurrence]
    """In the order of the log: the person's own events, and every other one that names the id."""
    more: bool
    """There are more of them than one export holds."""


class Disclosures:
    """Shows and exports. Thread-safe. Each disclosure is an event before anybody sees a value: who, when and why.

    Raises NotFound for an id that nobody has, Gone for who was erased, and Unavailable when the event can't be
    recorded: nothing is shown then.
    """

    def __init__(self, vault: Vault, log: Log, reader: Reader, pool: Pool) -> None:
        self._vault = vault
        self._log = log
        self._reader = reader
        self._pool = pool

    def show(self, person: str, context: Context) -> ShownPerson:
        """What is known of a person now."""
        person = parse_person_id(person)
        known, values = self._read(person)
        refuse_telling(context.told(), values)
        self._record(person, known, context, exported=False)
        return ShownPerson(person=person, version=known.version, known=values)

    def export(self, person: str, context: Context) -> ExportedPerson:
        """Everything that is known. Reads the whole log for the id: some seconds for millions of events."""
        person = parse_person_id(person)
        known, values = self._read(person)
        refuse_telling(context.told(), values)
        upto = self._reader.head()
        self._record(person, known, context, exported=True)
        found = self._occurrences(person, upto)
        return ExportedPerson(
            person=person,
            version=known.version,
            known=values,
            occurrences=found[:OCCURRENCES_MAX],
            more=len(found) > OCCURRENCES_MAX,
        )

    def _read(self, person: str) -> tuple[Known, Person]:
        known = self._vault.read([person]).get(person)
        if known is None:
            raise unknown(person)
        if known.person is None:
            raise gone(person)
        return known, known.person

    def _record(self, person: str, known: Known, context: Context, *, exported: bool) -> None:
        """In a stream of its own, so that nobody who changes the person is in the way of somebody who looks."""
        context = msgspec.structs.replace(context, command_id=new_id())  # each one counts, also of one request
        event = PersonDisclosed(person=person, fields=known.fields, exported=exported)
        self._log.record([(context, [NewEvent(f"disclosure/{person}", 0, event, None, f"{PERSON_KEY}{person}")])])

    def _occurrences(self, person: str, upto: int) -> list[Occurrence]:
        found: list[Occurrence] = []
        for after in range(0, upto, SCANNED_EVENTS):
            given = {"person": person, "after": after, "upto": min(after + SCANNED_EVENTS, upto)}
            found += [_occurrence(row) for row in fetch(self._pool, QUERIES["occurrences"], given)]
            if len(found) > OCCURRENCES_MAX:
                break
        return found


def _occurrence(row: Sequence[Any]) -> Occurrence:
    position, recorded_at, kind, stream, actor, reason, source, fields = row
    return Occurrence(
        position=position,
        recorded_at=recorded_at,
        type=kind,
        stream=stream,
        actor=actor,
        reason=reason,
        source=source,
        fields=fields,
    )
