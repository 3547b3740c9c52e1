"""The one stream. Position = sequence: event n of the log is message n, fenced by the server itself.

Every publish names the sequence that must be the last one (`Nats-Expected-Last-Sequence`), so two relays can't
interleave, nothing is stored twice, and no dedupe window has to be long enough.

Hazard: the error 10071 (wrong last sequence) means *either* that another relay was faster *or* that our own publish was
stored and its answer lost. Both have the same cure: read the stream's last sequence again and go on from there.
"""

import json
from collections.abc import Sequence

import msgspec
from nats.errors import Error as NatsError
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import NotFoundError

from daybook.errors import DaybookError, Unavailable
from daybook.ids import new_id
from daybook.stream.connection import Nats
from daybook.stream.subjects import STREAM, SUBJECTS

EXPECTED_LAST_SEQUENCE = "Nats-Expected-Last-Sequence"
BATCH_ID = "Nats-Batch-Id"
BATCH_SEQUENCE = "Nats-Batch-Sequence"
BATCH_COMMIT = "Nats-Batch-Commit"

BATCH_MESSAGES_MAX = 1000
"""The server's own limit for an atomic batch."""
SINGLES_MAX = 8
"""An atomic batch costs about 3 ms whatever its size; up to so many messages, one by one is faster."""
ANSWER_SECONDS_MAX = 5.0
STREAM_BYTES_MAX = 64 * 1024**3
DUPLICATE_WINDOW_SECONDS = 1.0
"""Kept as short as it goes: the fence makes it useless, and it costs the server memory."""


class LostTheFence(DaybookError):
    """The stream's last sequence is not what this publisher thought. Read it again."""

    code = "lost_the_fence"


class Message(msgspec.Struct, frozen=True):
    """One event, ready to be published."""

    subject: str
    body: bytes


class Stream:
    """Publishes to the stream and asks about it. One publisher at a time gets through; the others lose the fence."""

    def __init__(self, nats: Nats, name: str = STREAM, age_seconds_max: float = 14 * 86400.0) -> None:
        self._nats = nats
        self._name = name
        self._age = age_seconds_max

    async def last_sequence(self) -> int | None:
        """The last message's sequence (0 in an empty stream that starts at 1); None when there is no stream."""
        try:
            info = await self._nats.client.jetstream().stream_info(self._name)
        except NotFoundError:
            return None
        except (NatsError, TimeoutError) as error:
            raise Unavailable(f"JetStream does not answer: {error or 'time-out'}") from error
        return int(info.state.last_seq)

    async def message(self, sequence: int) -> bytes | None:
        """The body of one message; None when the stream does not have it."""
        try:
            found = await self._nats.client.jetstream().get_msg(self._name, sequence)
        except NotFoundError:
            return None
        except (NatsError, TimeoutError) as error:
            raise Unavailable(f"JetStream does not answer: {error or 'time-out'}") from error
        return found.data

    async def create(self, first_sequence: int = 1) -> None:
        """Makes the stream, to begin with this sequence. Harmless when it is there already."""
        config = StreamConfig(
            name=self._name,
            subjects=[SUBJECTS],
            retention=RetentionPolicy.LIMITS,
            storage=StorageType.FILE,
            discard=DiscardPolicy.OLD,
            max_age=self._age,
            max_bytes=STREAM_BYTES_MAX,
            duplicate_window=DUPLICATE_WINDOW_SECONDS,
            allow_atomic=True,
            allow_direct=True,
            deny_delete=True,
            first_seq=first_sequence if first_sequence > 1 else None,
        )
        try:
            await self._nats.client.jetstream().add_stream(config)
        except (NatsError, TimeoutError) as error:
            raise Unavailable(f"the stream {self._name} can't be made: {error or 'time-out'}") from error

    async def delete(self) -> None:
        """Removes the stream with all its messages. The log has them; the relay publishes what is needed again."""
        try:
            await self._nats.client.jetstream().delete_stream(self._name)
        except NotFoundError:
            return
        except (NatsError, TimeoutError) as error:
            raise Unavailable(f"JetStream does not answer: {error or 'time-out'}") from error

    async def publish(self, messages: Sequence[Message], last: int) -> int:
        """Publishes in order behind sequence `last` and returns the new last sequence.

        A prefix may be stored when it fails. Raises LostTheFence, and Unavailable when the outcome is unknown: after
        either the stream's last sequence must be read again.
        """
        if len(messages) <= SINGLES_MAX:
            for message in messages:
                last = await self._request(message, {EXPECTED_LAST_SEQUENCE: str(last)})
            return last
        for start in range(0, len(messages), BATCH_MESSAGES_MAX):
            last = await self._batch(messages[start : start + BATCH_MESSAGES_MAX], last)
        return last

    async def _batch(self, messages: Sequence[Message], last: int) -> int:
        batch = new_id()
        for number, message in enumerate(messages[:-1], 1):
            headers = {BATCH_ID: batch, BATCH_SEQUENCE: str(number)}
            if number == 1:
                headers[EXPECTED_LAST_SEQUENCE] = str(last)
            try:
                await self._nats.client.publish(message.subject, message.body, headers=headers)
            except NatsError as error:
                raise Unavailable(f"JetStream can't be reached: {error}") from error
        headers = {BATCH_ID: batch, BATCH_SEQUENCE: str(len(messages)), BATCH_COMMIT: "1"}
        if len(messages) == 1:
            headers[EXPECTED_LAST_SEQUENCE] = str(last)
        return await self._request(messages[-1], headers)

    async def _request(self, message: Message, headers: dict[str, str]) -> int:
        try:
            answer = await self._nats.client.request(
                message.subject, message.body, timeout=ANSWER_SECONDS_MAX, headers=headers
            )
        except (NatsError, TimeoutError) as error:
            raise Unavailable(f"JetStream does not answer: {error or 'time-out'}") from error
        ack = json.loads(answer.data)
        if "error" in ack:
            problem = ack["error"]
            raise LostTheFence(
                f"JetStream refused: {problem.get('description')} ({problem.get('err_code')})", **problem
            )
        return int(ack["seq"])
