"""The vault on a real log: what is written down, read back, retried, raced and tampered with."""

import threading
from collections.abc import Iterator

import psycopg
import pytest

from daybook.app import App
from daybook.errors import BadConfiguration, CommandIdReused, InvalidValue, NotFound, VersionConflict
from daybook.events import PersonAdded, PersonChanged
from daybook.people.cipher import SealBroken
from daybook.people.person import Person, PersonChange
from tests.fixtures.people import ADA, CANARY, NOBODY, by_ada, people_on


@pytest.fixture
def app(database: str) -> Iterator[App]:
    """The application on a fresh database."""
    with people_on(database) as made:
        yield made


def rows(app: App, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(app.settings.require_postgres()) as conn:
        return conn.execute(query.encode()).fetchall()


def test_a_person_is_added_changed_and_read_back_and_the_log_has_ids_and_fields_alone(app: App) -> None:
    added = app.people.add(ADA, by_ada())
    changed = app.people.change(added.person, PersonChange(mail=None, name="Eve"), by_ada())

    now = app.people.get(added.person)
    assert now == Person(name="Eve", address=ADA.address, phone=ADA.phone)
    first, second = (one for one in app.reader.after(0))
    assert isinstance(first.event, PersonAdded) and isinstance(second.event, PersonChanged)
    assert (first.event.fields, second.event.fields) == (("address", "mail", "name", "phone"), ("mail", "name"))
    assert (first.stream, first.key) == (f"person/{added.person}", f"@person/{added.person}")
    assert (added.result.version, changed.version) == (1, 2)
    assert CANARY not in str(rows(app, "SELECT events::text FROM events"))


def test_many_are_read_at_once_and_ids_that_nobody_has_are_left_out(app: App) -> None:
    ada, eve = (app.people.add(one, by_ada()).person for one in (ADA, Person(name="Eve")))

    assert app.people.get_many([eve, NOBODY, ada]) == {ada: ADA, eve: Person(name="Eve")}
    assert app.people.get_many([]) == {}
    with pytest.raises(NotFound, match="privacy add"):
        app.people.get(NOBODY)
    with pytest.raises(InvalidValue):
        app.people.get("ada")


def test_the_values_that_were_replaced_are_gone_from_the_table(app: App) -> None:
    person = app.people.add(ADA, by_ada()).person
    for name in ("Eve", "Grace", "Alan"):
        app.people.change(person, PersonChange(name=name), by_ada())

    assert rows(app, "SELECT count(*), bool_and(settled) FROM sealed_people") == [(1, True)]


def test_the_same_values_again_change_nothing(app: App) -> None:
    person = app.people.add(ADA, by_ada()).person

    done = app.people.change(person, PersonChange(name=ADA.name, address=ADA.address), by_ada())

    assert (done.changed, done.version, app.reader.head()) == (False, 1, 1)


def test_a_command_that_is_sent_again_is_carried_out_once_and_another_one_under_its_id_is_refused(app: App) -> None:
    first = app.people.add(ADA, by_ada("add-1"), repeatable=True)
    again = app.people.add(ADA, by_ada("add-1"), repeatable=True)
    change = PersonChange(phone=None)
    app.people.change(first.person, change, by_ada("change-1"), repeatable=True)
    app.people.change(first.person, PersonChange(phone="+31 20 555 0100"), by_ada())
    repeated = app.people.change(first.person, change, by_ada("change-1"), repeatable=True)

    assert again.person == first.person and again.result.repeated and repeated.repeated
    assert app.people.get(first.person) == Person(
        name=ADA.name, address=ADA.address, mail=ADA.mail, phone="+31 20 555 0100"
    )
    with pytest.raises(CommandIdReused):
        app.people.add(Person(name="Eve"), by_ada("add-1"), repeatable=True)
    with pytest.raises(CommandIdReused):
        app.people.change(first.person, PersonChange(phone="+1"), by_ada("change-1"), repeatable=True)
    assert app.reader.head() == 3
    assert rows(app, "SELECT count(*) FROM daybook_keys.person_keys") == [(1,)]


def test_clerks_who_change_one_person_at_once_all_have_their_way(app: App) -> None:
    person = app.people.add(Person(name="Ada"), by_ada()).person
    wishes = [PersonChange(name="Eve"), PersonChange(mail=ADA.mail), PersonChange(phone=ADA.phone)]
    together = threading.Barrier(len(wishes))

    def work(wish: PersonChange) -> None:
        together.wait()
        app.people.change(person, wish, by_ada())

    clerks = [threading.Thread(target=work, args=(wish,)) for wish in wishes]
    for clerk in clerks:
        clerk.start()
    for clerk in clerks:
        clerk.join()

    assert app.people.get(person) == Person(name="Eve", mail=ADA.mail, phone=ADA.phone)
    assert rows(app, "SELECT count(*) FROM sealed_people") == [(1,)]


def test_one_command_that_is_sent_twice_at_once_adds_one_person(app: App) -> None:
    together, found = threading.Barrier(4), []

    def work() -> None:
        together.wait()
        found.append(app.people.add(ADA, by_ada("once"), repeatable=True).person)

    clerks = [threading.Thread(target=work) for _ in range(4)]
    for clerk in clerks:
        clerk.start()
    for clerk in clerks:
        clerk.join()

    assert len(found) == 4 and len(set(found)) == 1
    assert rows(app, "SELECT count(*) FROM sealed_people") == [(1,)]


def test_a_change_on_a_version_that_moved_on_is_refused_and_leaves_nothing(app: App) -> None:
    person = app.people.add(ADA, by_ada()).person
    app.people.change(person, PersonChange(name="Eve"), by_ada(), expected_version=1)

    with pytest.raises(VersionConflict, match="is at version 2, not 1"):
        app.people.change(person, PersonChange(name="Grace"), by_ada(), expected_version=1)
    assert rows(app, "SELECT count(*) FROM sealed_people") == [(1,)]


@pytest.mark.parametrize(
    "tamper",
    [
        "UPDATE sealed_people SET sealed = (SELECT s.sealed FROM sealed_people s ORDER BY person DESC LIMIT 1)",
        "UPDATE sealed_people SET sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1)",
        "UPDATE sealed_people SET fields = '{name}'",
        "UPDATE daybook_keys.person_keys k SET key = o.key FROM daybook_keys.person_keys o WHERE o.person > k.person",
        "DELETE FROM daybook_keys.person_keys",
        "DELETE FROM sealed_people",
    ],
)
def test_rows_that_were_swapped_altered_or_taken_away_are_refused_and_never_read(app: App, tamper: str) -> None:
    ada, _ = (app.people.add(one, by_ada()).person for one in (ADA, Person(name="Eve", mail="eve@a.example")))
    with psycopg.connect(app.settings.require_postgres()) as conn:
        conn.execute(tamper.encode())

    with pytest.raises(SealBroken, match=ada) as caught:
        app.people.get(ada)
    assert CANARY not in caught.value.message


def test_values_of_an_older_revision_that_somebody_puts_back_are_refused(app: App) -> None:
    person = app.people.add(ADA, by_ada()).person
    ((old,),) = rows(app, "SELECT sealed FROM sealed_people")
    app.people.change(person, PersonChange(mail="other@a.example"), by_ada())
    with psycopg.connect(app.settings.require_postgres()) as conn:
        conn.execute("UPDATE sealed_people SET sealed = %s", (old,))

    with pytest.raises(SealBroken):
        app.people.get(person)


def test_keys_may_live_in_a_database_of_their_own_and_another_one_is_refused(
    database: str, empty_database: str
) -> None:
    from daybook.postgres.migrate import KEYS, migrate

    migrate(empty_database, KEYS)
    with people_on(database, keys_postgres=empty_database) as app:
        person = app.people.add(ADA, by_ada()).person
        assert app.people.get(person) == ADA
        assert rows(app, "SELECT count(*) FROM daybook_keys.person_keys") == [(0,)]

    with people_on(database) as forgotten, pytest.raises(BadConfiguration, match="DAYBOOK_KEYS_POSTGRES"):
        forgotten.people.get(person)
    with people_on(database) as forgotten, pytest.raises(BadConfiguration, match="DAYBOOK_KEYS_POSTGRES"):
        forgotten.people.add(ADA, by_ada())
