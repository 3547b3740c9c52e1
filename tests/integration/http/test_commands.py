"""Commands over HTTP: the real application on a real log."""

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
    with (
        App(Settings(data=Path("unused"), postgres=database), Registry([])) as app,
        client_of(app, raises=False) as client,
    ):
        yield client


def product(client: TestClient[Litestar], sku: str = "A", **described: Any) -> Any:
    return client.post(f"{API}/products", json={"sku": sku, **described})


def seen(client: TestClient[Litestar], sku: str = "A") -> Any:
    return client.get(f"{API}/products/{sku}").json()


def test_a_product_is_created_where_the_location_says(client: TestClient[Litestar]) -> None:
    answer = product(client, prices=[{"amount": "19.99", "currency": "EUR"}], stock={"main": 5})
    assert answer.status_code == 201
    assert answer.headers["location"] == f"{API}/products/A"
    assert answer.headers["etag"] == '"2"'
    assert answer.json() == {
        "position": 3,
        "version": 2,
        "command_id": answer.json()["command_id"],
        "changed": True,
    }
    found = client.get(answer.headers["location"]).json()
    assert (found["prices"][0]["amount"], found["stock"]) == ("19.99", {"main": 5})


def test_creating_a_product_that_exists_is_refused_and_describing_it_again_changes_nothing(
    client: TestClient[Litestar],
) -> None:
    product(client)
    again = product(client)
    assert (again.status_code, again.json()["code"]) == (409, "refused")
    described = client.put(f"{API}/products/A", json={"sku": "A"})
    assert (described.status_code, described.json()["changed"], described.json()["position"]) == (200, False, None)
    assert client.put(f"{API}/products/B", json={"sku": "B", "kind": "product"}).status_code == 201
    other = client.put(f"{API}/products/B", json={"sku": "C"})
    assert (other.status_code, other.json()["field"]) == (422, "sku")


def test_every_intent_about_a_product_has_its_route(client: TestClient[Litestar]) -> None:
    for path, body in (
        ("attributes/name", {"code": "name", "type": "text", "localizable": True}),
        ("families/shoes", {"code": "shoes", "attributes": ["name"]}),
        ("categories/all", {"code": "all"}),
        ("channels/bol", {"name": "bol"}),
    ):
        assert client.put(f"{API}/{path}", json=body).status_code == 201
        assert client.put(f"{API}/{path}", json=body).json()["changed"] is False
    product(client, family="shoes")
    at = f"{API}/products/A"
    value = {"attribute": "name", "locale": "nl-NL", "value": "Schoen"}
    image = {"media_id": "https://example.com/1.jpg", "url": "https://example.com/1.jpg"}
    answers = [
        client.patch(f"{at}/attributes", json={"changes": [value]}),
        client.put(f"{at}/prices/default/EUR", json={"amount": "19.99"}),
        client.put(f"{at}/gtin", json={"gtin": "123"}),
        client.put(f"{at}/categories", json={"categories": ["all"]}),
        client.post(f"{at}/media", json=image),
        client.put(f"{at}/channels/bol"),
    ]
    assert [(one.status_code, one.headers["etag"]) for one in answers] == [(200, f'"{n}"') for n in range(2, 8)]
    stock = [
        client.put(f"{at}/stock/main", json={"quantity": 5}),
        client.post(f"{at}/stock/main/received", json={"quantity": 3}),
        client.post(f"{at}/stock/main/adjusted", json={"delta": -1}),
    ]
    assert [(one.status_code, one.headers["etag"]) for one in stock] == [(200, f'"{n}"') for n in range(1, 4)]
    full = seen(client)
    assert [one["value"] for one in full["values"]] == ["Schoen"]
    assert (full["gtin_problem"], full["stock"], full["channels"]) == (
        "has 3 digits; a GTIN has 8, 12, 13 or 14",
        {"main": 7},
        {"bol": True},
    )
    undone = [
        client.delete(f"{at}/prices/default/EUR"),
        client.delete(f"{at}/media", params={"media_id": image["media_id"]}),
        client.delete(f"{at}/channels/bol"),
        client.put(f"{at}/discontinued"),
    ]
    assert [one.json()["changed"] for one in undone] == [True] * 4
    left = seen(client)
    assert (left["prices"], left["media"], left["channels"], left["discontinued"]) == ([], [], {"bol": False}, True)
    assert client.delete(f"{at}/discontinued").json()["changed"]
    assert seen(client)["discontinued"] is False


def test_stock_may_be_counted_after_it_was_received(client: TestClient[Litestar]) -> None:
    product(client)
    at = f"{API}/products/A/stock/main"
    assert client.post(f"{at}/received", json={"quantity": 3}).status_code == 200
    assert client.post(f"{at}/received", json={"quantity": 2}).status_code == 200
    assert client.put(at, json={"quantity": 4}).status_code == 200
    assert seen(client)["stock"] == {"main": 4}


def test_a_wish_that_rests_on_an_old_version_is_told_so(client: TestClient[Litestar]) -> None:
    product(client)
    price = f"{API}/products/A/prices/default/EUR"
    tag = client.get(f"{API}/products/A").headers["etag"]
    assert client.put(price, json={"amount": "1.00"}, headers={"If-Match": tag}).headers["etag"] == '"2"'
    late = client.put(price, json={"amount": "2.00"}, headers={"If-Match": tag})
    assert (late.status_code, late.json()["code"]) == (412, "version_conflict")
    assert (late.json()["expected"], late.json()["actual"]) == (1, 2)
    assert client.put(price, json={"amount": "2.00"}, headers={"If-Match": '"2"'}).status_code == 200
    assert client.put(price, json={"amount": "3.00"}, headers={"If-Match": "*"}).status_code == 200
    wrong = client.put(price, json={"amount": "2.00"}, headers={"If-Match": 'W/"3"'})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "If-Match")


def test_a_repeated_request_is_carried_out_once_and_answers_the_same(client: TestClient[Litestar]) -> None:
    product(client)
    at = f"{API}/products/A/stock/main/received"
    key = {"Idempotency-Key": "delivery-17"}
    first = client.post(at, json={"quantity": 3}, headers=key)
    client.post(at, json={"quantity": 10})
    again = client.post(at, json={"quantity": 3}, headers={"Idempotency-Key": '"delivery-17"'})
    assert again.content == first.content
    assert again.headers["etag"] == first.headers["etag"] == '"1"'
    assert (again.headers.get("idempotent-replayed"), first.headers.get("idempotent-replayed")) == ("true", None)
    assert first.json()["command_id"] == "delivery-17"
    assert seen(client)["stock"] == {"main": 13}


def test_a_repeated_creation_is_created_again_and_not_refused(client: TestClient[Litestar]) -> None:
    body, key = {"sku": "A"}, {"Idempotency-Key": "k"}
    first = client.post(f"{API}/products", json=body, headers=key)
    again = client.post(f"{API}/products", json=body, headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert (again.headers["location"], again.content) == (first.headers["location"], first.content)


def test_a_key_that_comes_back_with_another_command_is_refused(client: TestClient[Litestar]) -> None:
    product(client)
    at, key = f"{API}/products/A/stock/main/received", {"Idempotency-Key": "k"}
    client.post(at, json={"quantity": 3}, headers=key)
    other = client.post(at, json={"quantity": 4}, headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "command_id_reused")
    for wrong in ("x" * 201, "", '""'):
        refused = client.post(at, json={"quantity": 3}, headers={"Idempotency-Key": wrong})
        assert (refused.status_code, refused.json()["field"]) == (422, "Idempotency-Key")


def test_a_key_that_is_the_id_of_a_command_sent_without_a_key_is_refused(client: TestClient[Litestar]) -> None:
    created = product(client).json()["command_id"]
    at = f"{API}/products/A/stock/main/received"
    received = client.post(at, json={"quantity": 3}).json()["command_id"]
    for public in (created, received):
        other = client.post(at, json={"quantity": 4}, headers={"Idempotency-Key": public})
        assert (other.status_code, other.json()["code"]) == (422, "command_id_reused")
    again = client.post(at, json={"quantity": 3}, headers={"Idempotency-Key": received})
    assert (again.status_code, again.headers["idempotent-replayed"]) == (200, "true")
    assert seen(client)["stock"] == {"main": 3}


def test_the_history_knows_who_asked_and_why(client: TestClient[Litestar]) -> None:
    headers = {"X-Actor": "Zoë".encode(), "X-Reason": "sale", "X-Correlation-Id": "order-7"}
    client.post(f"{API}/products", json={"sku": "A"}, headers=headers)  # type: ignore[arg-type]
    product(client, "B")
    (named,) = client.get(f"{API}/products/A/history").json()["changes"]
    (plain,) = client.get(f"{API}/products/B/history").json()["changes"]
    assert (named["actor"], named["reason"], named["correlation_id"]) == ("Zoë", "sale", "order-7")
    assert (plain["actor"], plain["reason"], plain["source"]) == ("owner", None, "http")


def test_bodies_are_taken_strictly(client: TestClient[Litestar]) -> None:
    product(client)
    at = f"{API}/products/A/stock/main"
    text = client.put(at, json={"quantity": "5"})
    assert (text.status_code, text.json()["field"]) == (400, "quantity")
    assert text.json()["reason"] == "Expected `int`, got `str`"
    assert client.put(at, json={"quantity": 5, "cuantity": 6}).status_code == 400
    deep = client.post(f"{API}/products", json={"sku": "B", "prices": [{"amount": 1, "currency": "EUR"}]})
    assert deep.json()["field"] == "prices[0].amount"
    assert client.get(f"{API}/products/B").status_code == 404


def test_an_update_of_a_sku_that_nobody_knows_is_404_and_creates_nothing(client: TestClient[Litestar]) -> None:
    price = {"prices": [{"amount": "5.00", "currency": "EUR"}]}

    typo = client.put(f"{API}/products/TYPO", json={"sku": "TYPO", **price})

    assert (typo.status_code, typo.json()["code"]) == (404, "not_found")
    assert "kind" in typo.json()["detail"]
    assert client.get(f"{API}/products/TYPO").status_code == 404


WHOLE_DEFINITIONS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "attributes/size",
        {
            "code": "size",
            "type": "select",
            "labels": {"en-US": "Size"},
            "localizable": True,
            "options": [{"code": "s", "labels": {}}],
            "unique": True,
        },
        {"labels": {"nl-NL": "Maat"}, "localizable": True},
    ),
    (
        "families/shoes",
        {"code": "shoes", "attributes": ["name"], "required": {"web": ["name"]}, "label_attribute": "name"},
        {"labels": {"nl-NL": "Schoenen"}},
    ),
    ("categories/boots", {"code": "boots", "parent": "all"}, {"labels": {"nl-NL": "Laarzen"}}),
    (
        "channels/shop",
        {"name": "shop", "locales": ["nl-NL"], "currency": "GBP", "price_list": "sale", "locations": ["main"]},
        {"scope": "web"},
    ),
]


@pytest.mark.parametrize(("path", "whole", "part"), WHOLE_DEFINITIONS, ids=[path for path, _, _ in WHOLE_DEFINITIONS])
def test_a_definition_keeps_what_its_put_leaves_out(
    client: TestClient[Litestar], path: str, whole: dict[str, Any], part: dict[str, Any]
) -> None:
    client.put(f"{API}/attributes/name", json={"code": "name", "type": "text"}).raise_for_status()
    client.put(f"{API}/categories/all", json={"code": "all"}).raise_for_status()
    client.put(f"{API}/{path}", json=whole).raise_for_status()
    noun, code = path.split("/")
    named = {field: whole[field] for field in ("code", "name", "type", "localizable") if field in whole}

    changed = client.put(f"{API}/{path}", json=named | part).json()["changed"]
    again = client.put(f"{API}/{path}", json=named).json()["changed"]

    found = client.get(f"{API}/definitions").json()[noun][code]
    assert (changed, again) == (True, False)
    assert {field: found[field] for field in whole | part} == whole | part


def test_an_attribute_of_another_type_has_none_of_the_limits_and_options_of_before(
    client: TestClient[Litestar],
) -> None:
    size = {"code": "size", "type": "select", "options": [{"code": "s"}], "labels": {"nl-NL": "Maat"}}
    client.put(f"{API}/attributes/size", json=size | {"localizable": True}).raise_for_status()

    client.put(f"{API}/attributes/size", json={"code": "size", "type": "number"}).raise_for_status()

    found = client.get(f"{API}/definitions").json()["attributes"]["size"]
    assert (found["options"], found["localizable"], found["labels"]) == ([], False, {"nl-NL": "Maat"})


def test_null_and_empty_remove_from_a_definition(client: TestClient[Litestar]) -> None:
    limits = {"length_max": 5, "pattern": "^a", "labels": {"nl-NL": "Naam"}}
    client.put(f"{API}/attributes/name", json={"code": "name", "type": "text", **limits})

    client.put(f"{API}/attributes/name", json={"code": "name", "type": "text", "pattern": None, "labels": {}})

    found = client.get(f"{API}/definitions").json()["attributes"]["name"]
    assert (found["length_max"], found["pattern"], found["labels"]) == (5, None, {})


def test_a_put_leaves_alone_what_it_leaves_out_and_removes_what_is_null(client: TestClient[Litestar]) -> None:
    prices = [{"amount": "5.00", "currency": "EUR"}, {"amount": "6.00", "currency": "USD"}]
    client.put(f"{API}/attributes/colour", json={"code": "colour", "type": "text"})
    client.put(f"{API}/products/M", json={"sku": "M", "kind": "model", "axes": ["colour"]})
    variant = {"sku": "V", "kind": "variant", "parent": "M", "gtin": "4006381333931", "prices": prices}
    client.put(f"{API}/products/V", json=variant)

    client.put(f"{API}/products/V", json={"sku": "V", "prices": [{"amount": "7.00", "currency": "EUR"}]})
    assert {one["amount"] for one in seen(client, "V")["prices"]} == {"7.00", "6.00"}
    assert (seen(client, "V")["gtin"], seen(client, "V")["parent"]) == ("4006381333931", "M")

    client.put(f"{API}/products/V", json={"sku": "V", "gtin": None, "prices": None})
    assert (seen(client, "V")["gtin"], seen(client, "V")["prices"]) == (None, [])
