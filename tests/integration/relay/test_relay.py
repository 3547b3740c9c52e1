"""Position = sequence, whatever dies, is wiped, or is restored."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import psycopg
import pytest

from daybook.errors import StreamAhead
from daybook.log import reader
from daybook.postgres.migrate import migrate
from daybook.queries import stream_state
from daybook.relay import relay as relay_module
from daybook.stream import cloudevents
from daybook.stream.bell import Ringer
from daybook.stream.jetstream import Message, Stream
from daybook.stream.subjects import subject, wake_log
from tests.fixtures.logs import opened, pool_of
from tests.fixtures.pipeline import until
from tests.fixtures.relays import Relays, fill, ids, published, relays, restore, sequence
from tests.fixtures.servers import ServerPair


async def refill(running: Relays, upto: int) -> None:
    """The stream as it was when it had `upto` messages."""
    async with await psycopg.AsyncConnection.connect(running.dsn) as conn:
        rows: Sequence[Sequence[object]] = await reader.rows_after(conn, 0, 10_000, upto)
    await running.stream.delete()
    await running.stream.create()
    bodies = [Message(subject(str(row[4]), str(row[6])), cloudevents.encode(row)) for row in rows]
    await running.stream.publish(bodies, 0)


async def test_every_event_becomes_the_message_of_its_position(database: str, nats_url: str) -> None:
    async with relays(database, nats_url) as running:
        await asyncio.to_thread(fill, database, 1500)
        running.start()
        await running.reach(1500)
        await asyncio.to_thread(fill, database, 3)
        await running.reach(1503)
        assert await published(running.stream) == ids(database)


async def test_long_events_are_published_a_bounded_amount_of_bytes_at_a_time(
    database: str, nats_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "PAGE_BYTES_MAX", 500)
    batches: list[int] = []
    publish = Stream.publish

    async def noted(self: Stream, messages: Sequence[Message], last: int) -> int:
        batches.append(len(messages))
        return await publish(self, messages, last)

    monkeypatch.setattr(Stream, "publish", noted)
    async with relays(database, nats_url) as running:
        await asyncio.to_thread(fill, database, 120)
        running.start()
        await running.reach(120)
        assert await published(running.stream) == ids(database)
    assert sum(batches) == 120 and max(batches) < 30


async def test_two_relays_at_once_make_no_double_and_no_hole(database: str, nats_url: str) -> None:
    async with relays(database, nats_url) as running:
        running.start()
        running.start()
        for _ in range(20):
            await asyncio.to_thread(fill, database, 15)
        await running.reach(300)
        assert await published(running.stream) == ids(database)


async def test_a_removed_stream_is_filled_again_with_the_same_numbers(database: str, nats_url: str) -> None:
    async with relays(database, nats_url) as running:
        await asyncio.to_thread(fill, database, 40)
        running.start()
        await running.reach(40)
        await running.stream.delete()
        await running.reach(40)
        assert await published(running.stream) == ids(database)


@pytest.mark.parametrize("running_on", [True, False], ids=["under a running relay", "while no relay runs"])
async def test_a_lost_tail_is_published_again(database: str, nats_url: str, running_on: bool) -> None:
    async with relays(database, nats_url) as running:
        await asyncio.to_thread(fill, database, 40)
        running.start()
        await running.reach(40)
        if not running_on:
            await running.end()
        await refill(running, 25)
        if not running_on:
            running.start()
        await running.reach(40)
        assert await published(running.stream) == ids(database)


async def test_a_long_log_begins_a_new_stream_near_its_end(
    database: str, nats_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "REPLAYED_EVENTS_MAX", 10)

    async with relays(database, nats_url) as running:
        await asyncio.to_thread(fill, database, 40)
        running.start()
        await running.reach(40)
        assert await running.stream.message(30) is None
        assert await published(running.stream, 31) == ids(database)[30:]


async def test_a_stream_ahead_of_a_restored_log_stops_the_relay_until_it_is_reset(
    postgres_server: object, database: str, nats_url: str
) -> None:
    async with relays(database, nats_url) as running:
        await asyncio.to_thread(fill, database, 10)
        running.start()
        await running.reach(10)
        await running.end()
        await asyncio.to_thread(restore, database, 7)
        with pytest.raises(StreamAhead, match="daybook failover"):
            await running.start()
        await running.stream.delete()
        running.start()
        await running.reach(7)
        assert await published(running.stream) == ids(database)


async def test_a_log_that_was_restored_and_grew_again_is_told_from_the_old_one(database: str, nats_url: str) -> None:
    async with relays(database, nats_url) as running:
        await asyncio.to_thread(fill, database, 10)
        running.start()
        await running.reach(10)
        await running.end()
        await asyncio.to_thread(restore, database, 7)
        await asyncio.to_thread(fill, database, 3)
        with pytest.raises(StreamAhead, match="have parted"):
            await running.start()
        await asyncio.to_thread(fill, database, 5)
        with pytest.raises(StreamAhead, match="have parted"):
            await running.start()
        assert await sequence(running.stream) == 10


@pytest.mark.long
async def test_a_relay_outlives_its_servers(servers: ServerPair) -> None:
    migrate(servers.postgres.dsn)

    async with relays(servers.postgres.dsn, servers.nats.url) as running:
        task = running.start()
        await asyncio.to_thread(fill, running.dsn, 30)
        await running.reach(30)
        await asyncio.to_thread(servers.nats.kill)
        await asyncio.to_thread(fill, running.dsn, 30)
        await asyncio.to_thread(servers.nats.restart)
        await until(lambda: running.nats.connected, "NATS is back")
        await running.reach(60)
        await asyncio.to_thread(servers.postgres.kill)
        await asyncio.to_thread(servers.postgres.restart)
        await asyncio.to_thread(fill, running.dsn, 30)
        await running.reach(90)
        assert not task.done()
        assert await published(running.stream) == ids(running.dsn)


@pytest.mark.long
async def test_a_relay_that_starts_without_nats_waits_for_it(servers: ServerPair) -> None:
    migrate(servers.postgres.dsn)

    fill(servers.postgres.dsn, 5)
    async with relays(servers.postgres.dsn, servers.nats.url) as running:
        await asyncio.to_thread(servers.nats.kill)
        running.start()
        await asyncio.to_thread(servers.nats.restart)
        await until(lambda: running.nats.connected, "NATS is back")
        await running.reach(5)


async def test_a_bell_makes_an_event_fast_and_a_missed_bell_costs_one_poll(
    database: str, nats_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(relay_module, "POLL_SECONDS", 1.5)

    ringer = Ringer(nats_url, wake_log())
    async with relays(database, nats_url) as running:
        running.start()
        await asyncio.to_thread(fill, database, 1)
        await running.reach(1)
        for number in (2, 3, 4):
            await asyncio.to_thread(fill, database, 1)
            started = time.monotonic()
            ringer.ring()
            await running.reach(number)
            assert time.monotonic() - started < 1.0, "the bell was heard well before the poll"
        await asyncio.to_thread(fill, database, 1)
        await running.reach(5)
    await asyncio.to_thread(ringer.close)


async def test_a_foreign_message_is_told_as_such_until_the_stream_is_a_new_one(database: str, nats_url: str) -> None:
    async with relays(database, nats_url) as running:
        await asyncio.to_thread(fill, database, 5)
        task = running.start()
        await running.reach(5)
        await running.stream.publish([Message("daybook.product.price_changed.1", b"hello")], 5)
        with pytest.raises(StreamAhead, match="somebody else published to it"):
            await task
        with opened(database, 1) as (log, _):
            found = stream_state.read(pool_of(log))
            assert (found.state, found.behind) == ("stuck", 0)
            assert "message 6 of the stream is beyond the log, which ends at position 5" in str(found.reason)
            assert "daybook failover" in str(found.reason)
            await running.stream.delete()
            running.start()
            await running.reach(5)
            await until(lambda: stream_state.read(pool_of(log)).state == "level", "it is level")
