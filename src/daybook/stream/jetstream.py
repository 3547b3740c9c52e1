"""The one stream. Position = sequence: event n of the log is message n, fenced by the server itself.

Every publish names the sequence that must be the last one (`Nats-Expected-Last-Sequence`), so two relays can't
interleave, nothing is stored twice, and no dedupe window has to be long enough.

Hazard: "wrong last sequence" means *either* that another relay was faster *or* that our own publish was stored and its
answer lost. Both have the same cure: read the stream's last sequence again and go on from there.

Hazard: a server whose disk was full once stores nothing in that stream any more, also when there is space again: it
answers every question about the stream, and a publish not at all, or with an error such as "batch is incomplete". Only
a new stream, or a new start of the server, ends that.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from nats.errors import Error as NatsError
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import NotFoundError

from daybook.errors import DaybookError, Unavailable
from daybook.ids import new_id
from daybook.limits import MESSAGE_BYTES_MAX
from daybook.stream.connection import Nats
from daybook.stream.sizing import has_no_room, sizes
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
HEADERS_BYTES_MAX = 200
"""Of the fence's own headers, which count towards the server's limit."""
DUPLICATE_WINDOW_SECONDS = 1.0
"""Kept as short as it goes: the fence makes it useless, and it costs the server memory."""

_WRONG_LAST_SEQUENCE = {10071, 10164}
_TOO_LARGE = 10054


class LostTheFence(DaybookError):
    """The stream's last sequence is not what this publisher thought. Read it again."""

    code = "lost_the_fence"


class StreamRefused(DaybookError):
    """The server stores nothing, for a reason of its own. What was published before stands."""

    code = "stream_refused"


class MessageTooLarge(DaybookError):
    """The server takes no message as large as this one. Trying again does not help; those before it are stored."""

    code = "message_too_large"


class StreamInfo(msgspec.Struct, frozen=True):
    """What the server says of the stream."""

    last: int
    """The last message's sequence; 0 in an empty stream that starts at 1."""
    bytes_max: int
    """So large may it grow; -1 for as large as it likes."""
    replicas: int = 1
    """On how many servers of a cluster it is kept."""
    metadata: Mapping[str, str] = {}
    """What is written on it, the server's own notes included."""
    first: int = 1
    """The first sequence that it still has, or will have."""


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

    async def info(self) -> StreamInfo | None:
        """What the server says of the stream; None when there is no stream."""
        try:
            info = await self._nats.client.jetstream().stream_info(self._name)
        except NotFoundError:
            return None
        except (NatsError, TimeoutError) as error:
            raise Unavailable(f"JetStream does not answer: {self._nats.why(error)}") from error
        config = info.config
        sizes = int(config.max_bytes or -1), int(config.num_replicas or 1)
        return StreamInfo(int(info.state.last_seq), *sizes, config.metadata or {}, int(info.state.first_seq))

    async def last_sequence(self) -> int | None:
        """The last message's sequence (0 in an empty stream that starts at 1); None when there is no stream."""
        info = await self.info()
        return None if info is None else info.last

    @property
    def takes_every_event(self) -> bool:
        """Whether the server takes a message as large as an event may be. Known once it is connected."""
        return bool(self._nats.client.max_payload >= MESSAGE_BYTES_MAX)

    async def message(self, sequence: int) -> bytes | None:
        """The body of one message; None when the stream does not have it."""
        found = await self.stored(sequence)
        return None if found is None else found.body

    async def stored(self, sequence: int) -> Message | None:
        """One message as it is stored; None when the stream does not have it."""
        try:
            found = await self._nats.client.jetstream().get_msg(self._name, sequence)
        except NotFoundError:
            return None
        except (NatsError, TimeoutError) as error:
            raise Unavailable(f"JetStream does not answer: {self._nats.why(error)}") from error
        return Message(found.subject or "", found.data or b"")

    async def create(
        self, first_sequence: int = 1, replicas: int = 1, metadata: Mapping[str, str] | None = None
    ) -> int:
        """Makes the stream, to begin with this sequence, and returns how large it may grow, as the server has room.

        On `replicas` servers of a cluster. Harmless when it is there already. Raises Unavailable, also when there is
        no room, or the cluster has fewer servers.
        """
        for size in await sizes(self._nats.client):
            try:
                await self._nats.client.jetstream().add_stream(self._config(first_sequence, size, replicas, metadata))
                return size
            except (NatsError, TimeoutError) as error:
                refused = error
                if not has_no_room(error):
                    raise Unavailable(f"the stream {self._name} can't be made: {self._nats.why(error)}") from error
        raise Unavailable(
            f"the stream {self._name} can't be made, not even with {size // 2**20} MiB: {self._nats.why(refused)}. "
            "Give NATS's disk more room, or raise its max_file_store or the account's limit"
        ) from refused

    async def replicate(self, replicas: int) -> None:
        """Has the stream kept on so many servers, with everything else as it is. Raises Unavailable."""
        await self._change(f"kept on {replicas} servers", num_replicas=replicas)

    async def write_metadata(self, metadata: Mapping[str, str]) -> None:
        """Writes this on the stream, with everything else as it is. Raises Unavailable."""
        await self._change("written on", metadata=dict(metadata))

    async def _change(self, what: str, **changes: Any) -> None:
        jetstream = self._nats.client.jetstream()
        try:
            info = await jetstream.stream_info(self._name)
            if "metadata" in changes:
                changes["metadata"] = {**(info.config.metadata or {}), **changes["metadata"]}
            await jetstream.update_stream(info.config.evolve(**changes))
        except (NatsError, TimeoutError) as error:
            raise Unavailable(f"the stream {self._name} can't be {what}: {self._nats.why(error)}") from error

    def _config(
        self, first_sequence: int, size: int, replicas: int, metadata: Mapping[str, str] | None
    ) -> StreamConfig:
        return StreamConfig(
            name=self._name,
            subjects=[SUBJECTS],
            retention=RetentionPolicy.LIMITS,
            storage=StorageType.FILE,
            discard=DiscardPolicy.OLD,
            max_age=self._age,
            max_bytes=size,
            num_replicas=replicas,
            duplicate_window=DUPLICATE_WINDOW_SECONDS,
            allow_atomic=True,
            allow_direct=True,
            deny_delete=True,
            first_seq=first_sequence if first_sequence > 1 else None,
            metadata=dict(metadata) if metadata else None,
        )

    async def delete(self) -> None:
        """Removes the stream with all its messages. The log has them; the relay publishes what is needed again."""
        try:
            await self._nats.client.jetstream().delete_stream(self._name)
        except NotFoundError:
            return
        except (NatsError, TimeoutError) as error:
            raise Unavailable(f"JetStream does not answer: {self._nats.why(error)}") from error

    async def publish(self, messages: Sequence[Message], last: int) -> int:
        """Publishes in order behind sequence `last` and returns the new last sequence.

        A prefix may be stored when it fails. Raises LostTheFence, StreamRefused, MessageTooLarge, and Unavailable
        when the outcome is unknown: after any of them the stream's last sequence must be read again.
        """
        limit = self._nats.client.max_payload - HEADERS_BYTES_MAX
        for number, message in enumerate(messages):
            if len(message.body) > limit:
                last = await self.publish(messages[:number], last)
                raise _too_large(last + 1, len(message.body), limit)
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
                raise Unavailable(f"JetStream can't be reached: {self._nats.why(error)}") from error
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
            raise Unavailable(f"JetStream does not answer a publish: {self._nats.why(error)}") from error
        ack = json.loads(answer.data)
        if "error" in ack:
            raise _refused(ack["error"])
        return int(ack["seq"])


def _refused(problem: Mapping[str, Any]) -> DaybookError:
    number, words = problem.get("err_code"), f"{problem.get('description')} ({problem.get('err_code')})"
    if number in _WRONG_LAST_SEQUENCE:
        return LostTheFence(f"JetStream refused: {words}")
    if number == _TOO_LARGE:
        return MessageTooLarge(f"the stream takes no message as large as the next one: {words}. Raise its max_msg_size")
    return StreamRefused(f"JetStream stores nothing: {words}")


def _too_large(sequence: int, size: int, limit: int) -> MessageTooLarge:
    return MessageTooLarge(
        f"the event at position {sequence} makes a message of {size:,} bytes, and the NATS server takes at most "
        f"{limit:,}: set max_payload to {MESSAGE_BYTES_MAX:,} or more in its configuration, and reload it",
        position=sequence,
        size=size,
        limit=limit,
    )
