"""A rebuilt generation is the fold of the log, as the live one is: whatever the history, the cut, the interruption."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from daybook.catalogue.group import Group
from daybook.catalogue.reference import Reference
from daybook.channel.contract import Rendered
from daybook.commands import CountStock
from daybook.commands.book import Command
from daybook.errors import Refused
from daybook.log.pending import Context
from daybook.postgres.pool import connect_async
from daybook.projection.parking import discard, parked
from daybook.rebuild import fill, ranges, workers
from daybook.rebuild.code import Code
from daybook.rebuild.fill import FillJob
from daybook.rebuild.progress import RebuildProgress
from daybook.rebuild.prune import prune
from daybook.rebuild.run import RebuildOptions, apply, exclusively, rebuild
from tests.fixtures import channels
from tests.fixtures.channels import POISON, toy
from tests.fixtures.examples import examples
from tests.fixtures.pipeline import ROOT, Pipeline, product
from tests.fixtures.rebuilding import commands, in_small_pieces, label, rebuilt, rename, rows_of, run_live, tell


@examples(few=4, many=200)
@given(history=st.lists(commands, min_size=5, max_size=30), page=st.integers(1, 9), parts=st.integers(1, 5))
def test_rebuilt_live_and_folded_are_the_same(
    database: str, nats_url: str, history: list[Command], page: int, parts: int
) -> None:
    async def main() -> None:
        with pytest.MonkeyPatch.context() as patch:
            in_small_pieces(patch, page, parts)
            async with Pipeline(database, nats_url, toy()) as pipeline:
                await tell(pipeline, *history)
                done = await rebuilt(database, toy(), fresh=True)
                await run_live(database, toy())
                assert rows_of(database, done.generation) == pipeline.folded()
                assert pipeline.listings() == pipeline.folded()
                again = await rebuilt(database, toy())
                assert again.plan is not None and (again.plan.empty, again.resumed) == (True, True)

    asyncio.run(main())


COUNTED = CountStock(sku="A", quantity=7)


def states(dsn: str, generation: int) -> list[tuple[object, ...]]:
    with psycopg.connect(dsn) as conn:
        return conn.execute(
            f"SELECT key, state::text, uses FROM states_toy_{generation} ORDER BY key".encode()
        ).fetchall()


async def test_states_and_what_they_use_are_those_of_live_running(database: str, nats_url: str) -> None:
    async with Pipeline(database, nats_url, toy()) as pipeline:
        await tell(pipeline, label("x"), *(product(sku) for sku in "ABC"), rename("A", "other"), label("y"))
        await run_live(database, toy())
        await tell(pipeline, COUNTED)
        await run_live(database, toy())

        done = await rebuilt(database, toy())

        assert states(database, done.generation) == states(database, 1)


@pytest.mark.parametrize("group_max", [1, 20_000])
async def test_a_group_that_the_code_raises_on_is_parked_as_live_running_parks_it(
    database: str, nats_url: str, group_max: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fill, "GROUP_EVENTS_MAX", group_max)
    monkeypatch.setattr(fill, "PAGE_EVENTS", group_max)

    async with Pipeline(database, nats_url, toy()) as pipeline:
        await tell(pipeline, product("A"), product("B"), rename("A", POISON), COUNTED, rename("B", "fine"))
        await run_live(database, toy())

        done = await rebuilt(database, toy())

        assert rows_of(database, done.generation) == pipeline.listings()
        assert done.plan is not None and (done.plan.parked, done.plan.empty) == (1, True)
        with psycopg.connect(database) as conn:
            rows = conn.execute("SELECT generation, key, position, events FROM parked ORDER BY 1").fetchall()
        assert [row[1:] for row in rows] == [rows[0][1:]] * 2


async def test_a_group_whose_later_events_mend_it_comes_back(database: str, nats_url: str) -> None:
    async with Pipeline(database, nats_url, toy()) as pipeline:
        await tell(pipeline, product("A"), rename("A", POISON), rename("A", "well again"))
        await run_live(database, toy())
        assert pipeline.listings()["A", "offer"]["name"] == "thing A"

        done = await rebuilt(database, toy())

        assert rows_of(database, done.generation) == pipeline.folded()
        assert done.plan is not None and (done.plan.parked, done.plan.changed) == (0, 1)


async def test_an_event_that_was_discarded_is_left_out(database: str, nats_url: str) -> None:
    async with Pipeline(database, nats_url, toy()) as pipeline:
        await tell(pipeline, product("A"), rename("A", POISON))
        await run_live(database, toy())
        assert [one.key for one in await parked(database, toy())] == ["A"]
        await discard(database, toy(), pipeline.app.log, "A", Context.new("me", "test", reason="a slip"))
        await tell(pipeline, rename("A", "good again"))
        await run_live(database, toy())

        done = await rebuilt(database, toy())

        assert rows_of(database, done.generation) == pipeline.listings()
        assert pipeline.listings()["A", "offer"]["name"] == "good again"
        assert done.plan is not None and (done.plan.parked, done.plan.empty) == (0, True)


@pytest.mark.parametrize("stands", [True, False], ids=["code that stands the event", "code that does not"])
async def test_what_is_discarded_while_a_generation_is_filled_is_left_out_of_it_too(
    database: str, stands: bool
) -> None:
    better = replace(toy(), render=_unshaken) if stands else toy()
    async with Pipeline(database, "nats://127.0.0.1:1", toy()) as pipeline:
        await tell(pipeline, product("A"), rename("A", POISON), product("B"))
        await run_live(database, toy())
        done = await rebuilt(database, better)
        assert done.plan is not None and done.plan.parked == (0 if stands else 1)

        await discard(database, toy(), pipeline.app.log, "A", Context.new("me", "test", reason="a slip"))
        switched = await apply(database, better, done.generation)
        assert switched.live == done.generation and await parked(database, toy()) == []

        assert pipeline.listings()["A", "offer"]["name"] == "thing A"
        assert rows_of(database, switched.before) == pipeline.listings()


def _unshaken(group: Group, reference: Reference) -> Rendered:
    try:
        return channels.render(group, reference)
    except RuntimeError:
        return {}


async def test_a_past_state_is_built_for_reading_and_never_applied(database: str, nats_url: str) -> None:
    async with Pipeline(database, nats_url, toy()) as pipeline:
        await tell(pipeline, product("A", name="then"))
        past = pipeline.head()
        await tell(pipeline, rename("A", "now"), label("new"))
        await run_live(database, toy())

        done = await rebuilt(database, toy(), upto=past)

        assert rows_of(database, done.generation) == pipeline.folded(past)
        assert pipeline.channels.listing("toy", "A", done.generation)[0].payload == {"name": "then", "label": ""}
        assert pipeline.listings() == pipeline.folded()


async def test_the_progress_is_exact_and_ends_at_its_total(database: str, nats_url: str) -> None:
    async with Pipeline(database, nats_url, toy()) as pipeline:
        await tell(pipeline, *(product(sku) for sku in "ABCDEF"))
        seen: list[RebuildProgress] = []
        done = await rebuild(database, Code(toy()), "", RebuildOptions(), seen.append)

        filling = [one for one in seen if one.phase == "fill"]
        assert filling[-1].done == filling[-1].total == done.events
        assert [one.done for one in filling] == sorted(one.done for one in filling)
        assert {one.phase for one in seen} == {"fill", "index", "follow", "plan"}


async def test_a_second_rebuild_is_refused_while_one_runs(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daybook.rebuild.run.LEASE_SECONDS", 0)

    async with exclusively(database, "toy"):
        with pytest.raises(Refused, match="under way"):
            await rebuilt(database, toy())


async def test_a_worker_that_is_killed_is_replaced_and_nothing_is_missing(
    database: str, nats_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed: list[int] = []
    start = workers.Worker.__init__

    def and_kill(self: workers.Worker, job: FillJob, code: Code, package: str) -> None:
        start(self, job, code, package)
        if not killed:
            assert self.process.pid is not None
            killed.append(self.process.pid)
            os.kill(self.process.pid, signal.SIGKILL)

    monkeypatch.setattr(workers.Worker, "__init__", and_kill)
    monkeypatch.setattr(ranges, "amount", lambda events: 5)

    async with Pipeline(database, nats_url, toy()) as pipeline:
        await tell(pipeline, *(product(f"S{n}") for n in range(20)))
        done = await rebuilt(database, toy(), workers=1)
        assert killed and rows_of(database, done.generation) == pipeline.folded()


KILLED = """
import asyncio, os, signal, sys
from daybook.rebuild import fill, ranges
from tests.fixtures.channels import toy
from tests.fixtures.rebuilding import rebuilt
from tests.fixtures.examples import examples
ranges.amount = lambda events: 10
said = fill._Worker._fill
count = 0
def dying(self, *given):
    global count
    count += 1
    said(self, *given)
    if count == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
fill._Worker._fill = dying
asyncio.run(rebuilt(sys.argv[1], toy()))
"""


@pytest.mark.parametrize("at_range", [1, 6])
async def test_a_rebuild_that_was_killed_goes_on_where_it_stood(database: str, nats_url: str, at_range: int) -> None:
    async with Pipeline(database, nats_url, toy()) as pipeline:
        await tell(pipeline, *(product(f"S{n}") for n in range(20)))
        await run_live(database, toy())
        env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")])}
        command = [sys.executable, "-c", KILLED, database, str(at_range)]
        ended = await asyncio.to_thread(subprocess.run, command, env=env, check=False, cwd=ROOT)
        assert ended.returncode == -signal.SIGKILL
        with psycopg.connect(database) as conn:
            row = conn.execute("SELECT count(done_at), count(*) FROM rebuild_ranges").fetchone()
        assert row is not None and row[0] == at_range - 1 and row[1] > at_range
        assert pipeline.listings() == pipeline.folded()

        done = await rebuilt(database, toy())

        assert done.resumed
        assert rows_of(database, done.generation) == pipeline.folded()
        assert done.plan is not None and done.plan.empty


async def test_what_an_abandoned_rebuild_left_is_pruned_or_replaced_when_the_code_is_another(
    database: str, nats_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stop(*given: object) -> None:
        raise asyncio.CancelledError

    async with Pipeline(database, nats_url, toy()) as pipeline:
        await tell(pipeline, product("A"))
        with monkeypatch.context() as patch, contextlib.suppress(asyncio.CancelledError):
            patch.setattr("daybook.rebuild.run.fill_here", stop)
            await rebuilt(database, toy())
        with psycopg.connect(database) as conn:
            assert conn.execute("SELECT state FROM generations ORDER BY generation").fetchall() == [
                ("live",),
                ("building",),
            ]
        async with await connect_async(database, "test") as conn2:
            assert await prune(conn2, "toy") == [2]
        done = await rebuilt(database, toy())
        assert (done.resumed, done.generation) == (False, 2)
