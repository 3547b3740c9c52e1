"""The connection to NATS. It comes back by itself; what was asked before a break must be asked again."""

import asyncio
import logging
import time
from contextlib import suppress
from typing import Any

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.errors import NoServersError
from nats.js.errors import APIError

from daybook.addresses import mask, nats_servers
from daybook.errors import Unavailable
from daybook.stream.credentials import proof

log = logging.getLogger("daybook.stream")
CONNECT_SECONDS_MAX = 2
OPEN_SECONDS_MAX = 6
"""For trying every server that is named, the first of which may be dead or paused."""
PING_SECONDS, PINGS_UNANSWERED_MAX = 1, 2
"""A server that was paused, or whose machine is gone, is left for the next one after about three seconds."""
DENIED_SECONDS = 10.0
"""So long ago may the server have refused something for it to be the reason why an answer did not come."""
_DENIED = "permissions violation"


def said(error: BaseException) -> str:
    """What the client says of it, or what it is: some of its errors have no words."""
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    if isinstance(error, APIError) and error.description:
        return f"{error.description} ({error.err_code})"
    return str(error).removeprefix("nats: ") or type(error).__name__


def heed_cancellation() -> None:
    """Ends a task that was cancelled and does not know it: call it in each round of a loop that publishes or connects.

    The client swallows a cancellation that arrives while it flushes (`_flush_pending` in nats-py 2.16), and so does
    Python 3.11's `wait_for` when the answer comes in the same moment: the loop would go on for ever, with somebody
    waiting for its end.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


class Nats:
    """A connection that counts its breaks: whoever asked for something compares the count and asks again.

    To one of the servers that the address names; to the next one when that one breaks, falls silent or shuts down.
    """

    def __init__(self, url: str, name: str) -> None:
        """Raises BadConfiguration for an address that can't be read."""
        self._url = url
        self._name = name
        self.servers = nats_servers("DAYBOOK_NATS", url)
        self.client = Client()
        self.breaks = 0
        self._opening: asyncio.Task[None] | None = None
        self._denied: tuple[float, str] | None = None

    def why(self, error: BaseException) -> str:
        """Why something was not answered: what the client says, and what the server did not permit just before.

        Hazard: a server answers a publish that it does not permit with a message on the side, which belongs to no
        request. The request itself just runs out of time.
        """
        if self._denied is not None and time.monotonic() - self._denied[0] < DENIED_SECONDS:
            return f"{said(error)}. The server does not permit it: {self._denied[1]}"
        return said(error)

    async def open(self) -> None:
        """Connects. Raises Unavailable when no server answers now; afterwards reconnecting is endless and silent."""

        async def broken() -> None:
            self.breaks += 1

        reasons: dict[bool, str] = {}

        async def failed(error: Exception) -> None:
            # The client tries for ever; what it stumbled over is only told here. A server that refuses may close before
            # the client has read why: then the next try's "connection reset" must not hide what an earlier one heard.
            reasons[isinstance(error, NatsError)] = said(error)
            if _DENIED in str(error).lower():
                self._was_denied(said(error))
            log.debug("%s: %s", self._name, said(error))
            heed_cancellation()

        client = Client()

        async def leaving() -> None:
            # The server is about to shut down, and lets its clients go one after the other: that is not waited for.
            if len(client.servers) > 1:
                await client.force_reconnect()

        try:
            several = len(self.servers.urls) > 1
            async with asyncio.timeout(OPEN_SECONDS_MAX if several else CONNECT_SECONDS_MAX * 2):
                await client.connect(
                    **self._options(),
                    disconnected_cb=broken,
                    reconnected_cb=broken,
                    error_cb=failed,
                    lame_duck_mode_cb=leaving,
                )
            self.client = client
        except (NoServersError, NatsError, OSError, TimeoutError) as error:
            reason = reasons.get(True) or reasons.get(False) or said(error)
            raise Unavailable(f"NATS can't be reached at {mask(self._url)}: {reason}") from error
        finally:
            if self.client is not client and client._transport is not None:
                # The client has no public way to let go of a connection that is not complete.
                client._transport.close()  # type: ignore[no-untyped-call]
                await asyncio.sleep(0)

    def _options(self) -> dict[str, Any]:
        servers = self.servers
        return {
            "servers": list(servers.urls),
            "user": servers.user,
            "password": servers.password,
            "token": servers.token,
            "inbox_prefix": servers.inbox,
            **proof(servers),
            "name": f"daybook {self._name}",
            "connect_timeout": CONNECT_SECONDS_MAX,
            "allow_reconnect": True,
            "max_reconnect_attempts": -1,
            "reconnect_time_wait": 0.2,
            "ping_interval": PING_SECONDS,
            "max_outstanding_pings": PINGS_UNANSWERED_MAX,
        }

    def _was_denied(self, words: str) -> None:
        """A role whose account may too little works on by other ways, slower; it is said, once for each subject."""
        if self._denied is None or self._denied[1] != words:
            log.warning(
                "NATS does not permit what %s needs: %s. Its user must be given that subject", self._name, words
            )
        self._denied = time.monotonic(), words

    def ready(self) -> bool:
        """Whether it is connected now. Never waits: when it is not, it is being opened, or opens again by itself.

        For workers that have another way than NATS and must not stand still while it is away.
        """
        if not self.connected and not self.returning and (not self._opening or self._opening.done()):
            self._opening = asyncio.create_task(self._open_quietly())
        return self.connected

    async def _open_quietly(self) -> None:
        with suppress(Unavailable):
            await self.open()

    @property
    def connected(self) -> bool:
        """Whether there is a server at the other end now."""
        return bool(self.client.is_connected)

    @property
    def returning(self) -> bool:
        """Whether a connection that broke comes back by itself.

        The client's own `is_reconnecting` is not it: while it tries a server it says "connecting".
        """
        return not self.connected and bool(self.client.options) and not self.client.is_closed

    async def close(self) -> None:
        """Closes; harmless when it never opened."""
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait([self._opening])
        if not self.client.is_closed and self.client.options:
            await self.client.close()
