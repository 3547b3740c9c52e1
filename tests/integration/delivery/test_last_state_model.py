"""Never an older state last, whatever the workers of a channel do: decision 19 as a model that is tried in any order.

Several workers share a channel. Each may claim, look at its lease, have its request arrive, get the answer, record,
be stopped at any of these, lose its lease meanwhile, wake up, or die. Whoever is left brings the channel to the newest
state; and whenever the book says that the channel is level and nobody is in doubt, it is.
"""

import asyncio
from contextlib import AsyncExitStack

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from daybook.channel.calls import may_send
from daybook.channel.contract import Confirmed, Outcome, Push, Throttled
from daybook.commands import ChangePrice
from daybook.delivery import held_lanes, process, worker
from daybook.delivery.care import Care
from daybook.delivery.held_lanes import HeldLanes
from daybook.delivery.receipts import ReceiptQueue
from daybook.delivery.worker import Delivery
from daybook.postgres.connections import Connections
from daybook.postgres.pool import AsyncConnection, connect_async
from tests.fixtures.channels import toy
from tests.fixtures.pipeline import Pipeline, product, until

WORKERS_MAX = 3
A_LONG_TIME = 10_000.0
"""Seconds; leases of the model end when it says so, not when this machine is slow."""

PATIENCE = settings(
    max_examples=40,
    stateful_step_count=30,
    deadline=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, Phase.explain],
)
"""No shrinking: an example lives in a book that goes on, so it is not repeated exactly."""
PAST = "clock_timestamp() - interval '1 second'"


class Request:
    """A push under way: made, then looked at, then arrived, then answered."""

    def __init__(self, push: Push) -> None:
        self.push = push
        self.leaves, self.answered = asyncio.Event(), asyncio.Event()
        self.left: bool | None = None
        self.arrived = False


class Stepped:
    """A connector that goes on when the model says so. `shown` is what the channel shows, of all workers."""

    def __init__(self, shown: dict[str, int]) -> None:
        self.shown = shown
        self.requests: list[Request] = []

    async def push(self, push: Push) -> Outcome:
        request = Request(push)
        self.requests.append(request)
        try:
            await request.leaves.wait()
            held = may_send.get()
            request.left = held is not None and held()
            if not request.left:
                return Throttled(0.0, "lease")
            await request.answered.wait()
            return Confirmed(remote_id=push.sku, covers=tuple(push.listing))
        finally:
            self.requests.remove(request)

    def arrive(self, request: Request) -> None:
        """The channel carries it out."""
        request.arrived = True
        self.shown[request.push.sku] = request.push.listing["price"]["price"]

    async def confirm(self, push: Push, submission: str) -> Outcome:
        raise AssertionError("nothing is accepted for later")

    async def close(self) -> None:
        pass


class Worker:
    """A worker with a session and a clock of its own."""

    def __init__(self, pipeline: Pipeline, session: AsyncConnection, shown: dict[str, int]) -> None:
        self.connector = Stepped(shown)
        self.delivery = Delivery(
            toy(), self.connector, ReceiptQueue(pipeline.app.log, pipeline.ringer.ring), lambda: None
        )
        self.ahead = 0.0
        self.delivery.hand = HeldLanes(lambda: held_lanes.now() + self.ahead)
        self.delivery.enrolled = True
        self.session = session
        self.stopped = False

    @property
    def idle(self) -> bool:
        return not self.delivery.busy


class Channel:
    """What all the workers have in common."""

    def __init__(self, pipeline: Pipeline, stack: AsyncExitStack) -> None:
        self.pipeline = pipeline
        self.stack = stack
        self.connections = Connections(pipeline.dsn, "model", 2)
        self.shown: dict[str, int] = {}
        self.skus = 0

    async def join(self) -> Worker:
        session = await connect_async(self.pipeline.dsn, "leases")
        self.stack.push_async_callback(session.close)
        one = Worker(self.pipeline, session, self.shown)
        given = {"channels": ["toy"], "owners": [one.delivery.owner], "lease": A_LONG_TIME}
        await session.execute(process.QUERIES["alive"], given)
        return one

    async def change(self, sku: str, cents: int) -> None:
        await self.pipeline.carry_out(ChangePrice(sku=sku, amount=f"{cents / 100:.2f}", currency="EUR"))
        await self.pipeline.caught_up()

    async def claim(self, one: Worker) -> None:
        async with self.connections.one() as conn:
            await one.delivery.claim(conn)
        await turn()

    async def record(self, one: Worker) -> None:
        if one.delivery.has_ended_lanes:
            await one.delivery.record(self.connections)
        await self.pipeline.caught_up()

    async def time_passes(self, living: list[Worker]) -> None:
        """What waits for a time is due, and the leases of the dead are over."""
        owners = [one.delivery.owner for one in living]
        async with self.connections.one() as conn:
            await conn.execute("UPDATE lanes SET next_try = clock_timestamp() WHERE next_try IS NOT NULL")
            await conn.execute(f"UPDATE lanes SET leased_until = {PAST} WHERE NOT owner = ANY(%s::text[])", (owners,))

    async def lose(self, one: Worker) -> None:
        one.ahead += 2 * A_LONG_TIME
        async with self.connections.one() as conn:
            await conn.execute(
                f"UPDATE lanes SET leased_until = {PAST} WHERE owner = %s AND leased_until IS NOT NULL",
                (one.delivery.owner,),
            )
            await conn.execute(
                f"UPDATE delivery_workers SET alive_until = {PAST} WHERE owner = %s", (one.delivery.owner,)
            )

    async def die(self, one: Worker) -> None:
        await one.delivery.close()
        await one.session.close()
        await until(lambda: not self._has_session(one), "the server has seen that its session is gone")

    def _has_session(self, one: Worker) -> bool:
        with psycopg.connect(self.pipeline.dsn) as conn:
            pid = one.session.info.backend_pid if not one.session.closed else None
            row = conn.execute(
                "SELECT 1 FROM delivery_workers w JOIN pg_stat_activity s ON s.pid = w.pid "
                "AND s.backend_start = w.session_began WHERE w.owner = %s",
                (one.delivery.owner,),
            ).fetchone()
        return row is not None or pid is not None

    async def care(self, one: Worker) -> None:
        await Care(self.connections).look([one.delivery])

    def owner(self, lane: str) -> str | None:
        """Whose the lane is, as Postgres says it."""
        with psycopg.connect(self.pipeline.dsn) as conn:
            row = conn.execute("SELECT owner FROM lanes WHERE lane = %s", (lane,)).fetchone()
        return row[0] if row else None

    def settled(self) -> bool:
        """Whether the book says that the channel shows what it should, and nobody is in doubt."""
        with psycopg.connect(self.pipeline.dsn) as conn:
            query = (
                "SELECT NOT EXISTS (SELECT 1 FROM deliveries WHERE state <> 'confirmed') "
                "AND NOT EXISTS (SELECT 1 FROM doubts) AND NOT EXISTS (SELECT 1 FROM lanes WHERE owner IS NOT NULL)"
            )
            return conn.execute(query).fetchone() == (True,)


async def turn() -> None:
    """Lets every task go on until it waits."""
    for _ in range(20):
        await asyncio.sleep(0)


def machine(loop: asyncio.Runner, channel: Channel) -> type[RuleBasedStateMachine]:
    """The model, on a channel that lives longer than one example: each has a SKU of its own."""
    run = loop.run

    class LastState(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            channel.skus += 1
            self.sku, self.cents = f"M{channel.skus:04}", 1000
            self.workers = [run(channel.join()), run(channel.join())]
            run(channel.pipeline.carry_out(product(self.sku)))
            run(channel.pipeline.caught_up())

        def running(self) -> list[Worker]:
            return [one for one in self.workers if not one.stopped]

        def requests(self, *, running: bool = True) -> list[tuple[Worker, Request]]:
            workers = self.running() if running else self.workers
            return [(one, request) for one in workers for request in one.connector.requests]

        def free(self) -> list[Worker]:
            """Who has nothing in hand."""
            return [one for one in self.running() if one.idle]

        def to_leave(self) -> list[tuple[Worker, Request]]:
            return [(one, each) for one, each in self.requests() if each.left is None]

        def under_way(self) -> list[tuple[Worker, Request]]:
            """Also those of a worker that was stopped after its look."""
            return [(one, each) for one, each in self.requests(running=False) if each.left and not each.arrived]

        def arrived(self) -> list[tuple[Worker, Request]]:
            return [(one, each) for one, each in self.requests() if each.arrived]

        def to_record(self) -> list[Worker]:
            return [one for one in self.running() if one.delivery.has_ended_lanes]

        def with_lanes(self) -> list[Worker]:
            return [one for one in self.workers if one.delivery.hand]

        def stopped(self) -> list[Worker]:
            return [one for one in self.workers if one.stopped]

        def bring(self, one: Worker) -> None:
            run(channel.claim(one))
            for request in list(one.connector.requests):
                request.leaves.set()
                run(turn())
                if request.left:
                    one.connector.arrive(request)
                    request.answered.set()
                    run(turn())
            run(channel.record(one))

        @rule()
        def the_price_changes(self) -> None:
            self.cents += 1
            run(channel.change(self.sku, self.cents))

        @precondition(lambda self: self.free())
        @rule(data=st.data(), leaves=st.booleans())
        def a_worker_claims(self, data: st.DataObject, leaves: bool) -> None:
            run(channel.claim(data.draw(st.sampled_from(self.free()))))
            if leaves and self.to_leave():
                self.a_request_is_about_to_leave(data)

        @precondition(lambda self: self.to_leave())
        @rule(data=st.data())
        def a_request_is_about_to_leave(self, data: st.DataObject) -> None:
            """Its worker looks at its lease; whether it is stopped before the socket is for the others to say."""
            one, request = data.draw(st.sampled_from(self.to_leave()))
            request.leaves.set()
            run(turn())
            assert not request.left or channel.owner(self.sku) == one.delivery.owner

        @precondition(lambda self: self.under_way())
        @rule(data=st.data())
        def a_request_arrives(self, data: st.DataObject) -> None:
            one, request = data.draw(st.sampled_from(self.under_way()))
            one.connector.arrive(request)

        @precondition(lambda self: self.arrived())
        @rule(data=st.data())
        def an_answer_comes(self, data: st.DataObject) -> None:
            _, request = data.draw(st.sampled_from(self.arrived()))
            request.answered.set()
            run(turn())

        @precondition(lambda self: self.to_record())
        @rule(data=st.data())
        def a_worker_records(self, data: st.DataObject) -> None:
            run(channel.record(data.draw(st.sampled_from(self.to_record()))))

        @precondition(lambda self: self.free())
        @rule(data=st.data())
        def a_worker_brings_what_is_due(self, data: st.DataObject) -> None:
            """The steps above, one after the other."""
            self.bring(data.draw(st.sampled_from(self.free())))

        @precondition(lambda self: self.with_lanes())
        @rule(data=st.data(), stopped=st.booleans())
        def a_worker_loses_its_leases(self, data: st.DataObject, stopped: bool) -> None:
            """Stopped, or cut off from Postgres."""
            one = data.draw(st.sampled_from(self.with_lanes()))
            one.stopped = one.stopped or stopped
            run(channel.lose(one))

        @precondition(lambda self: self.with_lanes() and self.free())
        @rule(data=st.data(), stopped=st.booleans())
        def a_worker_is_overtaken(self, data: st.DataObject, stopped: bool) -> None:
            """It loses its leases, and another one brings something newer."""
            self.a_worker_loses_its_leases(data, stopped)
            self.the_price_changes()
            for one in self.free():
                self.bring(one)

        @precondition(lambda self: self.stopped())
        @rule(data=st.data())
        def a_stopped_worker_wakes(self, data: st.DataObject) -> None:
            data.draw(st.sampled_from(self.stopped())).stopped = False

        @precondition(lambda self: self.with_lanes())
        @rule(data=st.data())
        def a_worker_dies_with_full_hands(self, data: st.DataObject) -> None:
            one = data.draw(st.sampled_from(self.with_lanes()))
            self.workers.remove(one)
            run(channel.die(one))

        @precondition(lambda self: len(self.workers) < WORKERS_MAX)
        @rule()
        def a_worker_joins(self) -> None:
            self.workers.append(run(channel.join()))

        @precondition(lambda self: self.running())
        @rule(data=st.data())
        def a_worker_looks_after_doubts(self, data: st.DataObject) -> None:
            run(channel.care(data.draw(st.sampled_from(self.running()))))

        @rule()
        def time_passes(self) -> None:
            run(channel.time_passes(self.workers))

        @invariant()
        def a_channel_that_counts_as_level_is(self) -> None:
            if channel.settled() and not self.under_way():
                assert channel.shown.get(self.sku) == self.cents

        def teardown(self) -> None:
            """Whoever was stopped wakes. What is under way comes to its end, and the newest state is the last."""
            for one in self.workers:
                one.stopped = False
            self.workers.append(run(channel.join()))
            for _ in range(40):
                for one in self.workers:
                    self.bring(one)
                    run(channel.care(one))
                if channel.settled() and all(one.idle for one in self.workers):
                    break
                run(channel.time_passes(self.workers))
            try:
                assert channel.settled() and all(one.idle for one in self.workers), "it never settles"
                assert channel.shown[self.sku] == self.cents
            finally:
                for one in self.workers:
                    run(channel.die(one))

    return LastState


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_the_newest_state_is_the_last_whatever_the_workers_do(
    database: str, nats_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (worker, held_lanes):
        monkeypatch.setattr(module, "LEASE_SECONDS", A_LONG_TIME)

    async def begin() -> Channel:
        stack = AsyncExitStack()
        pipeline = await stack.enter_async_context(Pipeline(database, nats_url, toy()))
        pipeline.relay()
        pipeline.runner()
        await pipeline.define_attributes()
        await pipeline.caught_up()
        return Channel(pipeline, stack)

    with asyncio.Runner() as loop:
        channel = loop.run(begin())
        try:
            run_state_machine_as_test(machine(loop, channel), settings=PATIENCE)
        finally:
            loop.run(channel.connections.close())
            loop.run(channel.stack.aclose())
