"""What each process knows of access: fresh within a second, also when another changed it; and what it tells the log."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from daybook.access.keys import hash_of, parse, spelled
from daybook.app import App
from daybook.authentication.current import NOBODY_YET, CurrentAccess
from daybook.channel.registry import Registry
from daybook.commands.access import AddUser, MakeKey, RevokeKey
from daybook.config import Settings
from daybook.errors import Unauthenticated, Unavailable
from daybook.events import AccessRefused
from daybook.log.pending import Context
from tests.fixtures import child_programs
from tests.fixtures.logs import rows

KEY = spelled("dbk_k3v7w2a5pq", bytes(range(32)))
SHOWN = f"Bearer {KEY}"


@pytest.fixture
def app(database: str) -> Iterator[App]:
    with App(Settings(data=Path("unused"), postgres=database), Registry([])) as app:
        yield app


def make_key(app: App) -> None:
    shown = parse(KEY)
    assert shown is not None
    first = AddUser(user="usr_1", login="erp", role="service", grant="gr_1")
    wish = MakeKey(user="erp", key=shown.id, hash=hash_of(shown.secret), first=first)
    app.book.carry_out(wish, Context.new("ann", "test"))


def refusal(app: App, authorization: str | None) -> str:
    with pytest.raises(Unauthenticated) as caught:
        asyncio.run(app.access.principal(authorization))
    return str(caught.value)


def test_a_new_book_says_how_somebody_gets_in_and_then_what_is_missing(app: App) -> None:
    assert refusal(app, None) == NOBODY_YET
    assert "mistyped" in refusal(app, f"Bearer {KEY[:-1]}")
    assert "not known" in refusal(app, SHOWN)
    make_key(app)
    app.access = CurrentAccess(app.reader, app.log, app.pool)
    found = asyncio.run(app.access.principal(SHOWN.replace("Bearer", "bearer")))
    assert (found.login, found.credential, [one.role for one in found.grants]) == ("erp", "dbk_k3v7w2a5pq", ["service"])
    assert "daybook key local" in refusal(app, None)


ANOTHER = """
import asyncio, sys, time
from pathlib import Path
from daybook.app import App
from daybook.channel.registry import Registry
from daybook.config import Settings
from daybook.errors import Unauthenticated

async def main(app, shown):
    told = False
    while True:
        try:
            await app.access.principal(shown)
            if not told:
                print("taken", flush=True)
                told = True
        except Unauthenticated:
            print(time.time(), flush=True)
            return
        await asyncio.sleep(0.002)

with App(Settings(data=Path("unused"), postgres=sys.argv[1]), Registry([])) as app:
    asyncio.run(main(app, sys.argv[2]))
"""


def test_a_revoked_key_is_refused_within_a_second_in_every_process(app: App, database: str) -> None:
    make_key(app)
    with child_programs.python(ANOTHER, database, SHOWN) as one, child_programs.python(ANOTHER, database, SHOWN) as two:
        assert [child_programs.line(child) for child in (one, two)] == ["taken"] * 2
        app.book.carry_out(RevokeKey(key="dbk_k3v7w2a5pq"), Context.new("ann", "test"))
        revoked = time.time()
        assert all(float(child_programs.line(child)) - revoked < 1.0 for child in (one, two))


def test_a_refusal_is_told_once_a_minute_by_all_processes_together(app: App, database: str) -> None:
    make_key(app)
    before = app.reader.head()
    refused = AccessRefused(reason="forbidden", user="usr_1", key="dbk_k3v7w2a5pq", permission="log.read")
    other = CurrentAccess(app.reader, app.log, app.pool)
    minute = int(time.time()) // 60
    for access in (app.access, app.access, other):
        asyncio.run(access.refuse(refused))
    asyncio.run(other.refuse(AccessRefused(reason="out_of_scope", key="dbk_k3v7w2a5pq", permission="log.read")))
    told = app.reader.head() - before
    assert told == 2 or (told == 3 and int(time.time()) // 60 > minute)
    assert ("refusals/dbk_k3v7w2a5pq",) in rows(database, "stream")


def test_what_an_attacker_invents_is_not_written_for_each_try(app: App) -> None:
    before = app.reader.head()
    for number in range(5):
        refusal(app, f"Bearer {spelled('dbk_aaaaaaaaa' + 'abcde'[number], bytes(32))}")
    for _ in range(5):
        refusal(app, None)
        refusal(app, "Bearer nonsense")
    assert app.reader.head() - before <= 2


def test_a_use_is_noted_with_the_next_look(app: App) -> None:
    make_key(app)
    found = asyncio.run(app.access.principal(SHOWN))
    for _ in range(3):
        app.access.used(found, found.grants)
    app.access.uses.flush()
    assert list(app.access.uses.last()) == [("dbk_k3v7w2a5pq", "gr_1")]
    app.close()
    app.access.uses.note("dbk_k3v7w2a5pq", "gr_2")
    app.access.uses.flush()  # decides nothing, so it fails nobody


def test_nothing_is_trusted_for_long_when_postgres_is_away(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    make_key(app)
    asyncio.run(app.access.principal(SHOWN))
    clock = time.monotonic
    app.close()
    monkeypatch.setattr(time, "monotonic", lambda: clock() + 2)
    assert asyncio.run(app.access.principal(SHOWN)).login == "erp"
    monkeypatch.setattr(time, "monotonic", lambda: clock() + 6)
    with pytest.raises(Unavailable):
        asyncio.run(app.access.principal(SHOWN))
