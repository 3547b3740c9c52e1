"""The listings are the fold of the log: live, at every position, and whatever dies or is missing on the way."""

import asyncio
import os
import random
import signal

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.commands import (
    CountStock,
    DefineAttribute,
)
from daybook.commands.book import Command
from daybook.errors import NotFound, Refused
from daybook.events import AttributeDefined, EventDiscarded
from daybook.log.pending import Context
from daybook.postgres.migrate import migrate
from daybook.postgres.pool import connect_async
from daybook.projection import leases
from daybook.projection import session as session_module
from daybook.projection import source as source_module
from daybook.projection.generations import live
from daybook.projection.parking import discard, parked, retry
from daybook.projection.session import Session
from daybook.projection.store import Superseded
from daybook.stream.connection import Nats
from daybook.stream.jetstream import Stream
from tests.fixtures.channels import POISON, toy
from tests.fixtures.examples import examples
from tests.fixtures.pipeline import Pipeline, folded, product, until, worker_process
from tests.fixtures.rebuilding import commands, label, rename, tell
from tests.fixtures.servers import ServerPair


async def moved(pipeline: Pipeline) -> None:
    before = pipeline.position()
    await until(lambda: pipeline.position() > before, "a runner is at work")


def reset(dsn: str) -> None:
    """An empty book again, without the price of a new database."""
    with psycopg.connect(dsn) as conn:
        conn.execute("ALTER TABLE events DISABLE TRIGGER events_append_only")
        conn.execute("TRUNCATE events, projections, generations, deliveries, lanes, remote_ids")
        conn.execute("ALTER TABLE events ENABLE ALWAYS TRIGGER events_append_only")
        conn.execute("UPDATE head SET position = 0, recorded_at = '-infinity'")
        conn.execute("DROP TABLE IF EXISTS states_toy_1, listings_toy_1")


async def drop_stream(url: str) -> None:
    nats = Nats(url, "test")
    await nats.open()
    await Stream(nats).delete()
    await nats.close()


@examples(few=4, many=150)
@given(history=st.lists(commands, min_size=3, max_size=25), chunk=st.integers(1, 7))
def test_live_listings_are_the_fold_of_the_log_at_every_position(
    database: str, nats_url: str, history: list[Command], chunk: int
) -> None:
    async def main() -> None:
        reset(database)
        await drop_stream(nats_url)
        manifest = toy()
        async with Pipeline(database, nats_url, manifest) as pipeline:
            pipeline.relay()
            pipeline.runner()
            await pipeline.define_attributes()
            for start in range(0, len(history), chunk):
                await tell(pipeline, *history[start : start + chunk])
                await pipeline.caught_up()
                assert pipeline.listings() == pipeline.folded(pipeline.head())
            events = pipeline.app.reader.after(0)
            assert pipeline.listings() == folded(manifest, events)

    asyncio.run(main())


@examples(few=2, many=60)
@given(history=st.lists(commands, min_size=5, max_size=25), sizes=st.lists(st.integers(1, 9), min_size=1, max_size=2))
def test_how_the_log_is_cut_into_batches_makes_no_difference(
    database: str, history: list[Command], sizes: list[int]
) -> None:
    """Without NATS: every batch is read from the log."""

    async def main() -> None:
        reset(database)
        async with Pipeline(database, "nats://127.0.0.1:1", toy()) as pipeline:
            await pipeline.define_attributes()
            await tell(pipeline, *history)
            for size in (*sizes, 1000):
                with pytest.MonkeyPatch.context() as patch:
                    patch.setattr(source_module, "BATCH_EVENTS_MAX", size)
                    patch.setattr(session_module, "AGAIN_GROUPS_MAX", min(size, 3))
                    if size % 2:
                        patch.setattr(session_module, "CATCH_UP_EVENTS", 1)
                    stop = pipeline.runner()
                    await pipeline.caught_up()
                    await pipeline.end(stop)
                assert pipeline.listings() == pipeline.folded()
                with psycopg.connect(database) as conn:
                    conn.execute("UPDATE generations SET position = 0, reference_from = NULL, level_at = NULL")
                    conn.execute("TRUNCATE states_toy_1, listings_toy_1")

    asyncio.run(main())


async def test_a_change_of_reference_renders_every_group_again(database: str, nats_url: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session_module, "AGAIN_GROUPS_MAX", 7)
        async with Pipeline(database, nats_url, toy()) as pipeline:
            pipeline.relay()
            pipeline.runner()
            await pipeline.define_attributes()
            await pipeline.carry_out(*(product(f"P{n}") for n in range(30)))
            await pipeline.caught_up()
            (done,) = await pipeline.carry_out(label("sale"))
            await pipeline.carry_out(product("P3", "another name"))
            await pipeline.caught_up()
            assert {shown["label"] for (_, facet), shown in pipeline.listings().items() if facet == "offer"} == {"sale"}
            assert pipeline.listings() == pipeline.folded()
            with psycopg.connect(database) as conn:
                rows = conn.execute("SELECT DISTINCT position FROM listings_toy_1 WHERE facet = 'offer'").fetchall()
            assert (done.last,) in rows and len(rows) <= 2


async def test_events_that_the_stream_does_not_have_are_read_from_the_log(database: str, nats_url: str) -> None:
    async with Pipeline(database, nats_url, toy()) as pipeline:
        pipeline.runner()
        await pipeline.define_attributes()
        await pipeline.carry_out(*(product(f"P{n}") for n in range(20)))
        await pipeline.caught_up()
        assert pipeline.listings() == pipeline.folded(), "without any stream"
        nats = Nats(nats_url, "test")
        await nats.open()
        await Stream(nats).create(pipeline.head() + 31)
        await nats.close()
        await pipeline.carry_out(*(product(f"Q{n}") for n in range(5)))
        await pipeline.caught_up()
        assert pipeline.listings() == pipeline.folded(), "with a stream that begins after the checkpoint"


async def test_listings_go_on_while_nats_is_away_and_when_it_is_back(servers: ServerPair) -> None:
    migrate(servers.postgres.dsn)

    async with Pipeline(servers.postgres.dsn, servers.nats.url, toy()) as pipeline:
        pipeline.relay()
        pipeline.runner()
        await pipeline.define_attributes()
        await pipeline.carry_out(product("A"))
        await pipeline.caught_up()
        await asyncio.to_thread(servers.nats.kill)
        for n in range(3):
            await pipeline.carry_out(product(f"B{n}"))
            await pipeline.caught_up(4.0)
        late = pipeline.runner()
        await pipeline.carry_out(product("C"))
        await pipeline.caught_up(4.0)
        await pipeline.end(late)
        await asyncio.to_thread(servers.nats.restart)
        await pipeline.carry_out(product("D"))
        await pipeline.caught_up()
        assert pipeline.listings() == pipeline.folded()


async def test_two_runners_at_once_lose_nothing_and_write_nothing_twice(database: str, nats_url: str) -> None:
    async with Pipeline(database, nats_url, toy()) as pipeline:
        pipeline.relay()
        pipeline.runner()
        pipeline.runner()
        await pipeline.define_attributes()
        for n in range(12):
            await pipeline.carry_out(
                *(CountStock(sku=f"P{k}", quantity=n) if n else product(f"P{k}") for k in range(6))
            )
        await pipeline.caught_up()
        assert pipeline.listings() == pipeline.folded()


async def test_a_product_that_the_channels_code_cannot_stand_is_parked_and_the_others_go_on(
    database: str, nats_url: str
) -> None:
    async with Pipeline(database, nats_url, toy()) as pipeline:
        pipeline.relay()
        pipeline.runner()
        await pipeline.define_attributes()
        await pipeline.carry_out(product("ILL"), product("FINE"))
        (bad,) = await pipeline.carry_out(rename("ILL", POISON))
        await pipeline.carry_out(CountStock(sku="ILL", quantity=77), CountStock(sku="FINE", quantity=5))
        await pipeline.caught_up()
        assert pipeline.listings()["FINE", "stock"] == {"stock": 5}
        assert pipeline.listings()["ILL", "stock"] != {"stock": 77}, "what stands behind the bad event waits with it"
        (group,) = await parked(database, pipeline.manifest)
        assert (group.key, group.position, group.sku, group.events) == ("ILL", bad.last, "ILL", 2)
        assert "poison" in group.error and "in render" in group.place


async def test_a_parked_group_that_is_retried_catches_up_with_the_log(database: str, nats_url: str) -> None:
    async with Pipeline(database, nats_url, toy()) as pipeline:
        pipeline.relay()
        pipeline.runner()
        await pipeline.define_attributes()
        await pipeline.carry_out(product("ILL", POISON))
        await pipeline.caught_up()
        assert await retry(database, pipeline.manifest) == [], "nothing is better yet"
        await pipeline.carry_out(rename("ILL", "well"), CountStock(sku="ILL", quantity=3))
        await pipeline.caught_up()
        assert [one.events for one in await parked(database, pipeline.manifest)] == [3]
        assert await retry(database, pipeline.manifest, ["ILL"]) == ["ILL"]
        await pipeline.carry_out(CountStock(sku="ILL", quantity=4))
        await pipeline.caught_up()
        assert pipeline.listings() == pipeline.folded() and not await parked(database, pipeline.manifest)
        with pytest.raises(NotFound, match="no parked group ILL"):
            await retry(database, pipeline.manifest, ["ILL"])


async def test_a_discarded_event_is_left_out_by_this_projection_for_a_reason_that_is_recorded(
    database: str, nats_url: str
) -> None:
    async with Pipeline(database, nats_url, toy()) as pipeline:
        pipeline.relay()
        pipeline.runner()
        await pipeline.define_attributes()
        await pipeline.carry_out(product("ILL", "well"))
        (bad,) = await pipeline.carry_out(rename("ILL", POISON))
        await pipeline.carry_out(CountStock(sku="ILL", quantity=9))
        await pipeline.caught_up()
        with pytest.raises(Refused, match="reason"):
            await discard(database, pipeline.manifest, pipeline.app.log, "ILL", Context.new("me", "test"))
        why = Context.new("me", "test", reason="a typing error in the ERP")
        assert await discard(database, pipeline.manifest, pipeline.app.log, "ILL", why) == ["ILL"]
        await pipeline.caught_up()
        assert pipeline.listings()["ILL", "offer"]["name"] == "well"
        assert pipeline.listings()["ILL", "stock"] == {"stock": 9}
        (event,) = pipeline.app.reader.of_stream("projection/toy")
        assert event.event == EventDiscarded(projection="toy", position=bad.last or 0, reason=why.reason or "")
        assert (event.actor, event.reason, event.key) == ("me", why.reason, "ILL")


async def test_only_the_groups_that_use_a_definition_are_rendered_again(database: str, nats_url: str) -> None:
    async with Pipeline(database, nats_url, toy()) as pipeline:
        pipeline.relay()
        pipeline.runner()
        await pipeline.define_attributes()
        await pipeline.carry_out(*(product(f"P{n}") for n in range(5)))
        await pipeline.caught_up()
        with psycopg.connect(database) as conn:
            uses = conn.execute("SELECT DISTINCT uses FROM states_toy_1").fetchall()
            assert uses == [(["channels/toy"],)]
            before = conn.execute("SELECT xmin::text, key FROM states_toy_1 ORDER BY key").fetchall()
        await pipeline.carry_out(DefineAttribute(attribute=AttributeDefined(code="unused", type="text")))
        await pipeline.caught_up()
        with psycopg.connect(database) as conn:
            assert conn.execute("SELECT xmin::text, key FROM states_toy_1 ORDER BY key").fetchall() == before


async def test_one_of_two_runners_works_and_the_other_takes_over_when_it_falls_silent(
    database: str, nats_url: str
) -> None:
    async with Pipeline(database, nats_url, toy()) as pipeline:
        pipeline.relay()
        first = pipeline.runner()
        await pipeline.define_attributes()
        await pipeline.carry_out(product("A"))
        await pipeline.caught_up()
        pipeline.runner()
        await pipeline.crash(first)
        await pipeline.carry_out(product("B"))
        await pipeline.caught_up()
        assert pipeline.listings() == pipeline.folded()


async def test_a_paused_owner_that_wakes_up_after_a_takeover_writes_nothing(database: str) -> None:
    async with Pipeline(database, "nats://127.0.0.1:1", toy()) as pipeline:
        await pipeline.define_attributes()
        await pipeline.carry_out(product("A"), product("B"))
        async with await connect_async(database, "a") as one, await connect_async(database, "b") as two:
            generation, at = await live(one, pipeline.manifest)
            old = await leases.acquire(one, "project:toy", "paused")
            assert old is not None and await leases.acquire(two, "project:toy", "other") is None
            paused = await Session.open(one, pipeline.manifest, generation, at, lease=old)
            await one.execute("UPDATE leases SET held_until = '-infinity'")
            new = await leases.acquire(two, "project:toy", "other")
            assert new is not None and new.token > old.token
            events = pipeline.app.reader.after(0)
            with pytest.raises(Superseded):
                await paused.step(events)
            assert not await leases.renew(one, old)
            assert pipeline.listings() == {}
            woken = await Session.open(two, pipeline.manifest, generation, at, lease=new)
            await woken.step(events)
            assert pipeline.listings() == pipeline.folded()


async def test_a_new_projection_is_level_with_the_log_of_its_beginning_while_others_write_on(
    database: str,
) -> None:
    async with Pipeline(database, "nats://127.0.0.1:1", toy()) as pipeline:
        await pipeline.define_attributes()
        await pipeline.carry_out(product("A"))
        async with await connect_async(database, "a") as conn:

            async def level() -> bool:
                row = await (await conn.execute("SELECT level_at IS NOT NULL FROM generations")).fetchone()
                return row == (True,)

            generation, at = await live(conn, pipeline.manifest)
            begun = pipeline.head()
            session = await Session.open(conn, pipeline.manifest, generation, at)
            await pipeline.carry_out(product("B"))
            events = pipeline.app.reader.after(0)
            early = [one for one in events if one.position <= begun]
            first = early[0].command_id
            await session.step([one for one in early if one.command_id == first])
            assert not await level()
            await session.step([one for one in early if one.command_id != first])
            assert session.position == begun < pipeline.head() and await level()


async def test_a_runner_that_is_cut_off_anywhere_leaves_whole_batches(database: str, nats_url: str) -> None:
    dice = random.Random(7)
    async with Pipeline(database, nats_url, toy()) as pipeline:
        pipeline.relay()
        await pipeline.define_attributes()
        for n in range(12):
            runner = pipeline.runner()
            await pipeline.carry_out(
                *(CountStock(sku=f"P{k}", quantity=n) if n else product(f"P{k}") for k in range(5))
            )
            for _ in range(dice.randrange(200)):
                await asyncio.sleep(0)
            await pipeline.crash(runner)
            position = pipeline.position()
            if position > 0:
                assert pipeline.listings() == pipeline.folded(position)
        pipeline.runner()
        await pipeline.caught_up()
        assert pipeline.listings() == pipeline.folded()


@pytest.mark.long
async def test_a_runner_that_is_killed_under_load_leaves_whole_batches(database: str, nats_url: str) -> None:
    async with Pipeline(database, nats_url, toy()) as pipeline:
        pipeline.relay()
        await pipeline.define_attributes()
        await pipeline.carry_out(*(product(f"P{k}") for k in range(5)))
        for n in range(3):
            async with worker_process(pipeline, {}) as process:
                await moved(pipeline)
                for k in range(20):
                    await pipeline.carry_out(CountStock(sku=f"P{k % 5}", quantity=100 * n + k))
                os.kill(process.pid, signal.SIGKILL)
                process.wait()
            await until(lambda: pipeline.position() >= 0, "nothing is left half done")
            assert pipeline.listings() == pipeline.folded(pipeline.position())
            await pipeline.carry_out(label(f"round {n}"))
        pipeline.runner()
        await pipeline.caught_up()
        assert pipeline.listings() == pipeline.folded()
