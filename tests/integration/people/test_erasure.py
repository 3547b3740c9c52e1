"""Erasing a person: at once and for good, cut off at every step, after a restore, and twice."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql

from daybook.app import App
from daybook.errors import CommandIdReused, Gone, InvalidValue, NotFound
from daybook.events import PersonDisclosed, PersonErased
from daybook.people.person import Person, PersonChange
from daybook.postgres.migrate import KEYS, migrate
from daybook.queries import waiting
from tests.fixtures.examples import examples
from tests.fixtures.people import ADA, CANARY, NOBODY, by_ada, people_on


@pytest.fixture
def app(database: str) -> Iterator[App]:
    """The application on a fresh database."""
    with people_on(database) as made:
        yield made


def count(app: App, table: str) -> int:
    with psycopg.connect(app.settings.require_postgres()) as conn:
        row = conn.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.SQL(table))).fetchone()
    assert row is not None
    return int(row[0])


def erased_in(app: App) -> list[str]:
    """Whose erasure the log has, one for each event."""
    return [one.event.person for one in app.reader.after(0) if isinstance(one.event, PersonErased)]


@contextmanager
def copy_of(dsn: str) -> Iterator[str]:
    """A backup of a database that nobody is connected to, restored under another name."""
    info = psycopg.conninfo.conninfo_to_dict(dsn)
    name = f"restored_{uuid.uuid4().hex}"
    names = {"name": sql.Identifier(name), "source": sql.Identifier(str(info["dbname"]))}
    server = psycopg.conninfo.make_conninfo(dsn, dbname="postgres")
    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute(sql.SQL("CREATE DATABASE {name} TEMPLATE {source}").format(**names))
    try:
        yield psycopg.conninfo.make_conninfo(dsn, dbname=name)
    finally:
        with psycopg.connect(server, autocommit=True) as conn:
            conn.execute(sql.SQL("DROP DATABASE {name} WITH (FORCE)").format(**names))


def test_who_was_erased_is_known_no_more_and_once_more_changes_nothing(app: App) -> None:
    ada, eve = (app.people.add(one, by_ada()).person for one in (ADA, Person(name="Eve")))

    first = app.erasure.erase(ada, by_ada())
    again = app.erasure.erase(ada, by_ada())

    assert (first.position, first.already, again.already, again.position) == (3, False, True, None)
    assert app.people.get_many([ada, eve]) == {ada: None, eve: Person(name="Eve")}
    assert erased_in(app) == [ada] and app.reader.head() == 3
    assert count(app, "sealed_people") == count(app, "daybook_keys.person_keys") == 1
    for refused in (
        lambda: app.people.change(ada, PersonChange(name="Ada"), by_ada()),
        lambda: app.disclosures.show(ada, by_ada()),
        lambda: app.disclosures.export(ada, by_ada()),
    ):
        with pytest.raises(Gone, match="somebody new"):
            refused()


def test_an_id_that_nobody_has_is_not_erased_and_nothing_is_written(app: App) -> None:
    with pytest.raises(NotFound, match="privacy add"):
        app.erasure.erase(NOBODY, by_ada())
    assert app.reader.head() == count(app, "erasures") == count(app, "daybook_keys.erased") == 0


def test_a_command_id_of_another_command_is_refused_before_anything_is_destroyed(app: App) -> None:
    person = app.people.add(ADA, by_ada("taken")).person

    with pytest.raises(CommandIdReused):
        app.erasure.erase(person, by_ada("taken"))
    assert app.people.get(person) == ADA


class CutOff(Exception):
    """Power is lost."""


STEPS: dict[str, tuple[str, str]] = {
    "begun": ("_rows", "begin"),
    "key destroyed": ("_keys", "destroy"),
    "listed in the file": ("_file", "add"),
    "event recorded": ("_book", "carry_out"),
    "values removed": ("_vault", "remove"),
    "finished": ("_rows", "finish"),
}


@pytest.mark.parametrize("step", STEPS)
def test_an_erasure_that_is_cut_off_after_any_step_is_seen_and_finished_by_a_second_run(
    app: App, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    person = app.people.add(ADA, by_ada()).person
    part, name = STEPS[step]
    cut_off(monkeypatch, getattr(app.erasure, part), name, before=False)

    with pytest.raises(CutOff):
        app.erasure.erase(person, by_ada())
    monkeypatch.undo()
    waits = [one for one in waiting.report(app.pool, app.registry).waiting if one.kind == "erasure"]
    assert [one.next_step for one in waits] == ([f"daybook privacy erase {person}"] if step != "finished" else [])
    destroyed = count(app, "daybook_keys.person_keys") == 0
    assert destroyed is (step != "begun")
    assert (app.people.get(person) is None) is destroyed, "from the key's end on nobody reads it"

    report = app.erasure.erase(person, by_ada()) if step != "values removed" else app.erasure.replay("ops", "test")
    assert getattr(report, "already", False) is (step == "finished")
    assert erased_in(app) == [person] and app.people.get(person) is None
    assert count(app, "sealed_people") == count(app, "daybook_keys.person_keys") == 0
    assert not [one for one in waiting.report(app.pool, app.registry).waiting if one.kind == "erasure"]


def cut_off(patch: pytest.MonkeyPatch, part: object, name: str, before: bool) -> None:
    """The power goes right before this step, or right after it."""
    true: Callable[..., Any] = getattr(part, name)

    def cut(*given: Any, **more: Any) -> Any:
        if not before:
            true(*given, **more)
        raise CutOff

    patch.setattr(part, name, cut)


def test_a_restored_book_with_keys_elsewhere_knows_at_once_who_was_erased_and_a_replay_records_it(
    database: str, empty_database: str
) -> None:
    migrate(empty_database, KEYS)
    with people_on(database, keys_postgres=empty_database) as app:
        ada, eve = (app.people.add(one, by_ada()).person for one in (ADA, Person(name="Eve")))
    with copy_of(database) as restored:
        with people_on(database, keys_postgres=empty_database) as app:
            app.erasure.erase(ada, by_ada())
        with people_on(restored, keys_postgres=empty_database) as app:
            assert app.people.get_many([ada, eve]) == {ada: None, eve: Person(name="Eve")}

            first, again = (app.erasure.replay("ops", "test") for _ in range(2))
            assert (first.listed, first.keys, first.recorded, again.recorded) == (1, 0, 1, 0)
            assert erased_in(app) == [ada] and count(app, "sealed_people") == 1


def test_a_restored_book_that_brought_the_keys_back_is_put_right_by_the_file(database: str, tmp_path: Path) -> None:
    file = tmp_path / "erased-people"
    with people_on(database, erased_file=file) as app:
        ada, eve = (app.people.add(one, by_ada()).person for one in (ADA, Person(name="Eve")))
    with copy_of(database) as restored:
        with people_on(database, erased_file=file) as app:
            late = app.people.add(Person(name="Late"), by_ada()).person
            app.erasure.erase(ada, by_ada())
            app.erasure.erase(late, by_ada())
        assert sorted(file.read_text().split()) == sorted([ada, late])
        with file.open("a") as torn:
            torn.write(eve[:10])  # a line that was cut off names nobody

        with people_on(restored, erased_file=file) as app:
            assert app.people.get(ada) == ADA, "the restore has brought the key back"
            done = app.erasure.replay("ops", "test")
            assert (done.listed, done.keys, done.recorded) == (2, 1, 1)
            assert app.people.get_many([ada, eve]) == {ada: None, eve: Person(name="Eve")}
            assert erased_in(app) == [ada], "of the one whom this log never knew there is nothing to record"
            assert count(app, "daybook_keys.erased") == 2


def test_restored_keys_are_destroyed_again_by_what_the_log_has(database: str, empty_database: str) -> None:
    migrate(empty_database, KEYS)
    with people_on(database, keys_postgres=empty_database) as app:
        ada = app.people.add(ADA, by_ada()).person
    with copy_of(empty_database) as older:
        with people_on(database, keys_postgres=empty_database) as app:
            app.erasure.erase(ada, by_ada())
        with people_on(database, keys_postgres=older) as app:
            assert app.people.get(ada) is None, "the log says so"
            assert app.erasure.replay("ops", "test").keys == 1
            assert app.keys.of([ada]) == {ada: None}


def test_writes_that_were_cut_off_are_ended_by_a_replay(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    known = app.people.add(ADA, by_ada()).person
    cut_off(monkeypatch, app.book, "carry_out", before=True)
    for write in (
        lambda: app.people.add(Person(name="Never"), by_ada()),
        lambda: app.people.change(known, PersonChange(name="Never"), by_ada()),
    ):
        with pytest.raises(CutOff):
            write()
    monkeypatch.undo()
    cut_off(monkeypatch, app.vault, "settle", before=True)
    with pytest.raises(CutOff):
        app.people.add(Person(name="Recorded"), by_ada())
    monkeypatch.undo()
    assert app.erasure.replay("ops", "test").abandoned == 0, "they may still be under way"
    with psycopg.connect(app.settings.require_postgres()) as conn:
        conn.execute("UPDATE sealed_people SET sealed_at = sealed_at - interval '1 hour'")

    assert app.erasure.replay("ops", "test").abandoned == 3
    assert count(app, "sealed_people") == count(app, "daybook_keys.person_keys") == 2
    assert app.people.get(known) == ADA


def test_what_is_shown_or_exported_is_recorded_first_and_an_export_finds_every_event_with_the_id(app: App) -> None:
    ada = app.people.add(ADA, by_ada()).person
    app.people.add(Person(name="Eve"), by_ada())
    shown = app.disclosures.show(ada, by_ada())
    exported = app.disclosures.export(ada, by_ada())

    assert (shown.known, exported.known, shown.version) == (ADA, ADA, 1)
    events = [one for one in app.reader.after(0) if isinstance(one.event, PersonDisclosed)]
    assert [(one.actor, one.reason, one.event) for one in events] == [
        ("clerk", "she asked for it", PersonDisclosed(person=ada, fields=ADA.fields(), exported=exported_))
        for exported_ in (False, True)
    ]
    assert [(one.position, one.type) for one in exported.occurrences] == [
        (1, "person.added.v1"),
        (3, "person.disclosed.v1"),
    ]


@pytest.mark.parametrize("where", ["reason", "actor", "command_id", "correlation_id"])
def test_a_reason_or_an_actor_that_names_the_person_is_refused_as_it_would_be_kept_for_ever(
    app: App, where: str
) -> None:
    from msgspec.structs import replace

    ada = app.people.add(ADA, by_ada()).person
    told = replace(by_ada(), **{where: f"for ADA {CANARY.upper()}, by phone"})

    for refused in (
        lambda: app.people.add(ADA, told),
        lambda: app.people.change(ada, PersonChange(phone=None), told),
        lambda: app.disclosures.show(ada, told),
        lambda: app.disclosures.export(ada, told),
        lambda: app.erasure.erase(ada, told),
    ):
        with pytest.raises(InvalidValue, match="recorded for ever") as caught:
            refused()
        assert CANARY.lower() not in f"{caught.value.message} {caught.value.details}".lower()
    assert app.reader.head() == 1 and app.people.get(ada) == ADA


PEOPLE = st.integers(0, 3)
ACTS = st.lists(st.tuples(st.sampled_from(["add", "change", "erase", "replay"]), PEOPLE), min_size=1, max_size=12)


@given(acts=ACTS)
@examples(few=5, many=60)
def test_whatever_happens_in_whatever_order_the_vault_is_what_a_plain_table_would_be(
    database: str, acts: list[tuple[str, int]]
) -> None:
    with people_on(database) as app:
        ids: list[str] = []
        plain: dict[str, Person | None] = {}
        for number, (act, who) in enumerate(acts):
            if act == "add":
                ids.append(app.people.add(Person(name=f"N{number}"), by_ada()).person)
                plain[ids[-1]] = Person(name=f"N{number}")
            elif act == "replay":
                app.erasure.replay("ops", "test")
            elif who < len(ids) and act == "erase":
                head, already = app.reader.head(), plain[ids[who]] is None
                report = app.erasure.erase(ids[who], by_ada())
                assert report.already is already and app.reader.head() == head + (not already)
                plain[ids[who]] = None
            elif who < len(ids) and plain[ids[who]] is not None:
                app.people.change(ids[who], PersonChange(mail=f"m{number}@a.example"), by_ada())
                plain[ids[who]] = PersonChange(mail=f"m{number}@a.example").of(plain[ids[who]] or Person())
            assert app.people.get_many(ids) == plain
