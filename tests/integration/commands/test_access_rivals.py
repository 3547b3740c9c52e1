"""Commands about access that are sent at once: what each of them rests on must still be true when it counts."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from daybook.access.decisions import owning
from daybook.app import App
from daybook.channel.registry import Registry
from daybook.commands.access import AddUser, GrantAccess, LockUser, MakeKey, WithdrawAccess, link_of
from daybook.config import Settings
from daybook.errors import DaybookError
from daybook.events import AccessScope, IdentityLinked, UserAdded
from daybook.log.pending import Context
from tests.fixtures.logs import at_once

ROUNDS = 6


@pytest.fixture
def app(database: str) -> Iterator[App]:
    with App(Settings(data=Path("unused"), postgres=database), Registry([])) as app:
        yield app


def tried(app: App, command: Any) -> str:
    try:
        app.book.carry_out(command, Context.new("ann", "test"))
    except DaybookError as error:
        return error.code
    return "done"


def withdraw(app: App, grant: str) -> str:
    return tried(app, WithdrawAccess(grant=grant))


def test_of_the_last_two_owners_one_stays_when_both_are_withdrawn_at_once(app: App) -> None:
    for login in ("ann", "bob"):
        tried(app, AddUser(user=f"usr_{login}", login=login))
    for number in range(ROUNDS):
        for login in ("ann", "bob"):
            tried(app, GrantAccess(user=login, grant=f"gr_{login}_{number}", role="owner", scope=AccessScope()))
        grants = [one for user in app.reader.access().users.values() for one in user.grants]
        assert len(grants) == 2
        with ThreadPoolExecutor(2) as rivals:
            found = list(rivals.map(partial(withdraw, app), grants))
        assert sorted(found) == ["done", "refused"], number


def test_of_the_last_two_owners_one_stays_when_one_is_locked_and_one_withdrawn_at_once(app: App) -> None:
    for login in ("ann", "bob"):
        tried(app, AddUser(user=f"usr_{login}", login=login, role="owner", grant=f"gr_{login}"))
    rivals = (LockUser(user="ann"), WithdrawAccess(grant="gr_bob"))
    assert sorted(at_once(2, lambda which: tried(app, rivals[which]))) == ["done", "refused"]
    assert len(owning(app.reader.access())) == 1


def add(app: App, login: str, which: int) -> str:
    return tried(app, AddUser(user=f"usr_{login}_{which}", login=login))


def tie(app: App, login: str, which: int) -> str:
    """The same subject to a new user each."""
    first = AddUser(user=f"usr_{login}-{which}", login=f"{login}-{which}")
    return tried(app, link_of(first.login, f"oid_{login}_{which}", "https://id.example", login, (), first))


def test_a_login_is_given_once_and_a_subject_tied_once_when_many_try_at_once(app: App) -> None:
    for number in range(ROUNDS):
        at_once(4, partial(add, app, f"l{number}"))
        assert sorted(at_once(4, partial(tie, app, f"l{number}"))) == ["done", "refused", "refused", "refused"]
    events = [one.event for one in app.reader.after(0, 1000)]
    logins = [one.login for one in events if isinstance(one, UserAdded)]
    assert len(logins) == len(set(logins)) == 2 * ROUNDS
    linked = [one.subject_hash for one in events if isinstance(one, IdentityLinked)]
    assert len(linked) == len(set(linked)) == ROUNDS


def test_a_user_has_no_more_keys_than_it_may_however_many_are_made_at_once(
    app: App,
) -> None:
    tried(app, AddUser(user="usr_erp", login="erp"))
    made = at_once(
        8, lambda which: [tried(app, MakeKey(user="erp", key=f"dbk_{which}_{n}", hash="00")) for n in range(15)]
    )
    assert sum(one == "done" for each in made for one in each) == 100
    assert len(app.reader.access().users["usr_erp"].keys) == 100
