"""What lies outside of a scope can't be read in any way: by SKU, list, past, history, difference or listing."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import Litestar
from litestar.testing import TestClient
from msgspec.structs import replace

from daybook.access.state import AccessState
from daybook.app import App
from daybook.authentication.current import CurrentAccess
from daybook.channel.registry import Registry
from daybook.commands import CategoriseProduct, DefineCategory, DescribeProduct
from daybook.commands.book import Command
from daybook.config import Settings
from daybook.events import AccessScope, CategoryDefined
from daybook.log.pending import Context
from daybook.postgres.pool import connect_async
from daybook.projection.generations import live
from daybook_projections import timeline
from tests.fixtures.channels import toy
from tests.fixtures.examples import examples
from tests.fixtures.owner import SHOWN, client_of, state_of
from tests.fixtures.toy_shop import second_toy

API = "/api/v1"
PARENTS = {"all": None, "shoes": "all", "boots": "shoes", "bags": None}
PRODUCTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "SKU-ONE": (("shoes",), ("toy",)),
    "SKU-TWO": (("boots",), ("shop",)),
    "SKU-SIX": (("bags",), ("toy", "shop")),
    "SKU-TEN": ((), ("toy",)),
    "SKU-ELF": (("bags", "shoes"), ()),
}
"""SKU -> its categories and the channels on which it is sold."""


@pytest.fixture
def app(database: str) -> Iterator[App]:
    registry = Registry([toy(), second_toy(), timeline.manifest])
    with App(Settings(data=Path("unused"), postgres=database), registry) as app:
        for code, parent in PARENTS.items():
            carry(app, DefineCategory(category=CategoryDefined(code=code, parent=parent)))
        for sku, (categories, channels) in PRODUCTS.items():
            sold = dict.fromkeys(channels, True)
            carry(app, DescribeProduct(sku=sku, kind="product", categories=categories, channels=sold))
        yield app


@pytest.fixture
def client(app: App) -> Iterator[TestClient[Litestar]]:
    with client_of(app, raises=False) as client:
        yield client


def carry(app: App, command: Command) -> None:
    app.book.carry_out(command, Context.new("ann", "test"))


def become(app: App, role: str, *scopes: AccessScope) -> None:
    """From now on the client's key is of this role within these scopes, a grant for each."""
    app.access = CurrentAccess(app.reader, app.log, app.pool, state_of(role, scopes))


def visible(scopes: tuple[AccessScope, ...]) -> set[str]:
    """The products that are inside, thought through once more."""

    def above(code: str | None) -> set[str]:
        return set() if code is None else {code, *above(PARENTS[code])}

    def inside(sku: str, scope: AccessScope) -> bool:
        categories = {one for code in PRODUCTS[sku][0] for one in above(code)}
        return (scope.categories is None or bool(categories & set(scope.categories))) and (
            scope.channels is None or bool(set(PRODUCTS[sku][1]) & set(scope.channels))
        )

    return {sku for sku in PRODUCTS for scope in scopes if inside(sku, scope)}


def walked(client: TestClient[Litestar], path: str, field: str, key: str, **more: Any) -> tuple[list[str], str]:
    """What a list names from page to page, and all that it said."""
    found: list[str] = []
    text = ""
    after: str | None = None
    while True:
        params = {"limit": 1, **more, **({"after": after} if after else {})}
        answer = client.get(f"{API}{path}", params=params)
        assert answer.status_code == 200, answer.text
        text += answer.text
        found += [one[key] for one in answer.json()[field]]
        after = answer.json()["next"]
        if after is None:
            return found, text


def named(*choices: str) -> st.SearchStrategy[tuple[str, ...] | None]:
    return st.none() | st.lists(st.sampled_from(choices), min_size=1, unique=True).map(tuple)


SCOPES = st.builds(AccessScope, categories=named(*PARENTS), channels=named("toy", "shop"))


@examples(few=8, many=200)
@given(scopes=st.lists(SCOPES, min_size=1, max_size=2).map(tuple))
def test_every_way_of_reading_ends_at_the_scope(
    app: App, client: TestClient[Litestar], scopes: tuple[AccessScope, ...]
) -> None:
    become(app, "reader", *scopes)
    inside = visible(scopes)
    for path, field, key in (("/products", "products", "sku"), ("/catalogue", "groups", "key")):
        for more in ({}, {"position": app.reader.head()}):
            found, text = walked(client, path, field, key, **more)
            assert found == sorted(inside), path
            assert not [sku for sku in PRODUCTS.keys() - inside if sku in text], path
    for sku in (*PRODUCTS, "SKU-NOBODY"):
        at = f"{API}/products/{sku}"
        asked = (at, f"{at}?position={app.reader.head()}", f"{at}/history", f"{at}/diff?from=0")
        answers = [client.get(one) for one in asked]
        everywhere = AccessScope() in scopes
        wanted = 200 if sku in inside else 404 if everywhere else 403
        assert [one.status_code for one in answers] == [wanted] * 4, (sku, answers[0].text)
    refused = {client.get(f"{API}/products/{sku}").json()["detail"] for sku in {*PRODUCTS, "SKU-NOBODY"} - inside}
    assert len(refused) <= 1 or AccessScope() in scopes, "nobody learns whether there is such a product"


def test_channels_outside_are_told_nowhere(app: App, client: TestClient[Litestar]) -> None:
    become(app, "channel-owner", AccessScope(channels=("toy",)))
    texts = [
        client.get(f"{API}{path}").text
        for path in (
            *("/products", "/catalogue", "/products/SKU-SIX", "/products/SKU-SIX/history?receipts=true"),
            "/products/SKU-SIX/diff?from=0",
            *("/channels", "/status", "/definitions", "/products/SKU-SIX/channels/toy"),
        )
    ]
    assert "toy" in texts[0]
    assert [text for text in texts if "shop" in text] == []
    for path in ("/channels/shop", "/channels/shop/rejected", "/products/SKU-SIX/channels/shop"):
        assert client.get(f"{API}{path}").status_code == 403, path
    assert client.post(f"{API}/channels/shop/pause", json={}).status_code == 403
    assert client.put(f"{API}/products/SKU-ELF/channels/shop").status_code == 403
    assert client.get(f"{API}/events").status_code == 403


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", "SKU-ONE/categories", {"categories": ["boots"]}, 200),
        ("PUT", "SKU-ONE/categories", {"categories": ["bags"]}, 403),
        ("PUT", "SKU-ONE/categories", {"categories": ["boots", "bags"]}, 403),
        ("PUT", "SKU-SIX/categories", {"categories": ["boots"]}, 403),
        ("PUT", "SKU-ONE", {"sku": "SKU-ONE", "categories": ["bags"]}, 403),
        ("PUT", "SKU-ONE", {"sku": "SKU-ONE", "prices": [{"amount": "1", "currency": "EUR"}]}, 403),
        ("PUT", "SKU-ONE", {"sku": "SKU-ONE", "gtin": None, "stock": {"main": 1}}, 403),
        ("PUT", "NEW", {"sku": "NEW", "kind": "product", "categories": ["boots"]}, 201),
        ("PUT", "NEW", {"sku": "NEW", "kind": "product", "categories": ["boots", "bags"]}, 403),
        ("PUT", "NEW", {"sku": "NEW", "kind": "product"}, 403),
        ("PUT", "NEW", {"sku": "NEW", "kind": "variant", "parent": "SKU-SIX"}, 403),
        ("PUT", "NEW", {"sku": "NEW", "kind": "variant", "parent": "SKU-SIX", "categories": ["boots"]}, 403),
        ("PUT", "NEW", {"sku": "NEW", "kind": "variant", "parent": "SKU-NOBODY", "categories": ["boots"]}, 403),
    ],
)
def test_nothing_is_moved_into_or_out_of_a_scope(
    app: App, client: TestClient[Litestar], method: str, path: str, body: Any, status: int
) -> None:
    become(app, "editor", AccessScope(categories=("shoes",)))
    head = app.reader.head()
    answer = client.request(method, f"{API}/products/{path}", json=body)
    assert answer.status_code == status, answer.text
    if status == 403:
        new = [one.type for one in app.reader.after(head)]
        assert new == ["access.refused.v1"], "what is refused leaves nothing but the refusal"


def test_a_list_of_the_past_shows_what_is_inside_now_as_the_product_itself_does(
    app: App, client: TestClient[Litestar]
) -> None:
    then = app.reader.head()
    carry(app, CategoriseProduct(sku="SKU-ONE", categories=("bags",)))
    become(app, "reader", AccessScope(categories=("shoes",)))
    for path, field, key in (("/products", "products", "sku"), ("/catalogue", "groups", "key")):
        assert walked(client, path, field, key, position=then)[0] == ["SKU-ELF", "SKU-TWO"], path
    assert "SKU-ONE" not in client.get(f"{API}/catalogue/diff", params={"from": 0, "to": then}).text
    assert walked(client, "/products", "products", "sku")[0] == ["SKU-ELF", "SKU-TWO"]
    assert client.get(f"{API}/products/SKU-ONE", params={"position": then}).status_code == 403


def test_an_event_names_the_user_the_key_and_the_grant_and_who_was_named_by_one_who_may(
    app: App, client: TestClient[Litestar]
) -> None:
    become(app, "merchandiser", AccessScope(categories=("shoes",)), AccessScope(price_lists=("retail",)))
    price = f"{API}/products/SKU-ONE/prices/retail/EUR"
    assert client.put(price, json={"amount": "1.00"}).status_code == 200
    assert client.put(price, json={"amount": "2.00"}, headers={"X-Actor": "owner"}).status_code == 200
    refused = client.put(price, json={"amount": "3.00"}, headers={"X-Actor": "anna"})
    assert (refused.status_code, refused.json()["permission"]) == (403, "act.for-others")
    become(app, "service")
    assert client.put(price, json={"amount": "3.00"}, headers={"X-Actor": "anna"}).status_code == 200
    key = SHOWN["Authorization"].split("_")[1]
    changed = [one for one in app.reader.of_key("SKU-ONE") if one.type == "product.price_changed.v1"]
    assert [(one.actor, one.access) for one in changed] == [
        ("owner", f"dbk_{key}/gr_0"),
        ("owner", f"dbk_{key}/gr_0"),
        ("anna", f"dbk_{key}/gr_0"),
    ]
    (told,) = [one for one in client.get(f"{API}/products/SKU-ONE/history").json()["changes"] if one["actor"] == "anna"]
    assert told["access"] == f"dbk_{key}/gr_0"


def test_who_acts_for_others_does_so_with_the_grants_that_let_it_and_no_other(
    app: App, client: TestClient[Litestar]
) -> None:
    both = state_of("editor")
    narrow = state_of("service", [AccessScope(categories=("shoes",))])
    (user,), (other,) = both.users.values(), narrow.users.values()
    grants = {"gr_all": user.grants["gr_0"], "gr_shoes": other.grants["gr_0"]}
    state = AccessState({user.user: replace(user, grants=grants)}, both.keys, both.logins)
    app.access = CurrentAccess(app.reader, app.log, app.pool, state)
    anna = {"X-Actor": "anna"}
    assert client.put(f"{API}/products/SKU-SIX/gtin", json={"gtin": None}).status_code == 200
    assert client.put(f"{API}/products/SKU-SIX/gtin", json={"gtin": None}, headers=anna).status_code == 403
    assert client.put(f"{API}/products/SKU-ONE/gtin", json={"gtin": None}, headers=anna).status_code == 200


def test_who_does_something_to_a_channel_is_its_user_and_nobody_whom_he_may_not_act_for(
    app: App, client: TestClient[Litestar]
) -> None:
    async def run() -> None:
        async with await connect_async(app.settings.require_postgres(), "test") as conn:
            for channel in (toy(), second_toy()):
                await live(conn, channel)

    asyncio.run(run())
    become(app, "channel-owner", AccessScope(channels=("shop",)), AccessScope(channels=("toy",)))
    for action in ("pause", "resume", "retry", "resync"):
        refused = client.post(f"{API}/channels/toy/{action}", json={}, headers={"X-Actor": "anna"})
        assert (refused.status_code, refused.json()["permission"]) == (403, "act.for-others"), action
    assert client.post(f"{API}/channels/toy/pause", json={}).status_code == 200
    key = SHOWN["Authorization"].split("_")[1]
    (told,) = client.get(f"{API}/channels/toy/history").json()["changes"]
    assert (told["sentence"], told["actor"], told["access"]) == ("toy paused", "owner", f"dbk_{key}/gr_1")
    become(app, "channel-owner", AccessScope(channels=("shop",)))
    outside = client.get(f"{API}/channels/toy/history"), client.post(f"{API}/channels/toy/resume", json={})
    assert [(one.status_code, one.json()["code"]) for one in outside] == [(403, "forbidden")] * 2
    assert client.get(f"{API}/channels/shop/history").json() == {"changes": [], "next": None}
