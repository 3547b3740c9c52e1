"""The one function that decides, over every role, every permission and scopes of every kind."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.access.authority import (
    Denied,
    Principal,
    access_column,
    authenticate,
    decide,
    gives,
    reach,
)
from daybook.access.keys import hash_of, parse, spelled
from daybook.access.permissions import DIMENSIONS, PERMISSIONS, ROLES
from daybook.access.state import AccessGrant, AccessState, Key, User
from daybook.events import AccessScope
from tests.fixtures.examples import examples

NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)
KEY = spelled("dbk_k3v7w2a5pq", bytes(32))
NAMES = ("a", "b", "c")


def grant(role: str, number: int = 1, **scope: Any) -> AccessGrant:
    return AccessGrant(
        grant=f"gr_{number}",
        user="usr_1",
        role=role,
        scope=AccessScope(**scope),
        granted_at=NOW,
        granted_by="anna",
        position=number,
    )


def principal(*grants: AccessGrant) -> Principal:
    return Principal(user="usr_1", login="erp", credential="dbk_k3v7w2a5pq", grants=grants)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("permission", PERMISSIONS)
def test_a_role_gives_its_permissions_everywhere_and_no_other(role: str, permission: str) -> None:
    found = decide(principal(grant(role)), permission)
    assert isinstance(found, AccessGrant) is (permission in ROLES[role])
    if isinstance(found, Denied):
        assert found.reason == "forbidden"
        assert permission in found.message and "owner" in found.message


def test_nobody_may_do_what_is_no_permission_or_without_a_grant() -> None:
    assert isinstance(decide(principal(grant("owner")), "price.melt"), Denied)
    assert isinstance(decide(principal(), "self.read"), Denied)


@pytest.mark.parametrize("dimension", DIMENSIONS)
@pytest.mark.parametrize("permission", PERMISSIONS)
def test_a_narrowed_grant_gives_only_what_knows_its_dimension_and_only_inside(permission: str, dimension: str) -> None:
    one = grant("owner", 1, **{dimension: ("a",)})
    known = PERMISSIONS[permission]
    inside = decide(principal(one), permission, {dimension: frozenset({"a", "x"})})
    outside = decide(principal(one), permission, {dimension: frozenset({"x"})})
    unnamed = decide(principal(one), permission)
    assert isinstance(inside, AccessGrant) is (known.common or dimension in known.within)
    assert isinstance(outside, AccessGrant) is isinstance(unnamed, AccessGrant) is known.common


def test_one_grant_must_hold_all_of_a_request_two_halves_do_not_make_a_whole() -> None:
    halves = (
        grant("merchandiser", 1, categories=("shoes",), price_lists=("b2b",)),
        grant("merchandiser", 2, categories=("bags",), price_lists=("retail",)),
    )
    touched = {"categories": frozenset({"shoes"}), "price_lists": frozenset({"retail"})}
    assert isinstance(decide(principal(*halves), "price.change", touched), Denied)
    whole = grant("merchandiser", 3, categories=("shoes",), price_lists=("retail",))
    assert decide(principal(*halves, whole), "price.change", touched) == whole


def test_what_a_product_is_in_is_looked_up_only_when_a_grant_is_narrowed_by_it() -> None:
    asked: list[int] = []

    def facts() -> dict[str, frozenset[str]]:
        asked.append(1)
        return {"categories": frozenset({"shoes"}), "channels": frozenset()}

    assert isinstance(decide(principal(grant("editor")), "product.change", {}, facts), AccessGrant)
    assert isinstance(decide(principal(grant("reader")), "product.change", {}, facts), Denied)
    assert asked == []
    narrowed = principal(grant("editor", categories=("bags",)), grant("editor", 2, categories=("shoes",)))
    assert isinstance(decide(narrowed, "product.change", {}, facts), AccessGrant)
    assert asked == [1]


SCOPES = st.builds(
    AccessScope,
    **{
        name: st.none() | st.sets(st.sampled_from(NAMES), min_size=1).map(lambda names: tuple(sorted(names)))
        for name in DIMENSIONS
    },
)
TOUCHED = st.fixed_dictionaries({name: st.frozensets(st.sampled_from(NAMES), min_size=1) for name in DIMENSIONS})


@examples(few=200, many=20_000)
@given(
    st.lists(st.tuples(st.sampled_from(list(ROLES)), SCOPES), max_size=4),
    st.sampled_from(list(PERMISSIONS)),
    TOUCHED,
)
def test_it_is_allowed_exactly_when_one_grant_alone_says_so(
    granted: list[tuple[str, AccessScope]], permission: str, touched: dict[str, frozenset[str]]
) -> None:
    grants = [
        AccessGrant(grant=f"gr_{n}", user="u", role=role, scope=scope, granted_at=NOW, granted_by="a", position=n)
        for n, (role, scope) in enumerate(granted)
    ]
    known = PERMISSIONS[permission]

    def alone(one: AccessGrant) -> bool:
        narrowed = {name: set(names) for name in DIMENSIONS if (names := getattr(one.scope, name)) is not None}
        inside = all(name in known.within and names & touched[name] for name, names in narrowed.items())
        return permission in ROLES[one.role] and (known.common or inside)

    found = decide(principal(*grants), permission, touched)
    assert isinstance(found, AccessGrant) is any(alone(one) for one in grants)
    assert isinstance(found, Denied) or alone(found)
    within = {name: touched[name] for name in known.within}
    if not known.common:
        # Lists leave out exactly what a question for the thing itself would be refused.
        assert reach(principal(*grants), permission).holds(within) is isinstance(found, AccessGrant)


def state(key: Key) -> AccessState:
    user = User(user="usr_1", login="erp", kind="service", person=None, added_at=NOW, grants={"gr_1": grant("reader")})
    return AccessState({"usr_1": user}, {key.key: key}, {"erp": "usr_1"}, position=3)


def made(**more: Any) -> Key:
    shown = parse(KEY)
    assert shown is not None
    plain: dict[str, Any] = {"key": shown.id, "user": "usr_1", "hash": hash_of(shown.secret), "label": None}
    return Key(**{**plain, "made_at": NOW, **more})


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (made(revoked_at=NOW), "revoked"),
        (made(expires_at=NOW), "expired"),
        (made(expires_at=NOW - HOUR), "expired"),
        (made(expires_at=NOW, successor="dbk_b"), "replaced"),
        (made(hash="0" * 64), "wrong_secret"),
        (made(key="dbk_aaaaaaaaaa"), "unknown_key"),
    ],
)
def test_a_key_that_is_not_taken_is_refused_and_its_secret_is_not_repeated(key: Key, reason: str) -> None:
    shown = parse(KEY)
    assert shown is not None
    found = authenticate(state(key), shown, NOW)
    assert isinstance(found, Denied)
    assert found.reason == reason
    assert shown.secret not in found.message


def test_who_does_not_know_the_secret_is_not_told_whether_there_is_such_a_key() -> None:
    shown = parse(KEY)
    assert shown is not None
    wrong = authenticate(state(made(hash="0" * 64)), shown, NOW)
    unknown = authenticate(state(made(key="dbk_aaaaaaaaaa")), shown, NOW)
    assert isinstance(wrong, Denied) and isinstance(unknown, Denied)
    assert wrong.message == unknown.message


def test_a_key_is_taken_until_the_moment_at_which_it_ends() -> None:
    shown = parse(KEY)
    assert shown is not None
    for key in (made(), made(expires_at=NOW + HOUR), made(expires_at=NOW + HOUR, successor="dbk_b")):
        found = authenticate(state(key), shown, NOW)
        assert isinstance(found, Principal)
        assert (found.login, found.credential, [one.grant for one in found.grants]) == ("erp", key.key, ["gr_1"])


def test_an_event_names_the_key_and_each_grant_once() -> None:
    assert access_column(principal(), [grant("reader", 2), grant("editor", 1), grant("reader", 2)]) == (
        "dbk_k3v7w2a5pq/gr_2,gr_1"
    )
    local = Principal(user=None, login="anna", credential=None, grants=())
    assert access_column(local, []) is None


def test_every_role_holds_permissions_that_there_are_and_each_permission_is_somebodys() -> None:
    assert {one for held in ROLES.values() for one in held} == set(PERMISSIONS)
    assert all(set(one.within) <= set(DIMENSIONS) for one in PERMISSIONS.values())
    assert all(gives(grant("owner"), one) for one in PERMISSIONS)
