"""The description of the API says what the API does: statuses, headers, bounds, examples."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from litestar import Litestar
from litestar.testing import TestClient

from daybook.app import App
from daybook.channel.registry import Registry
from daybook.config import Settings
from daybook.web.examples import EXAMPLES
from daybook.web.plain_page import METHODS
from daybook_projections import webhook
from tests.fixtures.owner import client_of
from tests.fixtures.people import NOBODY

PATHS = {
    "DescribeProduct": ("PUT", "products/JACKET-1"),
    "Attributes": ("PATCH", "products/JACKET-1/attributes"),
    "Amount": ("PUT", "products/JACKET-1/prices/default/EUR"),
    "Gtin": ("PUT", "products/JACKET-1/gtin"),
    "Categories": ("PUT", "products/JACKET-1/categories"),
    "MediaAdded": ("POST", "products/JACKET-1/media"),
    "Quantity": ("PUT", "products/JACKET-1/stock/main"),
    "Delta": ("POST", "products/JACKET-1/stock/main/adjusted"),
    "AttributeDefined": ("PUT", "attributes/{code}"),
    "FamilyDefined": ("PUT", "families/{code}"),
    "CategoryDefined": ("PUT", "categories/{code}"),
    "ChannelConfigured": ("PUT", "channels/{name}"),
    "AddChannel": ("POST", "channels"),
    "NewOrder": ("POST", "orders"),
    "Paid": ("POST", "orders/crm:1001/paid"),
    "Shipped": ("POST", "orders/crm:1001/shipped"),
    "Cancelled": ("POST", "orders/crm:1001/cancelled"),
    "Returned": ("POST", "orders/crm:1001/returned"),
    "Person": ("POST", "people"),
    "NewSchedule": ("POST", "schedules"),
}
UNKNOWN = {
    "DraftChoice": ("POST", "products/JACKET-1/texts/approved"),
    "Nothing": ("POST", "channels/nosuch/pause"),
    "Retry": ("POST", "channels/nosuch/retry"),
    "Resync": ("POST", "channels/nosuch/resync"),
    "EffectiveAt": ("PATCH", "schedules/sch-0"),
    "PersonChange": ("PATCH", f"people/{NOBODY}"),
}
"""What one does about something that is not here: the body is read all the same."""


@pytest.fixture
def client(database: str) -> Iterator[TestClient[Litestar]]:
    settings = Settings(data=Path("unused"), postgres=database)
    with App(settings, Registry([webhook.manifest])) as app, client_of(app) as client:
        yield client


@pytest.fixture
def description(client: TestClient[Litestar]) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/schema/openapi.json").json()
    return found


def operations(description: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method} {path}": item[method]
        for path, item in description["paths"].items()
        for method in METHODS
        if method in item
    }


def test_the_description_is_the_same_in_yaml_without_a_word_of_python(client: TestClient[Litestar]) -> None:
    text = client.get("/schema/openapi.yaml").text
    assert "!!" not in text
    assert yaml.safe_load(text) == client.get("/schema/openapi.json").json()


def test_every_operation_has_a_tag_a_name_of_its_own_and_its_problems(description: dict[str, Any]) -> None:
    found = operations(description)
    assert len({one["operationId"] for one in found.values()}) == len(found)
    tags = {one["name"] for one in description["tags"]}
    for name, one in found.items():
        assert len(one["tags"]) == 1 and tags.issuperset(one["tags"]), name
        assert "400" in one["responses"], name
        for status, answer in one["responses"].items():
            if status >= "400" and not name.endswith("/health/ready"):
                assert answer["content"].keys() == {"application/problem+json"}, (name, status)
        if "Idempotency-Key" in {parameter["name"] for parameter in one.get("parameters", ())}:
            assert {"404", "409", "412", "422", "503"} <= one["responses"].keys(), name
            for status in {"200", "201"} & one["responses"].keys():
                assert "ETag" in one["responses"][status]["headers"], (name, status)


def test_every_operation_has_what_is_answered_before_a_route_is_reached(description: dict[str, Any]) -> None:
    for name, one in operations(description).items():
        assert {"421", "429", "431"} <= one["responses"].keys(), name
        assert ("408" in one["responses"]) is ("requestBody" in one), name
        assert "Retry-After" in one["responses"]["429"]["headers"], name


def test_the_description_says_how_one_shows_who_one_is(description: dict[str, Any]) -> None:
    schemes = description["components"]["securitySchemes"]
    assert description["security"] == [{"key": []}, {"token": []}, {"session": [], "csrf": []}]
    assert {name for one in description["security"] for name in one} == schemes.keys()
    own = {one["operationId"]: one["security"] for one in operations(description).values() if "security" in one}
    assert own == {
        **{name: [] for name in ("begin_login", "finish_login", "show_live", "show_ready")},
        "show_session": [{"session": []}],
        "log_out": [{"session": [], "csrf": []}],
    }
    assert (schemes["session"]["in"], schemes["session"]["name"]) == ("cookie", "__Host-daybook")


def test_no_fixed_word_stands_where_a_name_does(description: dict[str, Any]) -> None:
    """Else what has this word as its name can not be reached: a product with the SKU `count` beside /products/count.

    An order's name has a colon in it, `webshop:1001`, which `refused` has not.
    """
    paths = [path.split("/") for path in description["paths"]]
    named = {tuple(path[: at + 1]) for path in paths for at, part in enumerate(path) if part.startswith("{")}
    beside = [
        "/".join(path)
        for path in paths
        for prefix in named
        if path[: len(prefix) - 1] == list(prefix[:-1]) and len(path) >= len(prefix)
        if not path[len(prefix) - 1].startswith("{")
    ]

    assert [path for path in beside if not path.startswith("/api/v1/orders/refused")] == []


def test_no_body_must_name_its_type(description: dict[str, Any]) -> None:
    schemas = description["components"]["schemas"]
    for name in EXAMPLES:
        assert "type" not in schemas[name].get("required", ()) or name == "AttributeDefined", name
    assert set(schemas["AttributeDefined"]["required"]) == {"code", "type"}  # of its values: it is no tag


def test_each_example_is_taken(client: TestClient[Litestar], description: dict[str, Any]) -> None:
    assert PATHS.keys() | UNKNOWN.keys() == EXAMPLES.keys()
    for name, examples in EXAMPLES.items():
        assert description["components"]["schemas"][name]["examples"] == json.loads(json.dumps(examples))
        for body in examples:
            if name in UNKNOWN:
                method, path = UNKNOWN[name]
                answer = client.request(method, f"/api/v1/{path}", json=body)
                assert answer.status_code == 404, (body, answer.text)
            else:
                method, path = PATHS[name]
                answer = client.request(method, f"/api/v1/{path.format_map(body)}", json=body)
                assert answer.status_code in (200, 201), (body, answer.text)
