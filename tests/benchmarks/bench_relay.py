"""How fast a log reaches the stream: a long one in bulk, and one event in an idle system.

The baseline for the bulk is the same messages, ready made, published in atomic batches without a log to read.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from daybook.embedded.nats import NatsServer as NatsServer
from daybook.embedded.postgres import PostgresServer
from daybook.embedded.servers import forget
from daybook.events import StockCounted, codec
from daybook.ids import new_id
from daybook.log.application import Log
from daybook.log.pending import Context, NewEvent
from daybook.postgres.migrate import migrate
from daybook.postgres.pool import pool
from daybook.relay.relay import Relay
from daybook.stream.bell import Ringer
from daybook.stream.connection import Nats
from daybook.stream.jetstream import BATCH_MESSAGES_MAX, Message, Stream
from daybook.stream.subjects import subject, wake_log
from tests.benchmarks.report import Figure, arguments, report

EVENTS = 200_000
RATE_MIN = 30_000.0
IDLE_MS_MAX = 3.0
GROUPS = 1000


@contextmanager
def servers(*, sync_always: bool) -> Iterator[tuple[PostgresServer, NatsServer]]:
    """A pair of servers of this run's own."""
    with tempfile.TemporaryDirectory(prefix="daybook-bench-", ignore_cleanup_errors=True) as name:
        data = Path(name)
        data.chmod(0o711)
        with PostgresServer.start(data) as postgres, NatsServer.start(data, sync_always=sync_always) as server:
            yield postgres, server
        forget(data)


def fill(dsn: str, amount: int) -> None:
    """A log of so many events, written as fast as Postgres takes them."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        with (
            conn.cursor() as cursor,
            cursor.copy(
                "COPY events (position, event_id, stream, version, type, sku, key, recorded_at, actor, source, "
                "correlation_id, command_id, data) FROM STDIN"
            ) as copy,
        ):
            for position in range(1, amount + 1):
                sku = f"SKU-{position % GROUPS}"
                body = codec.encode(StockCounted("main", position)).decode()
                one = new_id()
                copy.write_row(
                    (position, one, f"stock/{sku}", position // GROUPS + 1, "stock.counted.v1", sku, sku,
                     "2026-01-01T00:00:00Z", "bench", "bench", one, one, body)
                )  # fmt: skip
        conn.execute("UPDATE head SET position = %s, recorded_at = '2026-01-01T00:00:00Z'", (amount,))
        conn.execute("ANALYZE events")


async def bulk(postgres: PostgresServer, server: NatsServer, amount: int) -> float:
    """Events a second from an empty stream to the whole log."""
    relay, stop = Relay(postgres.dsn, server.url), asyncio.Event()
    started = time.perf_counter()
    running = asyncio.create_task(relay.run(stop))
    while relay.published < amount:
        await asyncio.sleep(0.002)
        if running.done():
            running.result()
    rate = amount / (time.perf_counter() - started)
    stop.set()
    await running
    return rate


async def bare(server: NatsServer, amount: int) -> float:
    """The same number of messages of that size without a log."""
    nats = Nats(server.url, "bench")
    await nats.open()
    stream = Stream(nats)
    await stream.delete()
    await stream.create()
    batch = [Message(subject("stock.counted.v1", f"SKU-{n}"), b"x" * 500) for n in range(BATCH_MESSAGES_MAX)]
    started, last = time.perf_counter(), 0
    while last < amount:
        last = await stream.publish(batch, last)
    rate = last / (time.perf_counter() - started)
    await stream.delete()
    await nats.close()
    return rate


async def idle(postgres: PostgresServer, server: NatsServer, amount: int) -> list[float]:
    """Milliseconds from an append's return to its sequence in the stream, one at a time."""
    relay, stop = Relay(postgres.dsn, server.url), asyncio.Event()
    ringer = Ringer(server.url, wake_log())
    running = asyncio.create_task(relay.run(stop))
    times: list[float] = []
    with pool(postgres.dsn, "bench") as connections:
        log = Log(connections)
        for n in range(amount):
            happened = [NewEvent("stock/IDLE", 0, StockCounted("main", n), "IDLE", "IDLE")]
            (done,) = await asyncio.to_thread(log.record, [(Context.new("bench", "bench"), happened)])
            started = time.perf_counter()
            ringer.ring()
            while relay.published < done.last:  # noqa: ASYNC110 - a tight look costs less than what is measured
                await asyncio.sleep(0)
            times.append((time.perf_counter() - started) * 1000)
    stop.set()
    await running
    ringer.close()
    return times[amount // 10 :]


def measure(amount: int, *, sync_always: bool) -> list[Figure]:
    """One kind of server."""
    kind = "sync always" if sync_always else "default sync"
    target = None if sync_always else IDLE_MS_MAX  # with a disk sync for each event the disk decides
    with servers(sync_always=sync_always) as (postgres, server):
        migrate(postgres.dsn)
        fill(postgres.dsn, amount)
        limit = asyncio.run(bare(server, amount))
        rate = asyncio.run(bulk(postgres, server, amount))
        times = asyncio.run(idle(postgres, server, 200))
    return [
        Figure(f"log -> stream, {kind}", rate, "events/s", RATE_MIN, limit),
        Figure(f"one event in an idle system, p50, {kind}", statistics.median(times), "ms", target, at_most=True),
    ]


def main() -> None:
    """Measures and prints."""
    options = arguments("How fast the log reaches the stream").parse_args()
    amount = 20_000 if options.quick else EVENTS
    figures = [one for always in (False, True) for one in measure(amount, sync_always=always)]
    report("relay", figures, options.json)


if __name__ == "__main__":
    main()
