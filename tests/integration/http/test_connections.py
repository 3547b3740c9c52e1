"""Connections that come to nothing are ended, and shut nobody out."""

import contextlib
import logging
import socket
import time
from collections.abc import Iterator

import httpx
import pytest

from daybook.http_settings import HttpSettings
from daybook.server import connection
from tests.fixtures.owner import SHOWN
from tests.fixtures.served import served
from tests.fixtures.waiting import until

LIVE = "/health/live"
GET = f"GET {LIVE} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
BEGUN = (
    "PUT /api/v1/products/A HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    f"Authorization: {SHOWN['Authorization']}\r\n"
).encode()
SHORT = 0.4


@pytest.fixture
def port(database: str) -> Iterator[int]:
    with served(database) as port:
        yield port


@contextlib.contextmanager
def opened(port: int, source: str = "127.0.0.1") -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=20, source_address=(source, 0)) as client:
        yield client


def rest(client: socket.socket) -> bytes:
    """All that comes until the server ends the connection."""
    found = b""
    with contextlib.suppress(ConnectionError):
        while part := client.recv(65536):
            found += part
    return found


@pytest.mark.parametrize("begun", [b"", b"GET ", GET[:-2], GET[:-2] + b"x: y\r\n"])
def test_a_request_that_does_not_come_whole_ends_its_connection(
    port: int, monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    monkeypatch.setattr(connection, "HEAD_SECONDS", SHORT)
    with opened(port) as client:
        client.sendall(begun)
        assert rest(client) == b""


def test_headers_that_trickle_in_do_not_begin_the_time_anew(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_SECONDS", SHORT)
    with opened(port) as client:
        client.sendall(GET[:-2])
        started = time.monotonic()
        with pytest.raises(OSError):
            while time.monotonic() - started < 20:
                client.sendall(b"x: y\r\n")
                client.settimeout(0.05)
                with contextlib.suppress(TimeoutError):
                    if client.recv(1) == b"":
                        raise ConnectionError


def test_the_second_request_of_a_connection_has_its_time_too(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(port) as client:
        client.sendall(GET)
        found = b""
        while not found.endswith(b"}"):
            found += client.recv(65536)
        monkeypatch.setattr(connection, "HEAD_SECONDS", SHORT)
        client.sendall(GET[:-2])
        assert rest(client) == b""


@pytest.mark.parametrize(
    "body",
    [b"Content-Length: 100\r\n\r\n{", b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", b"Content-Length: 9\r\n\r\n"],
)
def test_a_body_that_does_not_come_whole_is_refused_and_ends_its_connection(
    port: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, body: bytes
) -> None:
    monkeypatch.setattr(connection, "BODY_SECONDS", SHORT)
    with opened(port) as client:
        client.sendall(BEGUN + body)
        answer = rest(client)
    assert b" 408 " in answer and b"urn:daybook:problem:timeout" in answer
    assert [one for one in caplog.records if one.exc_info] == []


@pytest.mark.parametrize("path", ["/nowhere", "//products", "/api/v1/events"])
def test_the_body_of_a_request_that_was_refused_is_not_read_without_end(
    port: int, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(connection, "LEFT_SECONDS", SHORT)
    with opened(port) as client:
        client.sendall(f"PUT {path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        started, sent = time.monotonic(), 0
        with pytest.raises(OSError):
            while time.monotonic() - started < 20:
                client.sendall(b"1000\r\n" + b"x" * 0x1000 + b"\r\n")
                sent += 0x1000


def test_a_client_that_does_not_read_its_answers_is_let_go(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "UNREAD_SECONDS", SHORT)
    document = b"GET /schema/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with opened(port) as client:
        client.settimeout(0.5)
        started = time.monotonic()
        with pytest.raises(ConnectionError):
            while time.monotonic() - started < 30:
                with contextlib.suppress(TimeoutError):
                    client.sendall(document * 10)


def test_idle_connections_make_room_for_new_ones_and_busy_ones_stay(database: str) -> None:
    with served(database, HttpSettings(connections=20)) as port, contextlib.ExitStack() as stack:
        busy = stack.enter_context(opened(port))
        busy.sendall(BEGUN + b"Content-Length: 31\r\nExpect: 100-continue\r\n\r\n")
        assert b"100 Continue" in busy.recv(1000)
        idle = [stack.enter_context(opened(port)) for _ in range(50)]
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=SHOWN) as client:
            assert client.get(LIVE).status_code == 200
        with httpx.Client(
            base_url=f"http://127.0.0.1:{port}", transport=httpx.HTTPTransport(local_address="127.0.0.2")
        ) as client:
            assert client.get(LIVE).status_code == 200
        assert rest(idle[0]) == b""
        busy.sendall(b'{"sku": "A", "kind": "product"}')
        assert b" 201 " in busy.recv(65536)


def test_who_has_every_place_with_requests_under_way_is_refused_and_others_are_served(database: str) -> None:
    with served(database, HttpSettings(connections=4)) as port, contextlib.ExitStack() as stack:
        for _ in range(2):
            busy = stack.enter_context(opened(port))
            busy.sendall(BEGUN + b"Content-Length: 31\r\nExpect: 100-continue\r\n\r\n")
            assert b"100 Continue" in busy.recv(1000)
        with opened(port) as refused:
            assert rest(refused) == b""
        with opened(port, "127.0.0.2") as other:
            other.sendall(GET)
            assert b" 200 " in other.recv(65536)


def test_ended_connections_are_counted_in_one_line(
    port: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(connection, "HEAD_SECONDS", SHORT)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(opened(port)) for _ in range(30)]
        assert [rest(client) for client in clients] == [b""] * 30
        until(lambda: "ended connections" in caplog.text, "it is told")
    assert sum(one.name.startswith(("daybook.http", "daybook.server")) for one in caplog.records) <= 4


def test_a_request_on_an_open_connection_waits_for_no_acknowledgement(port: int) -> None:
    taken = []
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=SHOWN) as client:
        for _ in range(20):
            started = time.monotonic()
            assert client.get(LIVE).status_code == 200
            taken.append(time.monotonic() - started)
    assert min(taken) < 0.035, taken  # a delayed acknowledgement takes 40 ms, each time
