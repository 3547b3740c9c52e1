"""Erasing a person: the key first, then the event, then every copy. Cut off anywhere, a second run finishes.

Steps, each safe to repeat, in this order:
  1. begun      a row in `erasures`: `daybook status` shows it until the last step is taken
  2. key        destroyed, and the id listed beside the keys and in a file: nothing can be read from here on
  3. event      `person.erased` in the log
  4. values     the sealed rows, which nobody can open any more, are removed
  5. places     every place that may keep copies clears what it marked with the id
  6. finished

Hazard: a backup brings back what was destroyed after it was made. The log of a book that was restored to an earlier
moment does not have the later erasures, nor, where the keys were restored with it, does the list beside the keys. So
there are three lists (the log, the keys' database, a file), and `replay` takes all steps again for everybody in any.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice

import msgspec

from daybook.commands.book import Book, command_hash_of
from daybook.commands.decision_view import Change, DecisionView
from daybook.commands.people import of_person, unknown
from daybook.errors import BadConfiguration
from daybook.events import PersonErased
from daybook.log.pending import Context
from daybook.people.cipher import SealBroken
from daybook.people.erasures import ErasedFile, ErasureRows
from daybook.people.keys.keyring import Keyring
from daybook.people.person import parse_person_id, refuse_telling
from daybook.people.places import ErasablePlace
from daybook.people.vault import Vault
from daybook.postgres.pool import Pool

PAGE_PEOPLE = 1000


class ErasePerson(msgspec.Struct, frozen=True, kw_only=True):
    """A person is to be forgotten."""

    person: str

    def decide(self, scene: DecisionView) -> list[Change]:
        """Refuses somebody who is not known; who was erased already stays so."""
        state = scene.person(self.person)
        if state is None:
            raise unknown(self.person)
        return [of_person(self.person, *(() if state.erased else (PersonErased(person=self.person),)))]


class ErasureReport(msgspec.Struct, frozen=True, kw_only=True):
    """What an erasure did."""

    person: str
    position: int | None
    """Of the event; null when it was in the log already."""
    already: bool
    """He or she had been erased before, and nothing was left to do."""
    cleared: dict[str, int] = {}
    """Place -> how many entries of it were cleared."""


class ReplayReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a replay did."""

    listed: int
    """How many people are on any of the lists."""
    keys: int
    """How many of them had a key again, which was destroyed."""
    erased: int
    """For how many a step was taken."""
    recorded: int
    """How many of their erasures the log did not have, and has now."""
    abandoned: int
    """Writes of people's data that were cut off, and are ended now."""


class Erasure:
    """Erases people, and erases them again after a restore. Thread-safe; any number of processes.

    Raises NotFound for an id that the log never heard of, Unavailable when a server that is needed is away: the same
    again goes on where it was. No value of a person is read, shown or logged on the way.
    """

    def __init__(
        self,
        book: Book,
        vault: Vault,
        keys: Keyring,
        rows: ErasureRows,
        file: ErasedFile,
        pool: Pool,
        places: Sequence[ErasablePlace] = (),
    ) -> None:
        self._book = book
        self._vault = vault
        self._keys = keys
        self._rows = rows
        self._file = file
        self._pool = pool
        self.places = tuple(places)

    def erase(self, person: str, context: Context) -> ErasureReport:
        """Erases a person for good. Once more changes nothing, and finishes what was cut off."""
        person = parse_person_id(person)
        (left,) = self._rows.remains([person])
        if left.type is None:
            raise unknown(person)
        if left.gone:
            return ErasureReport(person=person, position=None, already=True)
        self._check_told(person, context)
        # Before anything is destroyed: an id that belongs to another command is refused, whatever it is about.
        context = msgspec.structs.replace(context, command_hash=command_hash_of(ErasePerson(person=person)))
        self._book.carried_out(context)
        return self._take_steps(person, context)

    def _check_told(self, person: str, context: Context) -> None:
        """Raises InvalidValue for a reason that names the person, as long as the vault can tell."""
        with suppress(SealBroken, BadConfiguration):
            known = self._vault.read([person]).get(person)
            if known is not None and known.person is not None:
                refuse_telling(context.told(), known.person)

    def _take_steps(self, person: str, context: Context | None) -> ErasureReport:
        """All of them. Without a context the log does not know the person, and there is nothing to record."""
        self._rows.begin(person)
        self._keys.destroy([person])
        self._file.add([person])
        position = None
        if context is not None:
            position = self._book.carry_out(ErasePerson(person=person), context).last
        self._vault.remove(person)
        cleared = self._clear(person)
        self._rows.finish(person)
        return ErasureReport(person=person, position=position, already=False, cleared=cleared)

    def _clear(self, person: str) -> dict[str, int]:
        return {place.name: place.erase(self._pool, person) for place in self.places}

    def replay(self, actor: str, source: str) -> ReplayReport:
        """Erases everybody again who is on any list, and ends what was cut off. Quick when there is nothing to do.

        To be run after every restore, before anybody reads; `daybook migrate` and `daybook up` do so when they start.
        """
        people = sorted({*self._keys.erased(), *self._file.read(), *self._rows.recorded()})
        again = sum(len(self._keys.destroy(page)) for page in _pages(people))
        self._file.add(people)
        erased = recorded = 0
        seen: set[str] = set()
        for page in [*_pages(people), []]:
            for left in self._rows.remains(page, others=not page):
                if left.person in seen:
                    continue
                if left.gone:
                    if left.recent:
                        self._clear(left.person)
                    continue
                seen.add(left.person)
                reason = "an erasure is replayed: the log did not have it, or it was cut off"
                context = None if left.type is None else Context.new(actor, source, reason=reason)
                report = self._take_steps(left.person, context)
                erased += 1
                recorded += report.position is not None
        abandoned = self._vault.tidy()
        return ReplayReport(listed=len(people), keys=again, erased=erased, recorded=recorded, abandoned=abandoned)


def _pages(people: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(people)
    while page := list(islice(rest, PAGE_PEOPLE)):
        yield page
