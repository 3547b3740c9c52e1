"""Users, grants and keys in the book, and questions about them as of any moment."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.access.permissions import PERMISSIONS
from daybook.access.state import NOBODY, fold_access
from daybook.app import App
from daybook.channel.registry import Registry
from daybook.commands import CategoriseProduct, CreateProduct, DefineCategory
from daybook.commands.access import AddUser, GrantAccess, MakeKey, RevokeKey, RotateKey, WithdrawAccess
from daybook.commands.book import CommandResult
from daybook.config import Settings
from daybook.errors import DaybookError, InvalidValue, NotFound, Refused
from daybook.events import AccessScope, CategoryDefined
from daybook.events.access import ACCESS_KEY
from daybook.log.pending import Context
from daybook.queries import access
from daybook.queries.moment import Moment, resolve
from tests.fixtures.examples import examples


@pytest.fixture
def app(database: str) -> Iterator[App]:
    with App(Settings(data=Path("unused"), postgres=database), Registry([])) as app:
        yield app


def carry(app: App, command: Any) -> CommandResult:
    return app.book.carry_out(command, Context.new("ann", "test"))


def user(login: str, role: str | None = None) -> AddUser:
    return AddUser(user=f"usr_{login}", login=login, role=role, grant=f"gr_{login}")


def grant(login: str, role: str, name: str, **scope: tuple[str, ...]) -> GrantAccess:
    return GrantAccess(user=login, grant=name, role=role, scope=AccessScope(**scope))


def could(app: App, permission: str, position: int | None = None, **about: str) -> list[str]:
    found = access.who_could(app.reader, permission, resolve(app.reader, position=position), **about)
    return [f"{one.login} {one.grant}" for one in found]


def test_saying_the_same_again_changes_nothing_and_a_login_is_given_once(app: App) -> None:
    assert carry(app, user("ann", "owner")).changed
    assert not carry(app, user("ann", "owner")).changed
    assert carry(app, grant("ann", "editor", "gr_1", categories=("shoes",))).changed
    assert not carry(app, grant("ann", "editor", "gr_2", categories=("shoes",))).changed
    with pytest.raises(Refused, match="a person"):
        carry(app, AddUser(user="usr_2", login="ann", kind="service"))


@pytest.mark.parametrize(
    ("wish", "error", "words"),
    [
        (AddUser(user="usr_1", login="Ann"), InvalidValue, "login"),
        (AddUser(user="usr_1", login="bob", role="king", grant="gr_1"), InvalidValue, "owner, editor"),
        (grant("ann", "editor", "gr_1", channels=()), InvalidValue, "holds nothing"),
        (grant("ann", "editor", "gr_1", channels=("no name",)), InvalidValue, "scope.channels"),
        (grant("bob", "editor", "gr_1"), NotFound, "daybook user add bob"),
        (WithdrawAccess(grant="gr_9"), NotFound, "daybook access of"),
        (WithdrawAccess(grant="gr_ann"), Refused, "last owner"),
        (RevokeKey(key="dbk_9"), NotFound, "daybook key list"),
        (MakeKey(user="bob", key="dbk_1", hash="00"), NotFound, "no user 'bob'"),
        (MakeKey(user="ann", key="dbk_1", hash="00", label="x" * 201), InvalidValue, "label"),
    ],
)
def test_a_wish_that_can_not_be_is_refused_in_words(app: App, wish: Any, error: type[DaybookError], words: str) -> None:
    carry(app, user("ann", "owner"))
    head = app.reader.head()
    with pytest.raises(error, match=words):
        carry(app, wish)
    assert app.reader.head() == head


def test_a_rotated_key_and_its_successor_are_both_taken_until_the_overlap_ends(app: App) -> None:
    carry(app, MakeKey(user="erp", key="dbk_1", hash="00", label="feed", first=user("erp", "service")))
    ends = datetime.now(UTC) + timedelta(hours=1)
    carry(app, RotateKey(key="dbk_1", successor="dbk_2", hash="01", ends_at=ends))
    old, new = access.keys(app.reader, resolve(app.reader))
    assert [(one.key, one.state, one.label) for one in (old, new)] == [
        ("dbk_1", "taken", "feed"),
        ("dbk_2", "taken", "feed"),
    ]
    later = Moment(app.reader.head(), ends)
    assert [one.state for one in access.keys(app.reader, later)] == ["replaced", "taken"]
    with pytest.raises(Refused, match="dbk_2 already"):
        carry(app, RotateKey(key="dbk_1", successor="dbk_3", hash="02", ends_at=ends))
    assert carry(app, RevokeKey(key="dbk_1")).changed
    assert not carry(app, RevokeKey(key="dbk_1")).changed
    assert [one.state for one in access.keys(app.reader, resolve(app.reader), login="erp")] == ["revoked", "taken"]


def test_who_could_change_a_price_is_told_of_the_moment_with_its_categories_of_then(app: App) -> None:
    for code, parent in (("all", None), ("shoes", "all"), ("bags", "all")):
        carry(app, DefineCategory(category=CategoryDefined(code=code, parent=parent)))
    carry(app, CreateProduct(sku="A"))
    carry(app, CategoriseProduct(sku="A", categories=("shoes",)))
    for login in ("ann", "bob", "cid"):
        carry(app, user(login))
    carry(app, grant("ann", "owner", "gr_1"))
    carry(app, grant("bob", "merchandiser", "gr_2", categories=("all",), price_lists=("retail",)))
    carry(app, grant("cid", "merchandiser", "gr_3", categories=("bags",)))
    then = app.reader.head()
    carry(app, CategoriseProduct(sku="A", categories=("bags",)))
    carry(app, WithdrawAccess(grant="gr_2"))

    assert could(app, "price.change", then, sku="A") == ["ann gr_1", "bob gr_2"]
    assert could(app, "price.change", then, sku="A", price_list="b2b") == ["ann gr_1"]
    assert could(app, "price.change", then) == ["ann gr_1", "bob gr_2", "cid gr_3"]
    assert could(app, "price.change", sku="A") == ["ann gr_1", "cid gr_3"]
    assert could(app, "log.read", then) == ["ann gr_1"]
    assert could(app, "price.change", 3) == []
    with pytest.raises(InvalidValue, match="permission"):
        could(app, "price.melt")


def test_what_happened_to_access_is_told_in_words_and_what_nobody_uses_is_listed(app: App) -> None:
    carry(app, MakeKey(user="erp", key="dbk_1", hash="00", label="feed", first=user("erp")))
    carry(app, grant("erp", "merchandiser", "gr_1", price_lists=("retail",), channels=("bol",)))
    carry(app, WithdrawAccess(grant="gr_1"))
    carry(app, RevokeKey(key="dbk_1"))
    page = access.log_page(app.reader, limit=4)
    assert [one.sentence for one in page.entries] == [
        "person erp added",
        "dbk_1 made for erp: feed",
        "erp is merchandiser within channels bol; price_lists retail (gr_1)",
        "gr_1 withdrawn from erp",
    ]
    assert page.next == page.entries[-1].position
    assert [one.sentence for one in access.log_page(app.reader, page.next).entries] == ["dbk_1 of erp revoked"]
    carry(app, grant("erp", "reader", "gr_2"))
    carry(app, MakeKey(user="erp", key="dbk_2", hash="00"))
    now = datetime.now(UTC) + timedelta(days=100)
    found = access.unused(app.reader, {("dbk_2", "gr_2"): now - timedelta(days=5)}, now)
    assert found == []
    assert [one.grant or one.key for one in access.unused(app.reader, {}, now)] == ["gr_2", "dbk_2"]
    assert access.unused(app.reader, {}, datetime.now(UTC)) == []


WISHES = st.one_of(
    st.builds(user, st.sampled_from("abc"), st.sampled_from([None, "editor", "reader", "owner"])),
    st.builds(
        lambda login, role, name, lists: grant(login, role, name, **({"price_lists": (lists,)} if lists else {})),
        st.sampled_from("abc"),
        st.sampled_from(["merchandiser", "auditor", "owner"]),
        st.sampled_from(["gr_1", "gr_2", "gr_3"]),
        st.sampled_from([None, "retail"]),
    ),
    st.builds(WithdrawAccess, grant=st.sampled_from(["gr_1", "gr_2", "gr_a", "gr_b"])),
    st.builds(MakeKey, user=st.sampled_from("abc"), key=st.sampled_from(["dbk_1", "dbk_2"]), hash=st.just("00")),
    st.builds(RevokeKey, key=st.sampled_from(["dbk_1", "dbk_2"])),
)


@examples(few=5, many=100)
@given(wishes=st.lists(WISHES, max_size=15))
def test_who_could_as_of_a_position_is_what_the_prefix_of_the_log_folds_to(app: App, wishes: list[Any]) -> None:
    told: dict[int, dict[str, list[str]]] = {}
    asked = ("price.change", "log.read", "access.grant", "self.read")
    for wish in wishes:
        try:
            carry(app, wish)
        except DaybookError:
            continue
        told[app.reader.head()] = {permission: could(app, permission) for permission in asked}
    assert set(asked) <= set(PERMISSIONS)
    for position, then in told.items():
        assert {permission: could(app, permission, position) for permission in asked} == then
        assert app.reader.access(position) == fold_access(NOBODY, app.reader.of_key(ACCESS_KEY, position))
    assert app.reader.access() == fold_access(NOBODY, app.reader.of_key(ACCESS_KEY))
