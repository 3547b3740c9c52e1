"""The listings are the fold of the log: live, at every position, and whatever dies or is missing on the way."""

import asyncio
import os
import random
import signal
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daybook.channel import runner as runner_module
from daybook.commands import (
    ChangePrice,
    ConfigureChannel,
    CountStock,
    DelistProduct,
    DescribeProduct,
    DiscontinueProduct,
    ListProduct,
    ReinstateProduct,
)
from daybook.commands.book import Decides
from daybook.errors import DaybookError
from daybook.events import AttributeChange, ChannelConfigured
from daybook.postgres.migrate import migrate
from daybook.stream.connection import Nats
from daybook.stream.jetstream import Stream
from tests.fixtures.channels import DEFAULTS, POISON, toy
from tests.fixtures.pipeline import Line, folded, product, until, worker_process
from tests.fixtures.servers import ServerPair

SKUS = ("A", "B", "M", "M-1", "M-2")


def describe(sku: str, name: str | None) -> DescribeProduct:
    kind: dict[str, Any] = {"kind": "model"} if sku == "M" else {}
    kind |= {"kind": "variant", "parent": "M"} if sku.startswith("M-") else {}
    return product(sku, **kind, **({"attributes": ()} if name is None else {"name": name}))


def label(text: str) -> ConfigureChannel:
    return ConfigureChannel(channel=ChannelConfigured(name=DEFAULTS.name, extra={"label": text}))


skus = st.sampled_from(SKUS)
commands: st.SearchStrategy[Decides] = st.one_of(
    st.builds(describe, skus, st.sampled_from((None, "one", "two", "a bad one"))),
    st.builds(lambda sku, n: CountStock(sku=sku, quantity=n), skus, st.integers(0, 3)),
    st.builds(lambda sku, n: ChangePrice(sku=sku, amount=str(n), currency="EUR"), skus, st.integers(1, 3)),
    st.builds(lambda sku: DelistProduct(sku=sku, channel="toy"), skus),
    st.builds(lambda sku: ListProduct(sku=sku, channel="toy"), skus),
    st.builds(lambda sku: DiscontinueProduct(sku=sku), skus),
    st.builds(lambda sku: ReinstateProduct(sku=sku), skus),
    st.builds(label, st.sampled_from(("", "sale", "new"))),
)


async def tell(line: Line, *some: Decides) -> None:
    """What the book refuses (no such product yet, already delisted) is left out."""
    for one in some:
        try:
            await line.say(one)
        except DaybookError:
            continue


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
                    patch.setattr(runner_module, "BATCH_EVENTS_MAX", size)
                    patch.setattr(runner_module, "AGAIN_GROUPS_MAX", min(size, 3))
                    if size % 2:
                        patch.setattr(runner_module, "CATCH_UP_EVENTS", 1)
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
            patch.setattr(runner_module, "AGAIN_GROUPS_MAX", 7)
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


def test_a_fault_in_the_channels_code_is_noted_with_its_product_and_outlived(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with Line(database, nats_url, toy()) as line:
            line.relay()
            runner = line.runner()
            await line.model()
            await line.say(product("FINE"))
            await line.caught_up()
            (done,) = await line.say(product("ILL", POISON))
            await until(lambda: line.status().failure, "the failure is noted")
            failure = line.status().failure or {}
            assert failure["sku"] == "ILL" and "poison" in failure["error"]
            assert failure["after_position"] < failure["position"] <= (done.last or 0)
            assert not line.task(runner).done() and ("FINE", "offer") in line.listings()
            await line.say(DescribeProduct(sku="ILL", attributes=(AttributeChange(attribute="name", value="well"),)))
            # One fold later the product renders again, but only if both changes come in one batch: as after a release.
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(runner_module, "CATCH_UP_EVENTS", 1)
                await line.caught_up()
            assert line.listings() == line.folded() and line.status().failure is None

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
