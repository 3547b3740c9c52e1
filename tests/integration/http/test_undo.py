"""Undo over HTTP: the real application on a real log, and what each role may take back."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from daybook.app import App
from daybook.authentication.current import CurrentAccess
from daybook.channel.registry import Registry
from daybook.config import Settings
from daybook.events import AccessScope
from tests.fixtures.owner import client_of, state_of

API = "/api/v1"


@pytest.fixture
def app(database: str) -> Iterator[App]:
    with App(Settings(data=Path("unused"), postgres=database), Registry([])) as app:
        yield app


@pytest.fixture
def client(app: App) -> Iterator[TestClient[Litestar]]:
    with client_of(app, raises=False) as client:
        client.post(f"{API}/products", json={"sku": "A", "prices": [{"amount": "10", "currency": "EUR"}]})
        yield client


def priced(client: TestClient[Litestar], amount: str) -> int:
    position: int = client.put(f"{API}/products/A/prices/default/EUR", json={"amount": amount}).json()["position"]
    return position


def amount(client: TestClient[Litestar]) -> Any:
    return client.get(f"{API}/products/A").json()["prices"][0]["amount"]


def test_a_change_is_planned_and_taken_back(client: TestClient[Litestar]) -> None:
    wish = {"select": {"position": priced(client, "99")}}
    planned = client.post(f"{API}/undo?dry_run=true", json=wish).json()
    assert (planned["undone"], planned["dry_run"], amount(client)) == (1, True, "99.00")
    done = client.post(f"{API}/undo", json=wish)
    assert (done.status_code, done.json()["undone"], amount(client)) == (200, 1, "10.00")
    again = client.post(f"{API}/undo", json=wish).json()
    assert (again["undone"], amount(client)) == (0, "10.00")
    client.post(f"{API}/undo", json={"select": {"correlation": done.json()["correlation_id"]}})
    assert amount(client) == "99.00"


def test_what_was_changed_since_is_409_until_it_is_said_what_to_do(client: TestClient[Litestar]) -> None:
    wish = {"select": {"position": priced(client, "99")}}
    priced(client, "50")
    refused = client.post(f"{API}/undo", json=wish)
    assert (refused.status_code, refused.json()["field"], amount(client)) == (409, "prices.default.EUR", "50.00")
    client.post(f"{API}/undo", json=wish | {"newer": "force"})
    assert amount(client) == "10.00"


@pytest.mark.parametrize(
    "select", [{}, {"position": 1, "since": "2026-01-01"}, {"position": 1, "by": "x"}, {"what": 1}]
)
def test_a_selection_that_makes_no_sense_is_refused(client: TestClient[Litestar], select: dict[str, Any]) -> None:
    assert client.post(f"{API}/undo", json={"select": select}).status_code in (400, 422)


def test_who_may_not_change_a_price_may_not_take_one_back_nor_see_it(app: App, client: TestClient[Litestar]) -> None:
    wish = {"select": {"position": priced(client, "99")}}
    app.access = CurrentAccess(app.reader, app.log, app.pool, state_of("warehouse"))
    for query in ("", "?dry_run=true"):
        answer = client.post(f"{API}/undo{query}", json=wish)
        assert answer.status_code == 403 and "99" not in answer.text


def test_who_is_narrowed_down_is_told_nothing_of_what_is_outside_whatever_became_of_it(
    app: App, client: TestClient[Litestar]
) -> None:
    old = priced(client, "99")
    priced(client, "88.22")  # changed since: nothing would be written, and all of it could be told
    client.post(f"{API}/channels", json={"name": "nosuch", "kind": "nosuch"})
    definition = client.put(f"{API}/categories/secret", json={"code": "secret"}).json()["position"]
    scopes = ({"price_lists": ("default",)}, {"categories": ("shoes",)}, {"channels": ("webshop",)})
    told = set()
    for scope in scopes:
        narrowed = state_of("editor", [AccessScope(**scope)])
        app.access = CurrentAccess(app.reader, app.log, app.pool, narrowed)
        for position in (old, definition):
            for newer in ("refuse", "skip", "force"):
                for query in ("", "?dry_run=true"):
                    wish = {"select": {"position": position}, "newer": newer}
                    answer = client.post(f"{API}/undo{query}", json=wish)
                    assert answer.status_code == 403, answer.text
                    told.add(answer.json()["detail"])
    assert not any("88.22" in one or "secret" in one or " A " in one for one in told)
