"""Fenced publishing: position = sequence, and a second publisher stores nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from daybook.stream.connection import Nats
from daybook.stream.jetstream import BATCH_MESSAGES_MAX, SINGLES_MAX, LostTheFence, Message, Stream


def messages(amount: int, first: int = 1) -> list[Message]:
    return [Message(f"daybook.test.happened.{n % 7}", b"%d" % n) for n in range(first, first + amount)]


@asynccontextmanager
async def opened(url: str, first: int = 1) -> AsyncIterator[Stream]:
    nats = Nats(url, "test")
    await nats.open()
    try:
        stream = Stream(nats)
        await stream.create(first)
        while await stream.last_sequence() != first - 1:
            # Under load the server has been seen to bring back what the test before had deleted a moment ago.
            await stream.delete()
            await stream.create(first)
        yield stream
    finally:
        await nats.close()


@pytest.mark.parametrize(
    "amount", [1, SINGLES_MAX, SINGLES_MAX + 1, 100, BATCH_MESSAGES_MAX, BATCH_MESSAGES_MAX + 1, 2500]
)
async def test_messages_get_the_sequences_behind_the_last(nats_url: str, amount: int) -> None:
    async with opened(nats_url) as stream:
        assert await stream.publish(messages(1), 0) == 1
        assert await stream.publish(messages(amount, 2), 1) == amount + 1
        assert await stream.last_sequence() == amount + 1
        for sequence in (1, amount // 2 + 1, amount + 1):
            assert await stream.message(sequence) == b"%d" % sequence


@pytest.mark.parametrize("amount", [1, 100])
@pytest.mark.parametrize("last", [0, 2, 4, 1000])
async def test_a_publisher_with_a_stale_idea_of_the_end_stores_nothing(nats_url: str, amount: int, last: int) -> None:
    async with opened(nats_url) as stream:
        await stream.publish(messages(3), 0)
        with pytest.raises(LostTheFence):
            await stream.publish(messages(amount, 4), last)
        assert await stream.last_sequence() == 3
        assert await stream.publish(messages(amount, 4), 3) == amount + 3


async def test_two_publishers_at_once_leave_no_hole_and_no_double(nats_url: str) -> None:
    async def publisher(stream: Stream, upto: int) -> None:
        while (last := await stream.last_sequence() or 0) < upto:
            try:
                await stream.publish(messages(min(20, upto - last), last + 1), last)
            except LostTheFence:
                continue

    async with opened(nats_url) as one, opened(nats_url) as other:
        await asyncio.gather(publisher(one, 300), publisher(other, 300))
        assert await one.last_sequence() == 300
        assert [await one.message(n) for n in range(1, 301)] == [b"%d" % n for n in range(1, 301)]


async def test_a_stream_may_begin_late(nats_url: str) -> None:
    async with opened(nats_url, first=5001) as stream:
        assert await stream.last_sequence() == 5000
        assert await stream.publish(messages(2, 5001), 5000) == 5002
        assert await stream.message(5000) is None and await stream.message(5001) == b"5001"


async def test_a_stream_may_be_removed_and_made_again(nats_url: str) -> None:
    async with opened(nats_url) as stream:
        await stream.create()
        await stream.publish(messages(2), 0)
        await stream.delete()
        await stream.delete()
        assert await stream.last_sequence() is None
        await stream.create(3)
        assert await stream.last_sequence() == 2
