"""The servers that a connection string names, and what this process knows of each.

Of several servers one is the primary. Which one, all of them are asked when a process first connects; afterwards the
one that was it is tried first, so that a dead or hung server in front of it costs nothing.
"""

import socket
import struct
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

HUNG_SECONDS = 10.0
"""So long is a server that answered nobody tried after the others."""
_DEFAULT_PORT = "5432"
_HOSTS = ("host", "hostaddr", "port")
# PostgreSQL's protocol, "SSLRequest": eight bytes that every server answers with one, before it asks who is there.
# Source: https://www.postgresql.org/docs/18/protocol-message-formats.html#PROTOCOL-MESSAGE-FORMATS-SSLREQUEST
_SSL_REQUEST = struct.pack("!II", 8, 80877103)


class PostgresPlace:
    """One server, and how it was when it was last seen."""

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        self.parameters = dict(parameters)
        self.timeline = 0
        """That it wrote when it last was the primary here; 0 for never."""
        self.fenced = 0
        """The timeline that it was told has begun elsewhere; 0 for none."""
        self._hung_until = 0.0
        self._address: tuple[str, int] = "", 0

    @property
    def name(self) -> str:
        """For a message: host and port."""
        host = self.parameters.get("host") or self.parameters.get("hostaddr") or "the local socket"
        return f"{host}:{self.parameters.get('port') or _DEFAULT_PORT}"

    @property
    def hung(self) -> bool:
        """Whether it answered nobody a moment ago."""
        return time.monotonic() < self._hung_until

    def note_hung(self) -> None:
        """Whoever else waits for it need not find out by himself."""
        self._hung_until = time.monotonic() + HUNG_SECONDS

    def note_answer(self, found: psycopg.ConnectionInfo) -> None:
        """It is there, and where a default led to."""
        self._hung_until = 0.0
        self._address = found.hostaddr or found.host, found.port

    def answers(self, timeout: float) -> bool:
        """Whether the server answers a new client within `timeout` seconds. It need not let him in."""
        try:
            with _reached(*self._address, timeout) as link:
                link.sendall(_SSL_REQUEST)
                return bool(link.recv(1))
        except OSError:
            return False


def _reached(host: str, port: int, timeout: float) -> socket.socket:
    if not host.startswith("/"):
        return socket.create_connection((host, port), timeout=timeout)
    link = socket.socket(socket.AF_UNIX)
    link.settimeout(timeout)
    try:
        link.connect(str(Path(host) / f".s.PGSQL.{port}"))
    except BaseException:
        link.close()
        raise
    return link


class PostgresPlaces:
    """The servers of one connection string."""

    def __init__(self, dsn: str) -> None:
        """Raises psycopg.ProgrammingError for a string that can't be read."""
        given = conninfo_to_dict(dsn)
        lists = {name: str(given[name]).split(",") for name in _HOSTS if given.get(name)}
        size = max((len(lists[name]) for name in ("host", "hostaddr") if name in lists), default=1)
        self._all = [
            PostgresPlace(given | {name: _nth(values, number) for name, values in lists.items()})
            for number in range(size)
        ]
        self.asked = threading.Lock()
        self.watched = False

    @property
    def several(self) -> bool:
        """Whether there is more than one."""
        return len(self._all) > 1

    def in_order(self) -> list[PostgresPlace]:
        """The most promising first: who answers, and of those the newest primary."""
        return sorted(self._all, key=lambda place: (place.hung, -place.timeline))


_known: dict[str, PostgresPlaces] = {}


def places(dsn: str) -> PostgresPlaces:
    """The servers of a connection string; the same object for the same string, with what was learned of them."""
    found = _known.get(dsn)
    return _known.setdefault(dsn, PostgresPlaces(dsn)) if found is None else found


def _nth(values: list[str], number: int) -> str:
    """As libpq reads them: one port is for all hosts."""
    return values[number] if len(values) > 1 else values[0]
