"""Every route, for every role, within a scope and outside: who may is let in, who may not is told what is lacking."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import msgspec
import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute
from litestar.testing import TestClient

from daybook.access.keys import hash_of, parse, spelled
from daybook.access.permissions import CATEGORY, CHANNEL, DIMENSIONS, LOCATION, PERMISSIONS, PRICE_LIST, ROLES
from daybook.access.state import AccessGrant, AccessState, Key, User
from daybook.app import App
from daybook.authentication.current import CurrentAccess
from daybook.channel.registry import Registry
from daybook.commands import ChangePrice, DefineCategory, DescribeProduct
from daybook.commands.describe import Price
from daybook.commands.schedules import PlanChange
from daybook.config import Settings
from daybook.events import AccessScope, CategoryDefined
from daybook.http.application import create
from daybook.log.pending import Context
from daybook.web.needs import OPT, Needs
from daybook_projections import timeline
from tests.fixtures.channels import toy
from tests.fixtures.toy_shop import second_toy

API = "/api/v1"
SECRET = bytes(range(32))
NAMES = {
    CHANNEL: ("toy", "shop"),
    CATEGORY: ("shoes", "bags"),
    PRICE_LIST: ("retail", "b2b"),
    LOCATION: ("main", "out"),
}
"""Dimension -> what is inside the scope of a grant that is narrowed down by it, and what is outside."""
SKUS = ("A", "B")
FREE = {"/", "/health/live", "/health/ready", "/schema", "/schema/openapi.json", "/schema/openapi.yaml"}
LOGIN = {"/auth/login", "/auth/callback", "/auth/logout", "/auth/me"}
"""Nobody is asked for a key there: they ask the browser themselves."""


class Sent(msgspec.Struct, frozen=True):
    """A request, with {sku}, {channel}, {price_list} and {location} for what is inside or outside."""

    method: str
    path: str
    needs: tuple[str, ...]
    body: Any = None
    about: tuple[str, ...] = ()
    """The dimensions that it names, a product's categories and channels included."""
    listed: bool = False
    """The answer leaves out what is outside, so that whoever has the permission anywhere is let in."""
    hidden: bool = False
    """Who may not, and does not see what it is about, is told that it is not there."""


P, C = "/products/{sku}", "/channels/{channel}"
OF_PRODUCT = (CATEGORY, CHANNEL)
ONE_ORDER = "/orders/{channel}:1"
ORDERED = {
    "channel": "{channel}",
    "number": "1",
    "currency": "EUR",
    "lines": [{"sku": "A", "quantity": 1, "price": "1"}],
    "already_sold": True,
}
PRICED = {"sku": "{sku}", "prices": [{"amount": "2", "currency": "EUR", "price_list": "{price_list}"}]}
LATER = datetime.now(UTC) + timedelta(days=30)
PLANNED = {"sku": "{sku}", "amount": "2", "currency": "EUR", "price_list": "{price_list}"}
DRAFT = {"attribute": "name", "locale": "de-DE"}
SENT: dict[str, Sent] = {
    # First, while the products are as they were made: taking that back means to discontinue and delist them.
    "undo": Sent(
        "POST",
        "/undo?dry_run=true",
        ("product.discontinue", "listing.change"),
        {"select": {"correlation": "{sku}"}},
        OF_PRODUCT,
    ),
    "edit_products": Sent(
        "POST",
        "/edits?dry_run=true",
        ("price.change",),
        {"csv": "sku,prices.{price_list}.EUR\n{sku},3\n"},
        (CATEGORY, PRICE_LIST),
    ),
    "import_shop_file": Sent(
        "POST",
        "/imports?dry_run=true",
        ("price.change",),
        {"csv": "ID,Type,SKU,Name,Regular price\n1,simple,{sku},,3\n", "price_list": "{price_list}", "currency": "EUR"},
        (CATEGORY, PRICE_LIST),
    ),
    "list_products": Sent("GET", "/products", ("product.read",), listed=True),
    "find_products": Sent("GET", "/find", ("product.read",), listed=True),
    "show_product": Sent("GET", P, ("product.read",), about=OF_PRODUCT),
    "create_product": Sent("POST", "/products", ("product.create", "product.change"), {"sku": "{sku}"}, (CATEGORY,)),
    "describe_product": Sent("PUT", P, ("price.change",), PRICED, (CATEGORY, PRICE_LIST)),
    "set_attributes": Sent("PATCH", f"{P}/attributes", ("product.change",), {"changes": []}, (CATEGORY,)),
    "assign_gtin": Sent("PUT", f"{P}/gtin", ("product.change",), {"gtin": None}, (CATEGORY,)),
    "categorise_product": Sent("PUT", f"{P}/categories", ("product.change",), {"categories": []}, (CATEGORY,)),
    "discontinue_product": Sent("PUT", f"{P}/discontinued", ("product.discontinue",), None, (CATEGORY,)),
    "reinstate_product": Sent("DELETE", f"{P}/discontinued", ("product.discontinue",), None, (CATEGORY,)),
    "change_price": Sent(
        "PUT", f"{P}/prices/{{price_list}}/EUR", ("price.change",), {"amount": "1"}, (CATEGORY, PRICE_LIST)
    ),
    "remove_price": Sent("DELETE", f"{P}/prices/{{price_list}}/USD", ("price.change",), None, (CATEGORY, PRICE_LIST)),
    "add_media": Sent("POST", f"{P}/media", ("product.change",), {"media_id": "m", "url": "http://x.io/"}, (CATEGORY,)),
    "remove_media": Sent("DELETE", f"{P}/media?media_id=m", ("product.change",), None, (CATEGORY,)),
    "count_stock": Sent("PUT", f"{P}/stock/{{location}}", ("stock.count",), {"quantity": 1}, (CATEGORY, LOCATION)),
    "receive_stock": Sent(
        "POST", f"{P}/stock/{{location}}/received", ("stock.receive",), {"quantity": 1}, (CATEGORY, LOCATION)
    ),
    "adjust_stock": Sent(
        "POST", f"{P}/stock/{{location}}/adjusted", ("stock.adjust",), {"delta": 1}, (CATEGORY, LOCATION)
    ),
    "set_safety_stock": Sent(
        "PUT", f"{P}/stock/{{location}}/safety", ("stock.adjust",), {"quantity": 1}, (CATEGORY, LOCATION)
    ),
    "show_listing": Sent("GET", f"{P}{C}", ("listing.read",), about=OF_PRODUCT),
    "delist_product": Sent("DELETE", f"{P}{C}", ("listing.change",), None, OF_PRODUCT),
    "list_product": Sent("PUT", f"{P}{C}", ("listing.change",), None, OF_PRODUCT),
    "plan_change": Sent(
        "POST",
        "/schedules",
        ("price.change",),
        {"effective_at": LATER.isoformat(), "change": {"type": "change_price", **PLANNED}},
        (CATEGORY, PRICE_LIST),
    ),
    "list_schedules": Sent("GET", "/schedules", ("product.read",), listed=True),
    "show_schedule": Sent("GET", "/schedules/{sku}", ("product.read",), listed=True),
    "move_schedule": Sent(
        "PATCH",
        "/schedules/{sku}",
        ("price.change",),
        {"effective_at": LATER.isoformat()},
        (CATEGORY, PRICE_LIST),
        hidden=True,
    ),
    "withdraw_schedule": Sent(
        "DELETE", "/schedules/{sku}", ("price.change",), None, (CATEGORY, PRICE_LIST), hidden=True
    ),
    "list_texts": Sent("GET", "/texts", ("product.read",), listed=True),
    "show_text_status": Sent("GET", "/texts/status", ("status.read",)),
    "approve_text": Sent("POST", f"{P}/texts/approved", ("product.change",), DRAFT, (CATEGORY,)),
    "reject_text": Sent("POST", f"{P}/texts/rejected", ("product.change",), DRAFT, (CATEGORY,)),
    "retry_text": Sent("POST", f"{P}/texts/retried", ("product.change",), DRAFT, (CATEGORY,)),
    "list_lacking": Sent("GET", "/completeness", ("product.read",), listed=True),
    "show_completeness": Sent("GET", "/completeness/status", ("status.read",)),
    "show_history": Sent("GET", f"{P}/history", ("product.read",), about=OF_PRODUCT),
    "compare_moments": Sent("GET", f"{P}/diff?from=0", ("product.read",), about=OF_PRODUCT),
    "show_catalogue": Sent("GET", "/catalogue", ("product.read",), listed=True),
    "compare_catalogue": Sent("GET", "/catalogue/diff?from=0", ("product.read",), listed=True),
    "compare_listings": Sent("GET", f"{C}/diff?from=0", ("listing.read",), about=(CHANNEL,)),
    "show_definitions": Sent("GET", "/definitions", ("definition.read",)),
    "define_attribute": Sent("PUT", "/attributes/a", ("definition.change",), {"code": "a", "type": "text"}),
    "define_family": Sent("PUT", "/families/f", ("definition.change",), {"code": "f"}),
    "define_category": Sent("PUT", "/categories/new", ("definition.change",), {"code": "new"}),
    "list_stream_messages": Sent("GET", "/stream/messages", ("log.verify",)),
    "list_events": Sent("GET", "/events?limit=1", ("log.read",)),
    "show_trace": Sent("GET", "/trace?correlation_id=nosuch", ("log.read",)),
    "list_channels": Sent("GET", "/channels", ("channel.read",), listed=True),
    "show_channel": Sent("GET", C, ("channel.read",), about=(CHANNEL,)),
    "show_channel_history": Sent("GET", f"{C}/history", ("channel.read",), about=(CHANNEL,)),
    "add_channel": Sent("POST", "/channels", ("channel.add",), {"name": "nosuch", "kind": "nosuch"}),
    "configure_channel": Sent("PUT", C, ("channel.configure",), {"name": "{channel}"}, (CHANNEL,)),
    "list_rejected": Sent("GET", f"{C}/rejected", ("channel.read",), about=(CHANNEL,)),
    "pause_channel": Sent("POST", f"{C}/pause", ("channel.pause",), {}, (CHANNEL,)),
    "resume_channel": Sent("POST", f"{C}/resume", ("channel.pause",), {}, (CHANNEL,)),
    "retry_channel": Sent("POST", f"{C}/retry", ("channel.retry",), {}, (CHANNEL,)),
    "resync_channel": Sent("POST", f"{C}/resync", ("channel.resync",), {}, (CHANNEL,)),
    "show_document": Sent("GET", f"{C}/documents/{{sku}}", ("listing.read",), about=OF_PRODUCT),
    "remove_channel": Sent("DELETE", C, ("channel.remove",), None, (CHANNEL,)),
    "place_order": Sent("POST", "/orders", ("order.place",), ORDERED, (CHANNEL,)),
    "list_orders": Sent("GET", "/orders", ("order.read",), listed=True),
    "show_order": Sent("GET", ONE_ORDER, ("order.read",), about=(CHANNEL,)),
    "show_order_history": Sent("GET", f"{ONE_ORDER}/history", ("order.read",), about=(CHANNEL,)),
    "pay_order": Sent("POST", f"{ONE_ORDER}/paid", ("order.pay",), {"amount": "1", "currency": "EUR"}, (CHANNEL,)),
    "refund_order": Sent(
        "POST", f"{ONE_ORDER}/refunded", ("order.refund",), {"amount": "1", "currency": "EUR"}, (CHANNEL,)
    ),
    "cancel_order": Sent("POST", f"{ONE_ORDER}/cancelled", ("order.cancel",), {}, (CHANNEL,)),
    "ship_order": Sent("POST", f"{ONE_ORDER}/shipped", ("order.ship",), {"parcel": "P"}, (CHANNEL,)),
    "return_order": Sent("POST", f"{ONE_ORDER}/returned", ("order.return",), {}, (CHANNEL,)),
    "list_refused_orders": Sent("GET", "/orders/refused", ("order.read",), listed=True),
    "retake_orders": Sent("POST", "/orders/refused/retake", ("order.place",), {}, listed=True),
    "dismiss_orders": Sent("POST", "/orders/refused/dismiss", ("order.place",), {"orders": []}, listed=True),
    "add_person": Sent("POST", "/people", ("person.add",), {}),
    "change_person": Sent("PATCH", "/people/nosuch", ("person.change",), {}),
    "show_person": Sent("GET", "/people/nosuch", ("person.read",)),
    "export_person": Sent("GET", "/people/nosuch/export", ("person.read",)),
    "erase_person": Sent("DELETE", "/people/nosuch", ("person.erase",)),
    "list_refused_messages": Sent("GET", "/inbox/refused", ("inbox.read",)),
    "show_refused_message": Sent("GET", "/inbox/refused/1", ("inbox.read",)),
    "retry_message": Sent("POST", "/inbox/refused/1/retry", ("inbox.operate",), {}),
    "drop_message": Sent("POST", "/inbox/refused/1/drop", ("inbox.operate",), {}),
    "list_policies": Sent("GET", "/policies", ("policy.read",)),
    "show_policy": Sent("GET", "/policies/nosuch", ("policy.read",)),
    "list_parked_groups": Sent("GET", "/policies/nosuch/parked", ("policy.read",)),
    "plan_policy": Sent("GET", "/policies/nosuch/plan", ("policy.read",)),
    "pause_policy": Sent("POST", "/policies/nosuch/pause", ("policy.operate",), {}),
    "resume_policy": Sent("POST", "/policies/nosuch/resume", ("policy.operate",), {}),
    "retry_policy": Sent("POST", "/policies/nosuch/retry", ("policy.operate",), {}),
    "show_status": Sent("GET", "/status", ("status.read",), listed=True),
    "list_users": Sent("GET", "/users", ("user.read",)),
    "show_user": Sent("GET", "/users/x", ("user.read",)),
    "add_user": Sent("POST", "/users", ("user.add",), {"login": "x"}),
    "lock_user": Sent("POST", "/users/nosuch/lock", ("user.lock",)),
    "unlock_user": Sent("POST", "/users/nosuch/unlock", ("user.lock",)),
    "link_user": Sent("POST", "/users/nosuch/identities", ("user.link",), {"subject": "s", "issuer": "https://x"}),
    "unlink_user": Sent("DELETE", "/users/nosuch/identities/nosuch", ("user.link",)),
    "list_keys": Sent("GET", "/keys", ("key.read",)),
    "make_key": Sent("POST", "/keys", ("key.make",), {"user": "nosuch"}),
    "rotate_key": Sent("POST", "/keys/nosuch/rotate", ("key.make",), {}),
    "revoke_key": Sent("DELETE", "/keys/nosuch", ("key.make",)),
    "show_me": Sent("GET", "/access/me", ("self.read",)),
    "who_could": Sent("GET", "/access/who-could?permission=log.read", ("access.read",)),
    "list_access_log": Sent("GET", "/access/log", ("access.read",)),
    "list_unused": Sent("GET", "/access/unused", ("access.read",)),
    "list_sessions": Sent("GET", "/access/sessions", ("session.read",)),
    "end_session": Sent("DELETE", "/access/sessions/nosuch", ("session.end",)),
    "grant_access": Sent("POST", "/access/grants", ("access.grant",), {"user": "nosuch", "role": "reader"}),
    "withdraw_access": Sent("DELETE", "/access/grants/nosuch", ("access.grant",)),
}
"""Operation -> its request, in an order in which what is taken away comes back."""


def scoped(role: str, dimension: str | None) -> str:
    return f"{role}.{dimension}".replace("_", "-") if dimension else role


def key_of(login: str) -> str:
    first, second = divmod(_logins().index(login), len(ascii_lowercase))
    return spelled(f"dbk_k3v7w2a5{ascii_lowercase[first]}{ascii_lowercase[second]}", SECRET)


def _logins() -> list[str]:
    return [scoped(role, dimension) for role in ROLES for dimension in (None, *DIMENSIONS)]


def everybody() -> AccessState:
    """A user for each role everywhere, and for each role narrowed down by each dimension."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    users: dict[str, User] = {}
    keys: dict[str, Key] = {}
    for role in ROLES:
        for dimension in (None, *DIMENSIONS):
            login = scoped(role, dimension)
            narrowed: dict[str, Any] = {dimension: (NAMES[dimension][0],)} if dimension else {}
            grant = AccessGrant(
                grant=f"gr_{login}",
                user=login,
                role=role,
                scope=AccessScope(**narrowed),
                granted_at=now,
                granted_by="test",
                position=0,
            )
            users[login] = User(
                user=login, login=login, kind="person", person=None, added_at=now, grants={grant.grant: grant}
            )
            shown = parse(key_of(login))
            assert shown is not None
            keys[shown.id] = Key(key=shown.id, user=login, hash=hash_of(shown.secret), label=None, made_at=now)
    return AccessState(users, keys, {login: login for login in users})


@pytest.fixture
def client(database: str) -> Iterator[TestClient[Litestar]]:
    settings = Settings(data=Path("unused"), postgres=database)
    with App(settings, Registry([toy(), second_toy(), timeline.manifest])) as app:
        app.access = CurrentAccess(app.reader, app.log, app.pool, everybody())
        for code in ("shoes", "bags"):
            app.book.carry_out(DefineCategory(category=CategoryDefined(code=code)), Context.new("ann", "test"))
        for number, sku in enumerate(SKUS):
            wish = DescribeProduct(
                sku=sku,
                kind="product",
                categories=(NAMES[CATEGORY][number],),
                channels={NAMES[CHANNEL][number]: True},
                prices=(Price(amount="1", currency="EUR", price_list="retail"),),
            )
            app.book.carry_out(wish, Context.new("ann", "test", correlation_id=sku))
            price = ChangePrice(sku=sku, amount="2", currency="EUR", price_list=NAMES[PRICE_LIST][number])
            app.book.carry_out(PlanChange(schedule=sku, due_at=LATER, change=price), Context.new("ann", "test"))
        with TestClient(create(app), raise_server_exceptions=False) as client:
            yield client


def ask(client: TestClient[Litestar], sent: Sent, login: str, outside: bool) -> Any:
    names = {name.removesuffix("s"): pair[outside] for name, pair in NAMES.items()} | {"sku": SKUS[outside]}
    body = None
    if sent.body is not None:
        text = msgspec.json.encode(sent.body).decode()
        for name, value in names.items():
            text = text.replace(f"{{{name}}}", value)
        if sent.path.endswith("/categories"):
            text = text.replace("[]", f'["{NAMES[CATEGORY][outside]}"]')
        body = text
    headers = {"Authorization": f"Bearer {key_of(login)}"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    return client.request(sent.method, API + sent.path.format_map(names), content=body, headers=headers)


def allowed(sent: Sent, role: str, dimension: str | None, outside: bool) -> bool:
    """What the tables of permissions and roles say, thought through once more."""
    if not set(sent.needs) <= ROLES[role]:
        return False
    if dimension is None or all(PERMISSIONS[one].common for one in sent.needs):
        return True
    knows = all(dimension in PERMISSIONS[one].within for one in sent.needs)
    return knows and (sent.listed or (dimension in sent.about and not outside))


def routes(client: TestClient[Litestar]) -> list[tuple[str, str, Needs | None]]:
    """Every operation, its path and its declaration."""
    found = []
    for route in client.app.routes:
        if isinstance(route, HTTPRoute):
            for method, (handler, _) in route.route_handler_map.items():
                if method != "OPTIONS":
                    found.append((handler.handler_name, route.path, handler.opt.get(OPT)))
    return found


def test_every_route_declares_what_it_needs_and_has_its_line_here(client: TestClient[Litestar]) -> None:
    found = routes(client)
    assert [path for _, path, needs in found if needs is None] == []
    asked = {name: needs for name, _, needs in found if needs is not None and not needs.open}
    assert asked.keys() == SENT.keys()
    free = {path for _, path, needs in found if needs is not None and needs.open}
    assert {path for path in free if "{" not in path} == FREE | LOGIN | {"/schema/openapi.yml"}
    assert [name for name, _, needs in found if needs is not None and needs.signed] == ["hear_order"]
    for name, declared in asked.items():
        assert set(SENT[name].needs) <= set(declared.permissions), name
        assert SENT[name].listed is declared.listed, name


def test_nobody_is_let_in_without_a_key_or_with_one_in_the_address(client: TestClient[Litestar]) -> None:
    for name, sent in SENT.items():
        path = API + sent.path.format(sku="A", channel="toy", price_list="retail", location="main")
        answer = client.request(sent.method, path)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated"), name
        assert answer.headers["www-authenticate"].startswith("Bearer")
        joined = f"{path}{'&' if '?' in path else '?'}key={key_of('owner')}"
        refused = client.request(sent.method, joined, headers={"Authorization": f"Bearer {key_of('owner')}"})
        assert (refused.status_code, refused.json()["field"]) == (400, "query"), name
        assert key_of("owner")[15:] not in refused.text
    for path in (f"/products/{key_of('owner')}", f"/nowhere/{key_of('owner')}"):
        refused = client.get(API + path, headers={"Authorization": f"Bearer {key_of('owner')}"})
        assert refused.status_code in (400, 404) and key_of("owner")[15:] not in refused.text
    for path in FREE:
        assert client.get(path).status_code != 401


def check(client: TestClient[Litestar], role: str, dimension: str | None) -> None:
    login = scoped(role, dimension)
    for name, sent in SENT.items():
        for outside in (False, True):
            answer = ask(client, sent, login, outside)
            said = f"{login}: {name}, {'outside' if outside else 'inside'}: {answer.status_code} {answer.text[:300]}"
            assert answer.status_code < 500, said
            refused = answer.status_code == 403 or (sent.hidden and answer.status_code == 404)
            assert refused is not allowed(sent, role, dimension, outside), said
            if answer.status_code == 403:
                problem = answer.json()
                assert problem["code"] == "forbidden", said
                assert problem["permission"] in PERMISSIONS, said
                assert "grant" in problem["detail"], said


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_what_it_holds_and_nothing_else(client: TestClient[Litestar], role: str) -> None:
    check(client, role, None)


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_an_owner_who_is_narrowed_down_may_only_what_is_inside(client: TestClient[Litestar], dimension: str) -> None:
    check(client, "owner", dimension)


@pytest.mark.long
@pytest.mark.parametrize("role", [role for role in ROLES if role != "owner"])
@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_every_role_that_is_narrowed_down_may_only_what_is_inside(
    client: TestClient[Litestar], role: str, dimension: str
) -> None:
    check(client, role, dimension)
