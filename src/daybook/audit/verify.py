"""Reads the whole log, and the stream beside it, and says the first thing that is wrong.

Proved: positions are 1, 2, 3, ... up to the head; each stream's versions are 1, 2, 3, ...; time never goes back; every
event is of a known type and decodes; every message that JetStream still holds is the event of its sequence, byte for
byte, under its own subject.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from daybook.errors import CorruptLog, Unavailable
from daybook.log import reader
from daybook.postgres.pool import AsyncConnection, connect_async
from daybook.stream import cloudevents
from daybook.stream.connection import Nats
from daybook.stream.feed import Feed
from daybook.stream.jetstream import Stream
from daybook.stream.subjects import subject

PAGE_EVENTS = 2000
SILENCE_SECONDS = 5.0

Progress = Callable[[str, int, int], None]
"""(what, done, of how many)"""


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What was read, and the first thing that is wrong; None when nothing is."""

    events: int
    streams: int
    messages: int | None
    """Messages compared; None when there was no NATS to ask or no stream in it."""
    problem: str | None
    position: int | None = None
    """Where the problem is."""

    @property
    def ok(self) -> bool:
        """Whether everything holds."""
        return self.problem is None


async def verify(dsn: str, nats_url: str | None, progress: Progress = lambda what, done, total: None) -> Verified:
    """Verifies everything up to the head of the moment it starts. Reads only; writers are not held up.

    Memory grows with the number of streams (about 150 bytes each), not with the number of events.
    """
    async with await connect_async(dsn, "verify") as conn:
        check = _LogCheck()
        head = await reader.head(conn)
        try:
            while check.position < head:
                rows = await reader.rows_after(conn, check.position, PAGE_EVENTS, head)
                if not rows:
                    raise _Wrong(f"the log ends at position {check.position}, but its head says {head}", check.position)
                for row in rows:
                    check.event(row)
                progress("events", check.position, head)
            if await _beyond(conn, head):
                raise _Wrong(f"there is an event behind the head, which says {head}", head + 1)
            messages = await _compare(conn, nats_url, head, progress) if nats_url else None
        except _Wrong as wrong:
            return Verified(
                events=check.position, streams=len(check.versions), messages=None, problem=str(wrong), position=wrong.at
            )
    return Verified(events=head, streams=len(check.versions), messages=messages, problem=None)


class _Wrong(Exception):
    def __init__(self, problem: str, at: int) -> None:
        super().__init__(problem)
        self.at = at


class _LogCheck:
    """What was seen so far."""

    def __init__(self) -> None:
        self.position = 0
        self.versions: dict[str, int] = {}
        self._at: datetime | None = None

    def event(self, row: Sequence[Any]) -> None:
        position, stream, version, at = row[0], row[2], row[3], row[7]
        if position != self.position + 1:
            raise _Wrong(f"position {self.position + 1} is missing: {position} comes after {self.position}", position)
        expected = self.versions.get(stream, 0) + 1
        if version != expected:
            raise _Wrong(f"position {position}: {stream} has version {version} where {expected} belongs", position)
        if self._at is not None and at < self._at:
            raise _Wrong(
                f"position {position}: recorded at {at}, before the event in front of it ({self._at})", position
            )
        try:
            reader.recorded(row)
        except CorruptLog as error:
            raise _Wrong(f"position {position} ({stream}, version {version}): {error}", position) from error
        self.position, self._at = position, at
        self.versions[stream] = version


async def _beyond(conn: AsyncConnection, head: int) -> bool:
    """An event behind the head can only be one that was appended meanwhile: then the head has moved as well."""
    rows = await reader.rows_after(conn, head, 1)
    return bool(rows) and await reader.head(conn) == head


async def _compare(conn: AsyncConnection, nats_url: str, head: int, progress: Progress) -> int | None:
    nats = Nats(nats_url, "verify")
    await nats.open()
    try:
        last = await Stream(nats).last_sequence()
        if last is None:
            return None
        if last > head and last > await reader.head(conn):
            raise _Wrong(f"the stream is at sequence {last}, the log only at position {head}", head)
        return await _messages(conn, nats, min(last, head), progress)
    finally:
        await nats.close()


async def _messages(conn: AsyncConnection, nats: Nats, last: int, progress: Progress) -> int:
    feed = Feed(nats)
    await feed.open(1)
    at, compared = None, 0
    try:
        while at is None or at < last:
            delivered = await feed.take(PAGE_EVENTS, SILENCE_SECONDS)
            if not delivered:
                if last == 0 or at is None:
                    return compared
                raise Unavailable(f"the stream fell silent at sequence {at} of {last}: run the check again")
            rows = await reader.rows_after(conn, delivered[0].sequence - 1, len(delivered))
            for one, row in zip(delivered, rows, strict=False):
                if at is not None and one.sequence != at + 1:
                    raise _Wrong(f"sequence {at + 1} is missing in the stream", at + 1)
                if one.sequence != row[0] or one.body != cloudevents.encode(row):
                    raise _Wrong(f"message {one.sequence} of the stream is not the event at position {row[0]}", row[0])
                if one.subject != subject(row[4], row[6]):
                    raise _Wrong(f"message {one.sequence} of the stream has the subject {one.subject}", row[0])
                at, compared = one.sequence, compared + 1
                if at == last:
                    break
            progress("messages", at or 0, last)
    finally:
        await feed.close()
    return compared
