"""Whatever HTTP takes has a limit, and what is beyond it is refused with the limit: bodies and addresses."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from daybook.app import App
from daybook.channel.registry import Registry
from daybook.config import Settings
from daybook.web.bounds import BOUNDS
from daybook_projections import webhook
from tests.fixtures.channels import toy
from tests.fixtures.owner import client_of

API = "/api/v1"
ORDERED = {"sku": "A", "quantity": 1, "price": "1"}
BODIES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "DescribeProduct": ("PUT", "products/{sku}", {"sku": "A"}),
    "Attributes": ("PATCH", "products/A/attributes", {"changes": []}),
    "Price": ("PUT", "products/A", {"amount": "1", "currency": "EUR"}),
    "Amount": ("PUT", "products/A/prices/default/EUR", {"amount": "1"}),
    "Gtin": ("PUT", "products/A/gtin", {"gtin": None}),
    "Categories": ("PUT", "products/A/categories", {"categories": []}),
    "MediaAdded": ("POST", "products/A/media", {"media_id": "1", "url": "https://example.com/1.jpg"}),
    "Quantity": ("PUT", "products/A/stock/main", {"quantity": 1}),
    "Delta": ("POST", "products/A/stock/main/adjusted", {"delta": 1}),
    "AttributeChange": ("PATCH", "products/A/attributes", {"attribute": "name", "value": "x"}),
    "AttributeDefined": ("PUT", "attributes/{code}", {"code": "a", "type": "select"}),
    "AttributeOption": ("PUT", "attributes/a", {"code": "x"}),
    "FamilyDefined": ("PUT", "families/{code}", {"code": "f"}),
    "CategoryDefined": ("PUT", "categories/{code}", {"code": "c"}),
    "ChannelConfigured": ("PUT", "channels/{name}", {"name": "toy"}),
    "AddChannel": ("POST", "channels", {"name": "crm", "kind": "webhook"}),
    "NewOrder": ("POST", "orders", {"channel": "toy", "number": "1", "currency": "EUR", "lines": [ORDERED]}),
    "OrderedLine": ("POST", "orders", ORDERED),
    "Paid": ("POST", "orders/toy:1/paid", {"amount": "1", "currency": "EUR"}),
    "Cancelled": ("POST", "orders/toy:1/cancelled", {}),
    "Shipped": ("POST", "orders/toy:1/shipped", {"parcel": "P"}),
    "Returned": ("POST", "orders/toy:1/returned", {}),
    "Retry": ("POST", "channels/toy/retry", {}),
    "Resync": ("POST", "channels/toy/resync", {}),
}
INSIDE: dict[str, Callable[[Any], Any]] = {
    "OrderedLine": lambda one: {"channel": "toy", "number": "1", "currency": "EUR", "lines": [one]},
    "Price": lambda one: {"sku": "A", "prices": [one]},
    "AttributeChange": lambda one: {"changes": [one]},
    "AttributeOption": lambda one: {"code": "a", "type": "select", "options": [one]},
}
MEMBERS = [(schema, member) for schema, members in BOUNDS.items() for member in members]


@pytest.fixture
def client(database: str) -> Iterator[TestClient[Litestar]]:
    settings = Settings(data=Path("unused"), postgres=database)
    with (
        App(settings, Registry([toy(), webhook.manifest])) as app,
        client_of(app, raises=False) as client,
    ):
        client.put(f"{API}/products/A", json={"sku": "A", "kind": "product"}).raise_for_status()
        client.put(f"{API}/attributes/name", json={"code": "name", "type": "text"}).raise_for_status()
        yield client


def beyond(member: str, bound: dict[str, Any]) -> tuple[Any, int | None]:
    """A value beyond the bound, and the limit that its refusal must name."""
    if "maxLength" in bound:
        return "x" * (bound["maxLength"] + 1), bound["maxLength"]
    if "maximum" in bound:
        return bound["maximum"] + 1, None
    if "pattern" in bound:
        return "1e400", None
    if "maxProperties" in bound:
        value: Any = {
            "DescribeProduct.channels": True,
            "DescribeProduct.stock": 1,
            "Cancelled.lines": 1,
            "Shipped.lines": 1,
            "Returned.lines": 1,
            "FamilyDefined.required": [],
        }.get(member, "x")
        return {f"n{number}": value for number in range(bound["maxProperties"] + 1)}, bound["maxProperties"]
    items: dict[str, Callable[[int], Any]] = {
        "DescribeProduct.attributes": lambda n: {"attribute": "name", "value": "x"},
        "Attributes.changes": lambda n: {"attribute": "name", "value": "x"},
        "DescribeProduct.prices": lambda n: {"amount": "1", "currency": "EUR", "price_list": f"p{n}"},
        "NewOrder.lines": lambda n: ORDERED,
        "DescribeProduct.media": lambda n: {"media_id": str(n), "url": "https://example.com/1.jpg"},
        "AttributeDefined.options": lambda n: {"code": f"o{n}"},
        "ChannelConfigured.locales": lambda n: "nl-NL",
    }
    numbers = range(bound["maxItems"] + 1)
    if member in items:
        return [items[member](n) for n in numbers], len(numbers) - 1
    return [f"n{n}" for n in numbers], len(numbers) - 1


def test_each_member_of_a_body_is_refused_beyond_the_bound_that_the_description_gives(
    client: TestClient[Litestar],
) -> None:
    assert BODIES.keys() == BOUNDS.keys()
    wrong = []
    for schema, member in MEMBERS:
        method, path, body = BODIES[schema]
        value, most = beyond(f"{schema}.{member}", BOUNDS[schema][member])
        one = body | {member: value}
        sent = INSIDE[schema](one) if schema in INSIDE else one
        answer = client.request(method, f"{API}/{path.format_map(one)}", json=sent)
        said = answer.json()
        if answer.status_code != 422 or (most not in (None, 3, 100) and said.get("limit") != most):
            wrong.append((schema, member, answer.status_code, str(said)[:300]))
    assert not wrong, "\n".join(map(str, wrong))


LONG = "x" * 3000
ADDRESSES = {
    "GET": [
        "products/{}", "products/{}/history", "products/{}/diff?from=1", "products/A/channels/{}",
        "channels/{}", "channels/{}/rejected", "channels/toy/documents/{}",
        "products?after={}", "products?at={}", "products/A/diff?from={}", "products/A/diff?from=1&to={}",
        "catalogue?after={}", "catalogue?family={}", "catalogue?category={}", "catalogue?listed_on={}",
        "channels/toy/rejected?code={}", "channels/toy/rejected?facet={}", "channels/toy/rejected?sku={}",
        "channels/toy/rejected?since={}", "channels/toy/rejected?after={}",
    ],
    "DELETE": ["products/A/media?media_id={}", "products/A/prices/{}/EUR", "products/A/prices/default/{}"],
    "PUT": ["products/A/channels/{}", "products/A/stock/{}"],
}  # fmt: skip


def test_what_an_address_names_is_refused_when_it_is_too_long(client: TestClient[Litestar]) -> None:
    wrong = []
    for method, paths in ADDRESSES.items():
        for path in paths:
            body = {"quantity": 1} if "stock" in path else None
            answer = client.request(method, f"{API}/{path.format(LONG)}", json=body)
            if answer.status_code != 422 or answer.json().get("limit") != 2000 or len(answer.content) > 1500:
                wrong.append((method, path, answer.status_code, len(answer.content), answer.text[:200]))
    assert not wrong, "\n".join(map(str, wrong))


def test_an_address_of_no_route_is_not_repeated_whole(client: TestClient[Litestar]) -> None:
    answer = client.get(f"{API}/{'x' * 30_000}")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_such_route")
    assert len(answer.content) < 2000
