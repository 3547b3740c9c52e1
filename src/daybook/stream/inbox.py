"""The stream to which other systems publish commands. Who reads it says how far it was taken."""

from datetime import datetime

from nats.errors import Error as NatsError
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import NotFoundError

from daybook.errors import Unavailable
from daybook.limits import MESSAGE_BYTES_MAX
from daybook.stream.connection import Nats
from daybook.stream.feed import Feed
from daybook.stream.sizing import has_no_room, sizes
from daybook.stream.subjects import INBOX_STREAM, INBOX_SUBJECTS

BYTES_MAX = 8 * 1024**3
KEPT_SECONDS = 30 * 86400.0
"""So long a message waits that nobody takes: longer than anybody leaves Daybook off."""
DUPLICATE_SECONDS = 120.0


class InboxStream:
    """The stream, on a connection that opens by itself."""

    def __init__(self, nats: Nats) -> None:
        self._nats = nats

    async def info(self) -> tuple[datetime, int]:
        """When it was made, and its last message. It is made when it is not there. Raises Unavailable."""
        jetstream = self._nats.client.jetstream()
        try:
            try:
                info = await jetstream.stream_info(INBOX_STREAM)
            except NotFoundError:
                await self._make()
                info = await jetstream.stream_info(INBOX_STREAM)
        except (NatsError, TimeoutError) as error:
            raise Unavailable(f"the inbox's stream can't be read: {self._nats.why(error)}") from error
        assert info.created is not None, "every server says when"
        return info.created, int(info.state.last_seq)

    async def open(self, first: int) -> Feed:
        """Reads from this message on. Raises Unavailable."""
        feed = Feed(self._nats, INBOX_STREAM)
        await feed.open(first)
        return feed

    async def purge(self, last: int) -> None:
        """Lets go of the messages up to this one. Raises Unavailable."""
        try:
            await self._nats.client.jetstream().purge_stream(INBOX_STREAM, seq=last + 1)
        except (NatsError, TimeoutError) as error:
            raise Unavailable(f"the inbox's stream can't be purged: {self._nats.why(error)}") from error

    async def answer(self, subject: str, body: bytes) -> None:
        """A plain message for who sent one. Raises Unavailable."""
        try:
            await self._nats.client.publish(subject, body)
        except NatsError as error:
            raise Unavailable(f"NATS can't be reached: {self._nats.why(error)}") from error

    async def _make(self) -> None:
        """A full stream refuses what is published, so that who sends learns it, and nothing that waits is lost."""
        for size in await sizes(self._nats.client):
            config = StreamConfig(
                name=INBOX_STREAM,
                subjects=[INBOX_SUBJECTS],
                retention=RetentionPolicy.LIMITS,
                storage=StorageType.FILE,
                discard=DiscardPolicy.NEW,
                max_age=KEPT_SECONDS,
                max_bytes=min(size, BYTES_MAX),
                max_msg_size=MESSAGE_BYTES_MAX,
                duplicate_window=DUPLICATE_SECONDS,
                deny_delete=True,
            )
            try:
                await self._nats.client.jetstream().add_stream(config)
                return
            except (NatsError, TimeoutError) as error:
                refused = error
                if not has_no_room(error):
                    raise
        raise Unavailable(f"the inbox's stream can't be made: {self._nats.why(refused)}. Give NATS's disk more room")
