"""A copy of the stream in a file: what is about to be removed may be the only proof of what happened."""

import base64
import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from daybook.errors import InvalidValue, NotFound, Unavailable
from daybook.stream.connection import Nats
from daybook.stream.feed import Feed
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
        try:
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise InvalidValue("file", f"{file} can't be made: {error.strerror}") from None
        with os.fdopen(descriptor, "wb") as out:
            count = await _write(nats, stream, last, out.write, progress)
            out.flush()
            os.fsync(out.fileno())
            return count
    finally:
        await nats.close()


async def _write(
    nats: Nats, stream: Stream, last: int, write: Callable[[bytes], object], progress: Callable[[int, int], None]
) -> int:
    feed, at, count = Feed(nats), 0, 0
    await feed.open(1)
    try:
        while at < last:
            delivered = await feed.take(PAGE_MESSAGES, SILENCE_SECONDS)
            if not delivered:
                if not feed.alive or await stream.message(last) is not None:
                    raise Unavailable(f"the stream fell silent at sequence {at} of {last}: save it again")
                break  # its last messages were removed
            for one in delivered:
                write(msgspec.json.encode(_message(one.sequence, one.subject, one.body)) + b"\n")
            at, count = delivered[-1].sequence, count + len(delivered)
            progress(at, last)
    finally:
        await feed.close()
    return count


def _message(sequence: int, subject: str, body: bytes) -> SavedMessage:
    try:
        return SavedMessage(sequence=sequence, subject=subject, body=body.decode())
    except UnicodeDecodeError:
        return SavedMessage(sequence=sequence, subject=subject, base64=base64.b64encode(body).decode())
