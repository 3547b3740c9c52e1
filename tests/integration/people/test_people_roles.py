"""The vault as a role of the database sees it: the API keeps people, nobody else reads even what is sealed."""

import psycopg
import pytest

from daybook.people.person import PersonChange
from daybook.postgres import roles
from daybook.queries import waiting
from tests.fixtures.people import ADA, as_role, by_ada, people_on


def test_the_role_of_the_delivery_reads_what_it_has_to_tell_and_changes_nothing(database: str) -> None:
    roles.make_roles(database)
    with people_on(database) as app:
        person = app.people.add(ADA, by_ada()).person
    with people_on(as_role(database, "deliver")) as app:
        assert app.people.get(person) == ADA
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.vault.remove(person)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.keys.destroy([person])


def test_the_role_of_the_api_adds_changes_shows_exports_erases_and_replays(database: str) -> None:
    roles.make_roles(database)
    with people_on(as_role(database, "append")) as app:
        person = app.people.add(ADA, by_ada()).person
        app.people.change(person, PersonChange(phone=None), by_ada())
        assert app.disclosures.show(person, by_ada()).known.mail == ADA.mail
        assert app.disclosures.export(person, by_ada()).occurrences
        assert app.erasure.erase(person, by_ada()).cleared == {"delivery journal": 0, "heard orders": 0}
        assert app.erasure.replay("ops", "test").listed == 1
        assert app.people.get(person) is None


@pytest.mark.parametrize("role", sorted({*roles.ROLES} - {"append"}))
def test_only_api_and_delivery_read_a_sealed_value_or_a_key_and_most_see_what_waits(database: str, role: str) -> None:
    roles.make_roles(database)
    with people_on(database) as app:
        app.people.add(ADA, by_ada())
    with psycopg.connect(database) as conn:
        conn.execute("INSERT INTO erasures (person) SELECT person FROM sealed_people")
        conn.execute("UPDATE sealed_people SET settled = false")
    reads = ("SELECT sealed FROM sealed_people", "SELECT key FROM daybook_keys.person_keys")
    for query in () if role == "deliver" else reads:
        with (
            psycopg.connect(as_role(database, role)) as conn,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            conn.execute(query.encode())
    if role not in ("relay", "clock"):
        with people_on(as_role(database, role)) as app:
            kinds = {one.kind for one in waiting.report(app.pool, app.registry).waiting}
        assert kinds >= {"erasure", "abandoned_people"}
