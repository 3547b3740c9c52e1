"""What a route does not take is refused with what it does take: it would be ignored, and something else done."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from daybook.app import App
from daybook.channel.registry import Registry
from daybook.config import Settings
from tests.fixtures.owner import client_of

API = "/api/v1"


@pytest.fixture
def client(database: str) -> Iterator[TestClient[Litestar]]:
    settings = Settings(data=Path("unused"), postgres=database)
    with (
        App(settings, Registry([])) as app,
        client_of(app, raises=False) as client,
    ):
        client.put(f"{API}/products/A", json={"sku": "A", "kind": "product", "stock": {"main": 3}}).raise_for_status()
        yield client


def refused(answer: Any, field: str, *words: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed"), answer.text
    assert answer.json()["field"] == field
    for word in words:
        assert word in answer.json()["reason"]


def operations(client: TestClient[Litestar]) -> list[tuple[str, str]]:
    paths = client.get("/schema/openapi.json").json()["paths"]
    return [(method, path) for path, item in paths.items() for method in item if method != "parameters"]


def test_an_unknown_parameter_is_refused_on_every_route(client: TestClient[Litestar]) -> None:
    found = operations(client)
    assert len(found) > 35
    for method, path in found:
        if path == "/auth/callback" or path.endswith("/heard"):
            continue  # a provider or a marketplace may add to what it says
        concrete = path.replace("{", "").replace("}", "")
        answer = client.request(method, f"{concrete}?kew=Mok", json={} if method in ("post", "put", "patch") else None)
        refused(answer, "kew", "there is no such parameter here; there are: ")


@pytest.mark.parametrize(
    ("query", "field", "words"),
    [
        ("gtin=none", "gtin", ["there are: after, at, limit, position"]),
        ("family=lamps", "family", ["there are: after, at, limit, position"]),
        ("Limit=5", "Limit", ["limit"]),
        ("limit=5&limit=6", "limit", ["2 times", "once"]),
        ("limit=5&q=", "q", ["no such parameter"]),
        ("at=", "at", ["is empty"]),
        ("at", "at", ["is empty"]),
        ("after=", "after", ["is empty"]),
        ("limit=", "limit", ["is empty"]),
        ("=5", "", ["no such parameter"]),
        ("%6cimit=5&limit=5", "limit", ["2 times"]),
    ],
)
def test_unknown_misspelled_repeated_and_empty_parameters_are_refused(
    client: TestClient[Litestar], query: str, field: str, words: list[str]
) -> None:
    refused(client.get(f"{API}/products?{query}"), field, *words)


def test_a_parameter_that_may_be_repeated_is_taken(client: TestClient[Litestar]) -> None:
    answer = client.get(f"{API}/channels/nosuch/rejected?sku=A&sku=B")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    refused(client.get(f"{API}/channels/nosuch/rejected?sku=A&sku="), "sku", "is empty")
    assert client.get(f"{API}/products?limit=5&at=2026-03-01T09:00%2B01:00").status_code == 200


@pytest.mark.parametrize("header", ["If-Match", "If-None-Match", "Idempotency-Key"])
def test_a_header_of_commands_is_refused_where_it_would_be_ignored(client: TestClient[Litestar], header: str) -> None:
    refused(client.post(f"{API}/channels/x/pause", json={}, headers={header: '"1"'}), header, "does not take")


def test_a_question_is_not_guarded_by_if_match_and_ignores_who_asks(client: TestClient[Litestar]) -> None:
    refused(client.get(f"{API}/products/A", headers={"If-Match": '"1"'}), "If-Match", "does not take")
    answer = client.get(f"{API}/products/A", headers={"X-Actor": "anna", "Idempotency-Key": "k"})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("X-Idempotency-Key", "Idempotency-Key"),
        ("If-Unmodified-Since", "If-Match"),
        ("X-If-Match", "If-Match"),
        ("X-If-None-Match", "If-None-Match"),
    ],
)
def test_a_header_that_others_read_for_ours_is_refused_with_the_right_one(
    client: TestClient[Litestar], wrong: str, right: str
) -> None:
    path = f"{API}/products/A/stock/main/received"
    answer = client.post(path, json={"quantity": 1}, headers={wrong: "x"})
    assert answer.status_code == 400
    assert right in answer.json()["reason"]
    assert client.get(f"{API}/products/A").json()["stock"] == {"main": 3}


def test_if_none_match_creates_and_never_overwrites(client: TestClient[Litestar]) -> None:
    new = {"If-None-Match": "*"}
    assert client.put(f"{API}/products/B", json={"sku": "B", "kind": "product"}, headers=new).status_code == 201
    there = client.put(f"{API}/products/A", json={"sku": "A", "stock": {"main": 9}}, headers=new)
    assert (there.status_code, there.json()["code"]) == (412, "version_conflict")
    assert client.get(f"{API}/products/A").json()["stock"] == {"main": 3}
    for headers in ({"If-None-Match": '"3"'}, {"If-None-Match": "*", "If-Match": '"1"'}):
        wrong = client.put(f"{API}/products/A", json={"sku": "A"}, headers=headers)
        assert (wrong.status_code, wrong.json()["field"]) == (422, "If-None-Match")
    guarded = client.post(f"{API}/products", json={"sku": "C"}, headers={"If-Match": '"1"'})
    assert (guarded.status_code, guarded.json()["field"]) == (422, "If-Match")


@pytest.mark.parametrize("body", ['{"listed": false}', "[]", "x"])
def test_a_body_is_refused_where_it_would_be_ignored(client: TestClient[Litestar], body: str) -> None:
    path, headers = f"{API}/products/A/discontinued", {"Content-Type": "application/json"}
    refused(client.put(path, content=body, headers=headers), "body", "takes none")
    assert client.get(f"{API}/products/A").json()["discontinued"] is False
    assert client.put(path, content="{}", headers=headers).status_code == 200
    assert client.put(path).status_code == 200


@pytest.mark.parametrize("action", ["pause", "resume", "retry", "resync"])
def test_a_body_that_is_missing_is_asked_for_in_words(client: TestClient[Litestar], action: str) -> None:
    answer = client.post(f"{API}/channels/bol/{action}")
    refused(answer, "body", "is missing", "application/json", "{}")


BODIES = {
    "products/A": [
        ('{"sku": "A", "Stock": {}}', "Stock", "there are: sku, kind"),
        (
            '{"sku": "A", "attributes": [{"attribute": "a", "value": 1, "local": "nl"}]}',
            "attributes[0].local",
            "locale",
        ),
        ('{"sku": "A", "media": [{"media_id": "1", "url": "u", "alt": ""}]}', "media[0].alt", "role"),
        ('{"sku": "A", "prices": [{"amount": "1", "Currency": ""}]}', "prices[0].Currency", "currency"),
        ('{"sku": "A", "stock": {"main": 1, "main": 2}}', "stock.main", "twice"),
        ('{"sku": "A", "sku": "A"}', "sku", "twice"),
    ],
    "attributes/a": [
        ('{"code": "a", "type": "text", "lables": {}}', "lables", "labels"),
        ('{"code": "a", "type": "select", "options": [{"code": "x", "label": 1}]}', "options[0].label", "labels"),
        ('{"code": "a", "type": "text", "labels": {"en": "x", "en": ""}}', "labels.en", "twice"),
    ],
    "families/a": [('{"code": "a", "attribute": []}', "attribute", "attributes")],
    "categories/a": [('{"code": "a", "Parent": "b"}', "Parent", "parent")],
    "channels/a": [
        ('{"name": "a", "locale": "nl"}', "locale", "locales"),
        ('{"name": "a", "extra": {"x": [{"y": 1, "y": 2}]}}', "extra.x[0].y", "twice"),
    ],
}
OTHERS = {
    "products/A/attributes": ('{"changes": [{"attribute": "a", "value": 1, "value": 2}]}', "changes[0].value", "twice"),
    "products/A/media": ('{"media_id": "1", "url": "u", "rol": "x"}', "rol", "role"),
    "channels/a/retry": ('{"sku": "A"}', "sku", "skus"),
}
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("path", BODIES)
def test_a_member_that_is_unknown_or_stands_twice_is_refused_at_any_depth(
    client: TestClient[Litestar], path: str
) -> None:
    for body, field, word in BODIES[path]:
        refused(client.put(f"{API}/{path}", content=body, headers=JSON), field, word)


@pytest.mark.parametrize("path", OTHERS)
def test_members_are_read_strictly_whatever_the_method(client: TestClient[Litestar], path: str) -> None:
    body, field, word = OTHERS[path]
    method = "PATCH" if path.endswith("/attributes") else "POST"
    refused(client.request(method, f"{API}/{path}", content=body, headers=JSON), field, word)


def test_a_command_may_name_its_type_and_its_value_may_be_a_measure(client: TestClient[Litestar]) -> None:
    client.put(f"{API}/attributes/weight", json={"code": "weight", "type": "measure"}).raise_for_status()
    weight = {"attribute": "weight", "value": {"amount": "1.5", "unit": "kg"}}
    body = {"type": "describe_product", "sku": "A", "attributes": [weight]}
    assert client.put(f"{API}/products/A", json=body).status_code == 200
    weight["value"] = {"amount": "1.5", "unit": "kg", "per": "piece"}
    refused(client.put(f"{API}/products/A", json=body), "attributes[0].value.per", "amount, unit")
