"""Wires between the roles and their servers that can be cut, silenced, or made to lose an answer."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, unquote, urlsplit

LOOK_SECONDS = 0.2
Address = tuple[str, int] | str
"""Host and port, or the path of a socket."""


class Wire:
    """Listens on a port of its own and passes everything on. `target` is asked anew for each connection.

    `cut()` ends all connections; while it is `silent` nothing passes, in either direction, and nothing ends;
    `lose_answer_to(marker)`: the next request that holds the marker arrives; its answer is lost with the connection.
    """

    def __init__(self, target: Callable[[], Address]) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._listener.getsockname()[1]
        self.lost = 0
        self._marker: bytes | None = None
        self._passing, self._ended = threading.Event(), threading.Event()
        self._passing.set()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def lose_answer_to(self, marker: bytes) -> None:
        """Arms the cut between the deed and its answer."""
        self._marker = marker

    def silence(self) -> None:
        """Nothing passes any more."""
        self._passing.clear()

    def pass_on(self) -> None:
        """Everything passes again, what was held back too."""
        self._passing.set()

    def cut(self) -> int:
        """Ends every connection; returns how many ends there were."""
        with self._lock:
            ends = list(self._open)
        _shut(*ends)
        return len(ends)

    def close(self) -> None:
        """Ends for good."""
        self._ended.set()
        self.pass_on()
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client:
            try:
                server = _connected(self._target())
            except OSError:
                return  # the server is away, and so is its port
            with server:
                with self._lock:
                    self._open |= {client, server}
                losing = threading.Event()
                back = threading.Thread(target=self._replies, args=(client, server, losing), daemon=True)
                back.start()
                self._requests(client, server, losing)
                back.join()
                with self._lock:
                    self._open -= {client, server}

    def _requests(self, client: socket.socket, server: socket.socket, losing: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                self._passing.wait()
                if self._marker is not None and self._marker in data:
                    self._marker = None
                    losing.set()
                server.sendall(data)
        _shut(client, server)

    def _replies(self, client: socket.socket, server: socket.socket, losing: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                self._passing.wait()
                if losing.is_set():
                    self.lost += 1
                    break
                client.sendall(data)
        _shut(client, server)


def of_postgres(dsn: str) -> Address:
    """Where a server of a DSN listens: its socket in a folder, or a host and port."""
    parts = urlsplit(dsn)
    given = {name: values[0] for name, values in parse_qs(parts.query).items()}
    host, port = given.get("host", parts.hostname or ""), given.get("port", str(parts.port or 5432))
    return f"{unquote(host)}/.s.PGSQL.{port}" if host.startswith("/") else (host, int(port))


def through_postgres(dsn: str, port: int) -> str:
    """The same DSN by way of a port of this machine."""
    parts = urlsplit(dsn)
    who = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
    return f"postgresql://{who}127.0.0.1:{port}{parts.path}?sslmode=disable"


def of_nats(url: str) -> Address:
    """Where a NATS server listens."""
    parts = urlsplit(url)
    return parts.hostname or "127.0.0.1", parts.port or 4222


def through_nats(url: str, port: int) -> str:
    """The same URL by way of a port of this machine."""
    who = urlsplit(url).netloc.rpartition("@")[0]
    return f"nats://{who + '@' if who else ''}127.0.0.1:{port}"


@contextlib.contextmanager
def wire(target: Callable[[], Address]) -> Iterator[Wire]:
    """A wire that is gone at the end."""
    made = Wire(target)
    try:
        yield made
    finally:
        made.close()


def _connected(where: Address) -> socket.socket:
    if isinstance(where, tuple):
        return socket.create_connection(where, timeout=None)
    made = socket.socket(socket.AF_UNIX)
    try:
        made.connect(where)
    except BaseException:
        made.close()
        raise
    return made


def _shut(*ends: socket.socket) -> None:
    for one in ends:
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
