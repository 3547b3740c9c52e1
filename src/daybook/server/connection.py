"""One connection to the server, with an end for all that a client may leave undone.

The server ends a kept-alive connection that is silent. It waits for ever for the rest of a request, and for a client
that does not read: here each stage has its time. The times are looked at by the server now and then, so that a request
costs no timer.
"""

import logging
from typing import Any

import h11
import msgspec
from uvicorn.protocols.http.h11_impl import H11Protocol

from daybook.server.admission import HEAD_BYTES_MAX
from daybook.web.problems import MEDIA_TYPE, plain
from daybook.web.response_headers import careful

log = logging.getLogger(__name__)

NO_REQUEST = "its request did not come"
BODY_LEFT = "its body did not end"

HEAD_SECONDS = 10.0
"""From the first byte of a request, or from the beginning of a connection, to the end of its headers."""
BODY_SECONDS = 60.0
"""From the end of the headers to the end of the body."""
ANSWER_SECONDS = 300.0
"""From the end of the headers to the end of the answer."""
LEFT_SECONDS = 5.0
"""For the rest of a body when its request was answered already: a client may hear of it only then."""
LEFT_BYTES = 16 * 1024 * 1024
"""Of such a rest."""
UNREAD_SECONDS = 30.0
"""In which a client reads nothing of an answer that is more than the system keeps for it."""
KEEP_ALIVE_SECONDS = 15
"""Between two requests."""


class ClientConnection(H11Protocol):
    """A connection that ends when its stage takes too long. `ended` tells the listener."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._stage: tuple[object, str] | None = None
        self._due: float | None = None
        self._unread: float | None = None
        self._left = 0
        self.address = ""
        """Of the client, as far as limits tell clients apart."""
        self.listener: Any = None

    @property
    def idle(self) -> bool:
        """No request is under way: the client loses nothing when it is ended."""
        return self.cycle is None or self.cycle.response_complete

    def connection_made(self, transport: Any) -> None:
        """The client is there, behind TLS where that is spoken."""
        super().connection_made(transport)
        self._enter(NO_REQUEST, HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client, or the server, has ended it."""
        super().connection_lost(exc)
        if self.listener is not None:
            self.listener.ended(self)

    def data_received(self, data: bytes) -> None:
        """A part of a request, or of several."""
        if self._due is None and self.idle:
            self._enter(NO_REQUEST, HEAD_SECONDS)
        super().data_received(data)
        self._look()
        if self._stage is not None and self._stage[1] == BODY_LEFT:
            self._left += len(data)
            if self._left > LEFT_BYTES:
                self.transport.abort()

    def on_response_complete(self) -> None:
        """The answer is handed over; perhaps there is a next request already."""
        super().on_response_complete()
        self._look()

    def pause_writing(self) -> None:
        """The client does not read as fast as it is answered."""
        super().pause_writing()
        self._unread = self.loop.time() + UNREAD_SECONDS

    def resume_writing(self) -> None:
        """It reads again."""
        super().resume_writing()
        self._unread = None

    def overdue(self, now: float) -> str | None:
        """Ends the connection when its time is over, and says why; None while it is not."""
        if self._unread is not None and now >= self._unread:
            self.transport.abort()
            return "its answer was not read"
        if self.transport.is_closing():
            # Closing waits until everything is sent: without end when the client does not read.
            self._unread = self._unread or now + LEFT_SECONDS
            return None
        if self._due is None or now < self._due or self._stage is None:
            return None
        self.give_up()
        return self._stage[1]

    def give_up(self) -> None:
        """Ends the connection now; a request that came in part is told so."""
        if self.cycle is not None:
            # Nobody waits for what the application still says.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        ours: Any = self.conn.our_state
        if ours is h11.SEND_RESPONSE and self.conn.their_state is h11.SEND_BODY:
            self._say(408, "timeout", f"the request did not come whole within {BODY_SECONDS:.0f} s")
        elif ours is h11.SEND_RESPONSE:
            self._say(503, "unavailable", f"the request was not answered within {ANSWER_SECONDS:.0f} s")
        elif self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """What can't be read as HTTP is refused, and the connection ends."""
        self._say(
            400, "malformed", f"this is no HTTP/1.1 request, or its headers have more than {HEAD_BYTES_MAX:,} bytes"
        )

    def _should_upgrade(self) -> bool:
        """Nothing else is spoken; a wish for it is passed over."""
        return False

    def _look(self) -> None:
        cycle: Any = self.cycle
        if cycle is None:
            return
        if not cycle.response_complete:
            if cycle.more_body:
                self._enter("its body did not come", BODY_SECONDS)
            else:
                self._enter("it was not answered in time", ANSWER_SECONDS)
        elif self.conn.their_state is h11.SEND_BODY:
            self._enter(BODY_LEFT, LEFT_SECONDS)
        elif self._stage is not None and self._stage[1] != NO_REQUEST:
            self._stage, self._due = None, None

    def _enter(self, why: str, seconds: float) -> None:
        """A stage begins, unless it is the one that goes on."""
        if self._stage != (self.cycle, why):
            self._stage, self._due = (self.cycle, why), self.loop.time() + seconds

    def _say(self, status: int, code: str, detail: str) -> None:
        """Answers without the application, and ends the connection."""
        body = msgspec.json.encode(plain(status, code, detail))
        headers = [
            (b"content-type", MEDIA_TYPE.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        try:
            for event in (
                h11.Response(status_code=status, headers=careful(headers, str(self.scheme))),
                h11.Data(data=body),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
        except h11.LocalProtocolError:
            log.debug("%s: too late to say %s", self.address, detail)
        self.transport.close()
