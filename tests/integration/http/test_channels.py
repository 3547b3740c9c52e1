"""How the channels are doing over HTTP, and what is done about it."""

import asyncio
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from daybook.commands import ChangePrice
from tests.fixtures.channels import ToySandbox, toy
from tests.fixtures.owner import OWNER, OWNER_KEY, client_of
from tests.fixtures.pipeline import Pipeline, product, until

API = "/api/v1/channels"


@pytest.fixture
def client(database: str, nats_url: str) -> Iterator[TestClient[Litestar]]:
    """A channel that shows A and B, where C and D were refused and B is to be changed once more."""

    async def fill() -> None:
        sandbox = ToySandbox()
        await sandbox.start()
        async with Pipeline(database, nats_url, toy()) as pipeline:
            pipeline.relay()
            pipeline.runner()
            worker = pipeline.delivery(sandbox.settings())
            await pipeline.define_attributes()
            await pipeline.carry_out(product("A"), product("B"), product("C", "bad"), product("D", "bad"))
            await until(lambda: len(pipeline.channels.rejected("toy")) == 2, "both rejections are known")
            await pipeline.level()
            await pipeline.end(worker)
            await pipeline.carry_out(ChangePrice(sku="B", amount="12", currency="EUR"))
            await pipeline.caught_up()
        await sandbox.stop()

    asyncio.run(fill())
    pipeline = Pipeline(database, nats_url, toy())
    with client_of(pipeline.app, raises=False) as client:
        yield client
    pipeline.ringer.close()
    pipeline.app.close()


def states(database: str) -> dict[str, list[str]]:
    with psycopg.connect(database) as conn:
        rows = conn.execute("SELECT sku, state FROM deliveries ORDER BY sku, rank").fetchall()
    found: dict[str, list[str]] = {}
    for sku, state in rows:
        found.setdefault(sku, []).append(state)
    return found


def problem(answer: Any, status: int, code: str) -> Any:
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    return answer.json()


def test_channels_are_listed_and_one_is_shown(client: TestClient[Litestar]) -> None:
    (one,) = client.get(API).json()
    assert (one["name"], one["state"], one["due"], one["rejected"], one["workers"]) == ("toy", "running", 1, 2, 0)
    assert client.get(f"{API}/toy").json()["confirmed"] == one["confirmed"]
    assert problem(client.get(f"{API}/nosuch"), 404, "not_found")["channel"] == "nosuch"


def test_what_was_refused_is_filtered_and_paged(client: TestClient[Litestar]) -> None:
    found = client.get(f"{API}/toy/rejected", params={"limit": 1}).json()
    assert [one["sku"] for one in found["rejected"]] == ["C"]
    assert found["rejected"][0]["reasons"] == [{"code": "name_refused", "message": "this name is bad", "field": "name"}]
    rest = client.get(f"{API}/toy/rejected", params={"limit": 1, "after": found["next"]}).json()
    assert [one["sku"] for one in rest["rejected"]] == ["D"]
    assert client.get(f"{API}/toy/rejected", params={"after": rest["next"]}).json() == {"rejected": [], "next": None}

    def skus(**filters: Any) -> list[str]:
        return [one["sku"] for one in client.get(f"{API}/toy/rejected", params=filters).json()["rejected"]]

    assert skus(code="name_refused", facet="offer") == skus(sku=["C", "D", "A"]) == skus(since="0") == ["C", "D"]
    assert skus(code="x") == skus(since="2999-01-01") == skus(sku="A") == []
    for wrong in ({"limit": 0}, {"limit": 1001}, {"after": "x"}, {"since": "yesterday"}):
        problem(client.get(f"{API}/toy/rejected", params=wrong), 422, "invalid_value")
    problem(client.get(f"{API}/nosuch/rejected"), 404, "not_found")


def test_a_channel_is_paused_and_resumed(client: TestClient[Litestar]) -> None:
    assert client.post(f"{API}/toy/pause", json={}).json() == {"channel": "toy", "paused": True}
    assert client.get(f"{API}/toy").json()["state"] == "paused"
    assert client.post(f"{API}/toy/resume", json={}).json() == {"channel": "toy", "paused": False}
    problem(client.post(f"{API}/nosuch/pause", json={}), 404, "not_found")
    problem(client.post(f"{API}/toy/pause", json={"why": "x"}), 400, "malformed")


def test_who_did_what_to_a_channel_is_told_with_the_key_and_the_grant(client: TestClient[Litestar]) -> None:
    path, why = f"{API}/toy", {"X-Reason": "prices are checked", "X-Actor": "mia"}
    client.post(f"{path}/pause", json={}, headers=why)
    client.post(f"{path}/pause", json={}, headers=why)
    assert client.get(path).json()["paused_by"] == "mia"
    client.post(f"{path}/resume", json={})
    assert client.get(path).json()["paused_by"] is None
    for what, body in (("retry", {"skus": ["C"]}), ("resync", {"skus": ["A"], "locale": "nl"})):
        client.post(f"{path}/{what}", json=body)
    client.post(f"{path}/resync", json={"skus": ["A"]})
    client.post(f"{path}/retry", json={"skus": ["A"]})
    for wrong in ({"skus": ["X"]}, {"keys": ["C"]}, {"skus": ["A"] * 1001}):
        assert client.post(f"{path}/retry", json=wrong).status_code in (404, 413, 422)
    found = client.get(f"{path}/history").json()
    assert [(one["sentence"], one["actor"], one["reason"], one["source"]) for one in found["changes"]] == [
        ("toy paused", "mia", "prices are checked", "http"),
        ("toy resumed", OWNER, None, "http"),
        ("toy retried (skus C): 0 parked groups, 1 rejected facets", OWNER, None, "http"),
        ("toy resynced (skus A): 3 facets", OWNER, None, "http"),
    ], "what was paused already, what nothing was found for and what was refused is not there"
    assert {one["access"] for one in found["changes"]} == {f"{OWNER_KEY[:14]}/gr_0"}
    page = client.get(f"{path}/history", params={"limit": 2}).json()
    assert page["next"] == page["changes"][-1]["position"]
    assert client.get(f"{path}/history", params={"after": page["next"]}).json()["changes"] == found["changes"][2:]
    problem(client.get(f"{API}/nosuch/history"), 404, "not_found")
    problem(client.get(f"{path}/history", params={"limit": 0}), 422, "invalid_value")


@pytest.mark.parametrize("action", ["pause", "resume", "retry", "resync"])
def test_a_foreign_page_can_not_do_it_through_a_persons_browser(client: TestClient[Litestar], action: str) -> None:
    problem(client.post(f"{API}/toy/{action}"), 400, "malformed")
    problem(client.post(f"{API}/toy/{action}", content=b"{}"), 415, "unsupported_media_type")
    problem(client.post(f"{API}/toy/{action}", data={"all": "true"}), 415, "unsupported_media_type")


def test_a_retry_offers_again_what_was_refused(client: TestClient[Litestar], database: str) -> None:
    retried = client.post(f"{API}/toy/retry", json={"skus": ["C"]}).json()
    assert retried == {"projection": "toy", "back": [], "parked": [], "skus": 1, "facets": 1}
    assert (states(database)["C"][0], states(database)["D"][0]) == ("due", "rejected")
    assert client.post(f"{API}/toy/retry", json={}).json()["skus"] == 1
    problem(client.post(f"{API}/toy/retry", json={"keys": ["C"]}), 404, "not_found")
    problem(client.post(f"{API}/toy/retry", json={"skus": ["X"]}), 404, "not_found")
    problem(client.post(f"{API}/toy/retry", json={"skus": "X"}), 400, "malformed")


def test_a_resync_sends_again_what_is_chosen_and_the_whole_only_when_it_is_said(
    client: TestClient[Litestar], database: str
) -> None:
    path = f"{API}/toy/resync"
    assert client.post(path, json={"skus": ["A"], "dry_run": True}).json() == {
        "channel": "toy", "skus": 1, "facets": 3, "dry_run": True,
    }  # fmt: skip
    problem(client.post(path, json={}), 409, "refused")
    assert client.post(path, json={"dry_run": True}).json()["skus"] == 2
    assert states(database)["A"] == ["confirmed"] * 3
    assert client.post(path, json={"since": "2999-01-01"}).json()["facets"] == 0
    assert client.post(path, json={"skus": ["A"]}).json()["facets"] == 3
    assert client.post(path, json={"all": True}).json() == {
        "channel": "toy", "skus": 1, "facets": 2, "dry_run": False,
    }  # fmt: skip
    assert states(database)["A"] == states(database)["B"] == ["due"] * 3
    problem(client.post(path, json={"locale": "klingon"}), 422, "invalid_value")
    problem(client.post(path, json={"skus": ["X"]}), 404, "not_found")


def test_the_description_of_the_api_has_the_routes_and_their_bodies(client: TestClient[Litestar]) -> None:
    paths = client.get("/schema/openapi.json").json()["paths"]
    assert {"get", "put", "delete"} - paths["/api/v1/channels/{name}"].keys() == set()
    assert {"get", "post"} <= paths["/api/v1/channels"].keys()
    names = {one["name"] for one in paths["/api/v1/channels/{name}/rejected"]["get"]["parameters"]}
    assert names == {"name", "code", "sku", "facet", "since", "after", "limit"}
    assert "requestBody" in paths["/api/v1/channels/{name}/resync"]["post"]
