"""Reading the stream from a sequence on: a throw-away consumer, overlapping pulls, a callback.

No acknowledgement: where a reader stands is in Postgres, in the transaction that used the messages. A consumer with
acknowledgements would hand later messages out first after a restart, and could lose the earlier ones for good.
The client's own fetch() makes a task for every message; a callback on the inbox reads three times as fast.
"""

import asyncio
import json
import time
from collections import deque
from contextlib import suppress

import msgspec
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

from daybook.errors import Unavailable
from daybook.limits import PAGE_BYTES_MAX
from daybook.stream.connection import Nats
from daybook.stream.subjects import STREAM

PULL_MESSAGES = 2000
"""Two requests may be under way, each with at most so many messages, and `limits.PAGE_BYTES_MAX`."""
PULL_SECONDS = 30
HEARTBEAT_SECONDS = 0.5
SILENCE_SECONDS_MAX = 1.6
"""Three heartbeats missed: the consumer or the connection is gone."""
OPEN_SECONDS_MAX = 1.0
"""A request that was under way when the server died is never answered; its reader has another way meanwhile."""
FORGET_SECONDS = 30.0
"""The server drops the consumer when nobody pulls for so long."""
_FULL = ("Message Size Exceeds MaxBytes", "Batch Completed")
"""What the server says, with status 409 as for a consumer that is gone, when a pull has had its bytes or messages."""


class Delivered(msgspec.Struct, frozen=True):
    """One message with its sequence, which is the event's position."""

    sequence: int
    body: bytes
    subject: str


class Feed:
    """One reader's consumer. When `alive` turns False, close it and open another where you stand."""

    def __init__(self, nats: Nats, name: str = STREAM) -> None:
        self._nats = nats
        self._name = name
        self._waiting: deque[Delivered] = deque()
        self._arrived = asyncio.Event()
        self._wanted = 0
        self._heard = 0.0
        self._breaks = -1
        self._subscription: Subscription | None = None
        self._inbox = ""
        self._consumer = ""

    async def open(self, sequence: int) -> None:
        """Starts reading at this sequence, or at the first one that the stream still has. Raises Unavailable."""
        client = self._nats.client
        try:
            info = await client.jetstream(timeout=OPEN_SECONDS_MAX).add_consumer(
                self._name,
                ConsumerConfig(
                    deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
                    opt_start_seq=max(1, sequence),
                    ack_policy=AckPolicy.NONE,
                    mem_storage=True,
                    inactive_threshold=FORGET_SECONDS,
                ),
            )
            self._consumer = info.name
            self._inbox = client.new_inbox()
            self._breaks = self._nats.breaks
            self._heard = time.monotonic()
            self._subscription = await client.subscribe(
                self._inbox, cb=self._hear, pending_msgs_limit=PULL_MESSAGES * 8, pending_bytes_limit=256 * 1024**2
            )
            await self._pull()
        except (NatsError, NotFoundError, TimeoutError) as error:
            await self.close()
            raise Unavailable(f"the stream {self._name} can't be read: {self._nats.why(error)}") from error

    @property
    def alive(self) -> bool:
        """False once the connection broke or the server fell silent."""
        return self._breaks == self._nats.breaks and time.monotonic() - self._heard < SILENCE_SECONDS_MAX

    async def take(self, limit: int, timeout: float) -> list[Delivered]:
        """What has arrived, in order; waits up to `timeout` seconds for the first, else gives [].

        At most `limit`, and no more once they have `limits.PAGE_BYTES_MAX`.
        """
        if not self._waiting:
            self._arrived.clear()
            try:
                async with asyncio.timeout(timeout):
                    await self._arrived.wait()
            except TimeoutError:
                return []
        taken: list[Delivered] = []
        size = 0
        while self._waiting and len(taken) < limit and size < PAGE_BYTES_MAX:
            taken.append(self._waiting.popleft())
            size += len(taken[-1].body)
        if self._wanted + len(self._waiting) < PULL_MESSAGES and self.alive:
            with suppress(NatsError):  # then the connection broke, which is noticed before the next one is taken
                await self._pull()
        return taken

    async def close(self) -> None:
        """Lets the consumer go; on a broken connection the server forgets it by itself."""
        subscription, self._subscription = self._subscription, None
        if subscription is None:
            return
        with suppress(NatsError):
            # Also on a broken connection: the client would subscribe again when it comes back.
            await subscription.unsubscribe()
            if self._nats.connected:
                await self._nats.client.publish(f"$JS.API.CONSUMER.DELETE.{self._name}.{self._consumer}", b"")

    async def _pull(self) -> None:
        ask = {
            "batch": PULL_MESSAGES,
            "max_bytes": PAGE_BYTES_MAX,
            "expires": PULL_SECONDS * 10**9,
            "idle_heartbeat": int(HEARTBEAT_SECONDS * 1e9),
        }
        self._wanted += PULL_MESSAGES
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{self._name}.{self._consumer}"
        await self._nats.client.publish(subject, json.dumps(ask).encode(), reply=self._inbox)

    async def _hear(self, msg: Msg) -> None:
        self._heard = time.monotonic()
        if msg.reply and msg.reply.startswith("$JS.ACK."):
            self._wanted -= 1
            parts = msg.reply.split(".")
            self._waiting.append(Delivered(int(parts[5 if len(parts) == 9 else 7]), msg.data, msg.subject))
            self._arrived.set()
            return
        headers = msg.headers or {}
        status = headers.get("Status")
        if status == "100":
            return
        full = headers.get("Description") in _FULL
        left = int(headers.get("Nats-Pending-Messages", PULL_MESSAGES))
        if status in ("408", "404") or (full and left < PULL_MESSAGES):
            self._wanted -= left
            if self._wanted < PULL_MESSAGES:
                await self._pull()
            return
        # The consumer was deleted, the server is shutting down, or a foreign message is longer than a whole pull.
        self._breaks = -1
        self._arrived.set()
