"""Workers that die: what was acknowledged is never sent again, and what was under way is looked after by another."""

import asyncio
import signal
import time

import psycopg
from psycopg import sql

from daybook.channel.delivery import LEASE_SECONDS, POLL_SECONDS
from daybook.commands import ChangePrice, DelistProduct
from daybook.events import ListingConfirmed
from tests.fixtures.channels import ToySandbox, toy
from tests.fixtures.pipeline import Line, product, until, worker_process
from tests.fixtures.servers import ServerPair


def confirmed(line: Line) -> int:
    return sum(isinstance(one.event, ListingConfirmed) for one in line.app.reader.all_after(0))


async def bring_up(line: Line) -> None:
    line.relay()
    line.runner()
    await line.model()


def test_a_worker_killed_between_answer_and_receipt_costs_one_more_request(database: str, nats_url: str) -> None:
    async def main() -> None:
        sandbox = ToySandbox()
        await sandbox.start()
        async with Line(database, nats_url, toy()) as line:
            await bring_up(line)
            await line.say(product("A"))
            await line.caught_up()
            async with worker_process(line, sandbox.settings() | {"die": "1"}) as process:
                await until(lambda: process.poll() is not None, "the worker killed itself after the answer")
            assert sandbox.count("A") == 1 and confirmed(line) == 0
            line.delivery(sandbox.settings())
            await line.level()
            assert sandbox.count("A") == 2 and confirmed(line) == 1 and sandbox.overlaps == []
        await sandbox.stop()

    asyncio.run(main())


def test_a_worker_killed_between_receipt_and_settlement_costs_no_request(database: str, nats_url: str) -> None:
    async def main() -> None:
        sandbox = ToySandbox()
        await sandbox.start()
        sandbox.gate.clear()
        async with Line(database, nats_url, toy()) as line:
            await bring_up(line)
            await line.say(product("A"))
            await line.caught_up()
            async with worker_process(line, sandbox.settings()) as process:
                await until(lambda: sandbox.count("A") == 1, "the request is under way")
                with psycopg.connect(database) as holder:
                    # The receipt goes into the log; the settlement waits for this lock when the worker dies.
                    holder.execute("SELECT 1 FROM lanes FOR UPDATE")
                    sandbox.gate.set()
                    await until(lambda: confirmed(line) == 1, "the receipt is in the log")
                    process.send_signal(signal.SIGKILL)
                    process.wait()
            line.delivery(sandbox.settings())
            await line.level()
            await until(lambda: free(database), "the lane's lease is over")
            assert sandbox.count("A") == 1 and confirmed(line) == 1
            await line.say(ChangePrice(sku="A", amount="3.00", currency="EUR"))
            await line.level()
            assert sandbox.writes[1:] == [("PATCH", "A", {"price": {"price": 300}})]
        await sandbox.stop()

    asyncio.run(main())


def free(dsn: str) -> bool:
    with psycopg.connect(dsn) as conn:
        row = conn.execute("SELECT 1 FROM lanes WHERE leased_until > clock_timestamp()").fetchone()
    return row is None


def test_a_dead_workers_lane_is_taken_over_once_its_lease_is_over(database: str, nats_url: str) -> None:
    async def main() -> None:
        sandbox = ToySandbox()
        await sandbox.start()
        sandbox.gate.clear()
        async with Line(database, nats_url, toy()) as line:
            await bring_up(line)
            await line.say(product("A"))
            await line.caught_up()
            async with worker_process(line, sandbox.settings()) as process:
                await until(lambda: sandbox.count("A") == 1, "the request is under way")
                process.send_signal(signal.SIGKILL)
                process.wait()
                killed = time.monotonic()
            sandbox.gate.set()
            line.delivery(sandbox.settings())
            await until(lambda: sandbox.count("A") == 2, "another worker took over")
            assert time.monotonic() - killed < LEASE_SECONDS + POLL_SECONDS + 1.0
            await line.level()
        await sandbox.stop()

    asyncio.run(main())


def test_a_postgres_that_dies_while_a_request_is_under_way_costs_no_second_request(servers: ServerPair) -> None:
    from daybook.postgres.migrate import migrate

    async def main() -> None:
        sandbox = ToySandbox()
        await sandbox.start()
        sandbox.gate.clear()
        async with Line(servers.postgres.dsn, servers.nats.url, toy()) as line:
            await bring_up(line)
            line.delivery(sandbox.settings())
            await line.say(product("A"))
            await until(lambda: sandbox.count("A") == 1, "the request is under way")
            await asyncio.to_thread(servers.postgres.kill)
            sandbox.gate.set()
            await sandbox.wait_received(1)
            await asyncio.to_thread(servers.postgres.restart)
            await line.level(30)
            assert sandbox.count("A") == 1 and confirmed(line) == 1
        await sandbox.stop()

    migrate(servers.postgres.dsn)
    asyncio.run(main())


def test_dropped_deliveries_are_rebuilt_from_the_log_and_nothing_is_sent_again(database: str, nats_url: str) -> None:
    async def main() -> None:
        sandbox = ToySandbox()
        await sandbox.start()
        async with Line(database, nats_url, toy()) as line:
            line.relay()
            runner, worker = line.runner(), line.delivery(sandbox.settings())
            await line.model()
            await line.say(product("A"), product("B"), product("GONE"), product("SPOILT"))
            await line.level()
            await line.say(ChangePrice(sku="A", amount="3.00", currency="EUR"))
            await line.say(DelistProduct(sku="GONE", channel="toy"), product("SPOILT", "bad"))
            await until(lambda: line.channels.rejected("toy"), "the rejection is known")
            await line.level()
            before, sent = line.rows(), len(sandbox.writes)
            await line.end(worker)
            await line.end(runner)
            drop_read_side(database)
            line.runner()
            line.delivery(sandbox.settings())
            await line.level()
            assert line.rows() == before
            assert len(sandbox.writes) == sent
            assert [row[1] for row in line.channels.rejected("toy")] == ["offer"]
            await line.say(ChangePrice(sku="B", amount="4.00", currency="EUR"))
            await line.say(DelistProduct(sku="SPOILT", channel="toy"))
            await until(lambda: "SPOILT" not in sandbox.shown(), "what the channel still shows is taken off")
            await line.level()
            assert sorted(method for method, _, _ in sandbox.writes[sent:]) == ["DELETE", "PATCH"], "ids are known"
        await sandbox.stop()

    asyncio.run(main())


def drop_read_side(dsn: str) -> None:
    """Everything that can be computed again goes."""
    with psycopg.connect(dsn) as conn:
        conn.execute("TRUNCATE deliveries, lanes, remote_ids, attempts, bodies")
        for table in ("states_toy_1", "listings_toy_1"):
            conn.execute(sql.SQL("TRUNCATE {}").format(sql.Identifier(table)))
        conn.execute("UPDATE generations SET position = 0, reference_from = NULL, level_at = NULL")
