"""Random grants, random writes: what is outside of a scope is refused, changes nothing, and says nothing of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import Litestar
from litestar.testing import TestClient

from daybook.app import App
from daybook.channel.registry import Registry
from daybook.config import Settings
from daybook_projections import timeline
from tests.fixtures.channels import toy
from tests.fixtures.examples import examples
from tests.fixtures.owner import client_of
from tests.fixtures.scoped_book import (
    CHANNELS,
    GRANTS,
    LOCATIONS,
    PARENTS,
    PRICE_LISTS,
    PRODUCTS,
    Demand,
    Grant,
    above,
    allowed,
    become,
    canary,
    fill,
    sent,
)
from tests.fixtures.toy_shop import second_toy

API = "/api/v1"
Sent = tuple[str, str, Any, tuple[Demand, ...]]


class World:
    """The book, a client, and where each product is now."""

    def __init__(self, app: App, client: TestClient[Litestar]) -> None:
        self.app, self.client = app, client
        self.categories = {sku: categories for sku, (categories, _) in PRODUCTS.items()}


@pytest.fixture
def world(database: str) -> Iterator[World]:
    registry = Registry([toy(), second_toy(), timeline.manifest])
    with App(Settings(data=Path("unused"), postgres=database), registry) as app:
        fill(app)
        with client_of(app, raises=False) as client:
            yield World(app, client)


@st.composite
def writes(draw: st.DrawFn) -> tuple[str, str, dict[str, Any]]:
    """What is written, on which product, and with what."""
    kinds = ("price", "unprice", "count", "receive", "adjust", "list", "delist", "categorise", "describe", "end", "set")
    return (
        draw(st.sampled_from(kinds)),
        draw(st.sampled_from([*PRODUCTS, "SKU-NEW"])),
        {
            "list": draw(st.sampled_from(PRICE_LISTS)),
            "location": draw(st.sampled_from(LOCATIONS)),
            "channel": draw(st.sampled_from(CHANNELS)),
            "amount": f"{draw(st.integers(1, 9))}.00",
            "into": draw(st.lists(st.sampled_from(list(PARENTS)), max_size=2, unique=True)),
            "parts": draw(st.sets(st.sampled_from(("prices", "stock", "channels", "categories")), min_size=1)),
        },
    )


def request_of(world: World, kind: str, sku: str, given: dict[str, Any]) -> Sent:
    """The request, and what it demands, in plain words."""
    at = f"{API}/products/{sku}"
    here = above(world.categories.get(sku, ()))
    into = [Demand("product.change", above([one])) for one in given["into"]]
    price = Demand("price.change", here, price_list=given["list"])
    listing = Demand("listing.change", here, channel=given["channel"])

    def stock(verb: str) -> Demand:
        return Demand(f"stock.{verb}", here, location=given["location"])

    match kind:
        case "price":
            return sent("PUT", f"{at}/prices/{given['list']}/EUR", {"amount": given["amount"]}, price)
        case "unprice":
            return sent("DELETE", f"{at}/prices/{given['list']}/EUR", None, price)
        case "count":
            return sent("PUT", f"{at}/stock/{given['location']}", {"quantity": 3}, stock("count"))
        case "receive":
            return sent("POST", f"{at}/stock/{given['location']}/received", {"quantity": 1}, stock("receive"))
        case "adjust":
            return sent("POST", f"{at}/stock/{given['location']}/adjusted", {"delta": 1}, stock("adjust"))
        case "list":
            return sent("PUT", f"{at}/channels/{given['channel']}", None, listing)
        case "delist":
            return sent("DELETE", f"{at}/channels/{given['channel']}", None, listing)
        case "categorise":
            change = Demand("product.change", here)
            return sent("PUT", f"{at}/categories", {"categories": given["into"]}, change, *into)
        case "end":
            return sent("PUT", f"{at}/discontinued", None, Demand("product.discontinue", here))
        case "set":
            changes = {"changes": [{"attribute": "name", "value": canary(sku)}]}
            return sent("PATCH", f"{at}/attributes", changes, Demand("product.change", here))
    body: dict[str, Any] = {"sku": sku}
    demands: list[Demand] = []
    if "prices" in given["parts"]:
        body["prices"] = [{"amount": given["amount"], "currency": "EUR", "price_list": given["list"]}]
        demands.append(price)
    if "stock" in given["parts"]:
        body["stock"] = {given["location"]: 2}
        demands.append(stock("count"))
    if "channels" in given["parts"]:
        body["channels"] = {given["channel"]: True}
        demands.append(listing)
    if "categories" in given["parts"]:
        body["categories"] = given["into"]
        demands += [Demand("product.change", here), *into]
    return sent("PUT", at, body, *demands)


@examples(few=40, many=3000)
@given(grants=GRANTS, asked=st.lists(writes(), min_size=1, max_size=6))
def test_no_write_reaches_outside_of_what_was_granted(
    world: World, grants: list[Grant], asked: list[tuple[str, str, dict[str, Any]]]
) -> None:
    become(world.app, grants)
    for kind, sku, given_ in asked:
        method, path, body, demands = request_of(world, kind, sku, given_)
        head = world.app.reader.head()
        answer = (
            world.client.request(method, path, json=body) if body is not None else world.client.request(method, path)
        )
        said = f"{grants}: {method} {path} {body}: {answer.status_code} {answer.text}"
        new = world.app.reader.after(head)
        assert answer.status_code < 500, said
        others = [other for other in PRODUCTS if other != sku and canary(other) in answer.text]
        assert others == [], said
        if allowed(grants, demands):
            assert answer.status_code != 403, said
        elif sku in world.categories:
            assert answer.status_code == 403, said
        if answer.status_code >= 400:
            assert {one.type for one in new} <= {"access.refused.v1"}, said
        else:
            assert {one.sku for one in new} <= {sku}, said
            if kind == "categorise" or (kind == "describe" and "categories" in given_["parts"]):
                world.categories[sku] = tuple(given_["into"])
