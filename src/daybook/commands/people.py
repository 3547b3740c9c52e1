"""Writing down what is known of people: values into the vault, sealed; the person's id and the fields into the log."""

import time
from collections.abc import Callable, Sequence
from itertools import count

import msgspec

from daybook import limits
from daybook.commands.book import CONFLICT_SECONDS_MAX, Book, Command, CommandResult
from daybook.commands.decision_view import Change, DecisionView
from daybook.errors import CommandIdReused, DaybookError, Gone, NotFound, Refused, Unavailable, VersionConflict
from daybook.events import PersonAdded, PersonChanged
from daybook.events.envelope import PERSON_KEY
from daybook.ids import new_id
from daybook.log.pending import Context
from daybook.people.cipher import keyed_mark
from daybook.people.keys.keyring import Keyring
from daybook.people.person import FIELDS, Person, PersonChange, check_person, parse_person_id, refuse_telling
from daybook.people.vault import Known, Vault
from daybook.values import check_limit


class AddPerson(msgspec.Struct, frozen=True, kw_only=True):
    """Something is known of a person: these fields, whose values the vault has under this revision."""

    person: str
    fields: tuple[str, ...]
    revision: str

    def decide(self, scene: DecisionView) -> list[Change]:
        """Refuses an id that somebody has."""
        if scene.person(self.person) is not None:
            raise Refused(f"there is a person {self.person} already", person=self.person)
        return [of_person(self.person, PersonAdded(person=self.person, fields=self.fields, revision=self.revision))]


class ChangePerson(msgspec.Struct, frozen=True, kw_only=True):
    """These fields of a person have other values, which the vault has under this revision."""

    person: str
    fields: tuple[str, ...]
    revision: str

    def decide(self, scene: DecisionView) -> list[Change]:
        """Refuses somebody who is not known, or was erased."""
        known_person(scene, self.person)
        return [of_person(self.person, PersonChanged(person=self.person, fields=self.fields, revision=self.revision))]


def known_person(scene: DecisionView, person: str) -> None:
    """Raises NotFound for an id that nobody has, Gone for who was erased."""
    state = scene.person(person)
    if state is None or state.erased:
        raise gone(person) if state else unknown(person)


def of_person(person: str, *events: PersonAdded | PersonChanged) -> Change:
    """A change to a person."""
    return Change(f"person/{person}", None, f"{PERSON_KEY}{person}", events)


def unknown(person: str) -> NotFound:
    """Nobody has this id."""
    return NotFound(f"there is no person {person}; `daybook privacy add` adds one and tells the id", person=person)


def gone(person: str) -> Gone:
    """There was such a person, who was erased."""
    return Gone(f"person {person} was erased: add him or her as somebody new", person=person)


class AddedPerson(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a command has added, and where it stands in the log."""

    person: str
    result: CommandResult


Adding = Callable[[str, str], Command]
"""A command that adds a person, made of the id and the vault's revision."""


class People:
    """What is known of people: add, change, get. Thread-safe; any number of processes.

    A person is known by an opaque id, which is all that an event, a read model or a message may hold of him or her.
    Name, address, mail and phone are in the vault, sealed with a key of that person, and are asked for by the id when
    they are needed; whoever asks keeps nothing of the answer. A person who was erased is None from then on, at once
    and in every process, so a caller shows the id, or nothing, where it would have shown a name.

    `get` and `get_many` are for the program's own use and are not recorded: see `Disclosures` for showing a person's
    data to somebody who asks for it. No error and no line of a log names a value.
    Raises Unavailable, InvalidValue for values beyond their limits and for a malformed id, and BadConfiguration when
    the keys are in another database or their master key is not at hand.
    """

    def __init__(self, book: Book, vault: Vault, keys: Keyring) -> None:
        self._book = book
        self._vault = vault
        self._keys = keys

    def add(self, values: Person, context: Context, *, repeatable: bool = False) -> AddedPerson:
        """Writes down a new person; the id is ours. All fields are optional.

        `repeatable`: the caller chose the command id: sent again, the first person's id returns, and nobody is added
        twice. Other values under the same command id raise CommandIdReused, somebody who was erased meanwhile Gone.
        """

        def adding(person: str, revision: str) -> Command:
            return AddPerson(person=person, fields=values.fields(), revision=revision)

        person, done = self._add(values, adding, values, context, repeatable)
        assert person is not None, "somebody new is always something to do"
        return AddedPerson(person=person, result=done)

    def add_with(
        self, values: Person, adding: Adding, wish: msgspec.Struct, context: Context, *, repeatable: bool = False
    ) -> CommandResult:
        """The same within a larger command, which `adding` makes of the person's id and the vault's revision.

        `wish` is all that was asked for: under the same command id it must be the same. A command that appends nothing
        adds nobody.
        """
        return self._add(values, adding, wish, context, repeatable)[1]

    def _add(
        self, values: Person, adding: Adding, wish: msgspec.Struct, context: Context, repeatable: bool
    ) -> tuple[str | None, CommandResult]:
        """Whom the command has added, if there was anything to do, and what it did."""
        check_person(values)
        refuse_telling(context.told(), values)
        if repeatable and (before := self._vault.person_added_by(context.command_id)):
            return self._added_before(before, wish, context)
        person = new_id()
        key = self._keys.make(person)
        revision = self._vault.put(person, key, values)
        command = adding(person, revision)
        try:
            done = self._book.carry_out(command, _marked(context, key, wish), repeatable=repeatable)
        except Unavailable:
            raise  # nobody knows whether it is in the log: what was never recorded is removed some minutes later
        except DaybookError as error:
            self._vault.drop(person, revision)
            self._keys.drop([person])
            # The same command was under way elsewhere, and was faster: it has added the person.
            first = self._vault.person_added_by(context.command_id) if isinstance(error, CommandIdReused) else None
            if first is None:
                raise
            return self._added_before(first, wish, context)
        if not done.changed:
            self._vault.drop(person, revision)
            self._keys.drop([person])
            return None, done
        self._vault.settle(person, revision)
        return person, done

    def change(
        self,
        person: str,
        change: PersonChange,
        context: Context,
        *,
        expected_version: int | None = None,
        repeatable: bool = False,
    ) -> CommandResult:
        """Changes some fields of a person; what they were before is not kept. The same values again change nothing.

        Two changes of different fields at once both hold. `expected_version`: the version on which the wish rests;
        another one raises VersionConflict. Raises NotFound for somebody who is not known, Gone for who was erased.
        """
        person = parse_person_id(person)
        deadline = time.monotonic() + CONFLICT_SECONDS_MAX
        for _ in count():
            known = self._known(person)
            if known.person is None:
                raise gone(person)
            key = self._key_of(person)
            marked = _marked(context, key, change)
            if repeatable and (before := self._book.carried_out(marked)):
                return before
            if expected_version not in (None, known.version):
                raise VersionConflict(
                    f"person {person} is at version {known.version}, not {expected_version}: look, then decide again",
                    expected=expected_version,
                    actual=known.version,
                )
            wanted = check_person(change.of(known.person))
            refuse_telling(context.told(), known.person, wanted)
            fields = tuple(sorted(one for one in FIELDS if getattr(wanted, one) != getattr(known.person, one)))
            if not fields:
                return CommandResult(command_id=context.command_id, version=known.version)
            revision = self._vault.put(person, key, wanted)
            command = ChangePerson(person=person, fields=fields, revision=revision)
            try:
                done = self._book.carry_out(command, marked, expected_version=known.version, repeatable=repeatable)
            except Unavailable:
                raise
            except DaybookError as error:
                self._vault.drop(person, revision)
                again = isinstance(error, VersionConflict) and expected_version is None
                if not again or time.monotonic() > deadline:
                    raise
                continue
            if done.repeated:
                self._vault.drop(person, revision)
            else:
                self._vault.settle(person, revision)
            return done
        raise AssertionError("unreachable")

    def version_after(self, done: CommandResult) -> int:
        """The version of the person's stream that a command led to, also one that was carried out before."""
        return self._vault.version_at(done.last) if done.repeated and done.last else done.version

    def get(self, person: str) -> Person | None:
        """What is known of a person; None for who was erased. Raises NotFound for an id that nobody has."""
        return self._known(parse_person_id(person)).person

    def get_many(self, people: Sequence[str]) -> dict[str, Person | None]:
        """What is known of many at once, by id; None for who was erased. Ids that nobody has are left out."""
        check_limit(limits.PEOPLE, len(people), "people")
        found = self._vault.read([parse_person_id(one) for one in people])
        return {person: known.person for person, known in found.items()}

    def _known(self, person: str) -> Known:
        found = self._vault.read([person]).get(person)
        if found is None:
            raise unknown(person)
        return found

    def _key_of(self, person: str) -> bytes:
        key = self._keys.of([person]).get(person)
        if key is None:
            raise gone(person)
        return key

    def _added_before(self, person: str, wish: msgspec.Struct, context: Context) -> tuple[str, CommandResult]:
        """The person whom this command has added. Raises CommandIdReused when it was another one."""
        done = self._book.carried_out(_marked(context, self._key_of(person), wish))
        assert done is not None, "the log named the person by this command"
        return person, done


def _marked(context: Context, key: bytes, values: msgspec.Struct) -> Context:
    """The context with a mark of what was sent that only the person's key can make: see `keyed_mark`."""
    return msgspec.structs.replace(context, command_hash=keyed_mark(key, values))
