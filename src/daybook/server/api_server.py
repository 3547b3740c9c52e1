"""The server that runs the edge: it takes connections within limits, and ends those that come to nothing."""

import asyncio
import logging
import socket
import sys
from collections import Counter
from typing import Any

import uvicorn

from daybook.config import Settings
from daybook.errors import BadConfiguration
from daybook.server.admission import HEAD_BYTES_MAX, Admission
from daybook.server.connection import KEEP_ALIVE_SECONDS, ClientConnection
from daybook.server.listener import HttpListener
from daybook.server.tls import Certificate

log = logging.getLogger(__name__)

STOP_SECONDS = 5
BACKLOG = 2048
FILES_KEPT = 200
"""Of the system's files, for Postgres, NATS, the log and the program itself."""
LOOK_TICKS = 5
"""The server has ten ticks a second: times are looked at twice in a second."""
TELL_TICKS = 10
TLS_TICKS = 20


class ApiServer(uvicorn.Server):
    """Serves an ASGI application by the settings. It stops on SIGINT and SIGTERM when it runs in the main thread."""

    def __init__(self, application: Any, found: Settings) -> None:
        """Raises BadConfiguration for a certificate that can't be read."""
        self._found = found
        http = found.http
        self._tls = Certificate(http.tls_cert, http.tls_key) if http.tls_cert and http.tls_key else None
        self._overdue: Counter[str] = Counter()
        super().__init__(
            uvicorn.Config(
                Admission(application, http, found.http_host),
                host=found.http_host,
                port=found.http_port,
                http=ClientConnection,
                ws="none",
                access_log=False,
                log_config=None,
                server_header=False,
                proxy_headers=bool(http.proxies),
                forwarded_allow_ips=list(http.proxies),
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=STOP_SECONDS,
                h11_max_incomplete_event_size=HEAD_BYTES_MAX,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begins to listen. Raises BadConfiguration for an address that can't be listened on."""
        listening = sockets or _sockets(self._found.http_host, self._found.http_port)
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            sys.exit(3)
        most = _connections_max(self._found.http.connections)

        def make() -> ClientConnection:
            return ClientConnection(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)

        listeners: list[Any] = [HttpListener(one, make, most, self._tls) for one in listening]
        self.servers = listeners
        for one in listening:
            host, port = one.getsockname()[:2]
            log.info("listening on %s://%s:%d", self._found.http.scheme, f"[{host}]" if ":" in host else host, port)
        self.started = True

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second."""
        if counter % LOOK_TICKS == 0:
            now = asyncio.get_running_loop().time()
            for connection in list(self.server_state.connections):
                if isinstance(connection, ClientConnection) and (why := connection.overdue(now)) is not None:
                    self._overdue[why] += 1
        if counter % TELL_TICKS == 0 and self._overdue:
            log.info("ended connections: %s", ", ".join(f"{why} ({n})" for why, n in self._overdue.items()))
            self._overdue.clear()
        if self._tls is not None and counter % TLS_TICKS == 0:
            self._tls.refresh()
        return await super().on_tick(counter)


def _sockets(host: str, port: int) -> list[socket.socket]:
    found: list[socket.socket] = []
    try:
        for family, *_, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE):
            one = socket.create_server(address[:2], family=family, backlog=BACKLOG)
            one.setblocking(False)
            found.append(one)
    except OSError as error:
        for one in found:
            one.close()
        raise BadConfiguration(
            f"port {port} of {host} can't be listened on ({error.strerror}): DAYBOOK_HTTP_HOST and DAYBOOK_HTTP_PORT",
            port=port,
            host=host,
        ) from None
    return found


def _connections_max(wanted: int) -> int:
    """As many as are wanted and the system has files for; its limit is raised as far as it may be."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return wanted
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard == resource.RLIM_INFINITY or hard - FILES_KEPT >= wanted:
        return wanted
    most = max(1, hard - FILES_KEPT)
    log.warning("the system gives %d files: %d connections are taken, not %d", hard, most, wanted)
    return most
