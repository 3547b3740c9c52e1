"""Takes connections, as many as there is room for.

The loop's own server takes every connection that comes, until the system gives no more files: then nobody is served,
and the log fills. Here a newcomer takes the place of whoever has kept a connection the longest without a request, so
that idle connections, however many, shut nobody out.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable
from functools import partial

from daybook.server.connection import ClientConnection
from daybook.server.tls import Certificate
from daybook.web.rates import client_of

log = logging.getLogger(__name__)

HANDSHAKE_SECONDS = 10.0
NO_FILES_SECONDS = 1.0


class HttpListener:
    """One listening socket. `make` gives the protocol of each connection."""

    def __init__(
        self, listening: socket.socket, make: Callable[[], ClientConnection], most: int, tls: Certificate | None
    ) -> None:
        """`most` connections in all; half as many of one client."""
        self.sockets = [listening]
        self._make, self._most, self._tls = make, most, tls
        self._of: dict[str, dict[ClientConnection, asyncio.Task[None]]] = {}
        self._count = 0
        self._loop = asyncio.get_running_loop()
        self._running = self._loop.create_task(self._run())

    def close(self) -> None:
        """Takes no more connections, and gives up those that are being made."""
        self._running.cancel()
        for own in self._of.values():
            for opening in own.values():
                opening.cancel()
        self.sockets[0].close()

    async def wait_closed(self) -> None:
        """Returns when it takes none."""
        with contextlib.suppress(asyncio.CancelledError):
            await self._running

    def ended(self, connection: ClientConnection) -> None:
        """Its place is free."""
        own = self._of.get(connection.address, {})
        if own.pop(connection, None) is not None:
            self._count -= 1
        if not own:
            self._of.pop(connection.address, None)

    async def _run(self) -> None:
        while True:
            try:
                taken, address = await self._loop.sock_accept(self.sockets[0])
            except OSError as error:
                # Of one connection that broke before it was taken, or of the system, which needs a moment.
                log.warning("no connection could be taken: %s", error.strerror)
                await asyncio.sleep(NO_FILES_SECONDS)
                continue
            # Hazard: the loop sets this by itself only on sockets that were made with a protocol's number. Without it,
            # the second part of an answer waits for the client's acknowledgement of the first: 40 ms a request.
            taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client = client_of(str(address[0]))
            if not self._room(client):
                taken.close()
                continue
            connection = self._make()
            connection.address, connection.listener = client, self
            opening = self._loop.create_task(self._open(connection, taken))
            # Given up before it began, it is nobody's but ours.
            opening.add_done_callback(partial(_closing, taken))
            self._of.setdefault(client, {})[connection] = opening
            self._count += 1

    async def _open(self, connection: ClientConnection, taken: socket.socket) -> None:
        seconds = None if self._tls is None else HANDSHAKE_SECONDS
        try:
            await self._loop.connect_accepted_socket(
                lambda: connection,
                taken,
                ssl=None if self._tls is None else self._tls.context,
                ssl_handshake_timeout=seconds,
            )
        except asyncio.CancelledError:
            self.ended(connection)
            raise
        except OSError as error:  # also a handshake that failed or did not come
            log.debug("%s: no connection was made: %s", connection.address, error)
            self.ended(connection)

    def _room(self, client: str) -> bool:
        """Makes a place. False when everybody, or every connection of this client, has a request under way."""
        own = self._of.get(client, {})
        if len(own) >= max(1, self._most // 2):
            return self._make_room(own)
        if self._count >= self._most:
            # From whoever has the most: it is the one that fills the server.
            return self._make_room(max(self._of.values(), key=len))
        return True

    def _make_room(self, among: dict[ClientConnection, asyncio.Task[None]]) -> bool:
        for connection, opening in among.items():
            if not opening.done():
                opening.cancel()
            elif connection.idle:
                connection.transport.abort()
            else:
                continue
            self.ended(connection)
            return True
        return False


def _closing(taken: socket.socket, opening: asyncio.Task[None]) -> None:
    if opening.cancelled():
        taken.close()
