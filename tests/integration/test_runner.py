"""The listings are the fold of the log: live, at every position, and whatever dies or is missing on the way."""

import asyncio
import os
import random
import signal

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daybook.channel import leases
from daybook.channel import session as session_module
from daybook.channel import source as source_module
from daybook.channel.generations import live
from daybook.channel.parking import discard, parked, retry
from daybook.channel.session import Session
from daybook.channel.store import Superseded
from daybook.commands import (
    CountStock,
    DefineAttribute,
)
from daybook.commands.book import Decides
from daybook.errors import NotFound, Refused
from daybook.events import AttributeDefined, EventDiscarded
from daybook.log.pending import Context
from daybook.postgres.migrate import migrate
from daybook.postgres.pool import connect_async
from daybook.stream.connection import Nats
from daybook.stream.jetstream import Stream
from tests.fixtures.channels import POISON, toy
from tests.fixtures.pipeline import Line, folded, product, until, worker_process
from tests.fixtures.rebuilding import commands, label, rename, tell
from tests.fixtures.servers import ServerPair


async def moved(line: Line) -> None:
    before = line.position()
    await until(lambda: line.position() > before, "a runner is at work")


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


@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(commands, min_size=3, max_size=25), chunk=st.integers(1, 7))
def test_live_listings_are_the_fold_of_the_log_at_every_position(
    database: str, nats_url: str, history: list[Decides], chunk: int
) -> None:
    async def main() -> None:
        reset(database)
        await drop_stream(nats_url)
        manifest = toy()
        async with Line(database, nats_url, manifest) as line:
            line.relay()
            line.runner()
            await line.model()
            for start in range(0, len(history), chunk):
                await tell(line, *history[start : start + chunk])
                await line.caught_up()
                assert line.listings() == line.folded(line.head())
            events = line.app.reader.after(0)
            assert line.listings() == folded(manifest, events)

    asyncio.run(main())


@settings(max_examples=5, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(commands, min_size=5, max_size=25), sizes=st.lists(st.integers(1, 9), min_size=1, max_size=2))
def test_how_the_log_is_cut_into_batches_makes_no_difference(
    database: str, history: list[Decides], sizes: list[int]
) -> None:
    """Without NATS: every batch is read from the log."""

    async def main() -> None:
        reset(database)
        async with Line(database, "nats://127.0.0.1:1", toy()) as line:
            await line.model()
            await tell(line, *history)
            for size in (*sizes, 1000):
                with pytest.MonkeyPatch.context() as patch:
                    patch.setattr(source_module, "BATCH_EVENTS_MAX", size)
                    patch.setattr(session_module, "AGAIN_GROUPS_MAX", min(size, 3))
                    if size % 2:
                        patch.setattr(session_module, "CATCH_UP_EVENTS", 1)
                    stop = line.runner()
                    await line.caught_up()
                    await line.end(stop)
                assert line.listings() == line.folded()
                with psycopg.connect(database) as conn:
                    conn.execute("UPDATE generations SET position = 0, reference_from = NULL, level_at = NULL")
                    conn.execute("TRUNCATE states_toy_1, listings_toy_1")

    asyncio.run(main())


def test_a_change_of_reference_renders_every_group_again(database: str, nats_url: str) -> None:
    async def main() -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(session_module, "AGAIN_GROUPS_MAX", 7)
            async with Line(database, nats_url, toy()) as line:
                line.relay()
                line.runner()
                await line.model()
                await line.say(*(product(f"P{n}") for n in range(30)))
                await line.caught_up()
                (done,) = await line.say(label("sale"))
                await line.say(product("P3", "another name"))
                await line.caught_up()
                assert {shown["label"] for (_, facet), shown in line.listings().items() if facet == "offer"} == {"sale"}
                assert line.listings() == line.folded()
                with psycopg.connect(database) as conn:
                    rows = conn.execute("SELECT DISTINCT position FROM listings_toy_1 WHERE facet = 'offer'").fetchall()
                assert (done.last,) in rows and len(rows) <= 2

    asyncio.run(main())


def test_events_that_the_stream_does_not_have_are_read_from_the_log(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with Line(database, nats_url, toy()) as line:
            line.runner()
            await line.model()
            await line.say(*(product(f"P{n}") for n in range(20)))
            await line.caught_up()
            assert line.listings() == line.folded(), "without any stream"
            nats = Nats(nats_url, "test")
            await nats.open()
            await Stream(nats).create(line.head() + 31)
            await nats.close()
            await line.say(*(product(f"Q{n}") for n in range(5)))
            await line.caught_up()
            assert line.listings() == line.folded(), "with a stream that begins after the checkpoint"

    asyncio.run(main())


def test_listings_go_on_while_nats_is_away_and_when_it_is_back(servers: ServerPair) -> None:
    migrate(servers.postgres.dsn)

    async def main() -> None:
        async with Line(servers.postgres.dsn, servers.nats.url, toy()) as line:
            line.relay()
            line.runner()
            await line.model()
            await line.say(product("A"))
            await line.caught_up()
            await asyncio.to_thread(servers.nats.kill)
            for n in range(3):
                await line.say(product(f"B{n}"))
                await line.caught_up(4.0)
            late = line.runner()
            await line.say(product("C"))
            await line.caught_up(4.0)
            await line.end(late)
            await asyncio.to_thread(servers.nats.restart)
            await line.say(product("D"))
            await line.caught_up()
            assert line.listings() == line.folded()

    asyncio.run(main())


def test_two_runners_at_once_lose_nothing_and_write_nothing_twice(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with Line(database, nats_url, toy()) as line:
            line.relay()
            line.runner()
            line.runner()
            await line.model()
            for n in range(12):
                await line.say(*(CountStock(sku=f"P{k}", quantity=n) if n else product(f"P{k}") for k in range(6)))
            await line.caught_up()
            assert line.listings() == line.folded()

    asyncio.run(main())


def test_a_product_that_the_channels_code_cannot_stand_is_parked_and_the_others_go_on(
    database: str, nats_url: str
) -> None:
    async def main() -> None:
        async with Line(database, nats_url, toy()) as line:
            line.relay()
            line.runner()
            await line.model()
            await line.say(product("ILL"), product("FINE"))
            (bad,) = await line.say(rename("ILL", POISON))
            await line.say(CountStock(sku="ILL", quantity=77), CountStock(sku="FINE", quantity=5))
            await line.caught_up()
            assert line.listings()["FINE", "stock"] == {"stock": 5}
            assert line.listings()["ILL", "stock"] != {"stock": 77}, "what stands behind the bad event waits with it"
            (group,) = await parked(database, line.manifest)
            assert (group.key, group.position, group.sku, group.events) == ("ILL", bad.last, "ILL", 2)
            assert "poison" in group.error and "in render" in group.place

    asyncio.run(main())


def test_a_parked_group_that_is_retried_catches_up_with_the_log(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with Line(database, nats_url, toy()) as line:
            line.relay()
            line.runner()
            await line.model()
            await line.say(product("ILL", POISON))
            await line.caught_up()
            assert await retry(database, line.manifest) == [], "nothing is better yet"
            await line.say(rename("ILL", "well"), CountStock(sku="ILL", quantity=3))
            await line.caught_up()
            assert [one.events for one in await parked(database, line.manifest)] == [3]
            assert await retry(database, line.manifest, ["ILL"]) == ["ILL"]
            await line.say(CountStock(sku="ILL", quantity=4))
            await line.caught_up()
            assert line.listings() == line.folded() and not await parked(database, line.manifest)
            with pytest.raises(NotFound, match="no parked group ILL"):
                await retry(database, line.manifest, ["ILL"])

    asyncio.run(main())


def test_a_discarded_event_is_left_out_by_this_projection_for_a_reason_that_is_recorded(
    database: str, nats_url: str
) -> None:
    async def main() -> None:
        async with Line(database, nats_url, toy()) as line:
            line.relay()
            line.runner()
            await line.model()
            await line.say(product("ILL", "well"))
            (bad,) = await line.say(rename("ILL", POISON))
            await line.say(CountStock(sku="ILL", quantity=9))
            await line.caught_up()
            with pytest.raises(Refused, match="reason"):
                await discard(database, line.manifest, line.app.log, "ILL", Context.new("me", "test"))
            why = Context.new("me", "test", reason="a typing error in the ERP")
            assert await discard(database, line.manifest, line.app.log, "ILL", why) == ["ILL"]
            await line.caught_up()
            assert line.listings()["ILL", "offer"]["name"] == "well"
            assert line.listings()["ILL", "stock"] == {"stock": 9}
            (event,) = line.app.reader.of_stream("projection/toy")
            assert event.event == EventDiscarded(projection="toy", position=bad.last or 0, reason=why.reason or "")
            assert (event.actor, event.reason, event.key) == ("me", why.reason, "ILL")

    asyncio.run(main())


def test_only_the_groups_that_use_a_definition_are_rendered_again(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with Line(database, nats_url, toy()) as line:
            line.relay()
            line.runner()
            await line.model()
            await line.say(*(product(f"P{n}") for n in range(5)))
            await line.caught_up()
            with psycopg.connect(database) as conn:
                uses = conn.execute("SELECT DISTINCT uses FROM states_toy_1").fetchall()
                assert uses == [(["channels/toy"],)]
                before = conn.execute("SELECT xmin::text, key FROM states_toy_1 ORDER BY key").fetchall()
            await line.say(DefineAttribute(attribute=AttributeDefined(code="unused", type="text")))
            await line.caught_up()
            with psycopg.connect(database) as conn:
                assert conn.execute("SELECT xmin::text, key FROM states_toy_1 ORDER BY key").fetchall() == before

    asyncio.run(main())


def test_one_of_two_runners_works_and_the_other_takes_over_when_it_falls_silent(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with Line(database, nats_url, toy()) as line:
            line.relay()
            first = line.runner()
            await line.model()
            await line.say(product("A"))
            await line.caught_up()
            line.runner()
            await line.crash(first)
            await line.say(product("B"))
            await line.caught_up()
            assert line.listings() == line.folded()

    asyncio.run(main())


def test_a_paused_owner_that_wakes_up_after_a_takeover_writes_nothing(database: str) -> None:
    async def main() -> None:
        async with Line(database, "nats://127.0.0.1:1", toy()) as line:
            await line.model()
            await line.say(product("A"), product("B"))
            async with await connect_async(database, "a") as one, await connect_async(database, "b") as two:
                generation, at = await live(one, line.manifest)
                old = await leases.acquire(one, "project:toy", "paused")
                assert old is not None and await leases.acquire(two, "project:toy", "other") is None
                paused = await Session.open(one, line.manifest, generation, at, lease=old)
                await one.execute("UPDATE leases SET held_until = '-infinity'")
                new = await leases.acquire(two, "project:toy", "other")
                assert new is not None and new.token > old.token
                events = line.app.reader.after(0)
                with pytest.raises(Superseded):
                    await paused.step(events)
                assert not await leases.renew(one, old)
                assert line.listings() == {}
                woken = await Session.open(two, line.manifest, generation, at, lease=new)
                await woken.step(events)
                assert line.listings() == line.folded()

    asyncio.run(main())


def test_a_runner_that_is_cut_off_anywhere_leaves_whole_batches(database: str, nats_url: str) -> None:
    async def main() -> None:
        dice = random.Random(7)
        async with Line(database, nats_url, toy()) as line:
            line.relay()
            await line.model()
            for n in range(12):
                runner = line.runner()
                await line.say(*(CountStock(sku=f"P{k}", quantity=n) if n else product(f"P{k}") for k in range(5)))
                for _ in range(dice.randrange(200)):
                    await asyncio.sleep(0)
                await line.crash(runner)
                position = line.position()
                if position > 0:
                    assert line.listings() == line.folded(position)
            line.runner()
            await line.caught_up()
            assert line.listings() == line.folded()

    asyncio.run(main())


def test_a_runner_that_is_killed_under_load_leaves_whole_batches(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with Line(database, nats_url, toy()) as line:
            line.relay()
            await line.model()
            await line.say(*(product(f"P{k}") for k in range(5)))
            for n in range(3):
                async with worker_process(line, {}) as process:
                    await moved(line)
                    for k in range(20):
                        await line.say(CountStock(sku=f"P{k % 5}", quantity=100 * n + k))
                    os.kill(process.pid, signal.SIGKILL)
                    process.wait()
                await until(lambda: line.position() >= 0, "nothing is left half done")
                assert line.listings() == line.folded(line.position())
                await line.say(label(f"round {n}"))
            line.runner()
            await line.caught_up()
            assert line.listings() == line.folded()

    asyncio.run(main())
