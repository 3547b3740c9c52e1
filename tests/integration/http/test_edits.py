"""Edits over HTTP: the real application on a real log, within what a key may change."""

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
from daybook_projections import search
from tests.fixtures.owner import client_of, state_of
from tests.fixtures.rebuilding import run_live

API = "/api/v1"
EDITS = f"{API}/edits"


@pytest.fixture
def app(database: str) -> Iterator[App]:
    with App(Settings(data=Path("unused"), postgres=database), Registry([search.manifest])) as app:
        yield app


@pytest.fixture
def client(app: App) -> Iterator[TestClient[Litestar]]:
    with client_of(app, raises=False) as client:
        for code in ("shoes", "bags"):
            client.put(f"{API}/categories/{code}", json={"code": code}).raise_for_status()
        for sku, category in (("A", "shoes"), ("B", "bags")):
            body = {"sku": sku, "categories": [category], "prices": [{"amount": "10", "currency": "EUR"}]}
            client.post(f"{API}/products", json=body).raise_for_status()
        yield client


async def level(app: App) -> None:
    await run_live(app.settings.require_postgres(), search.manifest)


def amounts(client: TestClient[Litestar]) -> list[str]:
    return [client.get(f"{API}/products/{sku}").json()["prices"][0]["amount"] for sku in "AB"]


def narrowed(app: App, role: str, **scope: Any) -> None:
    app.access = CurrentAccess(app.reader, app.log, app.pool, state_of(role, [AccessScope(**scope)]))


def test_a_sheet_is_planned_and_taken(client: TestClient[Litestar]) -> None:
    wish = {"csv": "sku,prices.default.EUR\nA,12.5\nB,10\nC,1\n"}
    planned = client.post(f"{EDITS}?dry_run=true", json=wish).json()
    assert planned["products"] == {"created": 0, "changed": 1, "unchanged": 1, "failed": 1}
    changed, refused = planned["plans"]
    assert changed["changes"] == [{"field": "prices.default.EUR", "before": "10.00", "after": "12.50"}]
    assert (refused["name"], refused["line"], "no product C" in refused["reasons"][0]) == ("C", 4, True)
    assert amounts(client) == ["10.00", "10.00"]
    done = client.post(EDITS, json=wish).json()
    assert (done["products"], amounts(client)) == (planned["products"], ["12.50", "10.00"])
    assert "/" not in "".join(problem["file"] for problem in done["problems"])
    client.post(f"{API}/undo", json={"select": {"correlation": done["correlation_id"]}})
    assert amounts(client) == ["10.00", "10.00"]


async def test_what_is_found_is_changed_once_for_each_correlation(app: App, client: TestClient[Litestar]) -> None:
    await level(app)
    wish = {"where": ["category=shoes"], "set": ["prices.default.EUR*=1.05"]}
    done = client.post(EDITS, json=wish).json()
    assert (done["products"]["changed"], amounts(client)) == (1, ["10.50", "10.00"])
    again = client.post(EDITS, json=wish, headers={"X-Correlation-Id": done["correlation_id"]}).json()
    assert (again["products"]["changed"], amounts(client)) == (0, ["10.50", "10.00"])
    client.post(EDITS, json=wish)
    assert amounts(client) == ["11.03", "10.00"]


async def test_a_key_of_one_category_edits_within_it_alone(app: App, client: TestClient[Litestar]) -> None:
    await level(app)
    narrowed(app, "owner", categories=("shoes",))
    told = set()
    for sku in ("B", "nosuch"):
        wish = {"csv": f"sku,prices.default.EUR\nA,1\n{sku},1\n"}
        for query in ("", "?dry_run=true"):
            answer = client.post(EDITS + query, json=wish)
            assert (answer.status_code, answer.json()["permission"]) == (403, "price.change")
            told.add(answer.json()["detail"].replace(sku, "SKU"))
    assert len(told) == 1, "a product outside is told from one that there is not by nobody"
    done = client.post(EDITS, json={"where": ["sku=*"], "set": ["prices.default.EUR=7"]}).json()
    assert done["products"]["changed"] == 1
    app.access = CurrentAccess(app.reader, app.log, app.pool, state_of())
    assert amounts(client) == ["7.00", "10.00"]


def test_a_key_of_one_price_list_changes_its_prices_and_reads_no_others(app: App, client: TestClient[Litestar]) -> None:
    narrowed(app, "owner", price_lists=("b2b",))
    assert client.post(EDITS, json={"csv": "sku,prices.default.EUR\nA,1\n"}).status_code == 403
    planned = client.post(f"{EDITS}?dry_run=true", json={"csv": "sku,prices.b2b.EUR\nA,1\n"})
    assert planned.json()["plans"][0]["changes"] == [] and "10.00" not in planned.text
    assert client.post(EDITS, json={"csv": "sku,prices.b2b.EUR\nA,1\n"}).json()["products"]["changed"] == 1


@pytest.mark.parametrize(
    "wish",
    [
        {},
        {"csv": "sku,prices.default.EUR\nA,1\n", "set": ["gtin="]},
        {"set": ["gtin="]},
        {"where": ["sku=A"]},
        {"where": ["sku=A"], "set": ["gtin="], "create": True},
        {"csv": ""},
        {"csv": "\ud800".encode("utf-8", "surrogatepass").decode("utf-8", "replace")},
        {"csv": "sku,price\nA,1\n"},
        {"csv": "sku,gtin\nA,1\nA,2\n"},
        {"csv": "sku\n" + "\n".join(f"S{number}" for number in range(2001))},
        {"csv": "PK\x03\x04"},
    ],
)
async def test_what_makes_no_sense_is_refused_with_the_field(
    app: App, client: TestClient[Litestar], wish: dict[str, Any]
) -> None:
    await level(app)
    answer = client.post(EDITS, json=wish)
    assert answer.status_code in (400, 422), answer.text
    assert answer.json()["field"] and "/tmp" not in answer.text


def test_the_file_of_a_shop_is_recognised_planned_and_taken(client: TestClient[Litestar]) -> None:
    text = "ID,Type,SKU,Name,Regular price,Tags\n1,simple,A,,12.5,x\n2,simple,NEW,New,1,\n"
    wish = {"csv": text, "currency": "EUR"}
    planned = client.post(f"{API}/imports?dry_run=true", json=wish).json()
    assert planned["products"] == {"created": 0, "changed": 1, "unchanged": 0, "failed": 1}
    assert any("is not understood" in notice and notice.startswith("Tags") for notice in planned["notices"])
    assert amounts(client) == ["10.00", "10.00"]
    made = client.post(f"{API}/imports", json=wish | {"create": True}).json()
    assert made["products"] == {"created": 1, "changed": 1, "unchanged": 0, "failed": 0}
    assert amounts(client) == ["12.50", "10.00"]
    for wrong in ({"csv": text}, {"csv": "sku\nA\n"}, wish | {"format": "nosuch"}, wish | {"locale": "x"}):
        refused = client.post(f"{API}/imports", json=wrong)
        assert refused.status_code == 422 and refused.json()["field"] and "/tmp" not in refused.text


def test_who_may_define_nothing_imports_no_new_attribute(app: App, client: TestClient[Litestar]) -> None:
    app.access = CurrentAccess(app.reader, app.log, app.pool, state_of("service"))
    text = "ID,Type,SKU,Name,Regular price\n1,simple,NEW,New,1\n"
    answer = client.post(f"{API}/imports", json={"csv": text, "currency": "EUR", "create": True})
    assert (answer.status_code, answer.json()["permission"]) == (403, "definition.change")
