"""Workers that die: what was acknowledged is never sent again, and what was under way is looked after by another."""

import asyncio
import hashlib
import signal

import psycopg
import pytest
from psycopg import sql

from daybook.channel.contract import Accepted
from daybook.commands import ChangePrice, DelistProduct
from daybook.delivery.journal import QUERIES, Journal
from daybook.delivery.lane_results import LaneResult, LaneRow, Result
from daybook.delivery.receipts import Commands, ReceiptQueue
from daybook.delivery.worker import Delivery
from daybook.errors import Unavailable
from daybook.events import ListingAccepted, ListingConfirmed
from daybook.ids import new_id
from daybook.log.pending import Appended
from daybook.postgres.connections import Connections
from daybook.postgres.migrate import migrate
from daybook.postgres.pool import connect_async
from tests.fixtures.channels import ToySandbox, toy
from tests.fixtures.log_events import every_event
from tests.fixtures.pipeline import Pipeline, product, until, worker_process
from tests.fixtures.servers import ServerPair

pytestmark = pytest.mark.long


def confirmed(pipeline: Pipeline) -> int:
    return sum(isinstance(one.event, ListingConfirmed) for one in every_event(pipeline.app.reader))


async def bring_up(pipeline: Pipeline) -> None:
    pipeline.relay()
    pipeline.runner()
    await pipeline.define_attributes()


async def test_a_worker_killed_between_answer_and_receipt_costs_one_more_request(database: str, nats_url: str) -> None:
    sandbox = ToySandbox()
    await sandbox.start()
    async with Pipeline(database, nats_url, toy()) as pipeline:
        await bring_up(pipeline)
        await pipeline.carry_out(product("A"))
        await pipeline.caught_up()
        async with worker_process(pipeline, sandbox.settings() | {"die": "1"}) as process:
            await until(lambda: process.poll() is not None, "the worker killed itself after the answer")
        assert sandbox.count("A") == 1 and confirmed(pipeline) == 0
        pipeline.delivery(sandbox.settings())
        await pipeline.level()
        assert sandbox.count("A") == 2 and confirmed(pipeline) == 1 and sandbox.overlaps == []
    await sandbox.stop()


async def test_a_worker_killed_between_receipt_and_settlement_costs_no_request(database: str, nats_url: str) -> None:
    sandbox = ToySandbox()
    await sandbox.start()
    sandbox.gate.clear()
    async with Pipeline(database, nats_url, toy()) as pipeline:
        await bring_up(pipeline)
        await pipeline.carry_out(product("A"))
        await pipeline.caught_up()
        async with worker_process(pipeline, sandbox.settings()) as process:
            await until(lambda: sandbox.count("A") == 1, "the request is under way")
            with psycopg.connect(database) as holder:
                # The receipt goes into the log; the settlement waits for this lock when the worker dies.
                holder.execute("SELECT 1 FROM lanes FOR UPDATE")
                sandbox.gate.set()
                await until(lambda: confirmed(pipeline) == 1, "the receipt is in the log")
                process.send_signal(signal.SIGKILL)
                process.wait()
        pipeline.delivery(sandbox.settings())
        await pipeline.level()
        await until(lambda: free(database), "the lane's lease is over")
        assert sandbox.count("A") == 1 and confirmed(pipeline) == 1
        await pipeline.carry_out(ChangePrice(sku="A", amount="3.00", currency="EUR"))
        await pipeline.level()
        assert sandbox.writes[1:] == [("PATCH", "A", {"price": {"price": 300}})]
    await sandbox.stop()


def free(dsn: str) -> bool:
    with psycopg.connect(dsn) as conn:
        row = conn.execute("SELECT 1 FROM lanes WHERE leased_until > clock_timestamp()").fetchone()
    return row is None


async def test_a_dead_workers_lane_is_taken_over_once_its_lease_is_over(database: str, nats_url: str) -> None:
    sandbox = ToySandbox()
    await sandbox.start()
    sandbox.gate.clear()
    async with Pipeline(database, nats_url, toy()) as pipeline:
        await bring_up(pipeline)
        await pipeline.carry_out(product("A"))
        await pipeline.caught_up()
        async with worker_process(pipeline, sandbox.settings()) as process:
            await until(lambda: sandbox.count("A") == 1, "the request is under way")
            process.send_signal(signal.SIGKILL)
            process.wait()
        sandbox.gate.set()
        pipeline.delivery(sandbox.settings())
        await until(lambda: sandbox.count("A") == 2, "another worker took over")
        await pipeline.level()
    await sandbox.stop()


def test_a_postgres_that_dies_while_a_request_is_under_way_costs_no_second_request(servers: ServerPair) -> None:
    async def main() -> None:
        sandbox = ToySandbox()
        await sandbox.start()
        sandbox.gate.clear()
        async with Pipeline(servers.postgres.dsn, servers.nats.url, toy()) as pipeline:
            await bring_up(pipeline)
            pipeline.delivery(sandbox.settings())
            await pipeline.carry_out(product("A"))
            await until(lambda: sandbox.count("A") == 1, "the request is under way")
            await asyncio.to_thread(servers.postgres.kill)
            sandbox.gate.set()
            await sandbox.wait_received(1)
            await asyncio.to_thread(servers.postgres.restart)
            await pipeline.level(30)
            assert sandbox.count("A") == 1 and confirmed(pipeline) == 1
        await sandbox.stop()

    migrate(servers.postgres.dsn)
    asyncio.run(main())


class CrashedBefore(ReceiptQueue):
    """Postgres dies and comes back between the worker's body and the log's receipt."""

    def __init__(self, pipeline: Pipeline, servers: ServerPair) -> None:
        super().__init__(pipeline.app.log)
        self._servers = servers

    async def record(self, commands: Commands) -> list[Appended]:
        await asyncio.to_thread(self._servers.postgres.kill)
        await asyncio.to_thread(self._servers.postgres.restart)
        return await super().record(commands)


@pytest.mark.parametrize("there_already", [False, True])
async def test_a_receipt_never_outlives_the_body_that_was_submitted(servers: ServerPair, there_already: bool) -> None:
    migrate(servers.postgres.dsn)
    dsn, body = servers.postgres.dsn, '{"price":300}'
    mark = hashlib.sha256(body.encode()).digest()
    row = LaneRow(
        "A", "A", "price", "A", 0, "due", 1, None, body, mark, 1, None, None, None, None, None, None, 0, None
    )  # fmt: skip
    accepted = Result(
        id=new_id(),
        at=0.0,
        row=row,
        bodies=((mark, body),),
        hash=mark,
        outcome=Accepted(submission="feed-1"),
        facets=(("price", mark, 1),),
        exchanges=(),
    )
    async with Pipeline(dsn, servers.nats.url, toy()) as pipeline:
        connections = Connections(dsn, "test", 1, lazily=True)
        if there_already:
            async with connections.one() as conn:
                await conn.execute(QUERIES["put_bodies"], ([mark], [body]))
        journal = Journal(toy(), CrashedBefore(pipeline, servers))
        with pytest.raises((psycopg.OperationalError, Unavailable)):
            await journal.write(connections, [LaneResult("A", [accepted])], "worker")
        await connections.close()
        receipts = [one.event for one in every_event(pipeline.app.reader)]
        assert [type(one) for one in receipts] == [ListingAccepted]
        with psycopg.connect(dsn) as conn:
            assert conn.execute("SELECT count(*) FROM bodies WHERE hash = %s", (mark,)).fetchone() == (1,)


async def test_dropped_deliveries_are_rebuilt_from_the_log_and_nothing_is_sent_again(
    database: str, nats_url: str
) -> None:
    sandbox = ToySandbox()
    await sandbox.start()
    async with Pipeline(database, nats_url, toy()) as pipeline:
        pipeline.relay()
        runner, worker = pipeline.runner(), pipeline.delivery(sandbox.settings())
        await pipeline.define_attributes()
        await pipeline.carry_out(product("A"), product("B"), product("GONE"), product("SPOILT"))
        await pipeline.level()
        await pipeline.carry_out(ChangePrice(sku="A", amount="3.00", currency="EUR"))
        await pipeline.carry_out(DelistProduct(sku="GONE", channel="toy"), product("SPOILT", "bad"))
        await until(lambda: pipeline.channels.rejected("toy"), "the rejection is known")
        await pipeline.level()
        before, sent = pipeline.rows(), len(sandbox.writes)
        await pipeline.end(worker)
        await pipeline.end(runner)
        drop_read_side(database)
        pipeline.runner()
        pipeline.delivery(sandbox.settings())
        await pipeline.level()
        assert pipeline.rows() == before
        assert len(sandbox.writes) == sent
        assert [row[1] for row in pipeline.channels.rejected("toy")] == ["offer"]
        await pipeline.carry_out(ChangePrice(sku="B", amount="4.00", currency="EUR"))
        await pipeline.carry_out(DelistProduct(sku="SPOILT", channel="toy"))
        await until(lambda: "SPOILT" not in sandbox.shown(), "what the channel still shows is taken off")
        await pipeline.level()
        assert sorted(method for method, _, _ in sandbox.writes[sent:]) == ["DELETE", "PATCH"], "ids are known"
    await sandbox.stop()


def drop_read_side(dsn: str) -> None:
    """Everything that can be computed again goes."""
    with psycopg.connect(dsn) as conn:
        conn.execute("TRUNCATE deliveries, lanes, remote_ids, attempts, bodies")
        for table in ("states_toy_1", "listings_toy_1"):
            conn.execute(sql.SQL("TRUNCATE {}").format(sql.Identifier(table)))
        conn.execute("UPDATE generations SET position = 0, reference_from = NULL, level_at = NULL")


async def test_lanes_whose_work_can_not_be_read_are_let_go(
    database: str, nats_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks(*_: object) -> None:
        raise psycopg.OperationalError("the connection broke")

    async with Pipeline(database, nats_url, toy()) as pipeline:
        await bring_up(pipeline)
        await pipeline.carry_out(product("A"))
        await pipeline.caught_up()
        worker = Delivery(
            toy(), toy().connect({"url": "http://127.0.0.1:1"}), ReceiptQueue(pipeline.app.log), lambda: None
        )
        worker.enrolled = True
        monkeypatch.setattr("daybook.delivery.worker.read_work", breaks)
        async with await connect_async(database, "test") as conn:
            with pytest.raises(psycopg.OperationalError):
                await worker.claim(conn)
        assert worker.hand.names() == [] and not worker.busy, "their leases run out, and they are claimed anew"
        await worker.close()
