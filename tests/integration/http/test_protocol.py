"""HTTP over a real socket: HEAD, a body that is too large, and a client that leaves."""

import logging
import socket
from collections.abc import Iterator

import httpx
import pytest

from daybook import limits
from daybook.web import protocol
from tests.fixtures.owner import SHOWN
from tests.fixtures.served import served
from tests.fixtures.waiting import until

PRODUCT = "/api/v1/products/A"
HEAD = f"Host: localhost\r\nContent-Type: application/json\r\nAuthorization: {SHOWN['Authorization']}"


@pytest.fixture
def port(database: str) -> Iterator[int]:
    with served(database) as port:
        yield port


@pytest.fixture
def client(port: int) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20, headers=SHOWN) as client:
        assert client.put(PRODUCT, json={"sku": "A", "kind": "product"}).status_code == 201
        yield client


@pytest.mark.parametrize("path", [PRODUCT, "/api/v1/products", "/health/live", "/schema/openapi.json", "/nowhere"])
def test_head_tells_what_get_would_without_the_body(client: httpx.Client, path: str) -> None:
    got, head = client.get(path), client.head(path)

    assert (head.status_code, head.content) == (got.status_code, b"")
    for name in ("content-type", "etag", "content-length"):
        assert head.headers.get(name) == got.headers.get(name)


def test_a_path_that_answers_get_allows_head(client: httpx.Client) -> None:
    answer = client.delete("/api/v1/events")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


def test_a_header_that_is_given_twice_is_refused(client: httpx.Client) -> None:
    twice = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    answer = client.post(f"{PRODUCT}/stock/main/received", json={"quantity": 1}, headers=twice)
    assert (answer.status_code, answer.json()["field"]) == (400, "Idempotency-Key")
    assert "2 times" in answer.json()["reason"]
    assert client.get(PRODUCT).json()["stock"] == {}


def test_a_body_that_is_too_large_is_answered_also_to_a_client_that_reads_only_then(client: httpx.Client) -> None:
    body = b"x" * (limits.BODY.most + 100_000)
    answer = client.put(PRODUCT, content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.headers["connection"]) == (413, "close")
    assert "at most 8,388,608 bytes" in answer.json()["detail"]


def test_after_an_answer_an_endless_body_is_not_read_on(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "DRAIN_BYTES", 1_000_000)
    sent = 0
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(f"PUT {PRODUCT} HTTP/1.1\r\n{HEAD}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        with pytest.raises(OSError):
            while sent < 50 * limits.BODY.most:
                client.sendall(chunk)
                sent += 0x10000
    assert limits.BODY.most <= sent < 3 * limits.BODY.most


def test_a_client_that_leaves_is_no_defect(port: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(f'PUT {PRODUCT} HTTP/1.1\r\n{HEAD}\r\nContent-Length: 100\r\n\r\n{{"sku"'.encode())

    until(lambda: "the client left" in caplog.text, "it is noticed")
    assert [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING or one.exc_info] == []
