"""A switch: true differences only, decided in one transaction, beside a book that goes on; and back again."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from typing import Any

import psycopg
import pytest

from daybook.channel.contract import Manifest
from daybook.commands import CountStock, DelistProduct
from daybook.errors import NotFound, Refused, Unavailable
from daybook.postgres.pool import connect_async
from daybook.projection.generations import Generation
from daybook.rebuild import switch as switching
from daybook.rebuild.progress import reasons
from daybook.rebuild.prune import prune
from daybook.rebuild.run import apply, exclusively, plan_of, rollback
from daybook.rebuild.switch import Switched
from tests.fixtures.channels import ToySandbox, toy
from tests.fixtures.pipeline import ROOT, Pipeline, product, until
from tests.fixtures.rebuilding import label, rebuilt, rename, rows_of, run_live, shouting, tell


def one(dsn: str, query: str) -> tuple[Any, ...]:
    with psycopg.connect(dsn) as conn:
        row = conn.execute(query.encode()).fetchone()
    assert row is not None
    return row


def deliveries(dsn: str) -> list[tuple[Any, ...]]:
    """All that a switch might touch, with the system's own mark of the last transaction that wrote each row."""
    with psycopg.connect(dsn) as conn:
        return conn.execute("SELECT xmin::text, d.* FROM deliveries d ORDER BY sku, facet").fetchall()


async def test_a_change_of_the_mapping_is_planned_applied_and_sent_for_what_differs_only(
    database: str, nats_url: str
) -> None:
    box = ToySandbox()
    await box.start()
    async with Pipeline(database, nats_url, toy()) as pipeline:
        pipeline.relay()
        pipeline.runner()
        pipeline.delivery(box.settings())
        await pipeline.define_attributes()
        await pipeline.carry_out(
            product("A", name="short"), product("B", name="a long name"), product("C", name="bad luck")
        )
        await pipeline.level()
        before, sent = dict(box.offers), len(box.writes)

        done = await rebuilt(database, shouting(toy()))

        assert done.plan is not None
        assert (done.plan.changed, done.plan.added, done.plan.removed, done.plan.held) == (2, 0, 0, 0)
        assert done.plan.calls == {"create": 1, "update offer": 1}  # C was refused, so it is offered as new again
        assert [(f.field, f.count) for f in done.plan.fields] == [("offer.name", 2)]
        assert (done.plan.fields[0].samples[0].before, done.plan.fields[0].samples[0].after) == (
            "a long name",
            "A LONG NAME",
        )
        async with await connect_async(database, "test") as conn:
            assert await plan_of(conn, "toy") == done.plan
        await asyncio.sleep(0)
        assert len(box.writes) == sent and pipeline.listings()["B", "offer"]["name"] == "a long name"

        switched = await apply(database, shouting(toy()))
        await pipeline.level()

        assert switched.facets == 2
        assert Counter(sku for _, sku, _ in box.writes[sent:]) == {"B": 1, "C": 1}
        assert box.offers["B"]["offer"]["name"] == "A LONG NAME" and box.offers["A"] == before["A"]

        sent = len(box.writes)
        back = await rollback(database, toy())
        await pipeline.level()
        assert (back.live, back.facets) == (1, 2)
        assert box.offers["B"] == before["B"]
        assert Counter(sku for _, sku, _ in box.writes[sent:]) == {"B": 1, "C": 1}
    await box.stop()


async def test_unchanged_code_touches_no_row_when_it_is_applied_nor_when_it_is_rolled_back(
    database: str, nats_url: str
) -> None:
    async with Pipeline(database, nats_url, toy()) as pipeline:
        await tell(
            pipeline, product("A"), product("B"), DelistProduct(sku="B", channel="toy"), product("M", kind="model")
        )
        await run_live(database, toy())
        before, listed = deliveries(database), pipeline.listings()

        done = await rebuilt(database, toy(), apply=True)
        assert done.plan is not None and done.plan.empty and done.switched is not None
        assert (done.switched.facets, deliveries(database), pipeline.listings()) == (0, before, listed)

        assert (await rollback(database, toy())).facets == 0
        assert (await apply(database, toy(), done.generation)).facets == 0
        assert (deliveries(database), pipeline.listings()) == (before, listed)


async def test_what_a_new_mapping_leaves_out_or_holds_is_taken_off(database: str, nats_url: str) -> None:
    def only_a(group: Any, reference: Any) -> Mapping[tuple[str, str], Any]:
        shown = toy().render(group, reference)
        return {where: payload for where, payload in shown.items() if where[0] == "A"}

    box = ToySandbox()
    await box.start()
    async with Pipeline(database, nats_url, toy()) as pipeline:
        pipeline.relay()
        pipeline.runner()
        pipeline.delivery(box.settings())
        await tell(pipeline, product("A"), product("B"))
        await pipeline.level()
        fewer = Manifest(**{**{n: getattr(toy(), n) for n in toy().__struct_fields__}, "render": only_a})

        done = await rebuilt(database, fewer, apply=True)
        await pipeline.level()

        assert done.plan is not None
        assert (done.plan.removed, done.plan.calls, done.plan.samples) == (1, {"remove": 1}, {"removed": ("B",)})
        assert set(box.offers) == {"A"}
    await box.stop()


@pytest.mark.parametrize("lane", ["sku", "group"])
async def test_a_rebuild_and_a_switch_during_heavy_writing_lose_and_double_nothing(
    database: str, nats_url: str, lane: Any
) -> None:
    chance = random.Random(7)

    async with Pipeline(database, nats_url, toy(lane)) as pipeline:
        pipeline.relay()
        pipeline.runner()
        await pipeline.define_attributes()
        await pipeline.carry_out(*(product(f"S{n}") for n in range(12)))
        writing = True
        moved: list[int] = []

        async def write() -> None:
            while writing:
                sku = f"S{chance.randrange(12)}"
                await pipeline.carry_out(
                    CountStock(sku=sku, quantity=chance.randrange(99)), rename(sku, f"n{chance.random()}")
                )
                moved.append(pipeline.position())

        writer = asyncio.create_task(write())
        try:
            for _ in range(3):
                await rebuilt(database, toy(lane), apply=True, fresh=True)
            await rollback(database, toy(lane))
            assert moved[-1] > moved[0], "the live listings went on beside it"
        finally:
            writing = False
            await writer
        await pipeline.caught_up()

        assert pipeline.listings() == pipeline.folded()
        wanted = "SELECT count(*) FROM deliveries d FULL JOIN {} l USING (sku, facet) WHERE d.desired <> l.hash"
        live = one(database, "SELECT live FROM projections")[0]
        assert one(database, wanted.format(f"listings_toy_{live}")) == (0,)
        assert one(database, "SELECT count(*) FROM deliveries") == (len(pipeline.listings()),)


async def test_a_new_generation_that_is_ahead_takes_the_receipts_along_that_the_live_one_has_not_read(
    database: str, nats_url: str
) -> None:
    box = ToySandbox()
    await box.start()
    async with Pipeline(database, nats_url, toy()) as pipeline:
        pipeline.relay()
        runner = pipeline.runner()
        delivery = pipeline.delivery(box.settings())
        await tell(pipeline, product("A"))
        await pipeline.level()
        await pipeline.end(runner)
        await pipeline.end(delivery)
        with psycopg.connect(database) as conn:  # as if the worker had died between receipt and row
            conn.execute("UPDATE deliveries SET acknowledged = NULL, receipt_position = 0, state = 'due', attempts = 1")
            conn.execute("UPDATE generations SET position = 4, level_at = clock_timestamp()")
            conn.execute("DELETE FROM remote_ids")

        await rebuilt(database, toy(), apply=True)

        assert {(row[2], row[4]) for row in pipeline.rows()} == {("confirmed", True)}
    await box.stop()


KILLED = """
import asyncio, os, signal, sys
from daybook.projection import due
from daybook.rebuild import switch
from tests.fixtures.channels import toy
from tests.fixtures.rebuilding import rebuilt, shouting
statement = int(sys.argv[2])
names = ["lock_projection", "differences", "want_differences", "become_live", "set_live"]
async def main():
    import psycopg
    execute = psycopg.AsyncConnection.execute
    async def dying(self, query, *given, **more):
        answer = await execute(self, query, *given, **more)
        if query == {**switch.QUERIES, **due.QUERIES}[names[statement]]:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer
    psycopg.AsyncConnection.execute = dying
    await rebuilt(sys.argv[1], shouting(toy()), apply=True)
asyncio.run(main())
"""


@pytest.mark.long
@pytest.mark.parametrize("statement", [0, 2, 4])
async def test_a_switch_that_is_killed_has_not_happened(database: str, nats_url: str, statement: int) -> None:
    async with Pipeline(database, nats_url, toy()) as pipeline:
        await tell(pipeline, product("A", name="a long name"))
        await run_live(database, toy())
        before = deliveries(database)
        env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")])}
        command = [sys.executable, "-c", KILLED, database, str(statement)]
        ended = await asyncio.to_thread(subprocess.run, command, env=env, check=False, cwd=ROOT)
        assert ended.returncode == -signal.SIGKILL
        await until(
            lambda: (
                one(database, "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE '%rebuild%'")[0] == 0
            ),
            "the killed one's connections are gone",
        )

        assert one(database, "SELECT live FROM projections") == (1,)
        assert deliveries(database) == before

        done = await rebuilt(database, shouting(toy()), apply=True)
        assert done.resumed and done.switched is not None and done.switched.facets == 1
        assert pipeline.listings()["A", "offer"]["name"] == "A LONG NAME"


async def test_a_reference_change_between_the_two_is_never_sent_back_and_forth(database: str, nats_url: str) -> None:
    """The new generation follows it before the switch, however late it comes."""

    async with Pipeline(database, nats_url, toy()) as pipeline:
        await tell(pipeline, product("A"), product("B"))
        await run_live(database, toy())
        done = await rebuilt(database, toy())
        await pipeline.carry_out(label("sale"))
        await run_live(database, toy())
        before = deliveries(database)

        switched = await apply(database, toy(), done.generation)

        assert switched.facets == 0 and deliveries(database) == before
        assert rows_of(database, done.generation) == pipeline.folded()


async def test_inside_the_switch_a_changed_reference_is_left_to_following(database: str, nats_url: str) -> None:
    async with Pipeline(database, nats_url, toy()) as pipeline:
        await tell(pipeline, product("A"))
        done = await rebuilt(database, toy())
        await pipeline.carry_out(label("sale"))
        await run_live(database, toy())
        async with exclusively(database, "toy") as lease, await connect_async(database, "test") as conn:
            with pytest.raises(switching._NotYet):
                await switching._try_switch(conn, toy(), Generation("toy", done.generation), lease)
        assert one(database, "SELECT live FROM projections") == (1,)


async def test_a_switch_that_can_not_be_recorded_has_not_happened(database: str, nats_url: str) -> None:
    async with Pipeline(database, nats_url, toy()) as pipeline:
        await tell(pipeline, product("A"))
        await run_live(database, toy())
        done, before = await rebuilt(database, shouting(toy())), deliveries(database)

        async def refuse(told: Switched) -> None:
            assert (told.live, told.before, told.facets) == (done.generation, 1, 1)
            raise Unavailable("the log takes nothing")

        with pytest.raises(Unavailable, match="takes nothing"):
            await apply(database, shouting(toy()), done.generation, refuse)
        assert one(database, "SELECT live FROM projections") == (1,)
        assert deliveries(database) == before


async def test_kept_generations_are_pruned_by_number_and_the_live_one_never(database: str, nats_url: str) -> None:
    async with Pipeline(database, nats_url, toy()) as pipeline:
        await tell(pipeline, product("A"))
        for _ in range(3):
            await rebuilt(database, toy(), apply=True, fresh=True)
        async with await connect_async(database, "test") as conn:
            assert await prune(conn, "toy") == [1, 2]
            with pytest.raises(Refused, match="live"):
                await prune(conn, "toy", only=4)
            assert await prune(conn, "toy", keep=0) == [3]
            with pytest.raises(NotFound):
                await prune(conn, "toy", only=3)
        with pytest.raises(NotFound, match="go back to"):
            await rollback(database, toy())
        # The runner does not make generation 1 again.
        await run_live(database, toy())
        assert pipeline.listings() == pipeline.folded()
        assert one(database, "SELECT count(*) FROM generations") == (1,)


async def test_a_rebuild_that_waits_for_a_lock_is_said_to_and_for_whom(database: str) -> None:
    async with await connect_async(database, "rebuild toy") as waiter, await connect_async(database, "x") as holder:
        async with holder.transaction():
            await holder.execute("LOCK TABLE projections")
            stuck = asyncio.create_task(waiter.execute("SELECT count(*) FROM projections"))
            said = ""
            async with await connect_async(database, "watch") as asked, asyncio.timeout(10):
                while "waits for a lock" not in said:
                    said = await reasons(asked, "toy")
                    await asyncio.sleep(0.01)
            assert f"that {holder.info.backend_pid} has, in: SELECT count(*) FROM projections" in said
        await stuck
