"""Position = sequence, whatever dies, is wiped, or is restored."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest

from daybook.errors import StreamAhead
from daybook.events import StockCounted
from daybook.log import reader
from daybook.log.application import Log
from daybook.log.pending import Context, Happened
from daybook.postgres.migrate import migrate
from daybook.postgres.pool import pool
from daybook.relay import relay as relay_module
from daybook.relay.relay import Relay
from daybook.stream import cloudevents
from daybook.stream.bell import Ringer
from daybook.stream.connection import Nats
from daybook.stream.jetstream import Message, Stream
from daybook.stream.subjects import subject, wake_log
from tests.fixtures.pipeline import until
from tests.fixtures.servers import ServerPair


def fill(dsn: str, amount: int, sku: str = "A") -> None:
    """So many events, each a command of its own."""
    with pool(dsn, "test") as connections:
        connections.wait()
        Log(connections).record(
            [
                (Context.new("test", "test"), [Happened(f"stock/{sku}", 0, StockCounted("main", n), sku, sku)])
                for n in range(amount)
            ]
        )


def ids(dsn: str) -> list[str]:
    with psycopg.connect(dsn) as conn:
        return [row[0] for row in conn.execute("SELECT event_id::text FROM events ORDER BY position").fetchall()]


async def sequence(stream: Stream) -> int:
    return await stream.last_sequence() or 0


async def published(stream: Stream, first: int = 1) -> list[str]:
    """Event ids in the stream, in the order of their sequences; each at the number of its position."""
    found: list[str] = []
    for number in range(first, await sequence(stream) + 1):
        body = await stream.message(number)
        assert body is not None, f"a hole at {number}"
        one = json.loads(body)
        assert int(one["sequence"]) == number
        found.append(one["id"])
    return found


class Relays:
    """Relays that run in this process."""

    def __init__(self, dsn: str, url: str) -> None:
        self.dsn, self.url = dsn, url
        self.nats = Nats(url, "test")
        self.stream = Stream(self.nats)
        self._running: list[tuple[asyncio.Event, asyncio.Task[None]]] = []

    def start(self) -> "asyncio.Task[None]":
        stop = asyncio.Event()
        task = asyncio.create_task(Relay(self.dsn, self.url).run(stop))
        self._running.append((stop, task))
        return task

    async def end(self) -> None:
        for stop, _ in self._running:
            stop.set()
        await asyncio.gather(*(task for _, task in self._running), return_exceptions=True)
        self._running.clear()

    async def reach(self, position: int, timeout: float = 20.0) -> None:
        deadline = time.monotonic() + timeout
        while (at := await sequence(self.stream)) != position:
            assert time.monotonic() < deadline, f"the stream is at {at}, not at {position}"
            await asyncio.sleep(0.005)


@asynccontextmanager
async def relays(dsn: str, url: str) -> AsyncIterator[Relays]:
    running = Relays(dsn, url)
    await running.nats.open()
    try:
        yield running
    finally:
        await running.end()
        await running.nats.close()


async def refill(running: Relays, upto: int) -> None:
    """The stream as it was when it had `upto` messages."""
    async with await psycopg.AsyncConnection.connect(running.dsn) as conn:
        rows: Sequence[Sequence[object]] = await reader.rows_after(conn, 0, 10_000, upto)
    await running.stream.delete()
    await running.stream.create()
    bodies = [Message(subject(str(row[4]), str(row[6])), cloudevents.encode(row)) for row in rows]
    await running.stream.publish(bodies, 0)


def test_every_event_becomes_the_message_of_its_position(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with relays(database, nats_url) as running:
            await asyncio.to_thread(fill, database, 1500)
            running.start()
            await running.reach(1500)
            await asyncio.to_thread(fill, database, 3)
            await running.reach(1503)
            assert await published(running.stream) == ids(database)

    asyncio.run(main())


def test_two_relays_at_once_make_no_double_and_no_hole(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with relays(database, nats_url) as running:
            running.start()
            running.start()
            for _ in range(20):
                await asyncio.to_thread(fill, database, 15)
            await running.reach(300)
            assert await published(running.stream) == ids(database)

    asyncio.run(main())


def test_a_removed_stream_is_filled_again_with_the_same_numbers(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with relays(database, nats_url) as running:
            await asyncio.to_thread(fill, database, 40)
            running.start()
            await running.reach(40)
            await running.stream.delete()
            await running.reach(40)
            assert await published(running.stream) == ids(database)

    asyncio.run(main())


@pytest.mark.parametrize("running_on", [True, False], ids=["under a running relay", "while no relay runs"])
def test_a_lost_tail_is_published_again(database: str, nats_url: str, running_on: bool) -> None:
    async def main() -> None:
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

    asyncio.run(main())


def test_a_long_log_begins_a_new_stream_near_its_end(
    database: str, nats_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "REPLAYED_EVENTS_MAX", 10)

    async def main() -> None:
        async with relays(database, nats_url) as running:
            await asyncio.to_thread(fill, database, 40)
            running.start()
            await running.reach(40)
            assert await running.stream.message(30) is None
            assert await published(running.stream, 31) == ids(database)[30:]

    asyncio.run(main())


def test_a_stream_ahead_of_a_restored_log_stops_the_relay_until_it_is_reset(
    postgres_server: object, database: str, nats_url: str
) -> None:
    async def main() -> None:
        async with relays(database, nats_url) as running:
            await asyncio.to_thread(fill, database, 10)
            running.start()
            await running.reach(10)
            await running.end()
            await asyncio.to_thread(restore, database, 7)
            with pytest.raises(StreamAhead, match="daybook stream reset"):
                await running.start()
            await running.stream.delete()
            running.start()
            await running.reach(7)
            assert await published(running.stream) == ids(database)

    asyncio.run(main())


def test_a_log_that_was_restored_and_grew_again_is_told_from_the_old_one(database: str, nats_url: str) -> None:
    async def main() -> None:
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

    asyncio.run(main())


def restore(dsn: str, position: int) -> None:
    """As a backup of an earlier moment would: the log ends at this position."""
    with psycopg.connect(dsn) as conn:
        conn.execute("ALTER TABLE events DISABLE TRIGGER events_append_only")
        conn.execute("DELETE FROM events WHERE position > %s", (position,))
        conn.execute("ALTER TABLE events ENABLE ALWAYS TRIGGER events_append_only")
        conn.execute("UPDATE head SET position = %s", (position,))


def test_a_relay_outlives_its_servers(servers: ServerPair) -> None:
    migrate(servers.postgres.dsn)

    async def main() -> None:
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

    asyncio.run(main())


def test_a_relay_that_starts_without_nats_waits_for_it(servers: ServerPair) -> None:
    migrate(servers.postgres.dsn)

    async def main() -> None:
        fill(servers.postgres.dsn, 5)
        async with relays(servers.postgres.dsn, servers.nats.url) as running:
            await asyncio.to_thread(servers.nats.kill)
            running.start()
            await asyncio.to_thread(servers.nats.restart)
            await until(lambda: running.nats.connected, "NATS is back")
            await running.reach(5)

    asyncio.run(main())


def test_a_bell_makes_an_event_fast_and_a_missed_bell_costs_one_poll(
    database: str, nats_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(relay_module, "POLL_SECONDS", 1.5)

    async def main() -> None:
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

    asyncio.run(main())
