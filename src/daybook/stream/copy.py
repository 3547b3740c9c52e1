"""A copy of the stream in a file: what is about to be removed may be the only proof of what happened."""

import base64
import os
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import IO

import msgspec

from daybook.errors import InvalidValue, NotFound, Unavailable
from daybook.limits import PAGE_BYTES_MAX
from daybook.stream.connection import Nats
from daybook.stream.feed import Delivered, Feed
from daybook.stream.jetstream import Stream

PAGE_MESSAGES = 2000
SILENCE_SECONDS = 3.0


class SavedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the file."""

    sequence: int
    subject: str
    body: str | None = None
    base64: str | None = None
    """Of a body that is no UTF-8 text."""


class SavedPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some messages of the stream."""

    messages: list[SavedMessage]
    last: int
    """The stream's last sequence."""
    next: int | None
    """The next `after`; None on the last page."""


async def page(url: str, after: int, limit: int) -> SavedPage | None:
    """The messages after a sequence, at most `limit`, and no more once they have `limits.PAGE_BYTES_MAX`.

    None without a stream. Asks for one after the other, which needs no consumer. Raises Unavailable.
    """
    nats = Nats(url, "messages")
    await nats.open()
    try:
        stream = Stream(nats)
        info = await stream.info()
        if info is None:
            return None
        found: list[SavedMessage] = []
        at, size = max(after, info.first - 1), 0
        end = min(info.last, at + limit)
        while at < end and size < PAGE_BYTES_MAX:
            at += 1
            if (stored := await stream.stored(at)) is not None:
                found.append(_message(at, stored.subject, stored.body))
                size += len(stored.body)
        return SavedPage(messages=found, last=info.last, next=at if at < info.last else None)
    finally:
        await nats.close()


async def save(url: str, file: Path, progress: Callable[[int, int], None]) -> int:
    """Writes every message that the stream still has, a JSON object a line; how many. The file is the owner's alone.

    Raises InvalidValue for a file that is there already, or that can't be made, NotFound without a stream, and
    Unavailable, with what was read until then in the file.
    """
    nats = Nats(url, "save")
    await nats.open()
    try:
        stream = Stream(nats)
        last = await stream.last_sequence()
        if last is None:
            raise NotFound("there is no stream: nothing to save")
        with made(file) as out:
            count = await _write(nats, stream, last, out.write, progress)
            out.flush()
            os.fsync(out.fileno())
            return count
    finally:
        await nats.close()


async def _write(
    nats: Nats, stream: Stream, last: int, write: Callable[[bytes], object], progress: Callable[[int, int], None]
) -> int:
    count = 0
    async for page in messages(nats, stream, 1, last):
        write(lines(page))
        count += len(page)
        progress(page[-1].sequence, last)
    return count


async def messages(nats: Nats, stream: Stream, first: int, last: int) -> AsyncIterator[list[Delivered]]:
    """Every message that the stream still has from `first` to `last`, page by page. Raises Unavailable."""
    feed, at = Feed(nats), first - 1
    await feed.open(first)
    try:
        while at < last:
            page = [one for one in await feed.take(PAGE_MESSAGES, SILENCE_SECONDS) if one.sequence <= last]
            if not page:
                if not feed.alive or await stream.message(last) is not None:
                    raise Unavailable(f"the stream fell silent at sequence {at} of {last}: try again")
                break  # its last messages were removed
            yield page
            at = page[-1].sequence
    finally:
        await feed.close()


def lines(page: Sequence[Delivered]) -> bytes:
    """The messages as lines of the file."""
    return b"".join(msgspec.json.encode(_message(one.sequence, one.subject, one.body)) + b"\n" for one in page)


def made(file: Path) -> IO[bytes]:
    """A new file that is its owner's alone. Raises InvalidValue for one that is there already, or can't be made."""
    try:
        return os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    except OSError as error:
        raise InvalidValue("file", f"{file} can't be made: {error.strerror}") from None


def _message(sequence: int, subject: str, body: bytes) -> SavedMessage:
    try:
        return SavedMessage(sequence=sequence, subject=subject, body=body.decode())
    except UnicodeDecodeError:
        return SavedMessage(sequence=sequence, subject=subject, base64=base64.b64encode(body).decode())
