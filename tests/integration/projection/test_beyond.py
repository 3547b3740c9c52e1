"""A projection that stands beyond the log has folded what the log does not have: it says so, and is built again."""

import asyncio

import psycopg
import pytest

from daybook.commands import ChangePrice
from daybook.postgres.pool import connect_async
from daybook.projection.beyond import CheckpointBeyond, found_beyond
from daybook.projection.generations import live
from daybook.projection.session import Session
from daybook.terminal.options import CommonOptions
from daybook.terminal.stream import reset as resetting
from tests.fixtures.channels import ToySandbox, toy
from tests.fixtures.pipeline import Pipeline, product, until
from tests.fixtures.relays import restore


async def poisoned(pipeline: Pipeline) -> int:
    """A price is folded that the log does not have, as by a version that believed the stream; the log's head."""
    runner = pipeline.runner()
    await pipeline.define_attributes()
    await pipeline.carry_out(product("A", price="49.95"))
    head = pipeline.head()
    await pipeline.carry_out(ChangePrice(sku="A", amount="0.01", currency="EUR"))
    await pipeline.caught_up()
    await pipeline.end(runner)
    await asyncio.to_thread(restore, pipeline.dsn, head)
    return head


async def test_it_is_a_failure_that_is_shown_also_without_a_runner(database: str) -> None:
    async with Pipeline(database, "nats://127.0.0.1:1", toy()) as pipeline:
        head = await poisoned(pipeline)
        status = pipeline.status()
        assert (status.position, status.lag, status.level) == (head + 1, -1, False)
        assert status.failure is not None and f"the log ended at {head}" in status.failure["error"]
        assert "daybook channel rebuild toy --apply" in status.failure["error"]


async def test_nothing_more_is_folded_into_it_also_when_the_log_has_grown_past_it(
    database: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with Pipeline(database, "nats://127.0.0.1:1", toy()) as pipeline:
        head = await poisoned(pipeline)
        pipeline.runner()
        await until(lambda: "rest on events that the log does not have" in caplog.text, "the runner has said so")
        await pipeline.carry_out(ChangePrice(sku="A", amount="59.95", currency="EUR"), product("B"), product("C"))
        async with await connect_async(database, "test") as conn:
            generation, at = await live(conn, pipeline.manifest)
            with pytest.raises(CheckpointBeyond):
                await Session.open(conn, pipeline.manifest, generation, at)
            assert await found_beyond(conn) == ["toy"]
        status = pipeline.status()
        assert status.position == head + 1
        assert status.failure is not None and f"the log ended at {head}" in status.failure["error"]


async def test_a_reset_of_the_stream_builds_it_again_and_the_channel_gets_what_is_right(
    database: str, nats_url: str
) -> None:
    sandbox = ToySandbox()
    await sandbox.start()
    async with Pipeline(database, nats_url, toy()) as pipeline:
        await poisoned(pipeline)
        pipeline.relay()
        pipeline.runner()
        await until(lambda: marked(database), "the runner has found it")
        pipeline.delivery(sandbox.settings())
        await pipeline.carry_out(product("B"), product("C"))
        done = await asyncio.to_thread(reset, pipeline)
        assert done == ["toy"]
        await pipeline.caught_up()
        assert pipeline.listings() == pipeline.folded()
        await pipeline.level()
        assert sandbox.offers["A"]["price"] == {"price": 4995}
        assert pipeline.status().failure is None
    await sandbox.stop()


def marked(dsn: str) -> bool:
    with psycopg.connect(dsn) as conn:
        return conn.execute("SELECT beyond FROM generations").fetchone() != (None,)


def reset(pipeline: Pipeline) -> list[str]:
    return resetting.reset(CommonOptions(environ={}, json=True), pipeline.app).rebuilt
