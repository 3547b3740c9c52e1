"""A rebuild waits for what runs live, but not for ever, and not for what does not run."""

import os

import psycopg
import pytest

from daybook.commands import CountStock
from daybook.events import ListingConfirmed
from daybook.log.pending import NewEvent
from daybook.postgres.pool import Connection, connect
from daybook.rebuild import give_way
from daybook.rebuild.give_way import GiveWay
from daybook.rebuild.priority import NICE, lower_server
from tests.fixtures.channels import toy
from tests.fixtures.logs import context
from tests.fixtures.pipeline import Pipeline, product
from tests.fixtures.rebuilding import rebuilt, rows_of, run_live


def at_work(dsn: str, seconds: int) -> None:
    """A runner has the lease of the toy channel for so long; negative: it had."""
    with psycopg.connect(dsn) as conn:
        conn.execute(
            "INSERT INTO leases (name, owner, token, held_until) "
            "VALUES ('project:toy', gen_random_uuid(), 1, clock_timestamp() + %s * interval '1 second') "
            "ON CONFLICT (name) DO UPDATE SET held_until = excluded.held_until",
            (seconds,),
        )


def waits(conn: Connection) -> bool:
    way = GiveWay(conn)
    way.wait()
    return way.busy


async def test_only_a_runner_that_is_at_work_and_behind_is_waited_for(
    database: str, nats_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(give_way, "BEHIND_SECONDS_MAX", 0.0)
    async with Pipeline(database, nats_url, toy()) as pipeline:
        await pipeline.define_attributes()
        await pipeline.carry_out(product("A"))
        await run_live(database, toy())
        with connect(database, "test") as conn:
            at_work(database, 60)
            assert not waits(conn), "it is level"
            receipt = ListingConfirmed(channel="toy", sku="A", facets=())
            pipeline.app.log.record([(context(), [NewEvent("listing/toy/A", 0, receipt, "A", "A")])])
            assert not waits(conn), "receipts are put off"
            await run_live(database, toy())
            await pipeline.carry_out(CountStock(sku="A", quantity=9))
            assert waits(conn)
            at_work(database, -1)
            assert not waits(conn), "nobody is at work"


def test_postgres_works_for_a_rebuild_with_the_time_that_is_left_over(database: str) -> None:
    with connect(database, "test") as live, connect(database, "test") as conn:
        lower_server(conn)
        assert os.getpriority(os.PRIO_PROCESS, conn.info.backend_pid) == NICE
        assert os.getpriority(os.PRIO_PROCESS, live.info.backend_pid) < NICE


async def test_a_rebuild_beside_a_runner_that_never_gets_level_comes_to_its_end(database: str, nats_url: str) -> None:
    async with Pipeline(database, nats_url, toy()) as pipeline:
        await pipeline.define_attributes()
        await pipeline.carry_out(*(product(sku) for sku in "AB"))
        await run_live(database, toy())
        await pipeline.carry_out(CountStock(sku="A", quantity=9))
        at_work(database, 60)
        done = await rebuilt(database, toy())
        assert rows_of(database, done.generation) == pipeline.folded()
