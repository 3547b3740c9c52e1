"""The API as its own process under those who want it to serve nobody: others are served meanwhile, in time."""

import contextlib
import gzip
import os
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.fixtures.waiting import until

pytestmark = pytest.mark.long

SOCKETS = 2000
REQUEST = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
PUT = b"PUT /api/v1/products/A HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
SECONDS_MAX = 5.0
"""In which everybody else is answered, on two cores that they share with the flood. A connection that found the system
full is asked for again by the client's own system after one second and after three."""


@pytest.fixture(autouse=True, scope="module")
def _files() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _free(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
        return True
    return False


class Api:
    """The process, its port and its log."""

    def __init__(self, port: int, log: Path, process: "subprocess.Popen[bytes]") -> None:
        self.port, self.log, self.process = port, log, process

    def connect(self, source: str = "127.0.0.1") -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=30, source_address=(source, 0))

    def seconds(self, source: str) -> float:
        """How long a request takes that has nothing to do with the flood."""
        started = time.monotonic()
        with self.connect(source) as client:
            client.sendall(REQUEST)
            answer = b"".join(iter(lambda: client.recv(65536), b""))
        assert answer.startswith(b"HTTP/1.1 200"), answer[:200]
        return time.monotonic() - started


@pytest.fixture
def api(database: str, tmp_path: Path) -> Iterator[Api]:
    # Not one that the system gives to connections: thousands of them are opened here and beside this test.
    port = next(port for port in range(20_000 + os.getpid() % 1000 * 10, 32_000) if _free(port))
    env = {name: text for name, text in os.environ.items() if not name.startswith("DAYBOOK_")}
    env |= {"DAYBOOK_POSTGRES": database, "DAYBOOK_HTTP_PORT": str(port), "DAYBOOK_DATA": str(tmp_path)}
    log = tmp_path / "api.log"
    # As a shell has it: 1,024 files, of which the program may make more.
    command = f'ulimit -S -n 1024; exec "{sys.executable}" -P -m daybook run api'
    with log.open("wb") as out, subprocess.Popen(["bash", "-c", command], env=env, stdout=out, stderr=out) as process:
        made = Api(port, log, process)
        try:
            until(lambda: answers(made) or process.poll() is not None, "the API answers")
            assert process.poll() is None, log.read_text()
            yield made
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
    lines = log.read_text().splitlines()
    assert len(lines) < 500 and max(map(len, lines)) < 5000, lines[-20:]
    assert "Traceback" not in log.read_text()


def answers(api: Api) -> bool:
    with contextlib.suppress(OSError):
        return api.seconds("127.0.0.1") > 0
    return False


def others_are_served(api: Api, times: int = 20, sources: Sequence[str] = ("127.0.0.2", "127.0.0.1")) -> None:
    """From another address, and from that of the flood."""
    taken = sorted(api.seconds(source) for _ in range(times) for source in sources)
    assert taken[-1] < SECONDS_MAX, taken[-5:]


def test_idle_sockets_shut_nobody_out(api: Api) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(SOCKETS):
            stack.enter_context(api.connect())
        others_are_served(api)
        for _ in range(SOCKETS + 500):
            stack.enter_context(api.connect("127.0.0.3"))
        others_are_served(api)


def test_headers_and_bodies_that_trickle_in_shut_nobody_out(api: Api) -> None:
    stop = threading.Event()
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(api.connect()) for _ in range(SOCKETS)]
        for number, one in enumerate(slow):
            one.sendall(REQUEST[:-2] if number % 2 else PUT + b"Content-Length: 100000\r\n\r\n")

        def trickle() -> None:
            while not stop.is_set():
                for one in slow:
                    with contextlib.suppress(OSError):
                        one.send(b"x: y\r\n")

        thread = threading.Thread(target=trickle)
        thread.start()
        try:
            # An address that has too many requests under way is asked to come again.
            others_are_served(api, 40, ("127.0.0.2",))
        finally:
            stop.set()
            thread.join(30)


def test_clients_that_read_nothing_shut_nobody_out(api: Api) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(100):
            client = stack.enter_context(api.connect())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.sendall(b"GET /schema/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n")
        others_are_served(api)


def many(api: Api, request: Callable[[int], bytes], times: int) -> list[int]:
    """The statuses that so many requests get, each on a connection of its own."""
    found = []
    for number in range(times):
        with api.connect("127.0.0.4") as client:
            with contextlib.suppress(OSError):
                client.sendall(request(number))
            with contextlib.suppress(OSError):
                answer = client.recv(65536)
                found.append(int(answer.split(b" ", 2)[1]) if answer else 0)
    return found


def test_ten_thousand_requests_with_odd_headers_are_answered_without_a_defect(api: Api) -> None:
    odd = [
        b"x" * 60_000 + b": y",
        b"\r\n".join(b"a%d: b" % n for n in range(3000)),
        b"content-length: -1",
        b"content-length: 1\r\ncontent-length: 2",
        b"transfer-encoding: chunked\r\ncontent-length: 5",
        b"transfer-encoding: xchunked",
        b"host: evil.example",
        b" folded: header",
        b"\x00: \xff",
        b"idempotency-key: \xff\xfe",
        b"range: bytes=0-18446744073709551615",
        b"upgrade: websocket\r\nconnection: upgrade",
        b"x-forwarded-for: 127.0.0.1\r\nx-forwarded-host: evil.example",
        b"authorization: Bearer " + b"a" * 50_000,
        b"expect: 200-maybe",
        b"if-match: " + b'"1",' * 5000,
    ]
    stop = threading.Event()
    failures: list[BaseException] = []

    def watch() -> None:
        try:
            while not stop.is_set():
                others_are_served(api, 2)
        except BaseException as error:
            failures.append(error)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        found = many(api, lambda n: REQUEST[:-2] + odd[n % len(odd)] + b"\r\n\r\n", 10_000)
    finally:
        stop.set()
        watcher.join(60)
    assert not failures, failures
    assert len(found) > 9_900
    assert set(found) <= {0, 200, 400, 401, 415, 421, 429, 431, 501}, sorted(set(found))


def test_bombs_and_endless_bodies_are_refused_and_others_are_served(api: Api) -> None:
    bomb = gzip.compress(b" " * 100_000_000)
    packed = PUT + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb) + bomb
    assert set(many(api, lambda _: packed, 50)) <= {415, 0}
    with contextlib.ExitStack() as stack:
        for path in (b"/nowhere", b"/api/v1/products/A", b"/api/v1/products"):
            client = stack.enter_context(api.connect("127.0.0.4"))
            client.settimeout(0.5)
            head = b"PUT %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" % path
            client.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n")
            sent = 0
            with contextlib.suppress(OSError):
                while sent < 100_000_000:
                    client.sendall(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
                    sent += 0x10000
            assert sent < 100_000_000, path
        others_are_served(api, 5)
