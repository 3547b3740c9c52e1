"""A clerk's process is killed again and again while it adds, changes and erases people: what is left is whole."""

import random
import signal
from collections.abc import Iterator

import psycopg
import pytest

from daybook.app import App
from daybook.events import PersonAdded, PersonErased
from daybook.queries import waiting
from tests.fixtures.child_programs import line, python
from tests.fixtures.people import people_on

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

KILLS = 25
CLERK = """
import random, sys
from daybook.people.person import Person, PersonChange
from tests.fixtures.people import by_ada, people_on
dsn, seed = sys.argv[1], int(sys.argv[2])
chance = random.Random(seed)
with people_on(dsn) as app:
    people = []
    while True:
        print("goes on", flush=True)
        act = chance.choice(["add", "add", "change", "erase"])
        if act == "add" or not people:
            people.append(app.people.add(Person(name=f"N{seed}"), by_ada()).person)
        elif act == "change":
            app.people.change(chance.choice(people), PersonChange(mail=f"{chance.random()}@a.example"), by_ada())
        else:
            app.erasure.erase(people.pop(chance.randrange(len(people))), by_ada())
"""


@pytest.fixture
def app(database: str) -> Iterator[App]:
    with people_on(database) as made:
        yield made


def ask(app: App, query: str) -> set[str]:
    with psycopg.connect(app.settings.require_postgres()) as conn:
        return {str(row[0]) for row in conn.execute(query.encode())}


def test_after_kills_at_any_moment_a_replay_leaves_exactly_who_was_added_and_not_erased(app: App) -> None:
    chance = random.Random(20261129)
    for seed in range(KILLS):
        with python(CLERK, app.settings.require_postgres(), seed) as child:
            for _ in range(chance.randint(2, 12)):  # it goes on while this reads: where it stands then is chance
                assert line(child) == "goes on"
            child.send_signal(signal.SIGKILL)
    with psycopg.connect(app.settings.require_postgres()) as conn:
        conn.execute("UPDATE sealed_people SET sealed_at = sealed_at - interval '1 hour' WHERE NOT settled")

    done = app.erasure.replay("ops", "test")

    events = [one.event for one in app.reader.after(0, limit=1_000_000)]
    added = {one.person for one in events if isinstance(one, PersonAdded)}
    erased = [one.person for one in events if isinstance(one, PersonErased)]
    known = added - set(erased)
    assert len(erased) == len(set(erased)) and len(known) > 10 and len(erased) > 10
    assert set(app.people.get_many(sorted(known))) == known
    assert all(app.people.get_many(sorted(known)).values()) and not any(app.people.get_many(erased).values())
    assert ask(app, "SELECT person FROM sealed_people") == known
    assert ask(app, "SELECT person FROM daybook_keys.erased") == set(erased)
    keys = ask(app, "SELECT person FROM daybook_keys.person_keys")
    assert keys >= known and not keys & set(erased)
    # A clerk who died between the key and the sealed row has left a key of nobody: it opens nothing.
    assert len(keys - known) <= KILLS
    waits = {one.kind for one in waiting.report(app.pool, app.registry).waiting}
    assert not waits & {"erasure", "abandoned_people"}, done
