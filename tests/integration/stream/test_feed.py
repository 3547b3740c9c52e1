"""Reading from a sequence: in order, without acknowledgements, and dead in time when the stream is gone."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from daybook.errors import Unavailable
from daybook.stream import feed as feed_module
from daybook.stream.connection import Nats
from daybook.stream.feed import PULL_MESSAGES, SILENCE_SECONDS_MAX, Delivered, Feed
from daybook.stream.jetstream import Message, Stream
from tests.fixtures.pipeline import until
from tests.fixtures.servers import ServerPair


def messages(amount: int, first: int = 1) -> list[Message]:
    return [Message("daybook.test.happened.0", b"%d" % n) for n in range(first, first + amount)]


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[tuple[Nats, Stream]]:
    nats = Nats(url, "test")
    await nats.open()
    try:
        stream = Stream(nats)
        await stream.create()
        yield nats, stream
    finally:
        await nats.close()


async def read(feed: Feed, amount: int, limit: int = 300) -> list[Delivered]:
    found: list[Delivered] = []
    while len(found) < amount:
        taken = await feed.take(limit, 5.0)
        assert taken and len(taken) <= limit, f"{len(found)} of {amount} came, then nothing"
        found += taken
    return found


async def test_everything_comes_in_order_through_many_overlapping_pulls(nats_url: str) -> None:
    total = 5 * PULL_MESSAGES + 17
    async with opened(nats_url) as (nats, stream):
        await stream.publish(messages(total), 0)
        feed = Feed(nats)
        await feed.open(1)
        found = await read(feed, total)
        assert [(one.sequence, one.body) for one in found] == [(n, b"%d" % n) for n in range(1, total + 1)]
        await stream.publish(messages(3, total + 1), total)
        assert [one.sequence for one in await read(feed, 3)] == [total + 1, total + 2, total + 3]
        await feed.close()


async def test_long_messages_come_a_bounded_amount_of_bytes_at_a_time(
    nats_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "PAGE_BYTES_MAX", 50_000)
    long = [Message("daybook.test.happened.0", b"%06d" % n * 2_000) for n in range(60)]
    async with opened(nats_url) as (nats, stream):
        await stream.publish(long, 0)
        feed = Feed(nats)
        await feed.open(1)
        found: list[Delivered] = []
        while len(found) < len(long):
            taken = await feed.take(1000, 5.0)
            assert 1 <= len(taken) <= 5, "a page ends with the message that fills it"
            assert sum(len(one.body) for one in feed._waiting) <= 2 * 50_000
            found += taken
        assert [one.body for one in found] == [one.body for one in long]
        assert feed.alive
        await feed.close()


async def test_a_message_that_no_pull_can_hold_ends_the_feed(nats_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "PAGE_BYTES_MAX", 5_000)
    async with opened(nats_url) as (nats, stream):
        await stream.publish([*messages(3), Message("daybook.test.happened.0", b"x" * 6_000)], 0)
        feed = Feed(nats)
        await feed.open(1)
        assert len(await read(feed, 3)) == 3
        await until(lambda: not feed.alive, "the feed is known to be at its end", 5)
        await feed.close()


async def test_reading_starts_at_the_sequence_that_was_asked_for(nats_url: str) -> None:
    async with opened(nats_url) as (nats, stream):
        await stream.publish(messages(100), 0)
        feed = Feed(nats)
        await feed.open(42)
        assert [one.sequence for one in await read(feed, 59)] == list(range(42, 101))
        await feed.close()


async def test_reading_ahead_of_the_stream_waits_for_what_comes(nats_url: str) -> None:
    async with opened(nats_url) as (nats, stream):
        await stream.publish(messages(3), 0)
        feed = Feed(nats)
        await feed.open(4)
        assert await feed.take(10, 0.05) == []
        await stream.publish(messages(1, 4), 3)
        assert [(one.sequence, one.body) for one in await read(feed, 1)] == [(4, b"4")]
        await feed.close()


async def test_nothing_to_read_takes_the_timeout_and_leaves_the_feed_alive(nats_url: str) -> None:
    async with opened(nats_url) as (nats, _):
        feed = Feed(nats)
        await feed.open(1)
        started = time.monotonic()
        assert await feed.take(10, SILENCE_SECONDS_MAX * 1.5) == []
        assert SILENCE_SECONDS_MAX * 1.4 < time.monotonic() - started < SILENCE_SECONDS_MAX * 3
        assert feed.alive
        await feed.close()


async def test_a_feed_whose_stream_is_removed_is_dead_in_time(nats_url: str) -> None:
    async with opened(nats_url) as (nats, stream):
        feed = Feed(nats)
        await feed.open(1)
        await stream.delete()
        await until(lambda: not feed.alive, "the feed is dead", SILENCE_SECONDS_MAX + 1)
        await feed.close()
        with pytest.raises(Unavailable):
            await Feed(nats).open(1)


async def test_a_feed_whose_consumer_is_deleted_is_dead_in_time(nats_url: str) -> None:
    async with opened(nats_url) as (nats, _):
        feed = Feed(nats)
        await feed.open(1)
        jetstream = nats.client.jetstream()
        for info in await jetstream.consumers_info("DAYBOOK"):
            await jetstream.delete_consumer("DAYBOOK", info.name)
        await until(lambda: not feed.alive, "the feed is dead", SILENCE_SECONDS_MAX + 1)
        await feed.close()


async def test_after_a_servers_death_a_new_feed_goes_on_where_the_reader_stands(servers: ServerPair) -> None:
    async with opened(servers.nats.url) as (nats, stream):
        await stream.publish(messages(10), 0)
        feed = Feed(nats)
        await feed.open(1)
        await read(feed, 10)
        await asyncio.to_thread(servers.nats.kill)
        await until(lambda: not feed.alive, "the feed is dead", SILENCE_SECONDS_MAX + 1)
        await feed.close()
        await asyncio.to_thread(servers.nats.restart)
        await until(lambda: nats.connected, "the connection is back")
        assert await stream.last_sequence() == 10
        await stream.publish(messages(5, 11), 10)
        feed = Feed(nats)
        await feed.open(11)
        assert [one.sequence for one in await read(feed, 5)] == [11, 12, 13, 14, 15]
        await feed.close()


async def test_a_closed_feed_leaves_no_consumer_and_no_subscription(nats_url: str) -> None:
    async with opened(nats_url) as (nats, stream):
        before = len(nats.client._subs)
        for _ in range(3):
            feed = Feed(nats)
            await feed.open(1)
            await feed.close()
        assert len(nats.client._subs) <= before + 1, "one is the client's own, for answers"
        await stream.last_sequence()
        assert await nats.client.jetstream().consumers_info("DAYBOOK") == []
