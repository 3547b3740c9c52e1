"""A work is done once for its inputs: whatever is killed, replayed, restored, rebuilt or asked what-if."""

import asyncio

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from daybook.catalogue.group import Group
from daybook.catalogue.reference import Reference
from daybook.channel.contract import Confirmed, Outcome, Push, Rendered
from daybook.channel.sandbox import Faults
from daybook.commands.book import Command
from daybook.events import ListingConfirmed, ListingRejected, ParcelAnnounced, ParcelCancelled, Recorded
from daybook.postgres.pool import connect_async
from daybook.rebuild import prune
from daybook.rebuild.run import apply
from tests.fixtures import press as presses
from tests.fixtures.examples import examples
from tests.fixtures.log_events import every_event
from tests.fixtures.pipeline import Pipeline, product, until, worker_process
from tests.fixtures.press import NAME, PressConnector, PressSandbox, press
from tests.fixtures.rebuilding import rebuilt
from tests.fixtures.toy_shop import rename


def named(sku: str, name: str) -> Command:
    return product(sku, name, channels={})


def found(pipeline: Pipeline) -> list[Recorded]:
    return [one for one in every_event(pipeline.app.reader) if isinstance(one.event, ParcelAnnounced | ParcelCancelled)]


def receipts(pipeline: Pipeline) -> list[Recorded]:
    return [one for one in every_event(pipeline.app.reader) if isinstance(one.event, ListingConfirmed)]


async def started(
    pipeline: Pipeline, *commands: Command, runs: bool = True, again: PressSandbox | None = None
) -> PressSandbox:
    sandbox = again or PressSandbox()
    await sandbox.start()
    await pipeline.define_attributes()
    pipeline.relay()
    if runs:
        pipeline.runner()
    await pipeline.carry_out(*commands)
    return sandbox


async def test_a_finding_is_recorded_in_one_command_with_the_receipt(database: str, nats_url: str) -> None:
    async with Pipeline(database, nats_url, press()) as pipeline:
        sandbox = await started(pipeline, named("A", "ant"))
        pipeline.delivery(sandbox.settings())
        await pipeline.level()
        (receipt,), (finding,) = receipts(pipeline), found(pipeline)
        assert finding.event == ParcelAnnounced(shipper=NAME, order="A", parcel="C-1", pieces={})
        assert (finding.command_id, finding.position) == (receipt.command_id, receipt.position + 1)
        assert (finding.stream, finding.key, finding.sku) == ("parcel/press/A", "A", "A")
        await sandbox.stop()


async def test_a_lost_answer_costs_no_second_work_and_one_finding(database: str, nats_url: str) -> None:
    async with Pipeline(database, nats_url, press()) as pipeline:
        sandbox = await started(pipeline, named("A", "ant"))
        sandbox.faults = Faults(drop_answer_next=1)
        pipeline.delivery(sandbox.settings())
        await pipeline.level()
        assert sandbox.printed == {"ant": 1} and len(found(pipeline)) == 1
        await sandbox.stop()


@pytest.mark.long
async def test_a_worker_killed_between_answer_and_record_does_no_second_work(database: str, nats_url: str) -> None:
    async with Pipeline(database, nats_url, press()) as pipeline:
        sandbox = await started(pipeline, named("A", "ant"))
        await pipeline.caught_up()
        async with worker_process(pipeline, sandbox.settings() | {"die": "1"}) as process:
            await until(lambda: process.poll() is not None, "the worker killed itself after the answer")
        assert sandbox.printed == {"ant": 1} and found(pipeline) == []
        pipeline.delivery(sandbox.settings())
        await pipeline.level()
        assert sandbox.printed == {"ant": 1} and len(found(pipeline)) == 1
        await sandbox.stop()


async def test_a_replay_into_an_empty_read_side_calls_nobody(database: str, nats_url: str) -> None:
    async with Pipeline(database, nats_url, press()) as pipeline:
        sandbox = await started(pipeline, named("A", "ant"), named("B", "bee"), rename("A", "asp"), runs=False)
        runner = pipeline.runner()
        worker = pipeline.delivery(sandbox.settings())
        await pipeline.level()
        before, sent = pipeline.listings(), len(sandbox.received)
        await pipeline.end(worker)
        await pipeline.end(runner)
        async with await connect_async(database, "test") as conn:
            await prune.forget(conn, NAME)
        pipeline.delivery(sandbox.settings())
        pipeline.runner()
        await until(lambda: _there(database), "the projection began anew")
        await pipeline.level()
        assert pipeline.listings() == before
        await pipeline.carry_out(named("C", "cat"))
        await until(lambda: sandbox.printed["cat"] == 1, "what is new is done")
        assert len(sandbox.received) == sent + 1
        await sandbox.stop()


def _there(database: str) -> bool:
    with psycopg.connect(database) as conn:
        return conn.execute("SELECT 1 FROM projections WHERE name = %s", (NAME,)).fetchone() is not None


def _louder(group: Group, reference: Reference) -> Rendered:
    """New code: names of more than three letters are printed in capitals."""
    shown = dict(presses.render(group, reference))
    for where, payload in shown.items():
        if isinstance(payload, dict) and len(payload["name"]) > 3:
            shown[where] = {"name": payload["name"].upper()}
    return shown


async def test_a_plan_numbers_the_work_of_new_code_and_only_that_is_done(database: str, nats_url: str) -> None:
    async with Pipeline(database, nats_url, press()) as pipeline:
        sandbox = await started(pipeline, named("A", "ant"), named("B", "beetle"), named("C", "cricket"))
        pipeline.delivery(sandbox.settings())
        await pipeline.level()
        new = replace(press(), render=_louder, version=2)

        done = await rebuilt(database, new)

        assert done.plan is not None and done.plan.calls == {"redo card": 2}
        assert len(sandbox.received) == 3
        await apply(database, new)
        await until(lambda: sandbox.printed.total() == 5, "the two are done anew")
        assert sandbox.printed == {"ant": 1, "beetle": 1, "cricket": 1, "BEETLE": 1, "CRICKET": 1}
        await sandbox.stop()


class _Careless(PressConnector):
    """Finds what its manifest does not declare."""

    async def push(self, push: Push) -> Outcome:
        outcome = await super().push(push)
        cancelled = ParcelCancelled(shipper=NAME, order=push.sku, parcel="C-9")
        return replace(outcome, findings=(cancelled,)) if isinstance(outcome, Confirmed) else outcome


async def test_a_finding_that_is_not_declared_is_a_refusal_that_names_it(database: str, nats_url: str) -> None:
    manifest = replace(press(), connector=_Careless, findings=(ParcelAnnounced,))
    async with Pipeline(database, nats_url, manifest) as pipeline:
        sandbox = await started(pipeline, named("A", "ant"))
        pipeline.delivery(sandbox.settings())
        await pipeline.level()
        (refusal,) = [one.event for one in every_event(pipeline.app.reader) if isinstance(one.event, ListingRejected)]
        assert [one.code for one in refusal.reasons] == ["finding_not_kept"]
        assert "ParcelCancelled" in refusal.reasons[0].message and found(pipeline) == []
        await sandbox.stop()


_steps = st.lists(
    st.one_of(
        st.builds(rename, st.sampled_from("AB"), st.sampled_from(("ant", "bee", "cat"))),
        st.sampled_from(("lose an answer", "cut", "crash")),
    ),
    min_size=3,
    max_size=9,
)


_press_of: dict[str, PressSandbox] = {}
"""By database: the examples of a property share their log, so they share what was printed, too."""


@examples(few=2, many=60)
@given(steps=_steps)
def test_whatever_happens_each_input_is_worked_on_once_and_found_out(
    database: str, nats_url: str, steps: list[Command | str]
) -> None:
    async def main() -> None:
        async with Pipeline(database, nats_url, press()) as pipeline:
            again = _press_of.setdefault(database, PressSandbox())
            sandbox = await started(pipeline, named("A", "ant"), named("B", "bee"), again=again)
            worker = pipeline.delivery(sandbox.settings())
            for step in steps:
                if step == "lose an answer":
                    sandbox.faults.drop_answer_next = 1
                elif step == "cut":
                    await pipeline.end(worker)
                    worker = pipeline.delivery(sandbox.settings())
                elif step == "crash":
                    await pipeline.crash(worker)
                    worker = pipeline.delivery(sandbox.settings())
                elif not isinstance(step, str):
                    await pipeline.carry_out(step)
                    await asyncio.sleep(0)
            await pipeline.level()
            known = {one.event.parcel for one in found(pipeline) if isinstance(one.event, ParcelAnnounced)}
            shown = {payload["name"] for payload in pipeline.listings().values()}
            assert shown <= {sandbox.cards[number] for number in known}
            assert sandbox.printed.total() == len(sandbox.numbers)
            await sandbox.stop()

    asyncio.run(main())
