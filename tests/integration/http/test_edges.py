"""What every client meets: problems, probes, the API's description."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import psycopg
import pytest
from litestar import Litestar, get
from litestar.testing import TestClient

from daybook import limits
from daybook.app import App
from daybook.channel.registry import Registry
from daybook.config import Settings
from daybook.errors import CorruptLog, Unavailable
from daybook.web.needs import OPEN
from tests.fixtures.owner import client_of

API = "/api/v1"


@get("/broken", **OPEN)
async def broken() -> None:
    raise RuntimeError("the secret of the house")


@get("/corrupt", **OPEN)
async def corrupt() -> None:
    raise CorruptLog("a row that does not decode")


@get("/unreachable", **OPEN)
async def unreachable() -> None:
    raise Unavailable("connection to server at 10.0.0.1 failed for user bob")


@pytest.fixture
def app(database: str) -> Iterator[App]:
    with App(Settings(data=Path("unused"), postgres=database), Registry([])) as app:
        yield app


@pytest.fixture
def client(app: App) -> Iterator[TestClient[Litestar]]:
    with client_of(app, more=[broken, corrupt, unreachable], raises=False) as client:
        yield client


def check_problem(answer: Any, status: int, code: str) -> Any:
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    body = answer.json()
    assert (body["status"], body["code"], body["type"]) == (status, code, f"urn:daybook:problem:{code}")
    assert body["title"]
    assert body["detail"]
    assert body["instance"].startswith("/")
    return body


JSON = {"Content-Type": "application/json"}


def test_every_refusal_of_the_protocol_is_a_problem(client: TestClient[Litestar]) -> None:
    products = f"{API}/products"
    check_problem(client.get("/nowhere"), 404, "no_such_route")
    check_problem(client.get(f"{API}/products/A/stock"), 404, "no_such_route")
    check_problem(client.post(f"{API}/events"), 405, "method_not_allowed")
    form = check_problem(client.post(products, data={"sku": "A"}), 415, "unsupported_media_type")
    assert "application/json" in form["detail"]
    check_problem(client.post(products, content=b'{"sku"', headers=JSON), 400, "malformed")
    check_problem(client.post(products, content=b"", headers=JSON), 400, "malformed")
    check_problem(client.post(products, content=b"[" * 100_000, headers=JSON), 400, "malformed")
    check_problem(client.post(products, content=b'{"sku": "\xff"}', headers=JSON), 400, "malformed")
    limit = check_problem(client.get(f"{API}/events?limit=many"), 400, "malformed")
    assert limit["field"] == "limit"
    big = json.dumps({"sku": "A" * limits.BODY.most})
    check_problem(client.post(products, content=big, headers=JSON), 413, "too_large")


def test_every_refusal_of_the_domain_is_a_problem(client: TestClient[Litestar]) -> None:
    check_problem(client.get(f"{API}/products/A"), 404, "not_found")
    sku = check_problem(client.post(f"{API}/products", json={"sku": "-"}), 422, "invalid_value")
    assert (sku["field"], "letters" in sku["reason"], "value" in sku) == ("sku", True, False)
    check_problem(client.put(f"{API}/products/%00/discontinued"), 422, "invalid_value")


def test_a_defect_is_logged_and_not_shown(client: TestClient[Litestar], caplog: pytest.LogCaptureFixture) -> None:
    body = check_problem(client.get("/broken"), 500, "error")
    assert "secret" not in json.dumps(body)
    assert body["error_id"] in body["detail"]
    (record,) = [one for one in caplog.records if body["error_id"] in one.getMessage()]
    assert record.exc_info
    assert "secret" in str(record.exc_info[1])
    check_problem(client.get("/corrupt"), 500, "error")


def test_a_server_that_is_away_is_a_reason_to_try_again(client: TestClient[Litestar]) -> None:
    answer = client.get("/unreachable")
    body = check_problem(answer, 503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0
    assert "bob" not in json.dumps(body)


def test_the_probes_tell_alive_from_ready(app: App) -> None:
    troubles: list[str | None] = [None]

    def nats() -> str | None:
        return troubles[-1]

    def broken_check() -> str | None:
        raise Unavailable("away")

    with client_of(app, {"nats": nats}) as client:
        assert client.get("/health/live").json() == {"status": "live"}
        ready = client.get("/health/ready").json()
        assert (ready["ready"], ready["checks"]) == (True, {"postgres": "ok", "nats": "ok", "stream": "ok"})
        assert ready["waiting"] == client.get("/api/v1/status").json()["waiting"]
        troubles.append("no answer")
        away = client.get("/health/ready")
        assert (away.status_code, away.json()["checks"]["nats"]) == (503, "no answer")
    with client_of(app, {"nats": broken_check}) as client:
        assert client.get("/health/ready").json()["checks"] == {
            "postgres": "ok",
            "nats": "unavailable",
            "stream": "ok",
        }


def test_it_is_ready_at_once_when_the_server_closed_every_idle_connection(app: App) -> None:
    with client_of(app) as client, ThreadPoolExecutor(8) as executor:
        held = Barrier(8)

        def use(_: int) -> None:
            with app.pool.connection() as conn:
                conn.execute("SELECT 1")
                held.wait(20)

        list(executor.map(use, range(8)))
        with psycopg.connect(app.settings.require_postgres(), autocommit=True) as conn:
            others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            ended = conn.execute(f"SELECT pg_terminate_backend(pid, 10000) {others}").fetchall()
        assert len(ended) >= 8
        assert [client.get("/health/ready").json()["checks"]["postgres"] for _ in range(10)] == ["ok"] * 10


def test_a_database_without_migrations_is_not_ready(empty_database: str) -> None:
    with (
        App(Settings(data=Path("unused"), postgres=empty_database), Registry([])) as app,
        client_of(app) as client,
    ):
        answer = client.get("/health/ready")
        assert answer.status_code == 503
        assert "0001_log.sql" in answer.json()["checks"]["postgres"]


def test_the_description_is_complete_and_loads_nothing_from_elsewhere(client: TestClient[Litestar]) -> None:
    page = client.get("/")
    assert page.url.path == "/schema"
    assert page.headers["content-type"].startswith("text/html")
    assert "PATCH" in page.text
    assert "http" not in page.text.replace("http://testserver", "")
    assert "<script" not in page.text
    schema = client.get("/schema/openapi.json").json()
    assert client.get("/schema/openapi.yaml").status_code == 200
    assert "DescribeProduct" in schema["components"]["schemas"]
    put = schema["paths"]["/api/v1/products/{sku}/stock/{location}"]["put"]
    assert put["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Quantity"}
    assert {one["name"] for one in put["parameters"]} >= {"sku", "location", "Idempotency-Key", "If-Match", "X-Actor"}
    assert put["summary"] == "Count stock"


def test_a_path_with_other_methods_names_them(client: TestClient[Litestar]) -> None:
    answer = client.post(f"{API}/events")
    assert "GET" in answer.headers["allow"]
