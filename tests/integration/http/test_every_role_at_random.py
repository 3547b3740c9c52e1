"""Random requests to every operation of the description, as each role within a scope: no defect, no canary."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import Litestar
from litestar.testing import TestClient

from daybook.access.permissions import ROLES
from daybook.app import App
from daybook.channel.registry import Registry
from daybook.config import Settings
from daybook.events import AccessScope
from daybook_projections import timeline
from tests.fixtures.channels import toy
from tests.fixtures.examples import examples
from tests.fixtures.owner import client_of
from tests.fixtures.scoped_book import CHANNELS, LOCATIONS, PARENTS, PRICE_LISTS, PRODUCTS, Grant, become, canary, fill
from tests.fixtures.toy_shop import second_toy

INSIDE = AccessScope(categories=("shoes",))
OUTSIDE = ("SKU-SIX", "SKU-TEN")
"""What a grant within `shoes` does not hold, by the book's own words."""
METHODS = ("get", "put", "post", "patch", "delete")
KNOWN = st.sampled_from([*PRODUCTS, *CHANNELS, *PRICE_LISTS, *LOCATIONS, *PARENTS, "EUR", "name", "owner", "gr_0"])
ODD = st.sampled_from(["", "0", "-1", "null", "2026-01-01", "%00", "é", "..", "a" * 300, "{}", "\u202e", "1e400"])
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | KNOWN
    | ODD
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KNOWN | st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
DEPTH_MAX = 4


@pytest.fixture
def client(database: str) -> Iterator[TestClient[Litestar]]:
    registry = Registry([toy(), second_toy(), timeline.manifest])
    with App(Settings(data=Path("unused"), postgres=database), registry) as app:
        fill(app)
        with client_of(app, raises=False) as client:
            client.app.state["book"] = app
            yield client


def described(client: TestClient[Litestar]) -> dict[str, Any]:
    """The description of the API, as clients get it."""
    found: dict[str, Any] = client.get("/schema/openapi.json").json()
    return found


def bodies(schema: dict[str, Any], whole: dict[str, Any], depth: int = 0) -> st.SearchStrategy[Any]:
    """Values of a schema, and now and then something else."""
    if "$ref" in schema:
        schema = whole["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if depth > DEPTH_MAX:
        return JSON
    for choice in ("oneOf", "anyOf", "allOf"):
        if choice in schema:
            return st.one_of(*(bodies(one, whole, depth + 1) for one in schema[choice]), JSON)
    if "enum" in schema:
        return st.sampled_from(schema["enum"]) | JSON
    match schema.get("type"):
        case "object" if "properties" in schema:
            fields = {name: bodies(one, whole, depth + 1) for name, one in schema["properties"].items()}
            wanted = {name: fields[name] for name in schema.get("required", ()) if name in fields}
            return st.fixed_dictionaries(wanted, optional={k: v for k, v in fields.items() if k not in wanted})
        case "array":
            return st.lists(bodies(schema.get("items", {}), whole, depth + 1), max_size=3)
        case "integer":
            return st.integers(-3, 3) | st.integers() | ODD
        case "boolean":
            return st.booleans()
        case "string":
            return KNOWN | st.sampled_from(["1.00", "text", "2026-01-01T00:00:00Z"]) | ODD
    return JSON


@st.composite
def requests(draw: st.DrawFn, whole: dict[str, Any]) -> tuple[str, str, dict[str, str], Any]:
    """Method, address, query and body of a request."""
    path = draw(st.sampled_from(sorted(one for one in whole["paths"] if one.startswith("/api/"))))
    method = draw(st.sampled_from([one for one in METHODS if one in whole["paths"][path]]))
    operation = whole["paths"][path][method]
    query: dict[str, str] = {}
    for parameter in operation.get("parameters", ()):
        value = draw(KNOWN | ODD)
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", value.replace("/", "") or "x")
        elif parameter["in"] == "query" and draw(st.booleans()):
            query[parameter["name"]] = value
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    body = draw(bodies(content["schema"], whole) | JSON) if content is not None else None
    return method, path, query, body


@examples(few=120, many=6000)
@given(data=st.data())
def test_no_request_finds_a_defect_or_says_what_is_outside_of_the_scope(
    client: TestClient[Litestar], data: st.DataObject
) -> None:
    whole = getattr(client, "_described", None) or described(client)
    client._described = whole  # type: ignore[attr-defined]
    role = data.draw(st.sampled_from(sorted(ROLES)), "role")
    become(client.app.state["book"], [Grant(role, INSIDE)])
    method, path, query, body = data.draw(requests(whole), "request")
    answer = client.request(method, path, params=query, **({} if body is None else {"json": body}))
    said = f"{role}: {method} {path} {query} {body!r}: {answer.status_code} {answer.text[:500]}"
    assert answer.status_code < 500, said
    assert [sku for sku in OUTSIDE if canary(sku) in answer.text] == [], said
