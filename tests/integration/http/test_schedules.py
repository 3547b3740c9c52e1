"""Planned changes over HTTP: planned by who may make them, shown to who sees the product, moved and withdrawn."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
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
LATER = f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%d}T00:00+00:00"
LAST = f"{datetime.now(UTC) + timedelta(days=40):%Y-%m-%d}T00:00+00:00"
PRICE = {"type": "change_price", "sku": "MUG", "amount": "17.99", "currency": "EUR"}


@pytest.fixture
def client(database: str) -> Iterator[TestClient[Litestar]]:
    with (
        App(Settings(data=Path("unused"), postgres=database), Registry([])) as app,
        client_of(app, raises=False) as client,
    ):
        assert client.post(f"{API}/products", json={"sku": "MUG"}).status_code == 201
        yield client


def plan(client: TestClient[Litestar], change: Any = PRICE, at: str = LATER, **headers: str) -> Any:
    return client.post(f"{API}/schedules", json={"effective_at": at, "change": change}, headers=headers)


def test_a_planned_change_is_where_the_location_says_and_in_the_list(client: TestClient[Litestar]) -> None:
    done = plan(client, **{"X-Reason": "sale"})
    assert done.status_code == 201, done.text
    shown = client.get(done.headers["Location"]).json()
    assert (shown["state"], shown["sku"], shown["change"]["amount"]) == ("planned", "MUG", "17.99")
    (row,) = client.get(f"{API}/schedules?sku=MUG").json()["schedules"]
    assert row["reason"] == "sale"
    assert client.get(f"{API}/schedules?refused=true").json()["schedules"] == []


def test_it_is_moved_and_withdrawn(client: TestClient[Litestar]) -> None:
    where = plan(client).headers["Location"]
    assert client.patch(where, json={"effective_at": LAST}).json()["changed"]
    assert datetime.fromisoformat(client.get(where).json()["due_at"]) == datetime.fromisoformat(LAST)
    assert client.delete(where).json()["changed"]
    assert client.delete(where).json()["changed"] is False
    assert client.get(where).json()["state"] == "withdrawn"
    assert client.patch(where, json={"effective_at": LAST}).status_code == 409
    assert client.delete(f"{API}/schedules/sch-0").status_code == 404


def test_a_plan_that_is_sent_again_with_its_key_is_one_plan(client: TestClient[Litestar]) -> None:
    first, again = plan(client, **{"Idempotency-Key": "erp-1"}), plan(client, **{"Idempotency-Key": "erp-1"})
    assert first.json() == again.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert first.headers["Location"] == again.headers["Location"]
    assert len(client.get(f"{API}/schedules").json()["schedules"]) == 1


@pytest.mark.parametrize(
    ("change", "at", "status", "said"),
    [
        (PRICE, "2020-01-01T00:00Z", 422, "has passed"),
        (PRICE, "2030-01-01T00:00", 422, "needs a time zone"),
        ({**PRICE, "amount": "1.999"}, LATER, 422, "amount"),
        ({**PRICE, "sku": "NOSUCH"}, LATER, 404, "NOSUCH"),
        ({**PRICE, "surprise": 1}, LATER, 400, "surprise"),
        ({"sku": "MUG"}, LATER, 400, "type"),
        ({"type": "place_order"}, LATER, 400, "place_order"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_planned(
    client: TestClient[Litestar], change: Any, at: str, status: int, said: str
) -> None:
    answer = plan(client, change, at)
    assert (answer.status_code, said in answer.text) == (status, True), answer.text
    assert client.get(f"{API}/schedules").json()["schedules"] == []
